import DTXCore
import Testing

/// What `--lane` takes, and what it refuses.
@Suite struct LaneDescriptionTests {
  @Test func everyKeyIsTakenInAnyOrder() throws {
    let parts = [
      "rate=25G", "reserved", "policed", "layer=l3", "connections=2", "name=a", "bind=192.0.2.7",
      "interface=ens1f0", "to=dtn-data:5201", "dscp=ef", "congestion=bbr",
      "from=2026-11-23T18:00:00Z", "until=2026-11-23T20:00:00Z",
    ]
    var expected = LaneDescription(
      Lane(
        contract: .reserved,
        rate: Rate(bitsPerSecond: 25_000_000_000),
        connectionCount: 2,
        name: "a"
      )
    )
    expected.route.bindAddress = "192.0.2.7"
    expected.route.interface = "ens1f0"
    expected.route.target = LaneTarget(host: "dtn-data", port: 5201)
    expected.route.codePoint = CodePoint(value: 46)
    expected.route.congestionControl = "bbr"
    expected.pace = LanePace(layer: .l3, percent: 97)
    let begin = WallInstant(seconds: 1_795_456_800)
    expected.window = LaneWindow(from: begin, until: WallInstant(seconds: begin.seconds + 7200))
    for turn in parts.indices {
      let turned = parts[turn...] + parts[..<turn]
      #expect(try LaneDescription(turned.joined(separator: ",")) == expected)
      #expect(
        try LaneDescription(turned.reversed().joined(separator: ",")) == expected
      )
    }
    // Every key there is stands among them, but the one that policed stands for.
    let keys = parts.map { String($0.prefix { $0 != "=" }) } + ["pace"]
    #expect(keys.sorted() == LaneDescription.keys.sorted())
  }

  @Test(arguments: [
    ("rate=1G", 100), ("rate=1G,policed", 97), ("rate=1G,reserved", 100),
    ("rate=1G,policed,pace=100%", 100), ("rate=1G,pace=95", 95), ("rate=1G,pace=1%", 1),
  ])
  func theShareOfARateThatIsUsed(_ text: String, _ percent: Int) throws {
    #expect(try LaneDescription(text).pace == LanePace(layer: .l2, percent: percent))
  }

  @Test func aLaneThatNobodyRatedMayGoItsWay() throws {
    let lane = try LaneDescription("to=dtn,dscp=le")
    #expect(lane.lane == Lane(contract: .bestEffort, rate: nil, connectionCount: 1))
    #expect(lane.settings == LaneSettings(codePoint: CodePoint(value: 1)))
  }

  @Test(arguments: [
    ("", "there is no key ''"), ("rate", "rate: it takes a value"),
    ("rate=", "rate: a rate is in bits per second, such as 10G, 50Mbit or 1Gibit"),
    ("rate=0", "rate: a rate is"), ("rate=10GB", "rate: a rate is"),
    ("rate=1G,", "there is no key"),
    ("rate=1G,rate=1G", "rate: it is said twice"), ("rate=1G,fast", "there is no key 'fast', but"),
    ("reserved", "a reserved lane has a rate"), ("policed", "policed: it says how a rate is held"),
    ("pace=50%", "pace: it says how a rate"), ("layer=l2", "layer: it says how a rate"),
    ("rate=1G,reserved=yes", "reserved: it stands alone, without a value"),
    ("rate=1G,pace=0", "pace: a share of the rate is 1% to 100%"), ("rate=1G,pace=101%", "pace: a"),
    ("rate=1G,pace=", "pace: a"), ("rate=1G,pace=%", "pace: a"), ("rate=1G,pace=9.5%", "pace: a"),
    ("rate=1G,layer=l1", "layer: a contract counts l2"),
    ("rate=1G,connections=0", "connections: a lane has 1 to 64 connections"),
    ("rate=1G,connections=65", "connections: a"), ("rate=1G,connections=+1", "connections: a"),
    ("bind=host", "bind: an address to come from is in digits"), ("bind=", "bind: an"),
    ("bind=%eth0", "bind: an"), ("bind=192.0.2.x", "bind: an"), ("bind=7", "bind: an"),
    ("interface=", "interface: an interface has a name"), ("interface=a/b", "interface: an"),
    ("interface=abcdefghijklmnop", "interface: an"), ("interface=a b", "interface: an"),
    ("to=", "to: a lane goes to host, host:port or [address]:port"), ("to=a:", "to: a"),
    ("to=a:0", "to: a"), ("to=a:65536", "to: a"), ("to=:5201", "to: a"), ("to=[a]", "to: a"),
    ("to=[::1", "to: a"), ("to=[::1]5201", "to: a"), ("to=-oProxy", "to: a"), ("to=a b", "to: a"),
    ("to=user@host", "to: a"), ("to=a:+1", "to: a"), ("dscp=64", "dscp: a mark is"),
    ("dscp=", "dscp: a"), ("dscp=af44", "dscp: a"), ("dscp=cs8", "dscp: a"), ("dscp=-1", "dscp: a"),
    ("congestion=", "congestion: congestion control has a name"),
    ("congestion=abcdefghijklmnop", "congestion: c"), ("from=noon", "from: a time is such as"),
    ("until=2026-11-23", "until: a time"),
    ("from=2026-11-23T18:00:00Z,until=2026-11-23T18:00:00Z", "until: it is not after from"),
  ])
  func whatNoLaneMayBeIsRefused(_ text: String, _ reason: String) {
    var found = "taken"
    do throws(LaneTextError) { _ = try LaneDescription(text) } catch { found = "\(error)" }
    #expect(found.hasPrefix(reason), "\(text): \(found)")
  }

  @Test(
    arguments: [
      ("a", "a", nil), ("a:1", "a", 1), ("a.b-c_d:65535", "a.b-c_d", 65535),
      ("192.0.2.7:5201", "192.0.2.7", 5201), ("2001:db8::7", "2001:db8::7", nil),
      ("[2001:db8::7]", "2001:db8::7", nil), ("[2001:db8::7]:5201", "2001:db8::7", 5201),
      ("[fe80::1%eth0]:5201", "fe80::1%eth0", 5201),
    ] as [(String, String, UInt16?)]
  )
  func targetsAreReadAsPeopleWriteThem(_ text: String, _ host: String, _ port: UInt16?) throws {
    let target = try #require(LaneTarget(text))
    #expect(target == LaneTarget(host: host, port: port))
    #expect(LaneTarget("\(target)") == target)
  }

  /// What the first plan needs is a rate that is left, not one that was given.
  @Test(arguments: [
    ("rate=1", true), ("rate=1,pace=95%", false), ("rate=2,pace=50", true),
    ("rate=64,connections=64,policed", false), ("rate=36028797018963968", true),
    ("rate=36028797018963968,layer=l3", false),
  ])
  func whatIsUsedOfALaneIsARateToPlanWith(text: String, isPlanned: Bool) throws {
    let lane = try LaneDescription(text)
    #expect(Lane.problem(in: [lane.lane]) == nil)
    #expect((LaneDescription.problem(in: [lane]) == nil) == isPlanned)
  }
}

/// Marks, by the names that the RFCs give them.
@Suite struct CodePointTests {
  @Test func everyNameIsThatOfItsRFC() {
    // RFC 2474, section 4.2.2.1; RFC 2597, section 6; RFC 3246; RFC 5865; RFC 8622.
    let names: [(String, UInt8)] = [
      ("cs0", 0), ("cs1", 8), ("cs2", 16), ("cs3", 24), ("cs4", 32), ("cs5", 40), ("cs6", 48),
      ("cs7", 56), ("af11", 10), ("af12", 12), ("af13", 14), ("af21", 18), ("af22", 20),
      ("af23", 22), ("af31", 26), ("af32", 28), ("af33", 30), ("af41", 34), ("af42", 36),
      ("af43", 38), ("ef", 46), ("va", 44), ("le", 1),
    ]
    for (name, value) in names {
      #expect(CodePoint(name)?.value == value)
      #expect(CodePoint(name.uppercased())?.value == value)
      #expect(CodePoint(value: value)?.description == name)
    }
  }

  @Test func everyNumberIsTakenAndComesBack() {
    for value in UInt8.min...UInt8.max {
      let mark = CodePoint("\(value)")
      #expect(mark == CodePoint(value: value))
      #expect((mark == nil) == (value > 63))
      guard let mark else { continue }
      #expect(CodePoint(mark.description) == mark)
      #expect(mark.typeOfService == value << 2)
      // The two lower bits of the octet are not the mark's.
      #expect(CodePoint(typeOfService: mark.typeOfService | 3) == mark)
    }
  }
}
