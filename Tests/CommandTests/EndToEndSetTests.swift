import DTXLinux
import Glibc
import Testing

extension EndToEndTests {
  /// Transfers that their user changes while they run.
  @Suite struct SetTests {
    @Test(arguments: ["push", "pull"])
    func aRateIsChangedAndATransferPaused(_ command: String) throws {
      let site = try Site()
      try Trees.makeMixed(site.place, "from", largeByteCount: 12 << 20, smallCount: 20)
      let run = try start(site, command, ["--lanes", "2", "--rate", "32M"])
      #expect(try run.isDurable(1 << 20))
      let session = "\(run.child.processID)"

      let listed = try set(site, [])
      #expect(listed.lines == ["\(session)  \(command) \(try title(site, command))"])
      let far = try set(site, ["1", "--pause"])
      #expect(far.status == 1)
      #expect(far.messages.contains("no transfer of yours runs here as process 1"))

      #expect(try set(site, ["--pause"]).status == 0)
      #expect(try run.event { $0.contains("\"phase\":\"paused\"") } != nil)
      // What was under way arrives, and nothing else.
      var moved = try (0..<3).map { _ in try nextMoved(run) }
      while moved.suffix(3).contains(where: { $0 != moved.last }) {
        moved.append(try nextMoved(run))
      }
      let line = try #require(try run.event { $0.contains("\"type\":\"progress\"") })
      #expect(try #require(Run.figure("bytes_wanted", in: line)) > moved.last ?? 0)

      #expect(try set(site, [session, "--rate", "24M", "--resume"]).status == 0)
      let ending = try run.finish()
      #expect(ending.status == 0, "\(ending.messages)")
      #expect(try ending.figure("plan_generation") >= 1)
      #expect(try ending.figure("blocks_off_plan") == 0)
      #expect(ending.lines.contains { $0.contains("as you set it") })
      // Half of the rate for each lane, less what headers take.
      let paced = try ending.figure("paced_bits_per_second")
      #expect(paced > 11_900_000 && paced <= 12_000_000)
      try Trees.expectSame(site.place, "from", "to")

      #expect(try set(site, []).lines == ["no transfer of yours runs on this machine"])
      let late = try set(site, [session, "--resume"])
      #expect(late.status == 1)
    }

    @Test func lanesThatNobodyRatedGetARate() throws {
      let site = try Site()
      try Trees.makeMixed(site.place, "from", largeByteCount: 120 << 20, smallCount: 20)
      let run = try start(site, "push", ["--lanes", "2"])
      #expect(try run.isDurable(1))
      guard try set(site, ["--rate", "200M"]).status == 0 else {
        // It was over before.
        #expect(try run.finish().status == 0)
        return
      }
      let ending = try run.finish()
      #expect(ending.status == 0, "\(ending.messages)")
      #expect(try ending.figure("blocks_off_plan") == 0)
      try Trees.expectSame(site.place, "from", "to")
    }

    @Test func whatWasAdmittedIsNotExceeded() throws {
      let site = try Site()
      try Trees.makeMixed(site.place, "from", largeByteCount: 16 << 20, smallCount: 20)
      let run = try start(site, "push", ["--lane", "rate=16M,reserved"])
      #expect(try run.isDurable(1 << 20))
      let refused = try set(site, ["--rate", "17M"])
      #expect(refused.status == 5)
      #expect(refused.messages.contains("it was admitted with 16000000 bits per second"))
      #expect(try set(site, ["--rate", "15M"]).status == 0)
      let ending = try run.finish()
      #expect(ending.status == 0, "\(ending.messages)")
      try Trees.expectSame(site.place, "from", "to")
    }

    /// Of the next line of progress.
    private func nextMoved(_ run: Run) throws -> UInt64 {
      let line = try #require(try run.event { $0.contains("\"type\":\"progress\"") })
      return try #require(Run.figure("bytes_moved", in: line))
    }

    private func places(_ site: Site, _ command: String) -> [String] {
      command == "push"
        ? [site.place("from/"), site.far("to")] : [site.far("from/"), site.place("to")]
    }

    private func title(_ site: Site, _ command: String) throws -> String {
      places(site, command).joined(separator: " ")
    }

    private func start(_ site: Site, _ command: String, _ options: [String]) throws -> Run {
      try site.start(
        command,
        ["--compress", "off", "--block-size", "1MiB"] + options + places(site, command),
        launcher: ["env", "-u", "XDG_RUNTIME_DIR"]
      )
    }

    private func set(_ site: Site, _ arguments: [String]) throws -> Run.Ending {
      try site.start("set", arguments, launcher: ["env", "-u", "XDG_RUNTIME_DIR"]).finish()
    }
  }
}
