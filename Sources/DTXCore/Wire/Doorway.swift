/// Where an initiator that listens for lanes itself may be dialled: part of its request.
package struct Doorway: Equatable, Sendable {
  /// Where it listens, and the addresses at which it may be met.
  package var place: Acceptance
  /// For each lane the address that it is dialled at; nil for the place's.
  package var targets: [LaneTarget?]

  package init(place: Acceptance, targets: [LaneTarget?]) {
    self.place = place
    self.targets = targets
  }
}

/// What a responder that dials says of its first attempts.
package struct DialReport: Equatable, Sendable {
  /// A lane that could not be opened.
  package struct Failure: Error, Equatable, Sendable {
    package var lane: Int
    /// What each address answered.
    package var reason: String

    package init(lane: Int, reason: String) {
      self.lane = lane
      self.reason = reason
    }
  }

  /// What a connection shows of its path.
  package struct Path: Equatable, Sendable {
    package var shape: SegmentShape
    package var roundTripNanoseconds: UInt64

    package init(shape: SegmentShape, roundTripNanoseconds: UInt64) {
      self.shape = shape
      self.roundTripNanoseconds = roundTripNanoseconds
    }
  }

  /// Of the first lane; nil where no connection was made.
  package var path: Path?
  /// In the order of the lanes.
  package var failures: [Failure]

  package init(path: Path?, failures: [Failure]) {
    self.path = path
    self.failures = failures
  }
}

/// The bytes of both: dtx-protocol(7), "Handshake".
extension HandshakeCodec {
  /// As in a plan's inputs: no path takes an hour.
  private static let roundTripNanoseconds: UInt64 = 3600 * Duration.second
  /// Of all lanes together they fit a frame.
  private static let reasonByteCount = 1000

  static func encode(_ doorway: Doorway?, into writer: inout ByteWriter) {
    writer.append(doorway != nil)
    guard let doorway else { return }
    encode(doorway.place, into: &writer)
    for target in doorway.targets { writer.appendCounted(target?.description ?? "") }
  }

  static func doorway(
    _ reader: inout ByteReader,
    laneCount: Int
  ) throws(FormatError) -> Doorway? {
    guard try reader.flag("listening initiator") else { return nil }
    guard laneCount > 0 else {
      throw reader.failure("listening initiator", .invalid("there is no lane to dial"))
    }
    let place = try acceptance(&reader)
    var targets: [LaneTarget?] = []
    for _ in 0..<laneCount {
      let text = try reader.text("lane's address", maximum: 300)
      let target = LaneTarget(text)
      guard text == target?.description ?? "" else {
        throw reader.failure("lane's address", .invalid("neither a name nor an address"))
      }
      targets.append(target)
    }
    return Doorway(place: place, targets: targets)
  }

  package static func encode(_ report: DialReport) -> [UInt8] {
    var writer = ByteWriter()
    writer.append(report.path != nil)
    if let path = report.path {
      writer.append(UInt32(clamping: path.shape.segmentByteCount))
      writer.append(path.shape.isV6)
      writer.append(path.roundTripNanoseconds)
    }
    writer.appendVarint(report.failures.count)
    for failure in report.failures {
      writer.appendVarint(failure.lane)
      writer.appendCounted(failure.reason, maximum: reasonByteCount)
    }
    return writer.bytes
  }

  package static func dialReport(_ bytes: [UInt8]) throws(FormatError) -> DialReport {
    var reader = ByteReader(bytes)
    let path = try reader.flag("path") ? try path(&reader) : nil
    let count = try reader.count("failure count", maximum: Limits.laneCount)
    var failures: [DialReport.Failure] = []
    for _ in 0..<count {
      let lane = try reader.count("lane", maximum: Limits.laneCount - 1)
      guard failures.last.map({ $0.lane < lane }) ?? true else {
        throw reader.failure("lane", .invalid("out of order"))
      }
      let reason = try reader.text("reason", maximum: 4000)
      failures.append(DialReport.Failure(lane: lane, reason: reason))
    }
    try reader.finish("dial report")
    return DialReport(path: path, failures: failures)
  }

  private static func path(_ reader: inout ByteReader) throws(FormatError) -> DialReport.Path {
    let segment = try reader.uint32("segment size")
    guard (1...UInt32(UInt16.max)).contains(segment) else {
      throw reader.failure("segment size", .unexpected(found: UInt64(segment)))
    }
    let isV6 = try reader.flag("IPv6")
    let roundTrip = try reader.uint64("round-trip time")
    guard roundTrip < roundTripNanoseconds else {
      throw reader.failure("round-trip time", .invalid("an hour or more"))
    }
    return DialReport.Path(
      shape: SegmentShape(segmentByteCount: UInt64(segment), isV6: isV6),
      roundTripNanoseconds: roundTrip
    )
  }
}
