import DTXLinux
import Glibc
import Testing

extension EndToEndTests {
  /// Runs on several hosts whose file system shares its files and not its locks.
  @Suite struct OwnerTests {
    private static let options = ["--block-size", "1MiB", "--rate", "8M"]

    /// Why there can be no second host here; nil where there can.
    static let obstacle: String? = {
      if Host.effectiveUserID != 0 { return "another boot identity is root's to pretend" }
      let line = "unshare --mount --uts mount --bind /dev/null /proc/sys/kernel/random/boot_id >&2"
      let isThere = (try? Tool.run("sh", "-c", line))?.status == 0
      return isThere ? nil : "another boot identity cannot be mounted here with unshare"
    }()

    /// Words before a command that make it think that it runs on another host.
    private static func onOtherHost(_ place: Workplace) throws -> [String] {
      try place.write("boot", "00000000-0000-4000-8000-00000000002a\n")
      let line =
        "mount --bind '\(place("boot"))' /proc/sys/kernel/random/boot_id && hostname other-host"
        + " && exec \"$@\""
      return ["unshare", "--mount", "--uts", "sh", "-c", line, "sh"]
    }

    @Test(
      .enabled(if: OwnerTests.obstacle == nil, Comment(rawValue: OwnerTests.obstacle ?? "")),
      arguments: [Faults.Locks.unshared, .none]
    )
    func aSecondHostIsTurnedAway(_ locks: Faults.Locks) throws {
      let place = try Workplace()
      try place.write("from/large", Trees.content(20 << 20, seed: 3))
      try place.makeDirectory("to")
      let faults = try Faults(place, below: "to", locks: locks).launcher()
      let first = try startLocal(place, "push", Self.options, launcher: faults)
      #expect(try first.isDurable(1 << 20))
      let second = try local(
        place,
        "push",
        Self.options,
        launcher: Self.onOtherHost(place) + faults
      )
      #expect(second.status == 7, "\(second.messages)")
      #expect(second.messages.contains("host=\(Host.hostName)"), "\(second.messages)")
      kill(first.child.processID, SIGTERM)
      let stopped = try first.finish()
      #expect(stopped.status == 128 + SIGTERM, "\(stopped.messages)")
      // It gave its hold back, so the other host need not wait to see that it is gone.
      let third = try local(
        place,
        "push",
        ["--block-size", "1MiB", "--quiet"],
        launcher: Self.onOtherHost(place) + faults
      )
      #expect(third.status == 0, "\(third.messages)")
      #expect(try third.figure("bytes_sent") < 20 << 20)
      try Trees.expectSame(place, "from", "to")
    }

    /// A host that sleeps through its end, one that is killed, and one that comes after both.
    @Test(.enabled(if: OwnerTests.obstacle == nil, Comment(rawValue: OwnerTests.obstacle ?? "")))
    func aHostThatWakesUpLateDoesNoHarm() throws {
      let place = try Workplace()
      try Trees.makeMixed(place, "from", largeByteCount: 12 << 20, smallCount: 60)
      try place.makeDirectory("to")
      let faults = try Faults(place, below: "to", locks: .unshared).launcher()
      let sleeper = try startLocal(
        place,
        "push",
        Self.options,
        launcher: faults
      )
      #expect(try sleeper.isDurable(4 << 20))
      let sleeping = try Self.processes(of: sleeper)
      for process in sleeping { kill(process, SIGSTOP) }
      let stagedBefore = try Self.staged(place)
      // What it still holds in memory is of files that are no longer the source's.
      try place.write("from/large-1", Trees.content(12 << 20, seed: 77))
      let second = try startLocal(
        place,
        "push",
        Self.options,
        launcher: Self.onOtherHost(place) + faults
      )
      #expect(try second.isDurable(2 << 20))
      // A name that it may still have on its way to the server leads to none of these.
      #expect(try Set(Self.staged(place)).isDisjoint(with: stagedBefore))
      for process in try Self.processes(of: second) { kill(process, SIGKILL) }
      _ = try second.finish()
      // On the host that was killed nobody has to wait.
      let third = try startLocal(
        place,
        "push",
        Self.options,
        launcher: Self.onOtherHost(place) + faults
      )
      #expect(try third.isDurable(1 << 20))
      for process in sleeping { kill(process, SIGCONT) }
      let woken = try sleeper.finish()
      #expect(woken.status != 0, "\(woken.messages)")
      let ending = try third.finish()
      #expect(ending.status == 0, "\(ending.messages)")
      // Of the file that is still the source's, what was durable is taken over twice.
      let sentByteCount = try ending.figure("bytes_sent")
      #expect(sentByteCount < 21 << 20, "\(sentByteCount)")
      try Trees.expectSame(place, "from", "to")
      let verified = try Invocation("verify", place("to"))
      #expect(verified.status == 0, "\(verified.messages)")
      let strays = try Self.staged(place).filter { !stagedBefore.contains($0) }
      #expect(strays.isEmpty)
    }

    /// The last call of a host whose network is cut reaches the server when another has taken over.
    @Test(.enabled(if: OwnerTests.obstacle == nil, Comment(rawValue: OwnerTests.obstacle ?? "")))
    func aRenameThatArrivesLateFindsNothing() throws {
      let place = try Workplace()
      try place.write("from/below/small", Trees.content(30_000, seed: 4))
      try place.write("from/large", Trees.content(8 << 20, seed: 5))
      try place.makeDirectory("to")
      let faults = Faults(place, below: "to", locks: .unshared)
      let fault = Faults.Fault(action: .hold, call: "renameat*", pattern: "*.small.dtx-*")
      let late = try startLocal(place, "push", Self.options, launcher: faults.launcher(fault))
      try faults.awaitHeld()
      let sleeping = try Self.processes(of: late)
      for process in sleeping { kill(process, SIGSTOP) }
      try place.write("from/below/small", Trees.content(30_000, seed: 6))
      let others = Faults(place, below: "to", log: "others", locks: .unshared)
      let hold = Faults.Fault(action: .hold, call: "renameat*", pattern: ".large.dtx-*")
      let next = try startLocal(
        place,
        "push",
        Self.options,
        launcher: Self.onOtherHost(place) + others.launcher(hold)
      )
      // Its small file has its name by now, and nothing of the directory is finished.
      try others.awaitHeld()
      #expect(try place.read("to/below/small") == place.read("from/below/small"))
      try faults.release()
      for process in sleeping { kill(process, SIGCONT) }
      let ending = try late.finish()
      #expect(ending.status != 0, "\(ending.messages)")
      let renames = try faults.calls().filter { $0.isEnd && $0.path.contains(".small.dtx-") }
      #expect(renames.last?.name == "renameat2" && renames.last?.result == -1)
      try others.release()
      let followed = try next.finish()
      #expect(followed.status == 0, "\(followed.messages)")
      try Trees.expectSame(place, "from", "to")
    }

    /// A command's process and that of its other end.
    private static func processes(of run: Run) throws -> [Int32] {
      let number = run.child.processID
      let children = try Tool.shell("cat /proc/\(number)/task/*/children")
      return [number] + children.split(whereSeparator: \.isWhitespace).compactMap { Int32($0) }
    }

    private static func staged(_ place: Workplace) throws -> [String] {
      let found = try Tool.shell("cd '\(place("to"))' && find . -name '.*.dtx-*' -type f")
      return found.split(separator: "\n").map(String.init)
    }
  }
}
