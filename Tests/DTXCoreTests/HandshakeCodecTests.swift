import DTXCore
import Testing

/// Holds the steps of the handshake to dtx-protocol(7), "Handshake".
@Suite struct HandshakeCodecTests {
  private static let request = DecoderCheck(
    encode: RequestCodec.encode,
    decode: RequestCodec.decode
  )
  private static let step = DecoderCheck<HandshakeCodec.Step>(
    encode: { HandshakeCodec.encode($0) },
    decode: HandshakeCodec.step
  )
  private static let acceptance = DecoderCheck<Acceptance>(
    encode: { HandshakeCodec.encode($0) },
    decode: HandshakeCodec.acceptance
  )
  private static let dialReport = DecoderCheck<DialReport>(
    encode: { HandshakeCodec.encode($0) },
    decode: HandshakeCodec.dialReport
  )
  private static let shape = DecoderCheck<DatasetShape>(
    encode: { HandshakeCodec.encode($0) },
    decode: HandshakeCodec.shape
  )
  private static let reply = DecoderCheck<DestinationReply>(
    encode: { HandshakeCodec.encode($0) },
    decode: HandshakeCodec.destinationReply
  )

  private static let requestStart = hex(
    """
    01                                  # push
    01                                  # 1 path
    092f6d6e742f72756e37                # "/mnt/run7"
    0000000100000000                    # block length 16777216
    00                                  # moves data
    00                                  # trusts length and time
    02                                  # verification durable
    00                                  # without owners
    00                                  # no list of changes
    00                                  # storage by what the file system is
    ff                                  # compression where it pays
    0000000000000000                    # a source
    00                                  # the receiver keeps it
    """
  )

  private static let requestEnd = hex(
    """
    20                                  # secret
    000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f
    10                                  # session
    101112131415161718191a1b1c1d1e1f
    50c3                                # port 50000
    5ac3                                # to 50010
    01                                  # AES-256-GCM
    01                                  # lanes with addresses of their own
    02                                  # 2 lanes
    2e                                  # mark ef
    03626272                            # congestion control "bbr"
    8094ebdc03                          # 1000000000 b/s
    03                                  # IP packets alone
    ff                                  # no mark
    00                                  # congestion control of the host
    00                                  # no rate
    02                                  # with Ethernet's bytes
    00                                  # the responder listens
    """
  )

  private static func sample(_ change: (inout Request) -> Void = { _ in }) -> Request {
    var options = TransferOptions()
    options.filters = [
      FilterRule(isInclude: false, pattern: Array("*.tmp".utf8)),
      FilterRule(isInclude: true, pattern: Array("keep/".utf8)),
    ]
    var request = Request(
      direction: .push,
      paths: [Array("/mnt/run7".utf8)],
      options: options,
      secret: Array(0x00..<0x20),
      sessionID: Array(0x10..<0x20),
      ports: 50000...50010,
      cipher: .aes256GCM,
      lanesHaveAddresses: true,
      lanes: [
        LaneSettings(
          codePoint: CodePoint("ef"),
          congestionControl: "bbr",
          pacedRate: Rate(bitsPerSecond: 1_000_000_000),
          layer: .l3
        ), LaneSettings(),
      ]
    )
    change(&request)
    return request
  }

  @Test func aGoldenPushHolds() throws {
    let filters = hex(
      """
      02                                # 2 filters
      00                                # exclude
      052a2e746d70                      # "*.tmp"
      01                                # include
      056b6565702f                      # "keep/"
      """
    )
    let golden = Self.requestStart + filters + Self.requestEnd
    try Self.request.holds(golden, Self.sample())
    #expect(Self.request.problem(golden + [0]) == .trailingBytes(1))
  }

  @Test func aGoldenPullHolds() throws {
    let golden = hex(
      """
      02                                # pull
      02                                # 2 paths
      0161                              # "a"
      0b646174612f622e66697473          # "data/b.fits"
      0000010000000000                  # block length 65536
      01                                # dry run
      01                                # digests are compared
      03                                # verification media
      01                                # with owners
      01                                # a list of changes
      02                                # storage direct
      13                                # compression at level 19
      0000008002000000                  # a null dataset of 10 GiB
      01                                # nothing is kept
      00                                # 0 filters
      20                                # secret
      000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f
      10                                # session
      101112131415161718191a1b1c1d1e1f
      0000                              # any port
      0000
      00                                # no cipher
      00                                # lanes where the control channel is
      00                                # 0 lanes
      00                                # the responder listens
      """
    )
    let request = Self.sample { request in
      request.direction = .pull
      request.paths = ["a", "data/b.fits"].map { Array($0.utf8) }
      request.options.blockByteCount = 65536
      request.options.isDryRun = true
      request.options.comparesDigests = true
      request.options.verification = .media
      request.options.preservesOwner = true
      request.options.listsChanges = true
      request.options.storage = .direct
      request.options.compression = .level(19)
      request.options.nullSource = NullDataset(byteCount: 10 << 30)
      request.options.keepsNothing = true
      request.options.filters = []
      request.ports = 0...0
      request.cipher = .none
      request.lanesHaveAddresses = false
      request.lanes = []
    }
    try Self.request.holds(golden, request)
  }

  @Test func aGoldenRequestOfAListeningInitiatorHolds() throws {
    let doorway = hex(
      """
      01                                # the initiator listens
      5114                              # port 5201
      01                                # 1 address
      04686f7374                        # "host"
      0e31302e37372e302e313a35323031    # "10.77.0.1:5201"
      00                                # at the place's
      """
    )
    let golden = Self.requestStart + [0] + Self.requestEnd.dropLast() + doorway
    let request = Self.sample { request in
      request.options.filters = []
      request.doorway = Doorway(
        place: Acceptance(port: 5201, addresses: ["host"]),
        targets: [LaneTarget("10.77.0.1:5201"), nil]
      )
    }
    try Self.request.holds(golden, request)
    for text in ["-a", "a b", "[::1", "a:05201"] {
      let other =
        Self.requestStart + [0] + Self.requestEnd.dropLast()
        + hex("01 5114 00") + [UInt8(text.utf8.count)] + Array(text.utf8) + [0]
      #expect(Self.request.problem(other) != nil, "\(text)")
    }
  }

  @Test func aGoldenDialReportHolds() throws {
    let golden = hex(
      """
      01                                # a path
      f4220000                          # segments of 8948 bytes
      00                                # IPv4
      80841e0000000000                  # a round trip of 2 ms
      02                                # 2 failures
      01                                # lane 1
      0773696c656e6365                  # "silence"
      ff01                              # lane 255
      00                                # no reason
      """
    )
    let value = DialReport(
      path: DialReport.Path(
        shape: SegmentShape(segmentByteCount: 8948, isV6: false),
        roundTripNanoseconds: 2_000_000
      ),
      failures: [
        DialReport.Failure(lane: 1, reason: "silence"), DialReport.Failure(lane: 255, reason: ""),
      ]
    )
    try Self.dialReport.holds(golden, value)
    try Self.dialReport.holds([0, 0], DialReport(path: nil, failures: []))
    #expect(Self.dialReport.problem(golden + [0]) == .trailingBytes(1))
  }

  @Test(arguments: [
    ("01 00000000 00 0000000000000000 00", "empty segments"),
    ("01 00000100 00 0000000000000000 00", "segments of 64 KiB"),
    ("01 b4050000 00 00a0b83046030000 00", "a round trip of an hour"),
    ("00 02 01 00 01 00", "a lane twice"), ("00 02 02 00 01 00", "lanes that descend"),
    ("00 01 8002 00", "lane 256"),
  ])
  func whatNoDialReportMayBeIsRefused(form: String, what: String) {
    #expect(Self.dialReport.problem(hex(form)) != nil, "\(what)")
  }

  @Test func aRequestKeepsItsLimits() {
    let changes: [(String, Bool, (inout Request) -> Void)] = [
      ("a path of 4095 bytes", true, { $0.paths = [letters(4095)] }),
      ("a path of 4096 bytes", false, { $0.paths = [letters(4096)] }),
      ("an empty path", false, { $0.paths = [[]] }),
      ("a path with NUL", false, { $0.paths = [[0x61, 0]] }),
      ("no path", false, { $0.paths = [] }),
      ("a push to two places", false, { $0.paths = [letters(1), letters(1)] }),
      ("the smallest block", true, { $0.options.blockByteCount = 1 << 16 }),
      ("a smaller block", false, { $0.options.blockByteCount = (1 << 16) - 1 }),
      ("the largest block", true, { $0.options.blockByteCount = 1 << 30 }),
      ("a larger block", false, { $0.options.blockByteCount = (1 << 30) + 1 }),
      ("no compression", true, { $0.options.compression = .off }),
      ("the lowest level", true, { $0.options.compression = .level(1) }),
      ("a level above the highest", false, { $0.options.compression = .level(20) }),
      ("a long filter", true, { $0.options.filters[0].pattern = letters(4095) }),
      ("a longer filter", false, { $0.options.filters[0].pattern = letters(4096) }),
      ("a short secret", false, { $0.secret.removeLast() }),
      ("a long secret", false, { $0.secret.append(0) }),
      ("a short session", false, { $0.sessionID.removeLast() }),
      ("a long session", false, { $0.sessionID.append(0) }),
      ("all ports", true, { $0.ports = 0...65535 }),
      ("256 lanes", true, { $0.lanes = Array(repeating: LaneSettings(), count: 256) }),
      ("257 lanes", false, { $0.lanes = Array(repeating: LaneSettings(), count: 257) }),
      ("a long name", true, { $0.lanes[0].congestionControl = String(repeating: "a", count: 15) }),
      (
        "a longer one", false, { $0.lanes[0].congestionControl = String(repeating: "a", count: 16) }
      ),
      ("a rate", true, { $0.lanes[0].pacedRate = Rate(bitsPerSecond: 1 << 55) }),
      ("a rate above", false, { $0.lanes[0].pacedRate = Rate(bitsPerSecond: (1 << 55) + 1) }),
    ]
    for (what, isTaken, change) in changes {
      let problem = Self.request.problem(RequestCodec.encode(Self.sample(change)))
      #expect((problem == nil) == isTaken, "\(what)")
    }
  }

  @Test(arguments: [
    (0, 0, "direction 0"), (0, 3, "direction 3"), (1, 0x7f, "127 paths"),
    (20, 2, "a flag of 2"), (22, 0, "verification 0"), (22, 4, "verification 4"),
    (24, 2, "a list flag of 2"), (25, 4, "storage mode 4"), (26, 20, "compression at level 20"),
    (26, 254, "compression 254"), (34, 1, "2^56 bytes made up"), (35, 2, "a sink flag of 2"),
    (36, 0x7f, "127 filters"), (87, 0xc4, "ports that descend"), (91, 2, "cipher 2"),
    (92, 2, "an address flag of 2"), (93, 0x7f, "127 lanes"), (94, 64, "mark 64"),
    (94, 254, "mark 254"), (96, 0x20, "a name with a blank"), (104, 1, "layer 1"),
    (104, 4, "layer 4"),
  ])
  func whatNoRequestMayBeIsRefused(offset: Int, value: UInt8, what: String) {
    var bytes = Self.requestStart + [0] + Self.requestEnd
    #expect(Self.request.problem(bytes) == nil)
    bytes[offset] = value
    #expect(Self.request.problem(bytes) != nil, "\(what)")
  }

  @Test func goldenStepsHold() throws {
    let whole: [Int] = [1, 2]
    try Self.step.holds(hex("00 0a0b  # goes on: two bytes"), .taken([10, 11]), wholeAt: whole)
    let refused = hex(
      """
      05                                # locked
      0c68656c642062792031323334        # "held by 1234"
      """
    )
    try Self.step.holds(refused, .refused(.locked, "held by 1234"))
    #expect(Self.step.problem(refused + [0]) == .trailingBytes(1))
    #expect(Self.step.problem([7, 0]) == .unexpected(found: 7))
  }

  @Test func aRefusalHasAtMost16KiB() throws {
    for (count, isTaken) in [(0, true), (16384, true), (16385, false)] {
      let bytes = written { writer in
        writer.append(UInt8(2))
        writer.appendCounted(letters(count))
      }
      #expect((Self.step.problem(bytes) == nil) == isTaken, "\(count) bytes")
    }
    #expect(Self.step.problem(HandshakeCodec.encode(.refused(.failed, endlessCharacter))) == nil)
  }

  @Test func aGoldenAcceptanceHolds() throws {
    let golden = hex(
      """
      53c3                              # port 50003
      02                                # 2 addresses
      093139322e302e322e37              # "192.0.2.7"
      0b323030313a6462383a3a37          # "2001:db8::7"
      """
    )
    let value = Acceptance(port: 50003, addresses: ["192.0.2.7", "2001:db8::7"])
    try Self.acceptance.holds(golden, value)
    #expect(Self.acceptance.problem(golden + [0]) == .trailingBytes(1))
  }

  @Test func anAcceptanceKeepsItsLimits() {
    for (count, length, isTaken) in [
      (0, 0, true), (64, 255, true), (65, 1, false), (1, 256, false),
    ] {
      let address = String(repeating: "a", count: length)
      let value = Acceptance(port: 1, addresses: Array(repeating: address, count: count))
      let problem = Self.acceptance.problem(HandshakeCodec.encode(value))
      #expect((problem == nil) == isTaken, "\(count) addresses of \(length) bytes")
    }
  }

  @Test func goldenShapesHold() throws {
    let named = hex(
      """
      00                                # no contents
      00                                # not a single file
      02                                # 2 names
      0162                              # "b"
      01ff                              # a byte that is no UTF-8
      """
    )
    let names: [[UInt8]] = [[0x62], [0xff]]
    try Self.shape.holds(
      named,
      DatasetShape(isContents: false, names: names, isSingleFile: false)
    )
    try Self.shape.holds(
      hex("01 00 00  # contents, 0 names"),
      DatasetShape(isContents: true, names: [], isSingleFile: false)
    )
    let single = hex("00 01 01 06612e66697473  # a single file, 1 name: \"a.fits\"")
    try Self.shape.holds(
      single,
      DatasetShape(isContents: false, names: [Array("a.fits".utf8)], isSingleFile: true)
    )
    #expect(Self.shape.problem(single + [0]) == .trailingBytes(1))
  }

  @Test(arguments: [
    ("01 00 01 0161", "contents with a name"), ("00 00 00", "neither contents nor a name"),
    ("00 01 02 0161 0162", "a single file with two names"), ("01 01 00", "contents and a file"),
    ("00 00 01 00", "an empty name"), ("00 00 01 012f", "a name with /"),
    ("00 00 01 026100", "a name with NUL"), ("00 00 01 012e", "the name ."),
    ("00 00 01 022e2e", "the name .."), ("00 00 02 0162 0161", "names that descend"),
    ("00 00 02 0161 0161", "a name twice"), ("00 00 ffffffffffffffff7f", "2^63 names"),
  ])
  func whatNoShapeMayBeIsRefused(form: String, what: String) {
    #expect(Self.shape.problem(hex(form)) != nil, "\(what)")
  }

  @Test func aGoldenReplyHolds() throws {
    let golden = hex("0972756e372e66697473  # \"run7.fits\"")
    try Self.reply.holds(golden, DestinationReply(singleFileName: Array("run7.fits".utf8)))
    try Self.reply.holds([0], DestinationReply(singleFileName: nil))
    #expect(Self.reply.problem(golden + [0]) == .trailingBytes(1))
  }

  @Test(arguments: ["012f", "026100", "012e", "022e2e"])
  func aReplyWithANameThatNoEntryHasIsRefused(form: String) {
    #expect(Self.reply.problem(hex(form)) != nil)
  }

  @Test func namesHaveAtMost255Bytes() {
    for (count, isTaken) in [(255, true), (256, false)] {
      let name = letters(count)
      let shape = DatasetShape(isContents: false, names: [name], isSingleFile: false)
      #expect((Self.shape.problem(HandshakeCodec.encode(shape)) == nil) == isTaken)
      let reply = DestinationReply(singleFileName: name)
      #expect((Self.reply.problem(HandshakeCodec.encode(reply)) == nil) == isTaken)
    }
  }
}
