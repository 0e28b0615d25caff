import DTXCore
import Testing

@Suite struct MessageCodecTests {
  private static let digest = Digest(words: (1, 2, 0, 0))
  private static let block = BlockReference(segment: 300, block: 70_000)

  /// One of each kind, and the edges of some.
  static let messages: [Message] = [
    .inventory(segment: 0, page: []),
    .inventory(segment: 1 << 20, page: [1, 2, 3]),
    .inventoryEnd(segment: 5, isLast: true),
    .inventoryEnd(segment: 5, isLast: false),
    .omitted(path: Array("a/b".utf8), failure: .unreadable, reason: "EACCES"),
    .demand(segment: 2, entries: [0, 1, 200, 1 << 20]),
    .demand(segment: 2, entries: []),
    .plan(segment: 1, generation: 7, digest: digest),
    .fence(ConnectionID(lane: 255, number: .max)),
    .revise(
      Generation(
        number: 1,
        queues: [
          Generation.Queue(rate: Rate(bitsPerSecond: 0), free: 1 << 56),
          Generation.Queue(rate: Rate(bitsPerSecond: 1 << 63), free: 0),
        ]
      ),
      segmentCount: 3,
      isAsked: true
    ),
    .remaining(segment: 2, blocks: [0..<1, 1..<2, 300..<(1 << 24)]),
    .remaining(segment: 2, blocks: []),
    .comparison(segment: 0, page: Array(0...255)),
    .refused(FailedEntry(segment: 1, entry: 2, failure: .conflict, reason: "in the way")),
    .tuned(
      ConnectionID(lane: 3, number: 9),
      LaneTaken(
        codePoint: CodePoint(typeOfService: 0),
        congestionControl: "cubic",
        pacedBytesPerSecond: nil,
        segmentByteCount: 1448,
        pathMTU: 1500
      )
    ),
    .receipt([]),
    .receipt(Array(0...255)),
    .endorsed(Array(0...255)),
    .declined(""),
    .tuned(
      ConnectionID(lane: 3, number: 9),
      LaneTaken(
        codePoint: CodePoint(typeOfService: 0),
        congestionControl: "cubic",
        pacedBytesPerSecond: nil,
        segmentByteCount: 1448,
        pathMTU: 1500,
        queue: EgressQueue(interface: "lo", kind: "noqueue", limit: nil)
      )
    ),
    .comparisonEnd(segment: 129),
    .planned(segment: 1, generation: .max, digest: digest),
    .received(block),
    .damaged(block),
    .durable(epoch: 9, blocks: [block, BlockReference(segment: 0, block: 0)]),
    .durable(epoch: 9, blocks: []),
    .fenced(ConnectionID(lane: 0, number: 1)),
    .committed(segment: 3),
    .adjust(.rates([Rate(bitsPerSecond: 1 << 55), Rate(bitsPerSecond: 0)])),
    .adjust(.pause),
    .adjust(.resume),
    .changed(segment: 3, entries: [0, 70_000]),
    .sealed(Roots(content: Digest(words: (1, 2, 3, 4)), full: Digest(words: (5, 6, 7, 8)))),
    .finished(EndTotals()),
    .heartbeat,
    .stop(.interrupted, ""),
    .stop(.disagreement, "the ends sealed different manifests"),
    .stop(.unattainable, "the capacity is held by others"),
  ]

  @Test("every message comes back as it went", arguments: messages)
  func returnsMessages(message: Message) throws {
    #expect(try MessageCodec.decode(MessageCodec.encode(message)) == message)
  }

  @Test("a message that ends early is refused or shorter, and never a trap", arguments: messages)
  func survivesTruncation(message: Message) {
    let bytes = MessageCodec.encode(message)
    for count in 0..<bytes.count {
      let decoded = try? MessageCodec.decode(Array(bytes.prefix(count)))
      #expect(decoded != message)
    }
  }

  @Test("a byte behind a message's end is refused", arguments: messages)
  func refusesTrailingBytes(message: Message) {
    switch message {
    case .inventory, .comparison, .receipt, .endorsed:
      // A page takes what is left.
      return
    default:
      let error = formatError { () throws(FormatError) in
        _ = try MessageCodec.decode(MessageCodec.encode(message) + [0])
      }
      #expect(error?.problem == .trailingBytes(1))
    }
  }

  @Test("a turned bit is another message, or none", arguments: messages)
  func survivesTurnedBits(message: Message) {
    for (bit, bytes) in bitFlips(of: MessageCodec.encode(message)) {
      let decoded = try? MessageCodec.decode(bytes)
      #expect(decoded != message, "bit \(bit)")
    }
  }

  @Test("no kind of message is unknown to these tests")
  func knowsAllKinds() {
    let kinds = MessageCodecTests.messages.map { MessageCodec.encode($0)[0] }
    for kind in UInt8.min...UInt8.max where !kinds.contains(kind) {
      let error = formatError { () throws(FormatError) in
        _ = try MessageCodec.decode([kind] + Array(repeating: 0, count: 64))
      }
      #expect(error?.problem == .unexpected(found: UInt64(kind)))
    }
  }

  @Test("a reason of any length is cut to what the other end takes")
  func cutsReasons() throws {
    // One character of 30,001 bytes: counting characters would not help.
    let reason = "e" + String(repeating: "\u{301}", count: 15_000)
    let failed = FailedEntry(segment: 0, entry: 0, failure: .unwritable, reason: reason)
    let long: [Message] = [
      .refused(failed), .stop(.failed, reason),
      .omitted(path: [1], failure: .changed, reason: reason),
    ]
    for message in long {
      let bytes = MessageCodec.encode(message)
      #expect(bytes.count < 5000)
      _ = try MessageCodec.decode(bytes)
    }
  }

  @Test("a receipt is no longer than a frame takes")
  func limitsReceipts() {
    let full = Array(repeating: UInt8(0), count: Limits.receiptByteCount)
    for make in [Message.receipt, Message.endorsed] {
      #expect((try? MessageCodec.decode(MessageCodec.encode(make(full)))) == make(full))
      let error = formatError { () throws(FormatError) in
        _ = try MessageCodec.decode(MessageCodec.encode(make(full + [0])))
      }
      let limit = UInt64(Limits.receiptByteCount)
      #expect(error?.problem == .tooLarge(found: limit + 1, allowed: limit))
    }
    #expect(Limits.receiptByteCount < Limits.controlFrameByteCount)
  }

  @Test("as many blocks as one word of durability names fit a frame")
  func fitsFrame() {
    let block = BlockReference(segment: 1 << 20, block: Limits.segmentExtentCount)
    let blocks = Array(repeating: block, count: 64 << 10)
    let bytes = MessageCodec.encode(.durable(epoch: .max, blocks: blocks))
    #expect(bytes.count <= Limits.controlFrameByteCount)
  }
}
