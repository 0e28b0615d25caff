/// Which bytes of the wire a lane's contract counts.
package enum CountedLayer: UInt8, Sendable, CaseIterable {
  /// IP packets and the 38 bytes that Ethernet takes for each: preamble, header, check sequence and
  /// gap (IEEE 802.3).
  case l2 = 2
  /// IP packets alone.
  case l3 = 3

  package var name: String {
    switch self {
    case .l2: "l2"
    case .l3: "l3"
    }
  }

  /// What a full segment has on the wire beyond its payload, as far as it counts.
  ///
  /// - Parameter isV6: 40 bytes of IPv6 instead of 20 of IPv4; 20 of TCP and 12 of its timestamps
  ///   (RFC 7323) come to both.
  /// - Returns: bytes.
  package func overheadByteCount(isV6: Bool) -> UInt64 {
    let ethernet: UInt64 = self == .l2 ? 38 : 0
    return ethernet + (isV6 ? 40 : 20) + 32
  }
}

/// What is on the wire for each segment of one connection, as one lane's contract counts it.
package struct SegmentShape: Equatable, Sendable {
  /// Payload of a full segment.
  package var segmentByteCount: UInt64
  package var isV6: Bool

  package init(segmentByteCount: UInt64, isV6: Bool) {
    precondition(segmentByteCount > 0, "a segment has payload")
    self.segmentByteCount = segmentByteCount
    self.isV6 = isV6
  }

  /// What a path of Ethernet frames of 1500 bytes has, where nobody has measured.
  package static let usual = SegmentShape(segmentByteCount: 1448, isV6: false)

  /// The payload that a rate on the wire leaves room for, rounded down.
  package func payload(of rate: Rate, counting layer: CountedLayer) -> Rate {
    rate.scaled(by: segmentByteCount, over: wireByteCount(layer))
  }

  /// What a rate of payload takes on the wire, rounded down.
  package func wire(of payload: Rate, counting layer: CountedLayer) -> Rate {
    payload.scaled(by: wireByteCount(layer), over: segmentByteCount)
  }

  /// A full segment with what counts of its headers.
  package func wireByteCount(_ layer: CountedLayer) -> UInt64 {
    segmentByteCount + layer.overheadByteCount(isV6: isV6)
  }
}

/// How a lane's rate is held: what the rate counts, and what share of it is used.
package struct LanePace: Equatable, Sendable {
  /// What is used of a contract that the network polices: a policer drops what is above, and a
  /// sender's bursts are, though its mean is not.
  package static let policedPercent = 97

  package var layer: CountedLayer
  /// 1 to 100.
  package var percent: Int

  package init(layer: CountedLayer = .l2, percent: Int = 100) {
    precondition((1...100).contains(percent), "\(percent) percent of a rate")
    self.layer = layer
    self.percent = percent
  }

  /// The share of a contract that is used, counted as the contract counts.
  package func used(of contract: Rate) -> Rate {
    contract.scaled(by: UInt64(percent), over: 100)
  }

  /// The same on the wire with Ethernet, which plans count with.
  package func planned(_ contract: Rate, _ shape: SegmentShape) -> Rate {
    used(of: contract).scaled(by: shape.wireByteCount(.l2), over: shape.wireByteCount(layer))
  }

  /// What the kernel is asked to pace one of a lane's connections at.
  ///
  /// - Parameters:
  ///   - used: of the lane, as `used` gives it.
  ///   - connectionCount: of the lane.
  ///   - layer: that the contract counts.
  ///   - shape: of the connection's segments.
  /// - Returns: bytes of payload a second, at least 1.
  package static func payloadBytesPerSecond(
    used: Rate,
    connectionCount: Int,
    counting layer: CountedLayer,
    _ shape: SegmentShape
  ) -> UInt64 {
    let share = Rate(bitsPerSecond: used.bitsPerSecond / UInt64(connectionCount))
    return max(1, shape.payload(of: share, counting: layer).bitsPerSecond / 8)
  }
}
