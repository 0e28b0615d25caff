import DTXLinux
import Glibc
import Testing

extension EndToEndTests {
  /// Lanes that break, lanes that cannot be had, and what the user chose of them.
  @Suite struct LaneTests {
    @Test(arguments: ["push", "pull"])
    func cutLanesAreOpenedAgain(_ command: String) throws {
      let seed = Dice.freshSeed()
      var dice = Dice(seed: seed)
      let site = try Site()
      try Trees.makeMixed(site.place, "from", largeByteCount: 20 << 20, smallCount: 300)
      let proxy = try LaneProxy()
      defer { proxy.close() }
      let cutCount = 8
      let moments = (0..<cutCount).map { _ in dice.next() % (6 << 20) }
      Self.cut(proxy, moments[...])
      let ending = try Self.move(site, command, proxy.options + ["--block-size", "1MiB"])
      #expect(ending.status == 0, "seed \(seed): \(ending.messages)")
      #expect(try ending.figure("connections_lost") >= 4, "seed \(seed)")
      #expect(proxy.connectionCount > 4, "seed \(seed)")
      #expect(ending.errors.isEmpty, "seed \(seed): \(ending.messages)")
      try Trees.expectSame(site.place, "from", "to")
      let resent = proxy.byteCount - (try ending.figure("bytes_durable"))
      print("seed \(seed), \(command): \(cutCount) cuts, \(resent) bytes beyond the payload")
      #expect(resent < UInt64(cutCount) * 16 << 20, "seed \(seed)")
    }

    /// Cuts all lanes again and again, each time after so many more bytes.
    private static func cut(_ proxy: LaneProxy, _ moments: ArraySlice<UInt64>) {
      guard let moment = moments.first else { return }
      proxy.afterBytes(moment) {
        proxy.cut()
        cut(proxy, moments.dropFirst())
      }
    }

    @Test(arguments: ["push", "pull"])
    func cutsWhileLanesOpenDoNoHarm(_ command: String) throws {
      let site = try Site()
      try Trees.makeMixed(site.place, "from", largeByteCount: 4 << 20, smallCount: 50)
      let proxy = try LaneProxy()
      defer { proxy.close() }
      // An opening takes 96 bytes one way, 64 back and 32 again: every boundary on the way, after
      // the one that finds out whether lanes can be had.
      let steps: [UInt64] = [192, 1, 96, 95, 97, 160, 159, 161, 192, 191, 193, 300, 120]
      Self.cut(proxy, steps[...])
      let ending = try Self.move(site, command, proxy.options + ["--block-size", "1MiB"])
      #expect(ending.status == 0, "\(ending.messages)")
      try Trees.expectSame(site.place, "from", "to")
    }

    @Test(arguments: ["aes-256-gcm", "none"])
    func damageOnTheWayIsFoundAndSentAgain(_ cipher: String) throws {
      let site = try Site()
      try Trees.makeMixed(site.place, "from", largeByteCount: 14 << 20, smallCount: 50)
      let proxy = try LaneProxy()
      defer { proxy.close() }
      // In the middle of the bytes of a file.
      proxy.damageAfterBytes(5 << 20)
      let options = ["--compress", "off", "--cipher", cipher, "--block-size", "1MiB"]
      let ending = try Self.move(site, "push", options + proxy.options)
      #expect(ending.status == 0, "\(ending.messages)")
      #expect(try ending.figure("bytes_resent") > 0)
      // A cipher refuses the record and its connection; a digest the extent.
      #expect(try ending.figure("connections_lost") == (cipher == "none" ? 0 : 1))
      try Trees.expectSame(site.place, "from", "to")
    }

    @Test(arguments: ["push", "pull"])
    func strangersAtTheDoorChangeNothing(_ command: String) throws {
      let site = try Site()
      try Trees.makeMixed(site.place, "from", largeByteCount: 14 << 20, smallCount: 50)
      let port = try Sshd.freePort()
      let run = try Self.start(
        site,
        command,
        ["--port", "\(port)", "--rate", "64M", "--block-size", "1MiB"]
      )
      #expect(try run.isDurable(1))
      let address = try #require(SocketAddress(numericHost: "127.0.0.1", port: port))
      var visitors: [Socket] = []
      for index in 0..<100 {
        guard let socket = try? Socket.connect(to: address, timeoutNanoseconds: 1_000_000_000)
        else { continue }
        // Some send garbage, some a little, some nothing at all.
        if index % 3 != 0 {
          try? socket.sendAll(Trees.content(index % 3 == 1 ? 96 : 100_000, seed: UInt64(index)))
        }
        visitors.append(socket)
      }
      #expect(visitors.count > 0, "nobody could knock")
      let ending = try run.finish()
      #expect(ending.status == 0, "\(ending.messages)")
      #expect(try ending.figure("connections_lost") == 0)
      #expect(ending.errors.isEmpty, "\(ending.messages)")
      try Trees.expectSame(site.place, "from", "to")
    }

    @Test func whatTheUserChoseIsInTheReport() throws {
      let site = try Site()
      try Trees.makeMixed(site.place, "from", largeByteCount: 4 << 20, smallCount: 10)
      let lanes = try site.run(
        "push",
        "--lanes",
        "7",
        "--rate",
        "2G",
        site.place("from/"),
        site.far("a")
      )
      #expect(lanes.status == 0, "\(lanes.messages)")
      let summary = try #require(lanes.lines.last)
      #expect(summary.split(separator: "\"index\"").count == 8)
      // The kernel holds a seventh of the rate for each, less what rounding takes.
      let paced = summary.split(separator: "\"paced_bits_per_second\":").dropFirst()
        .compactMap { UInt64($0.prefix { $0.isNumber }) }
      #expect(paced.count == 7)
      #expect(paced.allSatisfy { $0 <= 285_714_286 && $0 > 285_000_000 }, "\(paced)")
      #expect(summary.contains("\"cipher\":\"aes-256-gcm\""))
      let own = try site.run(
        "push",
        "--lane",
        "rate=1G,reserved,name=first",
        "--lane",
        "rate=2G,connections=3",
        "--cipher",
        "none",
        site.place("from/"),
        site.far("b")
      )
      #expect(own.status == 0, "\(own.messages)")
      let ownSummary = try #require(own.lines.last)
      #expect(ownSummary.contains("\"name\":\"first\",\"contract\":\"reserved\""))
      #expect(ownSummary.contains("\"connections\":3"))
      #expect(ownSummary.contains("\"cipher\":\"none\""))
      try Trees.expectSame(site.place, "from", "b")
    }

    @Test(arguments: ["push", "pull"])
    func aLostLanesBlocksGoOverTheOthers(_ command: String) throws {
      let site = try Site()
      try Trees.makeMixed(site.place, "from", largeByteCount: 120 << 20, smallCount: 50)
      let proxy = try LaneProxy(hasOwnDoor: true)
      defer { proxy.close() }
      proxy.afterBytes(2 << 20) { proxy.refuse(true) }
      let ending = try Self.move(
        site,
        command,
        [
          "--port", "\(proxy.port)", "--compress", "off", "--block-size", "1MiB",
          "--lane", "rate=64M,reserved,name=steady,to=127.0.0.1",
          "--lane", "rate=32M,reserved,name=shaky,to=\(LaneProxy.host):\(proxy.door)",
        ]
      )
      #expect(ending.status == 0, "\(ending.messages)")
      #expect(try ending.figure("plan_generation") == 1)
      #expect(try ending.figure("blocks_off_plan") == 0)
      #expect(
        ending.lines.contains { $0.contains("lane 1 (shaky) has had no connection for 10 s") },
        "\(ending.lines)"
      )
      try Trees.expectSame(site.place, "from", "to")
    }

    @Test(arguments: ["push", "pull"])
    func withoutAPortOneLaneGoesThroughSsh(_ command: String) throws {
      let site = try Site()
      try Trees.makeMixed(site.place, "from", largeByteCount: 20 << 20, smallCount: 100)
      // Nobody listens there: the far end does on 127.0.0.1 alone.
      let ending = try Self.move(site, command, ["--lane-host", "127.0.0.3"])
      #expect(ending.status == 0, "\(ending.messages)")
      let summary = try #require(ending.lines.last)
      #expect(summary.contains("\"through_shell\":true"))
      #expect(summary.contains("one lane went through the remote shell"))
      try Trees.expectSame(site.place, "from", "to")
    }

    @Test func aRateThatNoPortCanKeepIsRefused() throws {
      let site = try Site()
      try Trees.makeMixed(site.place, "from", largeByteCount: 1 << 20, smallCount: 10)
      let refused = try site.run(
        "push",
        "--rate",
        "1G",
        "--lane-host",
        "127.0.0.3",
        site.place("from/"),
        site.far("to")
      )
      #expect(refused.status == 6)
      #expect(refused.errors.count == 1, "\(refused.messages)")
      #expect(refused.messages.contains("--allow-ssh-lanes"))
      let allowed = try site.run(
        "push",
        "--rate",
        "1G",
        "--allow-ssh-lanes",
        "--lane-host",
        "127.0.0.3",
        site.place("from/"),
        site.far("to")
      )
      #expect(allowed.status == 0, "\(allowed.messages)")
      try Trees.expectSame(site.place, "from", "to")
    }

    @Test(arguments: [
      ("from=2199-01-01T00:00:00Z", "its window is not open yet"),
      ("until=2020-01-01T00:00:00+01:00", "its window is over"),
    ])
    func outsideItsWindowALaneCarriesNothing(_ window: String, _ what: String) throws {
      let site = try Site()
      try Trees.makeMixed(site.place, "from", largeByteCount: 1 << 20, smallCount: 10)
      let lane = "rate=1G,reserved,name=blue,\(window)"
      let places = [site.place("from/"), site.place("to")]
      let refused = try site.start("push", ["--lane", lane] + places).finish()
      #expect(refused.status == 6, "\(refused.messages)")
      #expect(refused.messages.contains("lane 0 (blue): \(what)"), "\(refused.messages)")
      #expect(!site.place.exists("to"))
      // What would be moved can be asked at any time.
      let planned = try site.start("push", ["-n", "--lane", lane] + places).finish()
      #expect(planned.status == 0, "\(planned.messages)")
    }

    @Test(arguments: ["push", "pull"])
    func lanesOnThisMachineHaveWhatWasAsked(_ command: String) throws {
      let site = try Site()
      try Trees.makeMixed(site.place, "from", largeByteCount: 4 << 20, smallCount: 10)
      let lanes = [
        "--lane", "rate=1G,reserved,bind=127.0.0.5,to=127.0.0.6,dscp=af41,congestion=reno",
        "--lane", "rate=500M,interface=lo,to=127.0.0.7,pace=50%,dscp=cs1",
      ]
      let ending = try Self.move(site, command, lanes)
      #expect(ending.status == 0, "\(ending.messages)")
      try Trees.expectSame(site.place, "from", "to")
      let summary = try #require(ending.lines.last)
      for member in [
        "\"local_address\":\"127.0.0.5\"", "\"dscp\":\"af41\"", "\"congestion_control\":\"reno\"",
        "\"interface\":\"lo\"", "\"dscp\":\"cs1\"", "\"pace_percent\":50", "\"to\":\"127.0.0.7\"",
      ] {
        #expect(summary.contains(member), "\(member) is not in \(summary)")
      }
    }

    private static func move(
      _ site: Site,
      _ command: String,
      _ options: [String]
    ) throws -> Run.Ending {
      try start(site, command, options).finish()
    }

    private static func start(
      _ site: Site,
      _ command: String,
      _ options: [String]
    ) throws -> Run {
      let places =
        command == "push"
        ? [site.place("from/"), site.far("to")] : [site.far("from/"), site.place("to")]
      return try site.start(command, options + places)
    }
  }
}
