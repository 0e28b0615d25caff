import DTXLinux
import Testing

extension EndToEndTests {
  /// Lanes that the far end opens, since the near end listens.
  @Suite struct ListenTests {
    private static let local = ["--listen", "local"]

    @Test(arguments: ["push", "pull"])
    func theFarEndDials(_ command: String) throws {
      let site = try Site()
      try Trees.makeMixed(site.place, "from", largeByteCount: 20 << 20, smallCount: 100)
      let ending = try Self.move(site, command, Self.local)
      #expect(ending.status == 0, "\(ending.messages)")
      let summary = try #require(ending.lines.last)
      #expect(summary.contains("\"through_shell\":false"), "\(summary)")
      #expect(summary.contains("\"listen\":\"local\""), "\(summary)")
      #expect(summary.contains("\"cipher\":\"aes-256-gcm\""))
      #expect(try ending.figure("connections_lost") == 0)
      try Trees.expectSame(site.place, "from", "to")
      // What is there already is found, by whatever lanes.
      let again = try Self.move(site, command, ["--listen", "remote"])
      #expect(try again.figure("bytes_durable") == 0)
    }

    @Test(arguments: ["push", "pull"])
    func bothEndsMayBeHere(_ command: String) throws {
      let site = try Site()
      try Trees.makeMixed(site.place, "from", largeByteCount: 8 << 20, smallCount: 20)
      let places = [site.place("from/"), site.place("to")]
      let ending = try site.start(command, Self.local + ["--rate", "1G"] + places).finish()
      #expect(ending.status == 0, "\(ending.messages)")
      let summary = try #require(ending.lines.last)
      #expect(summary.contains("\"local_address\":\"127.0.0.1\""), "\(summary)")
      try Trees.expectSame(site.place, "from", "to")
      let planned = try site.start(command, Self.local + ["-n", "--rate", "1G"] + places).finish()
      #expect(planned.status == 0, "\(planned.messages)")
    }

    @Test(arguments: ["push", "pull"])
    func cutLanesAreOpenedAgain(_ command: String) throws {
      let site = try Site()
      try Trees.makeMixed(site.place, "from", largeByteCount: 20 << 20, smallCount: 100)
      let proxy = try LaneProxy(hasOwnDoor: true)
      defer { proxy.close() }
      Self.cut(proxy, 3)
      let target = "to=\(LaneProxy.host):\(proxy.door)"
      let ending = try Self.move(
        site,
        command,
        Self.local + [
          "--port", "\(proxy.port)", "--block-size", "1MiB", "--compress", "off",
          "--lane", "rate=400M,\(target),connections=2", "--lane", "rate=200M,reserved,\(target)",
        ]
      )
      #expect(ending.status == 0, "\(ending.messages)")
      #expect(try ending.figure("connections_lost") >= 2)
      #expect(proxy.connectionCount > 3)
      try Trees.expectSame(site.place, "from", "to")
    }

    @Test(arguments: ["push", "pull"])
    func aLostLanesBlocksGoOverTheOthers(_ command: String) throws {
      let site = try Site()
      try Trees.makeMixed(site.place, "from", largeByteCount: 120 << 20, smallCount: 20)
      let proxy = try LaneProxy(hasOwnDoor: true)
      defer { proxy.close() }
      proxy.afterBytes(2 << 20) { proxy.refuse(true) }
      let ending = try Self.move(
        site,
        command,
        Self.local + [
          "--port", "\(proxy.port)", "--compress", "off", "--block-size", "1MiB",
          "--lane", "rate=64M,reserved,name=steady,to=127.0.0.1",
          "--lane", "rate=32M,reserved,name=shaky,to=\(LaneProxy.host):\(proxy.door)",
        ]
      )
      #expect(ending.status == 0, "\(ending.messages)")
      #expect(try ending.figure("plan_generation") == 1)
      #expect(
        ending.lines.contains { $0.contains("lane 1 (shaky) has had no connection for 10 s") },
        "\(ending.lines)"
      )
      try Trees.expectSame(site.place, "from", "to")
    }

    @Test(arguments: ["push", "pull"])
    func whereNobodyComesOneLaneGoesThroughSsh(_ command: String) throws {
      let site = try Site()
      try Trees.makeMixed(site.place, "from", largeByteCount: 8 << 20, smallCount: 20)
      // A name that no server knows (RFC 6761).
      let shut = Self.local + ["--lane-host", "nonesuch.invalid"]
      let ending = try Self.move(site, command, shut)
      #expect(ending.status == 0, "\(ending.messages)")
      let summary = try #require(ending.lines.last)
      #expect(summary.contains("\"through_shell\":true"))
      try Trees.expectSame(site.place, "from", "to")
      let promised = try Self.move(site, command, shut + ["--rate", "1G"])
      #expect(promised.status == 6, "\(promised.messages)")
      #expect(promised.messages.contains("nonesuch.invalid"), "\(promised.messages)")
      #expect(promised.messages.contains("--listen"), "\(promised.messages)")
    }

    @Test func connectionsComeToTheAddressThatWasAskedFor() throws {
      let site = try Site()
      try Trees.makeMixed(site.place, "from", largeByteCount: 1 << 20, smallCount: 4)
      let lane = "rate=1G,bind=127.0.0.5,name=blue"
      let ending = try Self.move(site, "push", Self.local + ["--lane", lane])
      #expect(ending.status == 0, "\(ending.messages)")
      #expect(try #require(ending.lines.last).contains("\"local_address\":\"127.0.0.5\""))
      // Another way leads to another address.
      let other = try Self.move(site, "push", Self.local + ["--lane", "\(lane),to=127.0.0.6"])
      #expect(other.status == 6, "\(other.messages)")
      #expect(
        other.messages.contains("lane 0 (blue) cannot be opened"),
        "\(other.messages)"
      )
      #expect(other.messages.contains("127.0.0.6 here"), "\(other.messages)")
    }

    /// Cuts all lanes so many times, each time after some more MiB.
    private static func cut(_ proxy: LaneProxy, _ count: Int) {
      guard count > 0 else { return }
      proxy.afterBytes(3 << 20) {
        proxy.cut()
        cut(proxy, count - 1)
      }
    }

    private static func move(
      _ site: Site,
      _ command: String,
      _ options: [String]
    ) throws -> Run.Ending {
      let places =
        command == "push"
        ? [site.place("from/"), site.far("to")] : [site.far("from/"), site.place("to")]
      return try site.start(command, options + places).finish()
    }
  }
}
