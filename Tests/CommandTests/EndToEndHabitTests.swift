import DTXLinux
import Glibc
import Testing

extension EndToEndTests {
  /// Who knows rsync knows where things go: rsync itself is the judge.
  @Suite struct HabitTests {
    /// Sources and a destination as both commands take them, from the directory that holds them.
    struct Case: Sendable, CustomStringConvertible {
      var sources: [String]
      var destination: String
      var options: [String] = []
      /// What is at the destination before: a directory's name ends in a slash.
      var present: [String] = []

      var description: String {
        (options + sources + [destination]).joined(separator: " ") + " over \(present)"
      }
    }

    static let places = [
      Case(sources: ["tree"], destination: "new"),
      Case(sources: ["tree/"], destination: "new"),
      Case(sources: ["tree/."], destination: "new"),
      Case(sources: ["tree"], destination: "old/", present: ["old/", "old/kept"]),
      Case(sources: ["tree/"], destination: "old", present: ["old/", "old/kept"]),
      Case(sources: ["tree", "other"], destination: "new"),
      Case(sources: ["tree/", "other/"], destination: "new"),
      Case(sources: ["tree", "file", "other/"], destination: "new/"),
      Case(sources: ["file"], destination: "renamed"),
      Case(sources: ["file"], destination: "new/"),
      Case(sources: ["file"], destination: "old", present: ["old/"]),
      Case(sources: ["file"], destination: "old/renamed", present: ["old/"]),
      Case(sources: ["file"], destination: "there", present: ["there"]),
      Case(sources: ["link"], destination: "renamed"),
      Case(sources: ["file", "tree/a"], destination: "new"),
    ]

    static let filters = [
      Case(sources: ["tree/"], destination: "new", options: ["--exclude", "*.o"]),
      Case(sources: ["tree/"], destination: "new", options: ["--exclude", "sub"]),
      Case(sources: ["tree/"], destination: "new", options: ["--exclude", "sub/"]),
      Case(sources: ["tree/"], destination: "new", options: ["--exclude", "/a"]),
      Case(sources: ["tree"], destination: "new", options: ["--exclude", "/tree/a"]),
      Case(sources: ["tree/"], destination: "new", options: ["--exclude", "sub/*.o"]),
      Case(sources: ["tree/"], destination: "new", options: ["--exclude", "**/deep"]),
      Case(sources: ["tree/"], destination: "new", options: ["--exclude", "/sub/**"]),
      Case(sources: ["tree/"], destination: "new", options: ["--exclude", "[ab]"]),
      Case(sources: ["tree/"], destination: "new", options: ["--exclude", "?"]),
      Case(sources: ["tree/"], destination: "new", options: ["--exclude", "[[:lower:]]"]),
      Case(sources: ["tree/"], destination: "new", options: ["--exclude", "a[![:alnum:]]"]),
      Case(sources: ["tree/"], destination: "new", options: ["--exclude", "[[:letter:]]"]),
      Case(
        sources: ["tree/"],
        destination: "new",
        options: ["--include", "keep.o", "--exclude", "*.o"]
      ),
      Case(
        sources: ["tree/"],
        destination: "new",
        options: ["--include", "*/", "--include", "*.o", "--exclude", "*"]
      ),
      Case(sources: ["tree", "other"], destination: "new", options: ["--exclude", "a"]),
      Case(sources: ["tree/"], destination: "new", options: ["--exclude", "a\\*"]),
    ]

    @Test func thingsGoWhereRsyncPutsThem() throws {
      let site = try Site()
      try Self.makeSources(site.place)
      for (index, moved) in (Self.places + Self.filters).enumerated() {
        try Self.compare(moved, site, "case-\(index)")
      }
    }

    /// Moves with rsync, with a push and with a pull, into three directories below one.
    private static func compare(_ moved: Case, _ site: Site, _ base: String) throws {
      for judge in ["rsync", "pushed", "pulled"] {
        try makePresent(moved.present, in: site.place, "\(base)/\(judge)")
      }
      let sources = moved.sources.map { site.place("from/\($0)") }
      let reference = ["rsync", "-a"] + moved.options + sources
      let (judge, stream) = try Child.spawnConnected(
        (reference + [site.place("\(base)/rsync/\(moved.destination)")]).map(bytes)
      )
      stream.close()
      #expect(try judge.wait() == .exited(0))
      let pushed = try site.start(
        "push",
        moved.options + sources + [site.far("\(base)/pushed/\(moved.destination)")]
      ).finish()
      #expect(pushed.status == 0, "\(moved): \(pushed.messages)")
      let theirs = try listing(site, "\(base)/rsync")
      #expect(try listing(site, "\(base)/pushed") == theirs, "\(moved)")
      // A pull takes one source.
      guard let source = sources.first, sources.count == 1 else { return }
      let pulled = try site.start(
        "pull",
        moved.options
          + ["\(Sshd.host):\(source)", site.place("\(base)/pulled/\(moved.destination)")]
      ).finish()
      #expect(pulled.status == 0, "\(moved): \(pulled.messages)")
      #expect(try listing(site, "\(base)/pulled") == theirs, "\(moved)")
    }

    /// Names, kinds, link targets, and of files their modes, sizes and times to the nanosecond.
    ///
    /// rsync gives a single link no time, and directories that only hold the results have their own.
    private static func listing(_ site: Site, _ name: String) throws -> [Substring] {
      try Tool.shell(
        """
        cd '\(site.place(name))' && find . -mindepth 1 -name .dtx -prune -o -mindepth 1 \
        -type f -printf '%p %y %m %s %T@\\n' -o -mindepth 1 -printf '%p %y %l\\n' | sort
        """
      ).split(separator: "\n")
    }

    private static func makeSources(_ place: Workplace) throws {
      for name in [
        "tree/a", "tree/b", "tree/a*", "tree/x.o", "tree/keep.o", "tree/sub/a", "tree/sub/y.o",
        "tree/sub/keep.o", "tree/sub/deep/z.o", "tree/sub/deep/a", "tree/none/deep/sub", "file",
        "other/a", "other/c", "other/tree",
      ] { try place.write("from/\(name)", "content of \(name)") }
      symlink("tree/a", place("from/link"))
    }

    private static func makePresent(
      _ names: [String],
      in place: Workplace,
      _ root: String
    ) throws {
      try place.makeDirectory(root)
      for name in names {
        if name.hasSuffix("/") {
          try place.makeDirectory("\(root)/\(name)")
        } else {
          try place.write("\(root)/\(name)", "was there")
          let directory = try Directory.open(bytes(place(root)))
          try directory.setTimes(of: bytes(name), modified: 1_000_000_000_000_000_000)
        }
      }
    }

    @Test func aDestinationWithinTheSourceIsNoPartOfIt() throws {
      let site = try Site()
      try site.place.write("from/file", "content")
      try site.place.write("from/other/file", "content")
      for round in 0..<2 {
        let moved = try site.run("push", site.place("from/"), site.place("from/other/copy"))
        #expect(moved.status == 0, "\(moved.messages)")
        let says = moved.lines.contains { $0.contains("other/copy: the destination") }
        #expect(says || round == 0)
        #expect(try site.place.text("from/other/copy/other/file") == "content")
        #expect(!site.place.exists("from/other/copy/other/copy"))
      }
      let named = try site.run("push", site.place("from"), site.place("from/other/copy"))
      #expect(named.status == 0, "\(named.messages)")
      #expect(!site.place.exists("from/other/copy/from/other/copy"))
    }

    @Test func aDirectoryIsNotMovedOntoItself() throws {
      let site = try Site()
      try site.place.write("from/file", "content")
      symlink("from", site.place("link"))
      let moved = try site.run("push", site.place("from/"), site.place("link"))
      #expect(moved.status == 64)
      #expect(moved.messages.contains("is the source and the destination"))
    }

    @Test func namesInThePresentDirectoryAndBesideItWork() throws {
      let site = try Site()
      try site.place.write("from/file", "content")
      let script = "cd '\(site.place("from"))' && exec \"$0\" \"$@\""
      let local = try site.run(
        "push",
        "file",
        site.far("copy"),
        launcher: ["sh", "-c", script]
      )
      #expect(local.status == 0, "\(local.messages)")
      #expect(try site.place.text("copy") == "content")
      let dotted = try site.run("pull", site.far("from/file"), ".", launcher: ["sh", "-c", script])
      #expect(dotted.status == 0, "\(dotted.messages)")
    }
  }
}
