/// What is set on a lane's connections, at whichever end has a use for it: dtx-protocol(7),
/// "Handshake".
package struct LaneSettings: Equatable, Sendable {
  /// The mark of what either end sends; nil for none.
  package var codePoint: CodePoint?
  /// Of the data's sender; nil for its host's default.
  package var congestionControl: String?
  /// What the data's sender may put on the wire, all connections together, as `layer` counts.
  package var pacedRate: Rate?
  package var layer: CountedLayer

  package init(
    codePoint: CodePoint? = nil,
    congestionControl: String? = nil,
    pacedRate: Rate? = nil,
    layer: CountedLayer = .l2
  ) {
    self.codePoint = codePoint
    self.congestionControl = congestionControl
    self.pacedRate = pacedRate
    self.layer = layer
  }

  /// The highest rate that a plan may count with, Ethernet's bytes included; nil where there is no
  /// rate.
  ///
  /// Where the contract does not count these, they come to it: most of all with segments of one
  /// byte, and nobody but the initiator may have seen the path's.
  var mostPlanned: Rate? {
    let smallest = SegmentShape(segmentByteCount: 1, isV6: false)
    return pacedRate.map {
      $0.scaled(by: smallest.wireByteCount(.l2), over: smallest.wireByteCount(layer))
    }
  }
}

/// What the kernel took at the data's sender, read back from one connection.
package struct LaneTaken: Equatable, Sendable {
  package var codePoint: CodePoint
  package var congestionControl: String
  /// The connection's pace, in payload as the kernel counts it; nil for one without.
  package var pacedBytesPerSecond: UInt64?
  /// Payload of a full segment.
  package var segmentByteCount: UInt32
  package var pathMTU: UInt32
  /// The queue before the device that it leaves by; nil where nobody knows.
  package var queue: EgressQueue?

  package init(
    codePoint: CodePoint,
    congestionControl: String,
    pacedBytesPerSecond: UInt64?,
    segmentByteCount: UInt32,
    pathMTU: UInt32,
    queue: EgressQueue? = nil
  ) {
    self.codePoint = codePoint
    self.congestionControl = congestionControl
    self.pacedBytesPerSecond = pacedBytesPerSecond
    self.segmentByteCount = segmentByteCount
    self.pathMTU = pathMTU
    self.queue = queue
  }
}

/// The bytes of both: dtx-protocol(7), "Handshake" and "Control messages".
package enum LaneSettingsCodec {
  /// Stands for no mark, which is none of the 64.
  private static let noMark: UInt8 = 255
  /// Names of devices and kinds have 15 bytes at most, and two of them a blank between them.
  private static let nameByteCount = 31

  package static func encode(_ lanes: [LaneSettings], into writer: inout ByteWriter) {
    writer.appendVarint(lanes.count)
    for lane in lanes {
      writer.append(lane.codePoint?.value ?? noMark)
      writer.appendCounted(lane.congestionControl ?? "")
      writer.appendVarint(lane.pacedRate?.bitsPerSecond ?? 0)
      writer.append(lane.layer.rawValue)
    }
  }

  package static func lanes(_ reader: inout ByteReader) throws(FormatError) -> [LaneSettings] {
    let count = try reader.count("lane count", maximum: Limits.laneCount)
    var lanes: [LaneSettings] = []
    for _ in 0..<count {
      let mark = try reader.byte("mark")
      let codePoint = CodePoint(value: mark)
      guard mark == noMark || codePoint != nil else {
        throw reader.failure("mark", .unexpected(found: UInt64(mark)))
      }
      let congestionControl = try congestionControl(&reader)
      let rate = try reader.varint("paced rate", maximum: Limits.laneBitsPerSecond)
      let rawLayer = try reader.byte("counted layer")
      guard let layer = CountedLayer(rawValue: rawLayer) else {
        throw reader.failure("counted layer", .unexpected(found: UInt64(rawLayer)))
      }
      lanes.append(
        LaneSettings(
          codePoint: codePoint,
          congestionControl: congestionControl.isEmpty ? nil : congestionControl,
          pacedRate: rate == 0 ? nil : Rate(bitsPerSecond: rate),
          layer: layer
        )
      )
    }
    return lanes
  }

  package static func encode(_ taken: LaneTaken, into writer: inout ByteWriter) {
    writer.append(taken.codePoint.value)
    writer.appendCounted(taken.congestionControl, maximum: Limits.congestionControlByteCount)
    writer.appendVarint(taken.pacedBytesPerSecond ?? 0)
    writer.append(taken.segmentByteCount)
    writer.append(taken.pathMTU)
    writer.append(taken.queue != nil)
    guard let queue = taken.queue else { return }
    writer.appendCounted(queue.interface, maximum: nameByteCount)
    writer.appendCounted(queue.kind, maximum: nameByteCount)
    writer.appendVarint(queue.limit?.bytesPerSecond ?? 0)
    writer.append(queue.limit?.isPerConnection ?? false)
  }

  private static func queue(_ reader: inout ByteReader) throws(FormatError) -> EgressQueue? {
    guard try reader.flag("queue") else { return nil }
    let interface = try reader.text("device", maximum: nameByteCount)
    let kind = try reader.text("kind of queue", maximum: nameByteCount)
    let rate = try reader.varint("limit of the queue")
    let isPerConnection = try reader.flag("limit of each connection")
    guard rate > 0 || !isPerConnection else {
      throw reader.failure("limit of the queue", .invalid("none of each connection"))
    }
    let limit = EgressQueue.Limit(bytesPerSecond: rate, isPerConnection: isPerConnection)
    return EgressQueue(interface: interface, kind: kind, limit: rate == 0 ? nil : limit)
  }

  package static func taken(_ reader: inout ByteReader) throws(FormatError) -> LaneTaken {
    let mark = try reader.byte("mark")
    guard let codePoint = CodePoint(value: mark) else {
      throw reader.failure("mark", .unexpected(found: UInt64(mark)))
    }
    let congestionControl = try congestionControl(&reader)
    let pace = try reader.varint("pace", maximum: Limits.laneBitsPerSecond)
    return LaneTaken(
      codePoint: codePoint,
      congestionControl: congestionControl,
      pacedBytesPerSecond: pace == 0 ? nil : pace,
      segmentByteCount: try reader.uint32("segment size"),
      pathMTU: try reader.uint32("path MTU"),
      queue: try queue(&reader)
    )
  }

  /// A name that the kernel could know: it goes into a system call.
  private static func congestionControl(_ reader: inout ByteReader) throws(FormatError) -> String {
    let name = try reader.text("congestion control", maximum: Limits.congestionControlByteCount)
    guard name.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
      throw reader.failure("congestion control", .invalid("a name with other bytes than visible"))
    }
    return name
  }
}
