import DTXCore
import Testing

/// Holds receipts to dtx-receipt(5).
@Suite struct ReceiptCodecTests {
  private static let check = DecoderCheck(
    encode: ReceiptCodec.encode,
    decode: ReceiptCodec.decode
  )

  private static let form = """
    4454585243505431      # magic
    c902                  # a statement of 329 bytes
    0964747820302e312e30  # implementation "dtx 0.1.0"
    0466617374            # host "fast"
    01                    # one path
    042f736b79            # "/sky"
    01                    # a key
    202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f  # of 32 bytes
    0180d6b3d9b59818      # began 2026-03-01T12:00:00.000000001Z
    80a8d6b907            # took 2 s
    0180e6fe8907          # predicted 1.9 s
    404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f  # content root
    606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f  # root
    80808008              # blocks of 16 MiB
    05                    # 5 entries
    04                    # 4 files
    ac02                  # 300 bytes
    c801                  # 200 bytes moved
    02                    # 2 blocks moved
    01                    # 1 byte sent again
    64                    # 100 bytes skipped
    32                    # 50 bytes of it unread
    03                    # 3 entries missing
    01                    # of which one is named
    03642fff              # path "d/" and a byte that is no UTF-8
    01                    # unreadable
    0c6f70656e3a20454143434553  # "open: EACCES"
    02                    # verified to the level durable
    01                    # cipher aes-256-gcm
    00                    # not through the shell
    ff                    # compression auto
    a0a1a2a3a4a5a6a7a8a9aaabacadaeaf  # plan digest
    01000000              # generation 1
    01                    # one lane
    01                    # reserved
    018094ebdc03          # at 1 Gb/s
    02                    # of two connections
    0161                  # name "a"
    02                    # counting l2
    01                    # what the kernel took:
    2e                    # mark ef
    03626272              # congestion control "bbr"
    e0d4a91d              # 61500000 bytes a second
    f4220000              # segments of 8948 bytes
    28230000              # path MTU 9000
    01                    # a queue:
    04656e7331            # of the device "ens1"
    026671                # kind "fq"
    e0d4a91d              # 61500000 bytes a second
    01                    # for each connection
    093139322e302e322e37  # address "192.0.2.7"
    02409c419c            # two ports
    c901                  # 201 bytes
    02                    # 2 blocks
    01                    # a prediction:
    c801                  # 200 bytes
    d201                  # 210 on the wire
    02                    # 2 blocks
    8087a70e              # from 30 ms
    80a4a7da06            # to 1.8 s
    01                    # conformance:
    8094ebdc03            # 1 s owed
    c0b2cd3b              # 125000000 bytes reserved
    80ae903b              # 124000000 delivered
    00                    # never below
    e007                  # first percentile 99.2 %
    00                    # never disconnected
    e807                  # application 1 us
    d00f                  # receive window 2 us
    b817                  # send buffer 3 us
    01                    # one interval
    8094ebdc03            # of 1 s
    c0b2cd3b              # 125000000 bytes reserved
    80ae903b              # 124000000 delivered
    a80b                  # 1448 retransmitted
    e05d                  # round trip 12 ms
    00                    # idle: disconnected
    e807                  # application
    d00f                  # receive window
    b817                  # send buffer
    01                    # one interval of progress
    80a8d6b907            # of 2 s
    c801                  # 200 bytes durable
    01                    # signed
    000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f
    202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f  # by 64 bytes
    01                    # endorsed
    49                    # in 73 bytes
    0964747820302e322e30  # implementation "dtx 0.2.0"
    0761726368697665      # host "archive"
    01                    # one path
    062f7661756c74        # "/vault"
    01                    # a key
    808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f  # of 32 bytes
    02140c2bdab59818      # endorsed 2026-03-01T12:00:02.000000002Z
    00                    # no block off plan
    03                    # 3 epochs
    8092f401              # syncs of 4 ms
    01                    # signed
    404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f
    606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f  # by 64 bytes
    """

  private static let lane: LaneStatement = {
    var lane = LaneStatement(
      lane: Lane(
        contract: .reserved,
        rate: Rate(bitsPerSecond: 1_000_000_000),
        connectionCount: 2,
        name: "a"
      ),
      layer: .l2
    )
    lane.taken = LaneTaken(
      codePoint: CodePoint(typeOfService: 184),
      congestionControl: "bbr",
      pacedBytesPerSecond: 61_500_000,
      segmentByteCount: 8948,
      pathMTU: 9000,
      queue: EgressQueue(
        interface: "ens1",
        kind: "fq",
        limit: EgressQueue.Limit(bytesPerSecond: 61_500_000, isPerConnection: true)
      )
    )
    lane.address = "192.0.2.7"
    lane.ports = [40_000, 40_001]
    lane.byteCount = 201
    lane.blockCount = 2
    lane.prediction = LanePrediction(
      byteCount: 200,
      wireByteCount: 210,
      blockCount: 2,
      start: 30_000_000,
      finish: 1_800_000_000
    )
    var interval = LaneInterval()
    interval.nanoseconds = Duration.second
    interval.reservedByteCount = 125_000_000
    interval.deliveredByteCount = 124_000_000
    interval.retransmittedByteCount = 1448
    interval.roundTripMicroseconds = 12_000
    interval.idle[.application] = 1000
    interval.idle[.receiveWindow] = 2000
    interval.idle[.sendBuffer] = 3000
    lane.intervals = [interval]
    lane.figures = LaneConformance.Figures(
      owedNanoseconds: Duration.second,
      reservedByteCount: 125_000_000,
      deliveredByteCount: 124_000_000,
      belowNanoseconds: 0,
      firstPercentile: 992,
      idle: interval.idle
    )
    return lane
  }()

  private static let statement: ReceiptStatement = {
    var statement = ReceiptStatement(
      sender: ReceiptParty(
        implementation: "dtx 0.1.0",
        host: "fast",
        paths: [Array("/sky".utf8)],
        key: Array(0x20..<0x40)
      ),
      started: 1_772_366_400_000_000_001,
      roots: Roots(content: Digest(bytes: 0x40..<0x60), full: Digest(bytes: 0x60..<0x80))
    )
    statement.nanoseconds = 2 * Duration.second
    statement.predictedNanoseconds = 1900 * Duration.millisecond
    statement.blockByteCount = 16 << 20
    statement.entryCount = 5
    statement.fileCount = 4
    statement.byteCount = 300
    statement.movedByteCount = 200
    statement.movedBlockCount = 2
    statement.resentByteCount = 1
    statement.skippedByteCount = 100
    statement.unreadByteCount = 50
    statement.missingCount = 3
    statement.missing = [
      MissingEntry(
        path: [0x64, 0x2f, 0xff],
        failure: .unreadable,
        reason: "open: EACCES"
      )
    ]
    statement.cipher = .aes256GCM
    statement.compression = .auto
    statement.planDigest = Digest(bytes: 0xa0..<0xb0)
    statement.generation = 1
    statement.lanes = [lane]
    statement.progress = [
      ProgressInterval(nanoseconds: 2 * Duration.second, durableByteCount: 200)
    ]
    return statement
  }()

  private static let receipt: Receipt = {
    var endorsement = ReceiptEndorsement(
      receiver: ReceiptParty(
        implementation: "dtx 0.2.0",
        host: "archive",
        paths: [Array("/vault".utf8)],
        key: Array(0x80..<0xa0)
      ),
      endorsed: 1_772_366_402_000_000_002
    )
    endorsement.epochCount = 3
    endorsement.syncNanoseconds = 4_000_000
    return Receipt(
      statement,
      signature: Array(0..<64),
      endorsement: endorsement,
      endorsementSignature: Array(64..<128)
    )
  }()

  @Test func theGoldenBytesHold() throws {
    try Self.check.holds(hex(Self.form), Self.receipt)
  }

  @Test("a receipt may lack signatures, and the receiver's part")
  func takesLessThanAll() throws {
    var receipt = Self.receipt
    receipt.endorsementSignature = nil
    receipt.statementSignature = nil
    receipt.statement.sender.key = nil
    try Self.check.holds(ReceiptCodec.encode(receipt), receipt)
    receipt.endorsement = nil
    try Self.check.holds(ReceiptCodec.encode(receipt), receipt)
    receipt.statement.lanes = []
    receipt.statement.predictedNanoseconds = nil
    receipt.statement.missing = []
    receipt.statement.progress = []
    try Self.check.holds(ReceiptCodec.encode(receipt), receipt)
  }

  @Test("a file is the sender's offer and the receiver's answer")
  func isOfferAndAnswer() throws {
    let offer = ReceiptCodec.offer(Self.statement, signature: Array(0..<64))
    let answer = ReceiptCodec.answer(Self.receipt.endorsement, signature: Array(64..<128))
    #expect(offer + answer == hex(Self.form))
    #expect(
      try ReceiptCodec.decodeOffer(offer) == Receipt(Self.statement, signature: Array(0..<64))
    )
    let problem = formatError { () throws(FormatError) in
      _ = try ReceiptCodec.decodeOffer(offer + answer)
    }
    #expect(problem?.problem == .trailingBytes(answer.count))
  }

  @Test("the largest receipt fits a frame, whatever a session does")
  func fitsAFrame() throws {
    var statement = Self.statement
    var interval = LaneInterval()
    interval.nanoseconds = .max
    interval.reservedByteCount = .max
    interval.deliveredByteCount = .max
    interval.retransmittedByteCount = .max
    interval.roundTripMicroseconds = .max
    for cause in IdleCause.allCases { interval.idle[cause] = .max }
    for laneCount in [1, 8, 100, Limits.laneCount] {
      let lanes = Array(repeating: Self.lane.lane, count: laneCount)
      var meter = TransferMeter(lanes, counting: [], at: Instant(nanoseconds: 0))
      for second in 1...1500 as ClosedRange<UInt64> {
        meter.look(
          [],
          rates: lanes.map(\.rate),
          hasWork: lanes.map { _ in true },
          durableByteCount: second,
          at: Instant(nanoseconds: second * Duration.second)
        )
      }
      statement.lanes = meter.lanes.map { watched in
        var lane = Self.lane
        lane.lane.name = String(repeating: "n", count: 64)
        lane.ports = Array(repeating: 1, count: Limits.connectionCount)
        lane.intervals = watched.series.intervals.map { _ in interval }
        return lane
      }
      statement.progress = meter.progress.intervals
      let reason = String(repeating: "r", count: 1000)
      statement.missing = MissingEntry.fitting(
        (0..<10_000).lazy.map { _ in
          MissingEntry(path: letters(4095), failure: .unreadable, reason: reason)
        }
      )
      #expect(!statement.missing.isEmpty)
      let offer = ReceiptCodec.offer(statement, signature: Array(0..<64))
      let answer = ReceiptCodec.answer(Self.receipt.endorsement, signature: Array(0..<64))
      #expect(offer.count + answer.count <= Limits.receiptByteCount, "\(laneCount) lanes")
      #expect(try ReceiptCodec.decode(offer + answer).statement == statement)
    }
  }

  @Test("the receiver endorses nothing that it knows otherwise, and names it")
  func namesDifferences() {
    let own = Self.statement
    #expect(own.differences(from: own).isEmpty)
    let changes: [(String, (inout ReceiptStatement) -> Void)] = [
      ("content root", { $0.roots.content = .zero }), ("root", { $0.roots.full = .zero }),
      ("block size", { $0.blockByteCount += 1 }), ("entries", { $0.entryCount += 1 }),
      ("files", { $0.fileCount += 1 }), ("bytes", { $0.byteCount += 1 }),
      ("bytes moved", { $0.movedByteCount += 1 }), ("blocks moved", { $0.movedBlockCount += 1 }),
      ("bytes unread", { $0.unreadByteCount += 1 }), ("verification", { $0.verification = .media }),
      ("cipher", { $0.cipher = .none }), ("plan", { $0.planDigest = .zero }),
      ("generation", { $0.generation += 1 }),
    ]
    for (name, change) in changes {
      var said = own
      change(&said)
      #expect(said.differences(from: own) == [name])
    }
  }
}
