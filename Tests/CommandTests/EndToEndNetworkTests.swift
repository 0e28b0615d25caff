import DTXLinux
import Testing

extension EndToEndTests {
  /// Lanes as a network maps them, between two ends with two ways between them.
  @Suite(.enabled(if: NetworkBench.obstacle == nil, "\(NetworkBench.obstacle ?? "")"))
  struct NetworkTests {
    private static let expedited: UInt8 = 46
    private static let lowerEffort: UInt8 = 1

    @Test(arguments: ["push", "pull"])
    func eachLaneGoesItsWayAsItWasAsked(_ command: String) throws {
      let bench = try NetworkBench()
      try Trees.makeMixed(bench.place, "from", largeByteCount: 12 << 20, smallCount: 40)
      let isCounting = try bench.countMarks([Self.expedited, Self.lowerEffort])
      try bench.place.write(
        "lanes.toml",
        """
        # The reserved channel.
        [[lane]]
        name = "first"
        rate = "400M"
        reserved = true
        bind = "10.77.0.1"
        interface = "n0"
        to = "10.77.0.2"
        dscp = "ef"
        congestion = "reno"

        [[lane]]
        name = 'second'
        rate = 200_000_000
        reserved = true
        policed = true
        layer = "l3"
        bind = "10.77.1.1"
        to = "10.77.1.2"
        dscp = 1
        connections = 2
        """
      )
      let ending = try move(
        bench,
        command,
        [
          "--lanes-file", bench.place("lanes.toml"), "--compress", "off",
        ]
      )
      #expect(ending.status == 0, "\(ending.messages)")
      try Trees.expectSame(bench.place, "from", "to")
      let summary = try #require(ending.lines.last)
      let lanes = summary.split(separator: "\"index\":").dropFirst().map(String.init)
      try #require(lanes.count == 2)
      let wanted = [
        [
          "\"local_address\":\"10.77.0.1\"", "\"interface\":\"n0\"", "\"to\":\"10.77.0.2\"",
          "\"dscp\":\"ef\"", "\"congestion_control\":\"reno\"", "\"segment_bytes\":8948",
          "\"path_mtu_bytes\":9000", "\"layer\":\"l2\"", "\"pace_percent\":100",
          "\"rate_bits_per_second\":400000000",
        ],
        [
          "\"local_address\":\"10.77.1.1\"", "\"interface\":null", "\"dscp\":\"le\"",
          "\"segment_bytes\":8948", "\"layer\":\"l3\"", "\"pace_percent\":97",
          "\"rate_bits_per_second\":200000000",
        ],
      ]
      for (lane, members) in zip(lanes, wanted) {
        for member in members { #expect(lane.contains(member), "\(member) is not in \(lane)") }
      }
      // What the kernel holds, a few bytes a second below what was asked for.
      let paced = try lanes.map { try #require(Run.figure("paced_bits_per_second", in: $0)) }
      #expect((399_999_900...400_000_000).contains(paced[0]), "\(paced)")
      #expect((193_999_900...194_000_000).contains(paced[1]), "\(paced)")
      guard isCounting else { return }
      // Data went out to the far end in a push, in to the near end in a pull.
      let side = command == "push" ? "out" : "in"
      for (way, mark) in [(0, Self.expedited), (1, Self.lowerEffort)] {
        let sent = try #require(Run.figure("bytes_sent", in: lanes[way]))
        #expect(sent > 0)
        let marked = try bench.byteCount(of: mark, leavingBy: "\(side)\(way)")
        #expect(marked >= sent, "lane \(way): \(marked) marked bytes of \(sent)")
        let back = try bench.byteCount(
          of: mark,
          leavingBy: "\(command == "push" ? "in" : "out")\(way)"
        )
        #expect(back > 0, "lane \(way): nothing marked came back")
      }
    }

    /// Starts a transfer with a lane on each way, and shuts the second one once it is under way.
    private func startOverTwoWays(
      _ bench: NetworkBench,
      _ command: String,
      largeByteCount: Int
    ) throws -> Run {
      try Trees.makeMixed(bench.place, "from", largeByteCount: largeByteCount, smallCount: 4)
      let run = try start(
        bench,
        command,
        [
          "--compress", "off", "--block-size", "1MiB",
          "--lane", "rate=60M,reserved,to=10.77.0.2,bind=10.77.0.1",
          "--lane", "rate=60M,reserved,to=10.77.1.2,bind=10.77.1.1",
        ]
      )
      #expect(try run.isDurable(20 << 20))
      try bench.open(1, false)
      return run
    }

    @Test(arguments: ["push", "pull"])
    func aWayThatIsSilentForAWhileIsRelieved(_ command: String) throws {
      let bench = try NetworkBench()
      let run = try startOverTwoWays(bench, command, largeByteCount: 160 << 20)
      #expect(try run.event { $0.contains("lane 1 carries") } != nil, "nobody noticed")
      try bench.open(1, true)
      let ending = try run.finish()
      #expect(ending.status == 0, "\(ending.messages)")
      #expect(try ending.figure("plan_generation") >= 1)
      #expect(try ending.figure("blocks_off_plan") == 0)
      try Trees.expectSame(bench.place, "from", "to")
    }

    @Test(arguments: ["push", "pull"])
    func aWayThatStaysSilentIsGivenUp(_ command: String) throws {
      let bench = try NetworkBench()
      let run = try startOverTwoWays(bench, command, largeByteCount: 200 << 20)
      // It has no connection as soon as it is given up: blocks that were on it go over the other.
      #expect(
        try run.event { $0.contains("lane 1 has had no connection") } != nil,
        "nobody noticed"
      )
      let ending = try run.finish()
      #expect(ending.status == 0, "\(ending.messages)")
      #expect(try ending.figure("connections_lost") == 1)
      #expect(try ending.figure("blocks_off_plan") == 0)
      try Trees.expectSame(bench.place, "from", "to")
    }

    @Test(arguments: ["push", "pull"], ["remote", "local"])
    func aPathThatLosesLargePacketsIsNamed(_ command: String, _ end: String) throws {
      let bench = try NetworkBench(middleMTU: 1500)
      try Trees.makeMixed(bench.place, "from", largeByteCount: 4 << 20, smallCount: 4)
      let target = end == "remote" ? "10.77.0.2" : "10.77.0.1"
      let lane = "rate=100M,to=\(target),name=blue"
      let ending = try move(bench, command, ["--listen", end, "--lane", lane])
      #expect(ending.status == 1, "\(ending.messages)")
      #expect(ending.errors.count == 1, "\(ending.messages)")
      #expect(
        ending.messages.contains("lane 0 (blue): packets of 9000 bytes"),
        "\(ending.messages)"
      )
      #expect(ending.messages.contains("mtu 1500"))
    }

    @Test(arguments: [
      ("bind=10.77.9.9", "the binding to 10.77.9.9 did not take", "EADDRNOTAVAIL"),
      ("interface=n9", "the binding to n9 did not take", "ENODEV"),
      ("congestion=nonesuch", "the congestion control nonesuch did not take", "ENOENT"),
    ])
    func whatThisEndDoesNotTakeEndsItBeforeAByte(
      _ asked: String,
      _ what: String,
      _ errno: String
    ) throws {
      let bench = try NetworkBench()
      try Trees.makeMixed(bench.place, "from", largeByteCount: 1 << 20, smallCount: 4)
      let ending = try move(bench, "push", ["--lane", "rate=100M,to=10.77.0.2,\(asked)"])
      #expect(ending.status == 1, "\(ending.messages)")
      #expect(ending.messages.contains("lane 0: \(what)"), "\(ending.messages)")
      #expect(ending.messages.contains(errno), "\(ending.messages)")
      #expect(!bench.place.exists("to"))
    }

    @Test func whatTheFarEndDoesNotTakeEndsItBeforeAByte() throws {
      let bench = try NetworkBench()
      try Trees.makeMixed(bench.place, "from", largeByteCount: 1 << 20, smallCount: 4)
      // In a pull the far end is the data's sender, and congestion control is its matter.
      let lane = "rate=100M,to=10.77.0.2,congestion=nonesuch"
      let ending = try move(bench, "pull", ["--lane", lane])
      #expect(ending.status == 1, "\(ending.messages)")
      #expect(ending.messages.contains("the congestion control nonesuch did not take"))
      #expect(!bench.place.exists("to"))
    }

    @Test func aLaneWhoseWayIsShutIsRefused() throws {
      let bench = try NetworkBench()
      try Trees.makeMixed(bench.place, "from", largeByteCount: 1 << 20, smallCount: 4)
      // The first lane's way is open; nobody has the second one's address.
      let ending = try move(
        bench,
        "push",
        ["--lane", "rate=100M,to=10.77.0.2", "--lane", "rate=100M,to=10.77.1.3,name=shut"]
      )
      #expect(ending.status == 6, "\(ending.messages)")
      #expect(ending.messages.contains("lane 1 (shut) cannot be opened"), "\(ending.messages)")
    }

    @Test(arguments: ["push", "pull"])
    func lanesAreDialledByTheEndThatCan(_ command: String) throws {
      let bench = try NetworkBench()
      try Trees.makeMixed(bench.place, "from", largeByteCount: 12 << 20, smallCount: 40)
      try bench.shut(.far)
      let refused = try move(bench, command, ["--lane", "rate=400M,to=10.77.0.2"])
      #expect(refused.status == 6, "\(refused.messages)")
      #expect(refused.messages.contains("--listen"), "\(refused.messages)")
      let ending = try move(
        bench,
        command,
        [
          "--listen", "local", "--compress", "off", "--lane",
          "rate=400M,reserved,bind=10.77.0.1,interface=n0,dscp=ef,congestion=reno",
          "--lane", "rate=200M,reserved,policed,layer=l3,to=10.77.1.1,dscp=1,connections=2",
        ]
      )
      #expect(ending.status == 0, "\(ending.messages)")
      try Trees.expectSame(bench.place, "from", "to")
      let summary = try #require(ending.lines.last)
      for member in [
        "\"local_address\":\"10.77.0.1\"", "\"interface\":\"n0\"", "\"dscp\":\"ef\"",
        "\"congestion_control\":\"reno\"", "\"local_address\":\"10.77.1.1\"",
        "\"to\":\"10.77.1.1\"", "\"dscp\":\"le\"", "\"listen\":\"local\"", "\"segment_bytes\":8948",
      ] {
        #expect(summary.contains(member), "\(member) is not in \(summary)")
      }
      let paced = summary.split(separator: "\"paced_bits_per_second\":").dropFirst()
        .compactMap { UInt64($0.prefix { $0.isNumber }) }
      try #require(paced.count == 2)
      #expect((399_999_900...400_000_000).contains(paced[0]), "\(paced)")
      #expect((193_999_900...194_000_000).contains(paced[1]), "\(paced)")
    }

    @Test(arguments: ["push", "pull"], ["remote", "local"])
    func aQueueThatLetsTooLittleThroughIsNamed(_ command: String, _ end: String) throws {
      let bench = try NetworkBench()
      try Trees.makeMixed(bench.place, "from", largeByteCount: 4 << 20, smallCount: 4)
      let sender = command == "push" ? NetworkBench.Part.near : .far
      let bucket = "qdisc add dev DEV root tbf rate 100mbit burst 64kb latency 50ms"
      guard try bench.queue(sender, bucket) else { return print("this kernel has no tbf") }
      let target = end == "remote" ? "10.77.0.2" : "10.77.0.1"
      func lane(_ rate: String) -> [String] { ["--lane", "rate=\(rate),to=\(target)"] }
      let listen = ["--listen", end]
      for lanes in [lane("104M"), lane("60M") + lane("60M")] {
        let refused = try move(bench, command, listen + lanes)
        #expect(refused.status == 1, "\(refused.messages)")
        #expect(refused.messages.contains("the rate did not take"), "\(refused.messages)")
        #expect(refused.messages.contains("(tbf) lets 100000000 b/s through"))
        #expect(!bench.place.exists("to/large"))
      }
      // With the gaps between packets a little more than the queue counts.
      let ending = try move(bench, command, listen + lane("100M"))
      #expect(ending.status == 0, "\(ending.messages)")
      let summary = try #require(ending.lines.last)
      #expect(summary.contains("\"queue\":\"tbf\""), "\(summary)")
      #expect(summary.contains("\"queue_interface\":\"\(command == "push" ? "n0" : "f0")\""))
      #expect(summary.contains("\"queue_bits_per_second\":100000000"))
      #expect(summary.contains("\"queue_limits_connections\":false"))
      try Trees.expectSame(bench.place, "from", "to")
    }

    @Test func theCeilingOfClassesIsTheQueues() throws {
      let bench = try NetworkBench()
      try Trees.makeMixed(bench.place, "from", largeByteCount: 4 << 20, smallCount: 4)
      let isThere = try bench.queue(
        .near,
        "qdisc add dev DEV root handle 1: htb default 10",
        "class add dev DEV parent 1: classid 1:1 htb rate 300mbit",
        "class add dev DEV parent 1:1 classid 1:10 htb rate 50mbit ceil 200mbit"
      )
      guard isThere else { return print("this kernel has no htb") }
      let refused = try move(bench, "push", ["--lane", "rate=250M,to=10.77.0.2"])
      #expect(refused.status == 1, "\(refused.messages)")
      #expect(refused.messages.contains("(htb) lets 200000000 b/s through"))
      let ending = try move(bench, "push", ["--lane", "rate=150M,to=10.77.0.2"])
      #expect(ending.status == 0, "\(ending.messages)")
      #expect(try #require(ending.lines.last).contains("\"queue_bits_per_second\":200000000"))
    }

    @Test func whereTheFarEndCannotDialThisOneDoes() throws {
      let bench = try NetworkBench()
      try Trees.makeMixed(bench.place, "from", largeByteCount: 1 << 20, smallCount: 4)
      try bench.shut(.near)
      let lane = ["--lane", "rate=400M,bind=10.77.0.1,to="]
      let refused = try move(bench, "push", ["--listen", "local", lane[0], lane[1] + "10.77.0.1"])
      #expect(refused.status == 6, "\(refused.messages)")
      let ending = try move(bench, "push", [lane[0], lane[1] + "10.77.0.2"])
      #expect(ending.status == 0, "\(ending.messages)")
    }

    /// Between these two the kernel copies what it was to send without a copy, and where nothing may
    /// be locked in memory, it refuses to: the transfer is whole, and claims nothing.
    @Test(arguments: [
      [], ["prlimit", "--memlock=0", "setpriv", "--bounding-set", "-ipc_lock"],
    ])
    func whatIsNotSentWithoutACopyIsCopied(_ launcher: [String]) throws {
      let bench = try NetworkBench()
      try Trees.makeMixed(bench.place, "from", largeByteCount: 40 << 20, smallCount: 4)
      let ending = try start(bench, "push", ["--compress", "off"], launcher: launcher).finish()
      #expect(ending.status == 0, "\(ending.messages)")
      try Trees.expectSame(bench.place, "from", "to")
      #expect(try ending.figure("zero_copy_bytes") == 0)
    }

    private func move(
      _ bench: NetworkBench,
      _ command: String,
      _ options: [String]
    ) throws -> Run.Ending {
      try start(bench, command, options).finish()
    }

    private func start(
      _ bench: NetworkBench,
      _ command: String,
      _ options: [String],
      launcher: [String] = []
    ) throws -> Run {
      let near = bench.place(command == "push" ? "from/" : "to")
      let far = "far:\(bench.place(command == "push" ? "to" : "from/"))"
      let places = command == "push" ? [near, far] : [far, near]
      return try bench.start(command, options + places, launcher: launcher)
    }
  }
}
