internal import DTXCore
internal import DTXLinux

/// What each lane carried and what the kernel took as its pace; paces connections as they open.
///
/// Shared by the session's threads.
final class LaneLedger: Sendable {
  private let reportsByLane: Guarded<[LaneReport]>

  init(_ lanes: [Lane]) {
    reportsByLane = Guarded(lanes.map { LaneReport(lane: $0) })
  }

  /// Sets a connection's pace and notes it.
  ///
  /// A failure to pace is left to the report, which shows what the kernel took.
  func opened(_ opened: OpenedLane, _ lane: Lane, isPaced: Bool) {
    let port = try? opened.socket.localAddress.port
    var paced: UInt64?
    if isPaced, let rate = lane.rate {
      paced = LaneLedger.pace(opened.socket, at: rate, connectionCount: lane.connectionCount)
    }
    let index = opened.identity.lane
    reportsByLane.withLock { reports in
      reports[index].connectionCount += 1
      if let port { reports[index].sourcePorts.append(port) }
      if let paced { reports[index].pacedBitsPerSecond = paced }
    }
  }

  func count(_ work: BlockWork, on lane: Int) {
    reportsByLane.withLock { reports in
      reports[lane].blockCount += 1
      reports[lane].sentByteCount += work.byteCount
    }
  }

  func reports() -> [LaneReport] {
    reportsByLane.withLock { $0 }
  }

  /// Wire bytes of a segment beyond its payload: 38 of Ethernet (preamble, header, FCS, gap: IEEE
  /// 802.3), 20 of IPv4, 20 of TCP with 12 of timestamps (RFC 7323).
  static let segmentOverhead: UInt64 = 38 + 20 + 32

  /// - Returns: the lane's rate on the wire as the kernel holds it; nil when it holds none.
  private static func pace(
    _ socket: Socket,
    at rate: Rate,
    connectionCount: Int
  ) -> UInt64? {
    guard let info = try? socket.tcpInfo() else { return nil }
    let segment = UInt64(max(info.segmentByteCount, 536))
    let share = Rate(bitsPerSecond: rate.bitsPerSecond / UInt64(connectionCount))
    let payload = share.scaled(by: segment, over: segment + segmentOverhead)
    let bytesPerSecond = max(1, payload.bitsPerSecond / 8)
    guard (try? socket.setMaxPacingRate(bytesPerSecond: bytesPerSecond)) != nil,
      let taken = try? socket.maxPacingRate()
    else { return nil }
    let wire = Rate(bitsPerSecond: taken * 8).scaled(by: segment + segmentOverhead, over: segment)
    return wire.bitsPerSecond * UInt64(connectionCount)
  }
}
