import DTXLinux
import Glibc
import Testing

extension EndToEndTests {
  /// A byte that rotted in a finished file costs one block.
  @Suite struct RepairTests {
    private static let blockByteCount: UInt64 = 1 << 20

    @Test(arguments: [false, true])
    func aFlippedByteIsMendedByMovingOneBlock(_ isFar: Bool) throws {
      let site = try Self.moved()
      let before = try Trees.snapshot(site.place("to/small"))
      let status = try Self.status(site, "to/large-0")
      try site.place.damage(site.place("to/large-0"))
      let found = try site.run("verify", "--json", site.place("to"))
      #expect(found.status == 3, "\(found.lines)")
      let differs = try #require(found.events(naming: "large-0").first)
      #expect(differs.contains(#""blocks":[{"index":4,"offset":4194304,"bytes":1048576}]"#))
      let source = isFar ? site.far("from/") : site.place("from/")
      let mended = try Self.repair(site, from: source)
      #expect(mended.status == 0, "\(mended.messages) \(mended.lines)")
      #expect(try mended.figure("repaired") == 1)
      #expect(try mended.figure("blocks_moved") == 1)
      #expect(try mended.figure("bytes_moved") == Self.blockByteCount)
      #expect(try mended.figure("differing") == 0)
      try Trees.expectSame(site.place, "from", "to")
      // It is the same file with the same time, and no other was touched.
      let after = try Self.status(site, "to/large-0")
      #expect(after.inode == status.inode && after.modified == status.modified)
      #expect(after.mode == status.mode)
      #expect(try Trees.snapshot(site.place("to/small")) == before)
      #expect(try site.run("verify", "--quiet", site.place("to")).status == 0)
    }

    @Test func blocksOfSeveralFilesAndOfStrangeNamesAreMendedAtOnce() throws {
      let site = try Self.moved()
      let names = ["large-0", "large-1", "small/3/10", "odd/*?[x]", "odd/back\\slash"]
      for name in names { try site.place.damage(site.place("to/\(name)")) }
      let mended = try Self.repair(site, from: site.place("from/"))
      #expect(mended.status == 0, "\(mended.messages) \(mended.lines)")
      #expect(try mended.figure("repaired") == UInt64(names.count))
      try Trees.expectSame(site.place, "from", "to")
    }

    @Test func aHoleThatHoldsDataIsStillNamedBesideAMendedBlock() throws {
      let site = try Site()
      try site.place.write("from/sparse", Trees.content(4 << 20, seed: 3))
      truncate(site.place("from/sparse"), 8 << 20)
      let places = [site.place("from/"), site.place("to")]
      let push = try site.start("push", ["--block-size", "1MiB"] + places).finish()
      try #require(push.status == 0, "\(push.messages)")
      let meant = try Self.status(site, "to/sparse").modified
      for offset: UInt64 in [77, 6 << 20] {
        try site.place.damage(site.place("to/sparse"), at: offset)
      }
      let ending = try Self.repair(site, from: site.place("from/"))
      #expect(ending.status == 3, "\(ending.lines)")
      #expect(try ending.figure("repaired") == 1)
      #expect(try ending.figure("differing") == 1)
      let differs = ending.events(naming: "sparse").filter { $0.contains("\"differs\"") }
      #expect(differs.count == 1, "\(ending.lines)")
      #expect(differs.first?.contains("data where the dataset has a hole") == true)
      // Its time is not the manifest's, so that a transfer takes it for another and moves it.
      #expect(try Self.status(site, "to/sparse").modified != meant)
      #expect(try site.start("push", places).finish().status == 0)
      #expect(try site.place.read("to/sparse") == site.place.read("from/sparse"))
      #expect(try site.run("verify", "--quiet", site.place("to")).status == 0)
    }

    @Test func aSourceThatIsAnotherByNowRepairsNothing() throws {
      let site = try Self.moved()
      try site.place.damage(site.place("to/large-0"))
      let damaged = try site.place.read("to/large-0")
      let status = try Self.status(site, "to/large-0")
      // Another byte of the same block, at the same length and time.
      let file = try File.open(bytes(site.place("from/large-0")), .readWrite)
      let modified = try file.status().modified
      try file.write([1, 2, 3], at: 4 * Self.blockByteCount + 100)
      try file.setTimes(modified: modified)
      try file.close()
      let ending = try Self.repair(site, from: site.place("from/"))
      #expect(ending.status == 3, "\(ending.lines)")
      let failed = ending.events(naming: "large-0").joined()
      #expect(failed.contains("other bytes than the manifest says"), "\(ending.lines)")
      #expect(try ending.figure("repaired") == 0)
      #expect(try ending.figure("differing") == 1)
      #expect(try site.place.read("to/large-0") == damaged)
      #expect(try Self.status(site, "to/large-0") == status)
    }

    @Test func aSourceWithoutTheFileOrOfAnotherLengthRepairsNothing() throws {
      let site = try Self.moved()
      for name in ["large-0", "large-1"] { try site.place.damage(site.place("to/\(name)")) }
      unlink(site.place("from/large-0"))
      truncate(site.place("from/large-1"), 100)
      let ending = try Self.repair(site, from: site.place("from/"))
      #expect(ending.status == 3, "\(ending.lines)")
      let gone = ending.events(naming: "large-0").joined()
      #expect(gone.contains("has no such file"), "\(ending.lines)")
      let cut = ending.events(naming: "large-1").joined()
      #expect(cut.contains("has 100 bytes instead of"), "\(ending.lines)")
      #expect(try ending.figure("blocks_moved") == 0)
    }

    @Test func aSourceThatStandsForSomethingElseIsRefused() throws {
      let site = try Self.moved()
      try site.place.damage(site.place("to/large-0"))
      let ending = try Self.repair(site, from: site.place("from"))
      #expect(ending.status == 1, "\(ending.lines)")
      #expect(ending.messages.contains("slash at its end"), "\(ending.messages)")
      // What was found is told all the same.
      #expect(ending.events(naming: "large-0").count == 1, "\(ending.lines)")
      #expect(try ending.figure("differing") == 1)
    }

    @Test func whileAnotherRunHoldsTheTreeNothingIsRepaired() throws {
      let site = try Self.moved()
      try site.place.damage(site.place("to/large-0"))
      let name = try Tool.shell("ls '\(site.place("to/.dtx"))'/*/lock").split(separator: "\n")
      let lock = try File.open(bytes(String(try #require(name.first))), .readWrite)
      let isLocked = try lock.lock(.exclusive)
      #expect(isLocked)
      #expect(try Self.repair(site, from: site.place("from/")).status == 7)
      try lock.close()
    }

    @Test func afterAKillAtAnyStepTheSameCommandGoesOn() throws {
      let site = try Self.moved()
      let meant = try site.place.read("from/large-0")
      let damaged: [UInt64] = [1, 6].map { $0 * Self.blockByteCount + 77 }
      // Two blocks of two pieces each.
      let calls = (1...4).map { ("pwrite", $0) } + [("futimens", 1), ("fsync", 1)]
      for (call, number) in calls {
        for action in [Faults.Fault.Action.killBefore, .killAfter] {
          let fault = Faults.Fault(action: action, call: call, pattern: "large-0", number: number)
          for offset in damaged { try site.place.damage(site.place("to/large-0"), at: offset) }
          let faults = Faults(site.place, below: "to")
          let killed = try Self.repair(
            site,
            from: site.place("from/"),
            launcher: try faults.launcher(fault)
          )
          #expect(killed.status == 137, "\(fault): \(killed.messages)")
          // What was right is right, and a block that was not is either as it was or mended.
          let left = try site.place.read("to/large-0")
          let wrong = meant.indices.filter { left[$0] != meant[$0] }
          #expect(wrong.allSatisfy { damaged.contains(UInt64($0)) }, "\(fault): \(wrong)")
          let next = try Self.repair(site, from: site.place("from/"))
          #expect(next.status == 0, "\(fault): \(next.messages)")
          #expect(try next.figure("blocks_moved") == UInt64(wrong.count), "\(fault)")
          #expect(try site.place.read("to/large-0") == meant, "\(fault)")
        }
      }
    }

    @Test(arguments: ["pwrite", "fsync", "futimens"])
    func aDeviceThatFailsUnderARepairIsNamed(_ call: String) throws {
      let site = try Self.moved()
      try site.place.damage(site.place("to/large-0"))
      try site.place.damage(site.place("to/large-1"))
      let fault = Faults.Fault(action: .failOn(EIO), call: call, pattern: "large-0")
      let ending = try Self.repair(
        site,
        from: site.place("from/"),
        launcher: try Faults(site.place, below: "to").launcher(fault)
      )
      #expect(ending.status == 3, "\(ending.lines)")
      let failed = ending.events(naming: "large-0").joined()
      #expect(failed.contains("EIO") && failed.contains("verify it again"), "\(ending.lines)")
      #expect(try ending.figure("repaired") == 1)
      let next = try Self.repair(site, from: site.place("from/"))
      #expect(next.status == 0, "\(next.lines)")
      #expect(try site.place.read("to/large-0") == site.place.read("from/large-0"))
    }

    @Test func whatReadsBackOtherwiseThanItWasWrittenIsNotCalledRepaired() throws {
      let site = try Self.moved()
      try site.place.damage(site.place("to/large-0"))
      // Every block seems to be wrong, and does so still when it was written.
      let fault = Faults.Fault(action: .rotOn, call: "pread*", pattern: "large-0")
      let ending = try Self.repair(
        site,
        from: site.place("from/"),
        launcher: try Faults(site.place, below: "to").launcher(fault)
      )
      #expect(ending.status == 3, "\(ending.lines)")
      let failed = ending.events(naming: "large-0").joined()
      #expect(failed.contains("reads back otherwise"), "\(ending.lines)")
      #expect(try ending.figure("repaired") == 0)
      // With a device that reads again nothing is wrong.
      #expect(try site.run("verify", "--quiet", site.place("to")).status == 0)
    }

    /// A tree that was moved here, in blocks of 1 MiB.
    private static func moved() throws -> Site {
      let site = try Site()
      try Trees.makeMixed(site.place, "from", largeByteCount: 8 << 20, smallCount: 20)
      for name in ["*?[x]", "back\\slash", "other"] {
        try site.place.write("from/odd/\(name)", Trees.content(1000, seed: 8))
      }
      let push = try site.run(
        "push",
        "--block-size",
        "1MiB",
        site.place("from/"),
        site.place("to")
      )
      try #require(push.status == 0, "\(push.messages)")
      return site
    }

    private static func repair(
      _ site: Site,
      from source: String,
      launcher: [String] = []
    ) throws -> Run.Ending {
      try site.run(
        "verify",
        "--json",
        "--rsh",
        site.place("bin/ssh"),
        "--dtx-path",
        site.place("far"),
        "--repair",
        source,
        site.place("to"),
        launcher: launcher
      )
    }

    private static func status(_ site: Site, _ name: String) throws -> FileStatus {
      try File.open(bytes(site.place(name)), .read).status()
    }
  }
}
