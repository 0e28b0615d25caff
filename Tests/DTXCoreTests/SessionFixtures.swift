import DTXCore

/// Segments, comparisons and messages for sessions that are driven by hand.
enum SessionFixtures {
  static let blockByteCount: UInt64 = 1000
  static let inputs = PlanInputs(lanes: [
    Lane(contract: .reserved, rate: Rate(bitsPerSecond: 8_000_000), connectionCount: 2)
  ])

  /// A file of three blocks and a packed one: four blocks of one extent each.
  static func segment(_ index: Int = 0, isLast: Bool = true) -> Segment {
    var tree = Tree()
    tree.add("\(index)large", byteCount: 2500)
    tree.add("\(index)small", byteCount: 10)
    return Segment(
      index: index,
      isLast: isLast,
      inventory: tree.inventory(),
      blockByteCount: blockByteCount
    )
  }

  /// One file of one block.
  static func shortSegment() -> Segment {
    var tree = Tree()
    tree.add("short", byteCount: 10)
    return Segment(
      index: 0,
      isLast: true,
      inventory: tree.inventory(),
      blockByteCount: blockByteCount
    )
  }

  /// Everything is wanted.
  static func comparison(of segment: Segment) -> Comparison {
    var comparison = Comparison(extentCount: segment.extents.count)
    for extent in segment.extents.indices { comparison.wanted[extent] = true }
    return comparison
  }

  /// What a receiver answers to a segment of which it has nothing.
  static func answer(to segment: Segment) -> [Message] {
    ComparisonCodec.encode(comparison(of: segment)).map {
      Message.comparison(segment: segment.index, page: $0)
    } + [.comparisonEnd(segment: segment.index)]
  }

  /// What a sender says of a segment.
  static func announcement(of segment: Segment) -> [Message] {
    var writer = ByteWriter()
    for index in segment.entries.indices {
      EntryCodec.encode(index, of: segment.inventory, for: .transfer, into: &writer)
    }
    return [
      .inventory(segment: segment.index, page: writer.bytes),
      .inventoryEnd(segment: segment.index, isLast: segment.isLast),
    ]
  }

  static func planDigest(of segment: Segment) -> Digest {
    Scheduler.plan(
      segment,
      wanted: comparison(of: segment).wanted,
      inputs: inputs,
      generation: Generation(inputs)
    ).digest(with: inputs)
  }

  /// The generation after the first.
  static let revised = Generation(number: 1, queues: Generation(inputs).queues)

  static let roots = Roots(content: Digest(words: (1, 0, 0, 0)), full: Digest(words: (2, 0, 0, 0)))

  static func block(_ index: Int, of segment: Int = 0) -> BlockReference {
    BlockReference(segment: segment, block: index)
  }

  /// Messages with places that exist, besides those with places that do not.
  static var messages: [Message] {
    MessageCodecTests.messages + [
      .inventory(segment: 0, page: []),
      .inventoryEnd(segment: 0, isLast: true),
      .inventoryEnd(segment: 1, isLast: false),
      .demand(segment: 0, entries: [0]),
      .plan(segment: 0, generation: 0, digest: planDigest(of: segment())),
      .plan(segment: 0, generation: 0, digest: .zero),
      .revise(revised, segmentCount: 0, isAsked: false),
      .revise(revised, segmentCount: 1, isAsked: false),
      .revise(Generation(inputs), segmentCount: 0, isAsked: false),
      .remaining(segment: 0, blocks: [0..<1]), .remaining(segment: 0, blocks: [1..<2, 3..<9]),
      .plan(segment: 0, generation: 1, digest: .zero),
      .planned(segment: 0, generation: 1, digest: .zero),
      .fence(ConnectionID(lane: 0, number: 1)),
      .fence(ConnectionID(lane: 9, number: 1)),
      .comparison(segment: 0, page: [4 << 2]),
      .comparison(segment: 0, page: [200, 200]),
      .changed(segment: 0, entries: [0, 1]),
      .changed(segment: 0, entries: [2]),
      .comparisonEnd(segment: 0),
      .refused(FailedEntry(segment: 0, entry: 0, failure: .unwritable, reason: "")),
      .refused(FailedEntry(segment: 0, entry: 2, failure: .unwritable, reason: "")),
      .planned(segment: 0, generation: 0, digest: planDigest(of: segment())),
      .planned(segment: 0, generation: 0, digest: .zero),
      .received(block(0)), .received(block(3)), .received(block(4)),
      .damaged(block(0)), .damaged(block(4)),
      .durable(epoch: 1, blocks: [block(0), block(0)]),
      .durable(epoch: 1, blocks: [block(0), block(1), block(2), block(3)]),
      .durable(epoch: 1, blocks: [block(4)]),
      .fenced(ConnectionID(lane: 0, number: 1)),
      .adjust(.pause), .adjust(.resume), .adjust(.rates([])),
      .adjust(.rates([Rate(bitsPerSecond: 1000)])),
      .committed(segment: 0),
      .sealed(roots),
      .stop(.failed, "no"), .stop(.locked, "held"), .stop(.protocolViolation, "what"),
    ]
  }

  static func isFromSender(_ message: Message) -> Bool {
    switch message {
    case .inventory, .inventoryEnd, .omitted, .demand, .plan, .revise, .remaining, .fence, .tuned,
      .receipt:
      true
    default: false
    }
  }

  static func isFromReceiver(_ message: Message) -> Bool {
    switch message {
    case .comparison, .changed, .refused, .comparisonEnd, .planned, .received, .damaged, .durable,
      .fenced, .adjust, .committed, .endorsed, .declined:
      true
    default: false
    }
  }
}
