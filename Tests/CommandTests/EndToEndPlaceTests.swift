import DTXLinux
import Glibc
import Testing

extension EndToEndTests {
  /// Destinations and sources that are full, closed, or not what they seem.
  @Suite struct PlaceTests {
    /// Words that make a command one of an unprivileged user, where the tests are root's.
    private static let unprivileged =
      Host.effectiveUserID == 0
      ? ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"] : []

    @Test func aDiskThatFillsUpEndsItAndRoomLetsItGoOn() throws {
      let site = try Site()
      let size = 24 << 20
      guard let disk = try SmallDisk(at: site.place("small"), byteCount: size) else { return }
      try Trees.makeMixed(site.place, "from", largeByteCount: 6 << 20, smallCount: 50)
      // Room at the start, which somebody else takes on the way.
      try site.place.write("small/filler", Trees.content(size / 2, seed: 1))
      let places = [site.place("from/"), site.far("small/to")]
      let early = try site.start("push", places).finish()
      #expect(early.status == 1)
      expectOneMessage(early, "ENOSPC")
      unlink(site.place("small/filler"))
      let options = ["--rate", "32M", "--lanes", "1", "--block-size", "1MiB"]
      let run = try site.start("push", options + places)
      #expect(try run.isDurable(2 << 20))
      try site.place.write("small/filler", Trees.content(12 << 20, seed: 1))
      let late = try run.finish()
      #expect(late.status == 1, "\(late.messages)")
      expectOneMessage(late, "ENOSPC")
      unlink(site.place("small/filler"))
      let ending = try site.start("push", ["--block-size", "1MiB"] + places).finish()
      #expect(ending.status == 0, "\(ending.messages)")
      #expect(try ending.figure("bytes_sent") < 11 << 20, "what was durable stayed")
      try Trees.expectSame(site.place, "from", "small/to")
      disk.close()
    }

    @Test func aDestinationThatMayNotBeWrittenIsNamed() throws {
      let site = try Site()
      try site.place.write("from/a", "a")
      try site.setFar(behind: Self.unprivileged.joined(separator: " "))
      try Tool.shell("chmod 755 '\(site.place.path)'")
      try site.place.makeDirectory("closed")
      try Tool.shell("chmod 555 '\(site.place("closed"))'")
      for name in ["closed", "closed/new"] {
        let ending = try site.run("push", site.place("from/"), site.far(name))
        #expect(ending.status == 1)
        expectOneMessage(ending, "EACCES")
        #expect(ending.messages.contains("/\(name)"), "\(ending.messages)")
      }
    }

    /// Of 143 bytes, as under eCryptfs: what a file is staged under is longer than its own name.
    @Test func aFileSystemOfShortNamesTakesThoseThatItCan() throws {
      let place = try Workplace()
      let longest = 143
      for byteCount in longest - 30...longest + 1 {
        try place.write("from/" + String(repeating: "n", count: byteCount), "\(byteCount)")
      }
      try place.makeDirectory("to")
      let faults = Faults(place, below: "to", longestNameByteCount: longest)
      let ending = try local(place, "push", [], launcher: try faults.launcher())
      #expect(ending.status == 2, "\(ending.messages)")
      let tooLong = String(repeating: "n", count: longest + 1)
      #expect(ending.events(naming: tooLong).joined().contains("ENAMETOOLONG"), "\(ending.lines)")
      unlink(place("from/" + tooLong))
      try Trees.expectSame(place, "from", "to")
    }

    /// Not to be opened is not to be absent: a file does not take such a directory's name.
    @Test func aFileIsNotPutBesideADirectoryThatMayNotBeOpened() throws {
      let site = try Site()
      try site.place.write("a", "a")
      try site.setFar(behind: Self.unprivileged.joined(separator: " "))
      try Tool.shell("chmod 777 '\(site.place.path)'")
      try site.place.makeDirectory("closed")
      try Tool.shell("chmod 311 '\(site.place("closed"))'")
      let ending = try site.run("push", site.place("a"), site.far("closed"))
      #expect(ending.status == 1)
      expectOneMessage(ending, "closed cannot be opened")
      expectOneMessage(ending, "EACCES")
      #expect(!site.place.exists(".dtx"))
    }

    @Test func aSourceThatMayNotBeReadLeavesTheRest() throws {
      let site = try Site()
      try site.place.write("from/a", "a")
      try site.place.write("from/secret", "secret", mode: 0)
      try site.place.write("from/closed/inside", "inside")
      try Tool.shell("chmod 0 '\(site.place("from/closed"))'; chmod 755 '\(site.place.path)'")
      try site.setFar(behind: Self.unprivileged.joined(separator: " "))
      let ending = try site.run("pull", site.far("from/"), site.place("to"))
      #expect(ending.status == 2, "\(ending.messages)")
      for name in ["secret", "closed"] {
        #expect(ending.events(naming: name).count == 1, "\(name): \(ending.lines)")
      }
      #expect(try site.place.text("to/a") == "a")
      #expect(!site.place.exists("to/secret"))
    }

    @Test func anUnprivilegedReceiverKeepsWhatItCan() throws {
      let site = try Site()
      try Trees.makeHard(site.place, "from")
      try Tool.shell("chmod 755 '\(site.place.path)'")
      try site.place.makeDirectory("open")
      try Tool.shell("chmod 777 '\(site.place("open"))'")
      try site.setFar(behind: Self.unprivileged.joined(separator: " "))
      for _ in 0..<2 {
        let ending = try site.run("push", "--no-owner", site.place("from/"), site.far("open/to"))
        #expect(ending.status == 0, "\(ending.messages) \(ending.lines)")
      }
      let changes = try Tool.run(
        "rsync",
        "-nrlptDci",
        "--delete",
        "--exclude=/.dtx",
        site.place("from/"),
        site.place("open/to/")
      )
      #expect(changes.status == 0)
      #expect(changes.output == "")
    }

    /// What rots in an archive has its length and its time, and may lie in a directory that is closed.
    @Test func aComparisonOfDigestsMendsWhatLiesInAClosedDirectory() throws {
      let site = try Site()
      try site.place.write("from/closed/small", "small")
      try site.place.write("from/closed/large", Trees.content(3 << 20, seed: 5))
      try Tool.shell(
        "chmod 555 '\(site.place("from/closed"))'; chmod 755 '\(site.place.path)'"
      )
      try site.place.makeDirectory("open")
      try Tool.shell("chmod 777 '\(site.place("open"))'")
      try site.setFar(behind: Self.unprivileged.joined(separator: " "))
      let places = ["--no-owner", "--block-size", "1MiB", site.place("from/"), site.far("open/to")]
      #expect(try site.start("push", places).finish().status == 0)
      for name in ["small", "large"] { try site.place.damage(site.place("open/to/closed/\(name)")) }
      let ending = try site.start("push", ["--checksum"] + places).finish()
      #expect(ending.status == 0, "\(ending.messages) \(ending.lines)")
      let difference = try Tool.shell(
        "diff -r -x .dtx '\(site.place("from"))' '\(site.place("open/to"))'"
      )
      #expect(difference == "")
      #expect(try site.run("verify", "--quiet", site.place("open/to")).status == 0)
    }

    @Test(arguments: ["directory", "file", "top"])
    func aPlantedLinkIsNotWrittenThrough(_ where: String) throws {
      let site = try Site()
      try site.place.write("from/sub/file", "from the source")
      try site.place.write("from/plain", "from the source")
      try site.place.write("outside/file", "precious")
      try site.place.makeDirectory("to")
      switch `where` {
      case "directory": symlink(site.place("outside"), site.place("to/sub"))
      case "file":
        try site.place.makeDirectory("to/sub")
        symlink(site.place("outside/file"), site.place("to/sub/file"))
      default:
        try site.place.makeDirectory("really")
        rmdir(site.place("to"))
        symlink(site.place("really"), site.place("to"))
      }
      let before = try Trees.snapshot(site.place("outside"))
      let ending = try site.run("push", site.place("from/"), site.far("to"))
      #expect(try Trees.snapshot(site.place("outside")) == before)
      #expect(try site.place.text("to/plain") == "from the source")
      // The destination itself is the user's word; below it a link is in the way.
      let inTheWay = ["directory": "sub", "file": "sub/file"][`where`]
      #expect(ending.status == (inTheWay == nil ? 0 : 2), "\(ending.lines)")
      if let inTheWay {
        #expect(!ending.events(naming: inTheWay).isEmpty, "\(ending.lines)")
      } else {
        #expect(try site.place.text("to/sub/file") == "from the source")
      }
    }

    @Test func aLinkInTheStagedFilesPlaceIsNotWrittenThrough() throws {
      let site = try Site()
      try site.place.write("from/large", Trees.content(24 << 20, seed: 3))
      try site.place.write("outside", "precious")
      let options = ["--block-size", "1MiB", site.place("from/"), site.far("to")]
      let run = try site.start("push", ["--rate", "80M", "--lanes", "1"] + options)
      #expect(try run.isDurable(4 << 20))
      kill(run.child.processID, SIGKILL)
      _ = try run.finish()
      try site.awaitFarEnd()
      let staged = try Tool.shell("find '\(site.place("to"))' -name '.large.dtx-*'").dropLast()
      unlink(String(staged))
      symlink(site.place("outside"), String(staged))
      let ending = try site.start("push", options).finish()
      #expect(ending.status == 0, "\(ending.messages)")
      #expect(try site.place.text("outside") == "precious")
      try Trees.expectSame(site.place, "from", "to")
    }

    @Test func aConflictOfKindsIsRefusedAndTheRestGoesOn() throws {
      let site = try Site()
      try site.place.write("from/a/inside", "x")
      try site.place.write("from/b", "x")
      try site.place.write("from/c", "x")
      try site.place.write("to/a", "a file where a directory is to be")
      try site.place.write("to/b/inside", "a directory where a file is to be")
      let ending = try site.run("push", site.place("from/"), site.far("to"))
      #expect(ending.status == 2, "\(ending.messages)")
      #expect(try site.place.text("to/c") == "x")
      #expect(try site.place.text("to/b/inside") == "a directory where a file is to be")
    }
  }
}

/// A tmpfs of a few MiB; made where the tests may mount something.
final class SmallDisk {
  private let path: String
  private var isMounted = false

  /// - Returns: nil where nothing may be mounted: a container without that right.
  init?(at path: String, byteCount: Int, inodeCount: Int? = nil) throws {
    self.path = path
    mkdir(path, 0o755)
    let options = "size=\(byteCount)" + (inodeCount.map { ",nr_inodes=\($0)" } ?? "")
    guard Host.effectiveUserID == 0,
      try Tool.run("mount", "-t", "tmpfs", "-o", options, "tmpfs", path).status == 0
    else { return nil }
    isMounted = true
  }

  func close() {
    if isMounted { _ = try? Tool.run("umount", path) }
    isMounted = false
  }

  deinit { close() }
}
