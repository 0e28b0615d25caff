internal import DTXCore

// What a peer sends over the control channel and the lanes: dtx-protocol(7).
extension Decoder {
  static let wire: [Decoder] =
    [
      // An encoder cuts reasons that a decoder takes.
      Decoder("message", .shortened, encode: MessageCodec.encode, decode: MessageCodec.decode),
      Decoder("generation", encode: MessageCodec.encode, decode: generation, hold: holdGeneration),
      Decoder("lane-settings", encode: encodeSettings, decode: settings),
    ] + handshake + frames

  private static let handshake = [
    // A later version may have added bytes at the end.
    Decoder("hello", .shortened, encode: encodeHello, decode: hello),
    Decoder("request", encode: RequestCodec.encode, decode: RequestCodec.decode, hold: holdRequest),
    Decoder("step", .shortened, encode: HandshakeCodec.encode, decode: HandshakeCodec.step),
    Decoder("acceptance", encode: HandshakeCodec.encode, decode: HandshakeCodec.acceptance),
    Decoder("shape", encode: HandshakeCodec.encode, decode: HandshakeCodec.shape),
    Decoder(
      "destination",
      encode: HandshakeCodec.encode,
      decode: HandshakeCodec.destinationReply
    ),
    Decoder("settlement", encode: HandshakeCodec.encode, decode: HandshakeCodec.settlement) {
      settlement throws(Violation) in try holdInputs(settlement.inputs)
    },
  ]

  private static let frames = [
    Decoder("block-header", encode: BlockFrame.encodeHeader, decode: BlockFrame.header),
    Decoder(
      "block-trailer",
      .shortened,
      encode: BlockFrame.encodeTrailer,
      decode: BlockFrame.trailer
    ),
    Decoder("plan-inputs", encode: encodeInputs, decode: inputs, hold: holdInputs),
  ]

  @Sendable private static func encodeHello(_ hello: Hello) -> [UInt8] {
    Array(hello.encoded().dropFirst(Hello.magic.count + 2))
  }

  @Sendable private static func hello(_ bytes: [UInt8]) throws(FormatError) -> Hello {
    try Hello(decoding: bytes)
  }

  /// A filter is asked about paths as soon as its request is taken.
  @Sendable private static func holdRequest(_ request: Request) throws(Violation) {
    let filter = Filter(Array(request.options.filters.prefix(16)))
    _ = filter.keeps(Array("a/b".utf8), isDirectory: false)
    try demand(request.paths.allSatisfy { $0.count <= Limits.pathByteCount }, "a long path")
    try demand(request.lanes.count <= Limits.laneCount, "\(request.lanes.count) lanes")
  }

  /// The messages that announce a generation, which has no encoding of its own.
  @Sendable private static func generation(_ bytes: [UInt8]) throws(FormatError) -> Message {
    let message = try MessageCodec.decode(bytes)
    guard case .revise = message else {
      throw FormatError(offset: 0, field: "message", problem: .invalid("no generation"))
    }
    return message
  }

  /// What follows a generation is planned with it, whatever its rates and times.
  @Sendable private static func holdGeneration(_ message: Message) throws(Violation) {
    guard case .revise(let announced, _, _) = message else { return }
    let lane = Lane(contract: .reserved, rate: Rate(bitsPerSecond: 1000), connectionCount: 1)
    let count = max(1, announced.queues.count)
    let inputs = PlanInputs(lanes: Array(repeating: lane, count: count))
    var latest = Generation(inputs)
    latest.number = announced.number &- 1
    guard latest.problem(with: announced) == nil else { return }
    let segment = Decoder.smallSegment
    let remainder = Remainder(
      segment: segment,
      wanted: BitSet(count: segment.extents.count, filled: true),
      blocks: BitSet(count: segment.blocks.count, filled: true),
      owners: Array(repeating: 0, count: segment.blocks.count)
    )
    for plan in Scheduler.replan([remainder], inputs: inputs, generation: announced) {
      try holdPlan(plan, of: segment)
    }
    _ = announced.level(wireByteCount: .max)
  }

  @Sendable private static func encodeSettings(_ lanes: [LaneSettings]) -> [UInt8] {
    var writer = ByteWriter()
    LaneSettingsCodec.encode(lanes, into: &writer)
    return writer.bytes
  }

  @Sendable private static func settings(_ bytes: [UInt8]) throws(FormatError) -> [LaneSettings] {
    var reader = ByteReader(bytes)
    let lanes = try LaneSettingsCodec.lanes(&reader)
    try reader.finish("lanes")
    return lanes
  }

  @Sendable private static func encodeInputs(_ inputs: PlanInputs) -> [UInt8] {
    var writer = ByteWriter()
    PlanInputsCodec.encode(inputs, into: &writer)
    return writer.bytes
  }

  @Sendable private static func inputs(_ bytes: [UInt8]) throws(FormatError) -> PlanInputs {
    var reader = ByteReader(bytes)
    let inputs = try PlanInputsCodec.decode(&reader)
    try reader.finish("plan inputs")
    return inputs
  }

  /// Inputs that were taken can be planned with, and every block is planned once.
  @Sendable static func holdInputs(_ inputs: PlanInputs) throws(Violation) {
    let segment = Decoder.smallSegment
    let wanted = BitSet(count: segment.extents.count, filled: true)
    let plan = Scheduler.plan(
      segment,
      wanted: wanted,
      inputs: inputs,
      generation: Generation(inputs)
    )
    try holdPlan(plan, of: segment)
    _ = plan.digest(with: inputs)
    guard var prediction = Prediction(inputs) else { return }
    prediction.add(plan, of: segment, wanted: wanted)
    _ = prediction.finish(scaledBy: 1, over: 1)
  }

  private static func holdPlan(_ plan: Plan, of segment: Segment) throws(Violation) {
    var counts = Array(repeating: 0, count: segment.blocks.count)
    for queue in plan.queues {
      for run in queue.runs {
        for block in run.blocks { counts[block] += 1 }
      }
    }
    try demand(counts.allSatisfy { $0 == 1 }, "blocks are planned \(counts) times")
  }

  /// Files of several lengths, for plans.
  private static let smallSegment: Segment = {
    var inventory = Inventory()
    for (index, byteCount) in [1, 65_536, 200_000, 7_000_000].enumerated() {
      let entry = Entry(
        kind: .regular,
        parent: nil,
        mode: 0,
        modified: 0,
        byteCount: UInt64(byteCount)
      )
      inventory.append(entry, name: "f\(index)".utf8)
    }
    return Segment(index: 0, isLast: true, inventory: inventory, blockByteCount: 65_536)
  }()
}
