import DTXLinux
import Testing

extension EndToEndTests {
  /// Real file systems that turn read-only, fill up, or have a quota, while they are written to.
  @Suite struct DiskTests {
    private static let options = ["--block-size", "1MiB", "--rate", "40M"]

    /// What of the run must be so, whatever the disk did.
    private static func expectNamed(
      _ ending: Run.Ending,
      _ name: String,
      _ place: Workplace
    ) throws {
      #expect(ending.status == 1, "\(ending.messages)")
      #expect(ending.messages.contains(name), "\(ending.messages)")
      #expect(ending.messages.contains("run the same command again"), "\(ending.messages)")
      // What failed, why, and what to do: nothing of it is escaped.
      #expect(ending.errors.count == 1 && !ending.messages.contains("\\x0a"), "\(ending.messages)")
      let remains = try Remains(place)
      #expect(remains.problems.isEmpty, "\(remains.problems)")
    }

    private static func expectRest(_ place: Workplace, below byteCount: UInt64) throws {
      let next = try local(place, "push", ["--block-size", "1MiB", "--quiet"])
      #expect(next.status == 0, "\(next.messages)")
      #expect(try next.figure("bytes_sent") < byteCount)
      try Trees.expectSame(place, "from", "to")
      let verified = try Invocation("verify", place("to"))
      #expect(verified.status == 0, "\(verified.messages)")
    }

    @Test(
      .enabled(
        if: LoopDisk.obstacle(.ext4) == nil,
        Comment(rawValue: LoopDisk.obstacle(.ext4) ?? "")
      )
    )
    func aDiskThatTurnsReadOnlyIsNamed() throws {
      let place = try Workplace()
      try Trees.makeMixed(place, "from", largeByteCount: 8 << 20, smallCount: 40)
      let disk = try LoopDisk(.ext4, place, at: "to", byteCount: 96 << 20)
      let run = try startLocal(place, "push", Self.options)
      #expect(try run.isDurable(4 << 20))
      try disk.fail()
      try Self.expectNamed(try run.finish(), "EROFS", place)
      let again = try local(place, "push", Self.options)
      #expect(again.status == 1 && again.messages.contains("EROFS"), "\(again.messages)")
      #expect(again.messages.contains("nothing was moved"), "\(again.messages)")
      try disk.unmount()
      try disk.repair()
      try disk.mount()
      try Self.expectRest(place, below: 13 << 20)
    }

    @Test(
      .enabled(
        if: LoopDisk.obstacle(.ext4) == nil,
        Comment(rawValue: LoopDisk.obstacle(.ext4) ?? "")
      )
    )
    func aDiskThatSomebodyElseFillsIsNamed() throws {
      let place = try Workplace()
      try Trees.makeMixed(place, "from", largeByteCount: 8 << 20, smallCount: 40)
      let disk = try LoopDisk(.ext4, place, at: "to", byteCount: 64 << 20)
      defer { withExtendedLifetime(disk) {} }
      let run = try startLocal(place, "push", Self.options)
      #expect(try run.isDurable(4 << 20))
      // All that is left, to the last block.
      try Tool.shell("cat /dev/zero 2>&1 > '\(place("to/ballast"))' || true")
      let ending = try run.finish()
      let again = try local(place, "push", Self.options)
      #expect(again.status == 1, "\(again.messages)")
      #expect(again.messages.contains("ENOSPC"), "\(again.messages)")
      try Tool.shell("rm '\(place("to/ballast"))'")
      try Self.expectNamed(ending, "ENOSPC", place)
      try Self.expectRest(place, below: 13 << 20)
    }

    @Test(
      .enabled(
        if: LoopDisk.obstacle(.btrfs) == nil,
        Comment(rawValue: LoopDisk.obstacle(.btrfs) ?? "")
      )
    )
    func aQuotaThatIsUsedUpIsNamed() throws {
      let place = try Workplace()
      try Trees.makeMixed(place, "from", largeByteCount: 8 << 20, smallCount: 40)
      let disk = try LoopDisk(.btrfs, place, at: "to", byteCount: 256 << 20)
      defer { withExtendedLifetime(disk) {} }
      try Tool.shell(
        "btrfs quota enable '\(place("to"))' && btrfs quota rescan -w '\(place("to"))' >&2"
      )
      try Tool.shell("btrfs qgroup limit 10M '\(place("to"))'")
      let first = try local(place, "push", Self.options)
      try Self.expectNamed(first, "EDQUOT", place)
      try Tool.shell("btrfs qgroup limit none '\(place("to"))'")
      try Self.expectRest(place, below: 16 << 20)
    }
  }
}
