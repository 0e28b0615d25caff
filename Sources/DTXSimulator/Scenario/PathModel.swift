package import DTXCore

/// How a TCP connection answers to loss.
package enum CongestionControl: String, Equatable, Sendable, CaseIterable {
  case reno, cubic, bbr
}

/// What TCP makes of a path: the formulas of dtx-scenario(5), "The path", in integers.
package enum PathModel {
  /// Ethernet's share of a packet on the wire: preamble, header, checksum and gap (IEEE 802.3).
  package static let frameByteCount: UInt64 = 38
  /// IPv4 and TCP, and the timestamps of RFC 7323.
  package static let headerByteCount: UInt64 = 20 + 20 + 12
  /// Segments that a connection begins with: RFC 6928.
  private static let initialWindow: UInt64 = 10
  /// A record's header and tag: dtx-protocol(7).
  private static let recordOverhead: UInt64 = 16 + 16

  /// Payload of a segment.
  package static func segmentByteCount(_ path: ScenarioPath) -> UInt64 {
    path.packetByteCount - headerByteCount
  }

  /// The most payload that fits a rate on the wire, TCP's own view: no record is counted.
  package static func ceiling(of rate: Rate, _ path: ScenarioPath) -> Rate {
    rate.scaled(by: segmentByteCount(path), over: path.packetByteCount + frameByteCount)
  }

  /// The plan's inputs, as the product makes them of what a connection shows.
  package static func inputs(_ lanes: [Lane], _ path: ScenarioPath) -> PlanInputs {
    let segment = segmentByteCount(path)
    let record = UInt64(Limits.recordByteCount)
    return PlanInputs(
      lanes: lanes,
      roundTripNanoseconds: path.roundTripNanoseconds,
      overheadNumerator: (path.packetByteCount + frameByteCount) * (record + recordOverhead),
      overheadDenominator: segment * record
    )
  }

  /// The payload that loss leaves one connection, however wide the path; nil when it is no limit.
  ///
  /// Reno: segment / round trip * sqrt(3 / 2p) (Mathis, Semke, Mahdavi and Ott 1997). CUBIC: the
  /// mean window (C (3 + b) / 4 (1 - b))^(1/4) * (round trip / p)^(3/4) with C = 0.4 and b = 0.7
  /// (RFC 9438, section 5.1), or Reno's where that is more. Lost segments go twice: 1 - p is left.
  package static func lossLimit(_ path: ScenarioPath) -> Rate? {
    let loss = path.lossPerBillion
    guard loss > 0 else { return nil }
    let window: UInt64
    switch path.congestion {
    case .bbr: return nil
    case .reno: window = renoMilliWindow(loss)
    case .cubic: window = max(renoMilliWindow(loss), cubicMilliWindow(path, loss))
    }
    let bits = UInt128(window) * UInt128(segmentByteCount(path)) * 8 * UInt128(Duration.second)
    let raw = bits / 1000 / UInt128(max(path.roundTripNanoseconds, 1))
    let kept = raw * UInt128(1_000_000_000 - loss) / 1_000_000_000
    return Rate(bitsPerSecond: max(1, UInt64(clamping: kept)))
  }

  /// What a socket buffer lets a connection carry over this round trip.
  package static func bufferLimit(_ byteCount: UInt64, _ path: ScenarioPath) -> Rate? {
    guard path.roundTripNanoseconds > 0 else { return nil }
    let bits = UInt128(byteCount) * 8 * UInt128(Duration.second)
    return Rate(
      bitsPerSecond: max(1, UInt64(clamping: bits / UInt128(path.roundTripNanoseconds)))
    )
  }

  /// How long a connection that is to carry so much takes to reach it: a doubling each round trip.
  ///
  /// What slow start carries meanwhile is not counted.
  package static func slowStartNanoseconds(to rate: Rate, _ path: ScenarioPath) -> UInt64 {
    var window = initialWindow * segmentByteCount(path)
    let target = rate.byteCount(in: path.roundTripNanoseconds)
    var time: UInt64 = 0
    while window < target {
      window *= 2
      time += path.roundTripNanoseconds
    }
    return time
  }

  /// Thousandths of segments in flight, on average.
  private static func renoMilliWindow(_ loss: UInt64) -> UInt64 {
    // sqrt(3 / 2p) * 1000 with p in thousand millionths.
    UInt64(clamping: squareRoot(3 * 1_000_000_000 * 1_000_000 / (2 * UInt128(loss))))
  }

  private static func cubicMilliWindow(_ path: ScenarioPath, _ loss: UInt64) -> UInt64 {
    // Nanoseconds over thousand millionths are seconds over the chance itself; here in thousandths.
    let ratio = UInt128(path.roundTripNanoseconds) * 1000 / UInt128(loss)
    guard ratio < 100_000_000_000 else { return .max >> 20 }
    // The fourth power of the window in hundredths: 0.4 * 3.7 / (4 * 0.3) = 1.2333 times the cube.
    let power = ratio * ratio * ratio * 12_333 / 100_000
    return UInt64(clamping: squareRoot(squareRoot(power))) * 10
  }

  /// The greatest integer whose square is no more than this.
  static func squareRoot(_ value: UInt128) -> UInt128 {
    guard value > 1 else { return value }
    var root = UInt128(1) << UInt128((128 - value.leadingZeroBitCount + 1) / 2)
    while true {
      let next = (root + value / root) / 2
      if next >= root { return root }
      root = next
    }
  }
}
