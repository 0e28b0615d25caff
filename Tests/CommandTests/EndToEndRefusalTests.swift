import DTXCore
import DTXLinux
import Glibc
import Testing

extension EndToEndTests {
  /// What cannot be done: an exit status and one clear message each.
  @Suite struct RefusalTests {
    @Test(arguments: ["push", "pull"])
    func aMissingSourceIsNamed(_ command: String) throws {
      let site = try Site()
      let places =
        command == "push"
        ? [site.place("no-such"), site.far("to")] : [site.far("no-such"), site.place("to")]
      let ending = try site.start(command, places).finish()
      #expect(ending.status == 1)
      expectOneMessage(ending, "no-such")
      #expect(!site.place.exists("to"), "nothing was to be made")
    }

    @Test func oneOfSeveralMissingLeavesTheOthers() throws {
      let site = try Site()
      try site.place.write("from/a", "a")
      try site.place.write("from/b", "b")
      let sources = ["from/a", "from/no-such", "from/b"]
      let ending = try site.start("push", sources.map { site.place($0) } + [site.far("to")])
        .finish()
      #expect(ending.status == 2, "\(ending.messages)")
      #expect(ending.events(naming: site.place("from/no-such")).count == 1, "\(ending.lines)")
      #expect(try site.place.text("to/a") == "a")
      #expect(try site.place.text("to/b") == "b")
    }

    @Test func aFarEndWithoutTheProgramIsToldFromOtherFailures() throws {
      let site = try Site()
      try site.place.write("from/a", "a")
      let ending = try site.run(
        "push",
        "--dtx-path",
        site.place("no/dtx"),
        site.place("from/"),
        site.far("to")
      )
      #expect(ending.status == 5)
      expectOneMessage(ending, "--bootstrap")
    }

    @Test func bootstrapCopiesTheProgramOnceAndChecksIt() throws {
      let site = try Site()
      try site.place.write("from/a", "a")
      let arguments = ["--bootstrap", "--dtx-path", "no-dtx", site.place("from/"), site.far("to")]
      let first = try site.start("push", arguments).finish()
      #expect(first.status == 0, "\(first.messages)")
      let copies = try Tool.shell("ls -i '\(site.place("far-cache"))'/dtx/*/dtx")
      let copy = try #require(copies.split(separator: " ").last.map { String($0.dropLast()) })
      #expect(copies.split(separator: "\n").count == 1)
      let sum = try Tool.shell("sha256sum '\(site.program)'").prefix(64)
      #expect(copy.contains("/\(sum)/"))
      #expect(try Tool.run("cmp", copy, site.program).status == 0)
      let second = try site.start("push", arguments).finish()
      #expect(second.status == 0, "\(second.messages)")
      #expect(try Tool.shell("ls -i '\(site.place("far-cache"))'/dtx/*/dtx") == copies)
      // What is there is only run when it is what its name says.
      try site.place.damage(copy)
      try site.place.write("from/a", "changed")
      let third = try site.start("push", arguments).finish()
      #expect(third.status == 0, "\(third.messages)")
      #expect(try Tool.run("cmp", copy, site.program).status == 0)
      #expect(try site.place.text("to/a") == "changed")
    }

    @Test(arguments: ["no-such-host.invalid", "127.0.0.1"])
    func aHostThatSSHCannotReachIsAFailure(_ host: String) throws {
      let site = try Site()
      try site.place.write("from/a", "a")
      // Nobody listens on this port.
      let port = try Sshd.freePort()
      let ending = try site.run(
        "push",
        "--rsh",
        "\(site.place("bin/ssh")) -p \(port)",
        site.place("from/"),
        "\(host):/to"
      )
      #expect(ending.status == 1)
      expectOneMessage(ending, host)
    }

    @Test func aUserWhomSSHDoesNotLetInIsAFailure() throws {
      let site = try Site()
      try site.place.write("from/a", "a")
      let shell = "\(site.place("bin/ssh")) -o User=no-such-user"
      let ending = try site.run("push", "--rsh", shell, site.place("from/"), site.far("to"))
      #expect(ending.status == 1)
      expectOneMessage(ending, Sshd.host)
    }

    @Test func aPeerOfAnotherVersionIsNamedWithBothVersions() throws {
      let site = try Site()
      try site.place.write("from/a", "a")
      let hello = Hello(lowestVersion: 7, highestVersion: 9, implementation: "dtx 9.9.9")
      try site.place.write("hello", hello.encoded())
      try site.place.write(
        "later",
        "#!/bin/sh\ncat '\(site.place("hello"))'\ncat > /dev/null\n",
        mode: 0o755
      )
      let ending = try site.run(
        "push",
        "--dtx-path",
        site.place("later"),
        site.place("from/"),
        site.far("to")
      )
      #expect(ending.status == 5)
      expectOneMessage(ending, "7 to 9")
      #expect(ending.messages.contains("dtx 9.9.9"))
    }

    @Test(arguments: ["Welcome to this host!\\n", "x", "\\033[2Jhello\\000\\n"])
    func noiseAtLogInIsShown(_ noise: String) throws {
      let site = try Site()
      try site.place.write("from/a", "a")
      try site.place.write(
        "noisy",
        "#!/bin/sh\nprintf '\(noise)'\nexec '\(site.program)' \"$@\"\n",
        mode: 0o755
      )
      let ending = try site.run(
        "push",
        "--dtx-path",
        site.place("noisy"),
        site.place("from/"),
        site.far("to")
      )
      #expect(ending.status == 5)
      expectOneMessage(ending, "log-in")
      #expect(!ending.messages.contains("\u{1B}"), "a terminal would obey it")
    }

    @Test(arguments: [
      ["push", "/x", "--", "-oProxyCommand=true:/x"], ["push", "far:/x", "/y"], ["push", "/x"],
      ["pull", "--", "-oProxyCommand=true:/x", "/y"], ["pull", "/x", "far:/y"],
      ["pull", "far:/x", "further:/y", "/z"],
    ])
    func whatCannotBeMeantIsAUsageError(_ words: [String]) throws {
      let site = try Site()
      let ending = try site.start(words[0], Array(words.dropFirst())).finish()
      #expect(ending.status == 64, "\(ending.messages)")
      #expect(!site.place.exists("ssh-process"), "ssh was started")
    }

    @Test func theSecondRunAtOnceIsToldWhoHoldsTheDestination() throws {
      let site = try Site()
      try site.place.write("from/large", Trees.content(24 << 20, seed: 2))
      let arguments = [
        "--rate", "32M", "--block-size", "1MiB", site.place("from/"), site.far("to"),
      ]
      let first = try site.start("push", arguments)
      #expect(try first.isDurable(1))
      let holder = try site.process("far")
      let second = try site.start("push", arguments).finish()
      #expect(second.status == 7)
      expectOneMessage(second, "pid=\(holder) ")
      let ending = try first.finish()
      #expect(ending.status == 0, "\(ending.messages)")
      try Trees.expectSame(site.place, "from", "to")
    }
  }
}

/// Expects that a command said one thing that went wrong, and that it names something.
func expectOneMessage(
  _ ending: Run.Ending,
  _ part: String,
  at location: SourceLocation = #_sourceLocation
) {
  #expect(ending.errors.count == 1, "\(ending.messages)", sourceLocation: location)
  #expect(
    ending.messages.contains(part),
    "\(part): \(ending.messages)",
    sourceLocation: location
  )
}
