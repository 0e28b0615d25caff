import DTXLinux
import Glibc
import Testing

extension EndToEndTests {
  /// Keys that sshd's authorized_keys restricts to `dtx serve`.
  @Suite struct RestrictedKeyTests {
    @Test func aKeyThatAddsTakesWhatIsNewAndNothingElse() throws {
      let site = try Self.archive("--append-only")
      try Self.makeSource(site)
      let first = try site.run("push", site.place("from/"), "\(Sshd.host):run7")
      #expect(first.status == 0, "\(first.messages)")
      try Trees.expectSame(site.place, "from", "archive/run7")
      let again = try site.run("push", site.place("from/"), "\(Sshd.host):run7")
      #expect(again.status == 0, "\(again.messages)")
      #expect(try again.figure("bytes_sent") == 0)

      let before = try Self.listing(site)
      try site.place.write("from/content", "other")
      try Tool.shell(
        """
        cd '\(site.place("from"))'
        chmod 600 mode
        touch -d 2001-01-01 time
        ln -sfn elsewhere link
        rm becomes-directory; mkdir becomes-directory; echo in > becomes-directory/in
        rm becomes-link; ln -s content becomes-link
        chmod 777 directory; echo more > directory/more; echo new > new; mkdir -p deep/er; echo x > deep/er/x
        """
      )
      let next = try site.run("push", site.place("from/"), "\(Sshd.host):run7")
      #expect(next.status == 2, "\(next.messages)")
      for name in ["content", "mode", "time", "link", "becomes-directory", "becomes-link"] {
        #expect(next.events(naming: name).count == 1, "\(name): \(next.lines)")
      }
      for name in ["directory/more", "new", "deep/er/x"] {
        #expect(try site.place.read("archive/run7/\(name)") == site.place.read("from/\(name)"))
      }
      // What is refused is not sent first.
      #expect(try next.figure("bytes_sent") == UInt64("more\nnew\nx\n".utf8.count))
      // All that was there is there, as it was.
      let after = try Self.listing(site)
      for line in before { #expect(after.contains(line), "\(line)") }
    }

    @Test func whatAComparisonOfDigestsFindsIsNotReplacedEither() throws {
      let site = try Self.archive("--append-only")
      try Self.makeSource(site)
      _ = try site.run("push", site.place("from/"), "\(Sshd.host):run7")
      try site.place.damage(site.place("from/large"))
      try Tool.shell("chmod 600 '\(site.place("from/mode"))'")
      let before = try Self.listing(site)
      let ending = try site.run("push", "--checksum", site.place("from/"), "\(Sshd.host):run7")
      #expect(ending.status == 2, "\(ending.messages)")
      for name in ["large", "mode"] {
        #expect(ending.events(naming: name).count == 1, "\(name): \(ending.lines)")
      }
      #expect(try Self.listing(site) == before)
    }

    /// What is in a dataset's state decides what others' transfers to it do.
    @Test func theStateOfADatasetIsOutOfReach() throws {
      let site = try Self.archive("--append-only")
      try Self.makeSource(site)
      _ = try site.run("push", site.place("from/"), "\(Sshd.host):run7")
      let before = try Self.listing(site)
      let key = try #require(
        try Tool.shell("ls '\(site.place("archive/run7/.dtx"))'").split(separator: "\n").first
      )
      let into = try site.run("push", site.place("from/"), "\(Sshd.host):run7/.dtx/\(key)")
      #expect(into.status == 5, "\(into.messages)")
      try site.place.makeDirectory("around/run7/.dtx/\(key)/journal.new")
      let around = try site.run("push", site.place("around/"), "\(Sshd.host):.")
      #expect(around.status == 2, "\(around.messages)")
      #expect(around.events(naming: "run7/.dtx").count == 1, "\(around.lines)")
      #expect(try Self.listing(site) == before)
    }

    @Test func nothingIsKeptForWhoOnlyReads() throws {
      let site = try Self.archive("--read-only")
      try site.place.write("archive/run7/a", "a")
      let ending = try site.run("pull", "\(Sshd.host):run7/", site.place("back"))
      #expect(ending.status == 0, "\(ending.messages)")
      #expect(try site.place.text("back/a") == "a")
      let kept = try Tool.shell("find '\(site.place.path)' -path '*far-state*' -name '*.manifest'")
      #expect(kept == "")
      let inside = try site.run("pull", "\(Sshd.host):run7/.dtx/", site.place("state"))
      #expect(inside.status == 5, "\(inside.messages)")
    }

    /// Who may add to one directory of a host is not to look from it at other hosts.
    @Test func noLaneIsConnectedElsewhere() throws {
      let site = try Self.archive("--append-only")
      try site.place.write("from/a", "a")
      let other = try Socket.listen(try #require(SocketAddress(numericHost: "127.0.0.3", port: 0)))
      let lane = "rate=1G,to=127.0.0.3:\(try other.localAddress.port)"
      let places = [site.place("from/"), "\(Sshd.host):run7"]
      let options = ["--listen", "local", "--port", "20000-60000", "--lane", lane]
      let ending = try site.start("push", options + places).finish()
      #expect(ending.status == 5, "\(ending.messages)")
      #expect(ending.messages.contains("127.0.0.3"), "\(ending.messages)")
      #expect(try !other.waitReadable(before: Clock.now()), "nobody came")
      let back = try site.start("push", ["--listen", "local"] + places).finish()
      #expect(back.status == 0, "\(back.messages)")
    }

    @Test func whatAppearsMeanwhileIsNotReplaced() throws {
      let site = try Self.archive("--append-only", heldAt: "large")
      try Self.makeSource(site)
      let run = try site.start("push", [site.place("from/"), "\(Sshd.host):run7"])
      try Faults(site.place, below: "archive", log: "held").whileHeld {
        try site.place.write("archive/run7/large", "somebody else's")
      }
      let ending = try run.finish()
      #expect(ending.status == 2, "\(ending.messages)")
      #expect(ending.events(naming: "large").count == 1, "\(ending.lines)")
      #expect(try site.place.text("archive/run7/large") == "somebody else's")
      let strays = try Tool.shell("find '\(site.place("archive"))' -name '.*.dtx-*'")
      #expect(strays == "")
    }

    @Test func anAddingKeyThatWasKilledGoesOn() throws {
      let site = try Self.archive("--append-only")
      try Trees.makeMixed(site.place, "from", largeByteCount: 12 << 20, smallCount: 60)
      let places = [site.place("from/"), "\(Sshd.host):run7"]
      let run = try site.start("push", ["--rate", "80M", "--block-size", "1MiB"] + places)
      let hasMoved = try run.isDurable(6 << 20)
      #expect(hasMoved)
      kill(run.child.processID, SIGKILL)
      _ = try run.finish()
      let next = try site.start("push", ["--block-size", "1MiB"] + places).finish()
      #expect(next.status == 0, "\(next.messages)")
      #expect(try next.figure("bytes_sent") < 20 << 20, "\(next.lines)")
      // Directories of the run that was killed were there, and keep their times.
      let tree = site.place("archive/run7")
      let difference = try Tool.shell("diff -r -x .dtx '\(site.place("from"))' '\(tree)'")
      #expect(difference == "")
      #expect(try site.run("verify", "--quiet", tree).status == 0)
      let strays = try Tool.shell("find '\(tree)' -name '.*.dtx-*'")
      #expect(strays == "")
    }

    @Test(arguments: [("--append-only", "pull"), ("--read-only", "push")])
    func whatAKeyIsNotForIsRefused(_ access: String, _ command: String) throws {
      let site = try Self.archive(access)
      try Self.makeSource(site)
      try site.place.write("archive/secret", "s")
      let far = "\(Sshd.host):secret"
      let ending =
        command == "pull"
        ? try site.run("pull", far, site.place("back"))
        : try site.run("push", site.place("from/"), far)
      #expect(ending.status == 5, "\(ending.messages)")
      #expect(ending.messages.contains(access.dropFirst(2)), "\(ending.messages)")
      #expect(!site.place.exists("back"))
      #expect(try site.place.text("archive/secret") == "s")
    }

    // MARK: - The parts of a test

    private static func makeSource(_ site: Site) throws {
      try site.place.write("from/large", Trees.content(3 << 20, seed: 3))
      for name in ["content", "mode", "time", "becomes-directory", "becomes-link"] {
        try site.place.write("from/\(name)", "first")
      }
      try site.place.write("from/directory/in", "first")
      try Tool.shell("cd '\(site.place("from"))'; ln -s content link; chmod 755 directory")
    }

    /// A site whose key may do nothing but be served below `archive`.
    private static func archive(_ access: String, heldAt name: String? = nil) throws -> Site {
      let site = try Site()
      try site.place.makeDirectory("archive")
      var words = [site.program, "serve", "--stdio", "--root", site.place("archive"), access]
      if let name {
        // Its data are synced, and it is not yet renamed.
        let fault = Faults.Fault(action: .hold, call: "f*sync", pattern: "*.\(name).dtx-*")
        words = try Faults(site.place, below: "archive", log: "held").launcher(fault) + words
      }
      let command = words.map { "'\($0)'" }.joined(separator: " ")
      let key = try site.place.text("ssh-user-key.pub")
      try site.place.write("ssh-user-key.pub", "restrict,command=\"\(command)\" \(key)")
      return site
    }

    /// Every entry of the archive: kind, mode, times, and content; of a directory that takes new
    /// entries the kernel changes the time, so that is left out.
    private static func listing(_ site: Site) throws -> [Substring] {
      try Tool.shell(
        """
        cd '\(site.place("archive/run7"))'
        find . -path ./.dtx -prune -o -type d -printf '%p %y %m %U\\n' \
        -o -printf '%p %y %m %U %T@ %i %l\\n'
        find . -path ./.dtx -prune -o -type f -exec sha256sum {} +
        """
      ).split(separator: "\n").sorted()
    }
  }
}
