import DTXCore
import Testing

/// Holds the control messages to dtx-protocol(7), "Control messages".
@Suite struct MessageVectorTests {
  private static let check = DecoderCheck(
    encode: MessageCodec.encode,
    decode: MessageCodec.decode
  )

  private static let digest = Digest(bytes: 0xa0..<0xb0)

  private static let fromSender: [(Message, String)] = [
    (
      .inventory(segment: 300, page: [1, 2, 3, 4, 5]),
      """
      01            # inventory
      ac02          # segment 300
      0102030405    # a page
      """
    ),
    (
      .inventoryEnd(segment: 1, isLast: true),
      """
      02            # inventory end
      01            # segment 1
      01            # the last
      """
    ),
    (
      .plan(segment: 2, generation: 0, digest: digest),
      """
      03                                # plan
      02                                # segment 2
      00000000                          # generation 0
      a0a1a2a3a4a5a6a7a8a9aaabacadaeaf  # digest
      """
    ),
    (
      .fence(ConnectionID(lane: 7, number: 16_909_060)),
      """
      04            # fence
      07            # lane 7
      04030201      # connection 16909060
      """
    ),
    (
      .revise(
        Generation(
          number: 1,
          queues: [
            Generation.Queue(rate: Rate(bitsPerSecond: 0), free: 5),
            Generation.Queue(rate: Rate(bitsPerSecond: 1_000_000), free: 4_294_967_296),
          ]
        ),
        segmentCount: 2,
        isAsked: true
      ),
      """
      08                # revise
      01000000          # generation 1
      02                # 2 queues
      00                # no lane is there
      0500000000000000  # free at 5 ns
      c0843d            # 1000000 bits per second
      0000000001000000  # free at 4294967296 ns
      02                # 2 segments
      01                # a user wants it
      """
    ),
    (
      .remaining(segment: 1, blocks: [3..<5, 205..<206]),
      """
      09            # remaining
      01            # segment 1
      02            # 2 runs
      03 02         # 3 blocks in between, then 2
      c801 01       # 200 blocks in between, then 1
      """
    ),
    (
      .demand(segment: 0, entries: [1, 130, 1_052_671]),
      """
      05            # demand
      00            # segment 0
      03            # 3 entries
      01            # entry 1
      8201          # entry 130
      ff9f40        # entry 1052671
      """
    ),
    (
      .omitted(path: [0x64, 0x2f, 0xfe], failure: .unreadable, reason: "open: EACCES"),
      """
      06                          # omitted
      03642ffe                    # path "d/" and a byte that is no UTF-8
      01                          # unreadable
      0c6f70656e3a20454143434553  # "open: EACCES"
      """
    ),
    (
      .tuned(
        ConnectionID(lane: 7, number: 16_909_060),
        LaneTaken(
          codePoint: CodePoint(typeOfService: 184),
          congestionControl: "bbr",
          pacedBytesPerSecond: 123_000_000,
          segmentByteCount: 8948,
          pathMTU: 9000,
          queue: EgressQueue(
            interface: "ens1f0",
            kind: "fq",
            limit: EgressQueue.Limit(bytesPerSecond: 625_000_000, isPerConnection: true)
          )
        )
      ),
      """
      07            # tuned
      07            # lane 7
      04030201      # connection 16909060
      2e            # mark ef
      03626272      # congestion control "bbr"
      c0a9d33a      # 123000000 bytes a second
      f4220000      # segments of 8948 bytes
      28230000      # path MTU 9000
      01            # a queue
      06656e73316630 # of "ens1f0"
      026671        # "fq"
      c0fc82aa02    # 625000000 bytes a second
      01            # of each connection
      """
    ),
    (
      .receipt([1, 2, 3]),
      """
      28            # receipt
      010203        # what the sender says
      """
    ),
  ]

  private static let fromReceiver: [(Message, String)] = [
    (
      .comparison(segment: 128, page: [4, 5]),
      """
      10            # comparison
      8001          # segment 128
      0405          # a page
      """
    ),
    (
      .refused(FailedEntry(segment: 4, entry: 200, failure: .conflict, reason: "it is ä")),
      """
      11                  # refused
      04                  # segment 4
      c801                # entry 200
      04                  # conflict
      08697420697320c3a4  # "it is ä"
      """
    ),
    (
      .comparisonEnd(segment: 1 << 20),
      """
      12            # comparison end
      808040        # segment 1048576
      """
    ),
    (
      .planned(segment: 2, generation: 16_909_060, digest: digest),
      """
      13                                # planned
      02                                # segment 2
      04030201                          # generation 16909060
      a0a1a2a3a4a5a6a7a8a9aaabacadaeaf  # digest
      """
    ),
    (
      .received(BlockReference(segment: 3, block: 300)),
      """
      14            # received
      03            # segment 3
      ac02          # block 300
      """
    ),
    (
      .damaged(BlockReference(segment: 3, block: 1 << 24)),
      """
      15            # damaged
      03            # segment 3
      80808008      # block 16777216
      """
    ),
    (
      .durable(
        epoch: 9,
        blocks: [BlockReference(segment: 3, block: 300), BlockReference(segment: 4, block: 0)]
      ),
      """
      16            # durable
      09000000      # epoch 9
      02            # 2 blocks
      03            # segment 3
      ac02          # block 300
      04            # segment 4
      00            # block 0
      """
    ),
    (
      .fenced(ConnectionID(lane: 255, number: 1)),
      """
      17            # fenced
      ff01          # lane 255
      01000000      # connection 1
      """
    ),
    (
      .committed(segment: 5),
      """
      18            # committed
      05            # segment 5
      """
    ),
    (
      .adjust(.rates([Rate(bitsPerSecond: 1_000_000), Rate(bitsPerSecond: 3)])),
      """
      1a            # adjust
      01            # rates
      02            # 2 lanes
      c0843d        # 1000000 bits per second
      03            # 3 bits per second
      """
    ),
    (
      .adjust(.resume),
      """
      1a            # adjust
      03            # resume
      """
    ),
    (
      .changed(segment: 4, entries: [0, 300]),
      """
      19            # changed
      04            # segment 4
      02            # 2 entries
      00            # entry 0
      ac02          # entry 300
      """
    ),
  ]

  private static let onReceipts: [(Message, String)] = [
    (
      .endorsed([4, 5]),
      """
      29            # endorsed
      0405          # what the receiver adds
      """
    ),
    (
      .declined("no plan"),
      """
      2a                # declined
      076e6f20706c616e  # "no plan"
      """
    ),
  ]

  private static let fromBoth: [(Message, String)] = [
    (
      .sealed(Roots(content: Digest(bytes: 0x00..<0x20), full: Digest(bytes: 0x80..<0xa0))),
      """
      20                                                                # sealed
      000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f  # content root
      808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f  # full root
      """
    ),
    (
      .finished(totals),
      """
      21                # finished
      0000001000000000  # memory 268435456 bytes
      0200000000000000  # processor 2 ns
      0300000000000000  # 3 epochs
      0400000000000000  # syncs 4 ns
      ffffffffffffffff  # read back 2^64 - 1 bytes
      0600000000000000  # 6 processors
      0700000000000000  # all processes 7 ns
      0000000000000001  # opening 2^56 ns
      0100000000000000  # scanning 1 ns
      0200000000000000  # comparing
      0300000000000000  # moving
      0400000000000000  # settling
      0500000000000000  # sealing
      0600000000000000  # reading
      0700000000000000  # encoding
      0800000000000000  # sending
      0900000000000000  # blocked
      0a00000000000000  # awaiting
      0b00000000000000  # receiving
      0c00000000000000  # decoding
      0d00000000000000  # writing
      0e00000000000000  # paused
      0f00000000000000  # walking
      1000000000000000  # looking
      1100000000000000  # preparing
      1200000000000000  # committing
      0800000000000000  # 8 bytes without a copy
      02                # direct
      04                # by a ring
      """
    ),
    (.heartbeat, "22  # heartbeat"),
    (
      .stop(.protocolViolation, "no"),
      """
      23            # stop
      03            # violation
      026e6f        # "no"
      """
    ),
  ]

  private static var totals: EndTotals {
    var totals = EndTotals()
    totals.peakMemoryByteCount = 1 << 28
    totals.processorNanoseconds = 2
    totals.epochCount = 3
    totals.syncNanoseconds = 4
    totals.rereadByteCount = .max
    totals.processorCount = 6
    totals.hostProcessorNanoseconds = 7
    for activity in Activity.counted { totals.times[activity] = UInt64(activity.rawValue) }
    totals.times[.opening] = Limits.activityNanoseconds
    totals.storage = StorageUse(access: .direct, mechanism: .ring)
    totals.zeroCopyByteCount = 8
    return totals
  }

  @Test(arguments: fromSender + fromReceiver + onReceipts + fromBoth)
  func theGoldenBytesHold(message: Message, form: String) throws {
    // A page takes all that is left; whose bytes they are, another decoder says.
    let whole: [Int] =
      switch message {
      case .inventory, .comparison: Array(3..<hex(form).count)
      case .receipt, .endorsed: Array(1..<hex(form).count)
      default: []
      }
    try Self.check.holds(hex(form), message, wholeAt: whole)
  }

  @Test func onlyTheTypesOfThePageAreTaken() {
    let forms = Self.fromSender + Self.fromReceiver + Self.onReceipts + Self.fromBoth
    let known = Set(forms.map { hex($0.1)[0] })
    #expect(known.sorted() == Array(1...9) + Array(16...26) + Array(32...35) + Array(40...42))
    for type in UInt8.min...UInt8.max {
      let problem = Self.check.problem([type] + letters(100))
      let isUnknown = problem == .unexpected(found: UInt64(type))
      #expect(isUnknown != known.contains(type), "type \(type)")
    }
  }

  @Test(arguments: fromSender + fromReceiver + onReceipts + fromBoth)
  func whatFollowsAMessageIsRefused(message: Message, form: String) {
    switch message {
    case .inventory, .comparison, .receipt, .endorsed: break
    default: #expect(Self.check.problem(hex(form) + [0]) == .trailingBytes(1))
    }
  }

  /// A message but for one number, or the length of counted bytes, between two parts.
  private struct Edge {
    var name: String
    var before: String
    var maximum: Int
    var after = ""
    var isLength = false

    func bytes(_ value: Int) -> [UInt8] {
      let number = written { $0.appendVarint(value) }
      return hex(before) + number + (isLength ? letters(value) : []) + hex(after)
    }
  }

  private static let edges = [
    Edge(name: "segment", before: "18", maximum: 1 << 20),
    Edge(name: "block", before: "14 00", maximum: 1 << 24),
    Edge(name: "block of an epoch", before: "16 00000000 01 00", maximum: 1 << 24),
    Edge(name: "refused entry", before: "11 00", maximum: (1 << 20) + 4095, after: "03 00"),
    Edge(name: "demanded entry", before: "05 00 01", maximum: (1 << 20) + 4095),
    Edge(name: "changed entry", before: "19 00 01", maximum: (1 << 20) + 4095),
    Edge(name: "lane", before: "04", maximum: 255, after: "ffffffff"),
    Edge(name: "omitted path", before: "06", maximum: 4095, after: "02 00", isLength: true),
    Edge(name: "reason of an omission", before: "06 00 02", maximum: 4000, isLength: true),
    Edge(name: "reason of a refusal", before: "11 00 00 03", maximum: 4000, isLength: true),
    Edge(name: "text of a stop", before: "23 02", maximum: 16384, isLength: true),
  ]

  @Test func numbersAndLengthsHaveTheirMaximum() {
    for edge in Self.edges {
      for value in [0, edge.maximum] {
        #expect(Self.check.problem(edge.bytes(value)) == nil, "\(edge.name) \(value)")
      }
      let problem = Self.check.problem(edge.bytes(edge.maximum + 1))
      let expected = FormatError.Problem.tooLarge(
        found: UInt64(edge.maximum + 1),
        allowed: UInt64(edge.maximum)
      )
      #expect(problem == expected, "\(edge.name)")
    }
  }

  @Test func aTimeHasItsMaximum() {
    var totals = EndTotals()
    totals.times[.committing] = Limits.activityNanoseconds + 1
    #expect(
      Self.check.problem(MessageCodec.encode(.finished(totals)))
        == .tooLarge(found: (1 << 56) + 1, allowed: 1 << 56)
    )
  }

  @Test func aWayToFilesAndItsMethodComeTogether() {
    let zeros = MessageCodec.encode(.finished(EndTotals())).dropLast(2)
    #expect(zeros.count == 1 + 27 * 8)
    for access in UInt8.min...UInt8.max {
      for mechanism in UInt8.min...UInt8.max {
        let isKnown =
          access == 0 && mechanism == 0 || 1...2 ~= access && 1...4 ~= mechanism
        let found = 1...2 ~= access || access == 0 ? mechanism : access
        let problem = Self.check.problem(zeros + [access, mechanism])
        guard problem != (isKnown ? nil : .unexpected(found: UInt64(found))) else { continue }
        Issue.record("\(access), \(mechanism)")
      }
    }
  }

  @Test(arguments: [
    ("05 00 01", "an entry that is not there"),
    ("05 00 ffffffffffffffff7f", "2^63 entries"),
    ("16 00000000 01 00", "half a block"),
    ("16 00000000 ffffffffffffffff7f 00 00", "2^63 blocks"),
    ("02 00 02", "a flag of 2"),
    ("11 00 00 00 00", "failure 0"),
    ("11 00 00 05 00", "failure 5"),
    ("06 00 05 00", "failure 5 of an omission"),
    ("11 00 00 01 01 ff", "a reason that is no UTF-8"),
    ("23 00 00", "stop reason 0"),
    ("23 07 00", "stop reason 7"),
    ("2a 01 ff", "a reason for no endorsement that is no UTF-8"),
    ("14 8000 00", "a segment in more bytes than needed"),
  ])
  func whatNoMessageMayBeIsRefused(form: String, what: String) {
    #expect(Self.check.problem(hex(form)) != nil, "\(what)")
  }

  @Test func textsAreCutToWhatThePeerTakes() throws {
    let failed = FailedEntry(segment: 0, entry: 0, failure: .conflict, reason: endlessCharacter)
    let messages: [Message] = [
      .refused(failed), .omitted(path: [], failure: .changed, reason: endlessCharacter),
      .omitted(path: letters(5000), failure: .changed, reason: ""),
      .stop(.failed, endlessCharacter),
    ]
    for message in messages {
      let bytes = MessageCodec.encode(message)
      #expect(Self.check.problem(bytes) == nil)
      #expect(bytes.count < 5000)
    }
  }
}
