import DTXLinux
import Glibc
import Testing

extension EndToEndTests {
  /// What arrives, and what a second run does.
  @Suite struct TransferTests {
    @Test(arguments: ["push", "pull"])
    func usrShareArrivesAsItIs(_ command: String) throws {
      let site = try Site()
      let ending = try Self.move(site, command, "/usr/share/", "share")
      #expect(ending.status == 0, "\(ending.messages)")
      try Trees.expectSame(site.place, "/usr/share", "share")
      let again = try Self.move(site, command, "/usr/share/", "share")
      #expect(again.status == 0)
      #expect(try again.figure("bytes_wanted") == 0)
      #expect(try again.figure("bytes_sent") == 0)
    }

    @Test(arguments: ["push", "pull"])
    func whateverAFileSystemHoldsArrives(_ command: String) throws {
      let site = try Site()
      try Trees.makeHard(site.place, "from")
      let ending = try Self.move(site, command, site.place("from/"), "to")
      #expect(ending.status == 0, "\(ending.messages)")
      try Trees.expectSame(site.place, "from", "to")
      for file in ["hole", "sparse"] {
        let blocks = try Tool.shell(
          "stat -c %b '\(site.place("from/\(file)"))' '\(site.place("to/\(file)"))'"
        ).split(separator: "\n").compactMap { Int($0) }
        #expect(blocks.count == 2 && blocks[1] <= blocks[0] + 64, "\(file): \(blocks)")
      }
      let before = try Trees.snapshot(site.place("to"))
      let again = try Self.move(site, command, site.place("from/"), "to")
      #expect(again.status == 0)
      #expect(try again.figure("bytes_sent") == 0)
      let changed = try Trees.snapshot(site.place("to")).split(separator: "\n")
        .filter { !before.contains($0) && !$0.contains(".dtx") }
      // The root's time of change alone: its state directory was written to.
      #expect(changed.count <= 1, "\(changed)")
    }

    @Test(arguments: ["auto", "buffered", "direct", "ring"], ["push", "pull"])
    func eachWayOfWritingLeavesTheSame(_ mode: String, _ command: String) throws {
      let site = try Site()
      // Longer than a block, and of no whole number of pages.
      try Trees.makeMixed(site.place, "from", largeByteCount: 20_000_003, smallCount: 300)
      let ending = try Self.move(site, command, site.place("from/"), "to", "--io=\(mode)")
      #expect(ending.status == 0, "\(ending.messages)")
      try Trees.expectSame(site.place, "from", "to")
    }

    @Test func aChangeOfMetadataMovesNoBytes() throws {
      let site = try Site()
      try Trees.makeMixed(site.place, "from", largeByteCount: 3 << 20, smallCount: 20)
      #expect(try site.run("push", site.place("from/"), site.far("to")).status == 0)
      try Tool.shell(
        "chmod 600 '\(site.place("from/large-0"))'; chmod 711 '\(site.place("from/small"))'"
      )
      let ending = try site.run("push", site.place("from/"), site.far("to"))
      #expect(ending.status == 0)
      #expect(try ending.figure("bytes_sent") == 0)
      try Trees.expectSame(site.place, "from", "to")
    }

    @Test func oneChangedFileCostsOnlyItself() throws {
      let site = try Site()
      try Trees.makeMixed(site.place, "from", largeByteCount: 3 << 20, smallCount: 200)
      #expect(try site.run("push", site.place("from/"), site.far("to")).status == 0)
      try site.place.write("from/small/3/3", "new and longer than it was, or shorter")
      try site.place.write("from/small/3/added", "added")
      unlink(site.place("from/small/4/4"))
      let ending = try site.run("push", site.place("from/"), site.far("to"))
      #expect(ending.status == 0)
      #expect(try ending.figure("bytes_sent") == 43)
      #expect(site.place.exists("to/small/4/4"), "nothing is deleted unasked")
      unlink(site.place("to/small/4/4"))
      let mended = try site.run("push", site.place("from/"), site.far("to"))
      #expect(mended.status == 0)
      try Trees.expectSame(site.place, "from", "to")
    }

    @Test func checksumFindsWhatSizeAndTimeHide() throws {
      let site = try Site()
      try Trees.makeMixed(site.place, "from", largeByteCount: 20 << 20, largeCount: 1)
      #expect(try site.run("push", site.place("from/"), site.far("to")).status == 0)
      try site.place.damage(site.place("to/large-0"))
      try site.place.damage(site.place("to/small/5/19"))
      let trusting = try site.run("push", site.place("from/"), site.far("to"))
      #expect(try trusting.figure("bytes_sent") == 0)
      let reading = try site.run("push", "--checksum", site.place("from/"), site.far("to"))
      #expect(reading.status == 0, "\(reading.messages)")
      #expect(try reading.figure("bytes_sent") >= 1919)
      try Trees.expectSame(site.place, "from", "to")
      let again = try site.run("push", "--checksum", site.place("from/"), site.far("to"))
      #expect(try again.figure("bytes_sent") == 0)
    }

    @Test(arguments: ["push", "pull"])
    func aDryRunChangesNothing(_ command: String) throws {
      let site = try Site()
      try Trees.makeMixed(site.place, "from", largeByteCount: 3 << 20, smallCount: 20)
      let fresh = try Self.move(site, command, site.place("from/"), "to", "-n")
      #expect(fresh.status == 0, "\(fresh.messages)")
      #expect(try fresh.figure("bytes_wanted") > 6 << 20)
      #expect(!site.place.exists("to"))
      #expect(try Self.move(site, command, site.place("from/"), "to").status == 0)
      try site.place.write("from/small/1/1", "other")
      let before = try Trees.snapshot(site.place("to"))
      let dry = try Self.move(site, command, site.place("from/"), "to", "--dry-run")
      #expect(dry.status == 0)
      #expect(try dry.figure("bytes_wanted") == 5)
      #expect(try Trees.snapshot(site.place("to")) == before)
    }

    @Test(arguments: ["push", "pull"])
    func aFileThatChangesWhileItIsReadIsNeverAMixture(_ command: String) throws {
      let site = try Site()
      // More than what the sockets take ahead of their pace.
      try site.place.write("from/large", Trees.content(64 << 20, seed: 2))
      try site.place.write("from/other", "other")
      let places =
        command == "push"
        ? [site.place("from/"), site.far("to")] : [site.far("from/"), site.place("to")]
      let run = try site.start(command, ["--rate", "64M", "--block-size", "1MiB"] + places)
      let isUnderWay = try run.isDurable(1)
      #expect(isUnderWay)
      let file = try File.open(bytes(site.place("from/large")), .readWrite)
      try file.write(bytes("changed"), at: 20 << 20)
      try file.close()
      let ending = try run.finish()
      #expect(ending.status == 4, "\(ending.messages)")
      #expect(ending.events(naming: "large").count == 1, "\(ending.lines)")
      #expect(!site.place.exists("to/large"))
      #expect(try site.place.text("to/other") == "other")
      let again = try site.start(command, places).finish()
      #expect(again.status == 0, "\(again.messages)")
      try Trees.expectSame(site.place, "from", "to")
    }

    @Test func aPathThatIsNoTextIsTakenAsItIs() throws {
      let site = try Site()
      let odd = "\(site.place.path)/$(printf 'caf\\351')"
      let command = "'\(site.program)' push --rsh '\(site.place("bin/ssh"))'"
      try Tool.shell("mkdir \"\(odd)\" && echo content > \"\(odd)/file\"")
      try Tool.shell(
        "\(command) --dtx-path '\(site.place("far"))' -q \"\(odd)\" 'far:\(site.place("to"))/'"
      )
      #expect(
        try Tool.shell("cat \"$(printf '\(site.place("to"))/caf\\351')/file\"") == "content\n"
      )
    }

    private static func move(
      _ site: Site,
      _ command: String,
      _ source: String,
      _ result: String,
      _ option: String = "--verbose"
    ) throws -> Run.Ending {
      command == "push"
        ? try site.run(command, option, source, site.far(result))
        : try site.run(command, option, "\(Sshd.host):\(source)", site.place(result))
    }
  }
}
