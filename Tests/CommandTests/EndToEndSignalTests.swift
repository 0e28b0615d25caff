import DTXLinux
import Glibc
import Testing

extension EndToEndTests {
  /// People and machines that stop a transfer.
  @Suite struct SignalTests {
    @Test(arguments: [(SIGINT, 130), (SIGTERM, 143), (SIGHUP, 129)] as [(Int32, Int32)])
    func aSignalStopsAfterTheEpochAndTheNextRunGoesOn(_ signal: Int32, _ status: Int32) throws {
      let site = try Site()
      let run = try Self.startSlow(site)
      #expect(try run.isDurable(4 << 20))
      kill(run.child.processID, signal)
      let ending = try run.finish()
      #expect(ending.status == status, "\(ending.messages)")
      expectOneMessage(ending, "dtx: interrupted")
      let durable = try ending.figure("bytes_durable")
      #expect(durable >= 4 << 20)
      try site.awaitFarEnd()
      try Self.expectRestMoves(site, whatIsDurable: durable)
    }

    /// A terminal sends INT to the whole group: to ssh, which must live until the epoch is done.
    @Test func whatATerminalInterruptsFinishesItsEpoch() throws {
      let site = try Site()
      let run = try Self.startSlow(site, launcher: ["setsid"])
      #expect(try run.isDurable(4 << 20))
      kill(-run.child.processID, SIGINT)
      let ending = try run.finish()
      #expect(ending.status == 130, "\(ending.messages)")
      expectOneMessage(ending, "INT")
      let moved = try ending.figure("bytes_sent")
      let durable = try ending.figure("bytes_durable")
      #expect(durable >= 4 << 20 && durable <= moved)
      try site.awaitFarEnd()
      try Self.expectRestMoves(site, whatIsDurable: durable)
    }

    @Test(arguments: [SIGINT, SIGTERM])
    func theSecondSignalEndsItAtOnce(_ signal: Int32) throws {
      let site = try Site()
      let run = try Self.startSlow(site)
      #expect(try run.isDurable(1 << 20))
      // While the far end is stopped, it cannot answer the first one.
      let far = try site.process("far")
      kill(far, SIGSTOP)
      kill(run.child.processID, signal)
      // The second one must find that the first was taken, or the two are one.
      try waitUntil("the first signal was taken") {
        try !Tool.shell("grep -c . /proc/\(run.child.processID)/status").isEmpty
          && Self.pending(of: run.child.processID) == 0
      }
      kill(run.child.processID, signal)
      let ending = try run.finish()
      #expect(ending.status == 128 + signal)
      kill(far, SIGCONT)
      try site.awaitFarEnd()
    }

    @Test func theFarEndMayBeInterruptedToo() throws {
      let site = try Site()
      let run = try Self.startSlow(site)
      #expect(try run.isDurable(4 << 20))
      kill(try site.process("far"), SIGTERM)
      let ending = try run.finish()
      #expect([1, 130].contains(ending.status), "\(ending.messages)")
      #expect(ending.errors.count == 1, "\(ending.messages)")
      try Self.expectRestMoves(site, whatIsDurable: try ending.figure("bytes_durable"))
    }

    /// Signals that wait for a process, as a mask.
    private static func pending(of process: Int32) throws -> UInt64 {
      let line = try Tool.shell("grep ^ShdPnd: /proc/\(process)/status")
      return UInt64(line.split(separator: "\t").last.map { String($0.dropLast()) } ?? "", radix: 16)
        ?? 1
    }

    private static func startSlow(_ site: Site, launcher: [String] = []) throws -> Run {
      try site.place.write("from/large", Trees.content(40 << 20, seed: 2))
      return try site.start(
        "push",
        ["--rate", "64M", "--block-size", "1MiB", site.place("from/"), site.far("to")],
        launcher: launcher
      )
    }

    private static func expectRestMoves(_ site: Site, whatIsDurable durable: UInt64) throws {
      let rest = try site.run("push", "--block-size", "1MiB", site.place("from/"), site.far("to"))
      #expect(rest.status == 0, "\(rest.messages)")
      #expect(try rest.figure("bytes_sent") <= 40 << 20 - durable)
      try Trees.expectSame(site.place, "from", "to")
    }
  }
}
