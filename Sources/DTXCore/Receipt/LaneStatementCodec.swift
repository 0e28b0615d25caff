/// A lane's bytes in a receipt: dtx-receipt(5), "Lanes".
enum LaneStatementCodec {
  static func encode(_ lane: LaneStatement, into writer: inout ByteWriter) {
    writer.append(lane.lane.contract.rawValue)
    writer.append(lane.lane.rate?.bitsPerSecond)
    writer.appendVarint(lane.lane.connectionCount)
    writer.appendCounted(lane.lane.name, maximum: 255)
    writer.append(lane.layer.rawValue)
    writer.append(lane.taken != nil)
    if let taken = lane.taken { LaneSettingsCodec.encode(taken, into: &writer) }
    writer.appendCounted(lane.address, maximum: 255)
    let ports = lane.ports.prefix(Limits.connectionCount)
    writer.appendVarint(ports.count)
    for port in ports { writer.append(port) }
    writer.appendVarint(lane.byteCount)
    writer.appendVarint(lane.blockCount)
    writer.append(lane.prediction != nil)
    if let prediction = lane.prediction { encode(prediction, into: &writer) }
    writer.append(lane.figures != nil)
    if let figures = lane.figures { encode(figures, into: &writer) }
    writer.appendVarint(lane.intervals.count)
    for interval in lane.intervals { encode(interval, into: &writer) }
  }

  static func decode(_ reader: inout ByteReader) throws(FormatError) -> LaneStatement {
    let contract = try reader.value("contract", LaneContract.init)
    let rate = try reader.optionalVarint("rate")
    let connectionCount = try reader.count("connections", maximum: Limits.connectionCount)
    let name = try reader.text("lane name", maximum: 255)
    var lane = LaneStatement(
      lane: Lane(
        contract: contract,
        rate: rate.map { Rate(bitsPerSecond: $0) },
        connectionCount: connectionCount,
        name: name
      ),
      layer: try reader.value("counted layer", CountedLayer.init)
    )
    if try reader.flag("taken") { lane.taken = try LaneSettingsCodec.taken(&reader) }
    lane.address = try reader.text("address", maximum: 255)
    for _ in 0..<(try reader.count("port count", maximum: Limits.connectionCount)) {
      lane.ports.append(try reader.uint16("port"))
    }
    lane.byteCount = try reader.varint("lane bytes")
    lane.blockCount = try reader.varint("lane blocks")
    if try reader.flag("predicted") { lane.prediction = try prediction(&reader) }
    if try reader.flag("figures") { lane.figures = try figures(&reader) }
    let count = try reader.count("interval count", maximum: Limits.receiptIntervalCount)
    for _ in 0..<count { lane.intervals.append(try interval(&reader)) }
    return lane
  }

  private static func encode(_ prediction: LanePrediction, into writer: inout ByteWriter) {
    writer.appendVarint(prediction.byteCount)
    writer.appendVarint(prediction.wireByteCount)
    writer.appendVarint(prediction.blockCount)
    writer.appendVarint(prediction.start)
    writer.appendVarint(prediction.finish)
  }

  private static func prediction(
    _ reader: inout ByteReader
  ) throws(FormatError) -> LanePrediction {
    LanePrediction(
      byteCount: try reader.varint("predicted bytes"),
      wireByteCount: try reader.varint("predicted wire bytes"),
      blockCount: try reader.count("predicted blocks", maximum: .max),
      start: try reader.varint("predicted start"),
      finish: try reader.varint("predicted finish")
    )
  }

  private static func encode(
    _ figures: LaneConformance.Figures,
    into writer: inout ByteWriter
  ) {
    writer.appendVarint(figures.owedNanoseconds)
    writer.appendVarint(figures.reservedByteCount)
    writer.appendVarint(figures.deliveredByteCount)
    writer.appendVarint(figures.belowNanoseconds)
    writer.appendVarint(figures.firstPercentile)
    encode(figures.idle, into: &writer)
  }

  private static func figures(
    _ reader: inout ByteReader
  ) throws(FormatError) -> LaneConformance.Figures {
    LaneConformance.Figures(
      owedNanoseconds: try reader.varint("time owed"),
      reservedByteCount: try reader.varint("bytes reserved"),
      deliveredByteCount: try reader.varint("bytes delivered"),
      belowNanoseconds: try reader.varint("time below"),
      firstPercentile: try reader.varint("first percentile"),
      idle: try idle(&reader)
    )
  }

  private static func encode(_ interval: LaneInterval, into writer: inout ByteWriter) {
    writer.appendVarint(interval.nanoseconds)
    writer.appendVarint(interval.reservedByteCount)
    writer.appendVarint(interval.deliveredByteCount)
    writer.appendVarint(interval.retransmittedByteCount)
    writer.appendVarint(interval.roundTripMicroseconds)
    encode(interval.idle, into: &writer)
  }

  private static func interval(_ reader: inout ByteReader) throws(FormatError) -> LaneInterval {
    var interval = LaneInterval()
    interval.nanoseconds = try reader.varint("interval")
    interval.reservedByteCount = try reader.varint("bytes reserved")
    interval.deliveredByteCount = try reader.varint("bytes delivered")
    interval.retransmittedByteCount = try reader.varint("bytes retransmitted")
    interval.roundTripMicroseconds = try reader.varint("round trip")
    interval.idle = try idle(&reader)
    return interval
  }

  private static func encode(_ idle: IdleTimes, into writer: inout ByteWriter) {
    for cause in IdleCause.allCases { writer.appendVarint(idle[cause]) }
  }

  private static func idle(_ reader: inout ByteReader) throws(FormatError) -> IdleTimes {
    var idle = IdleTimes()
    for cause in IdleCause.allCases { idle[cause] = try reader.varint("idle time") }
    return idle
  }
}
