import Testing

extension EndToEndTests {
  /// A server that is to serve one directory, and a peer that names symbolic links below it.
  @Suite struct ConfinementTests {
    /// A root with a link that leads out of it and one that does not, and a far end that serves it.
    private func workplace(_ root: String = "root") throws -> Workplace {
      let place = try Workplace()
      try place.write("from/a", "from the near end")
      try place.write("root/in/kept", "served")
      try place.write("outside/secret", "not served")
      try Tool.shell("ln -s ../outside '\(place("root/out"))'")
      try Tool.shell("ln -s in '\(place("root/within"))'; ln -s root '\(place("link"))'")
      try place.write(
        "shell",
        "#!/bin/sh\nexec '\(Site.builtProgram())' serve --stdio --root '\(place(root))'\n",
        mode: 0o755
      )
      return place
    }

    private func run(
      _ command: String,
      _ places: [String],
      in place: Workplace
    ) throws
      -> Run.Ending
    {
      let run = try Run(
        [
          "env", "XDG_STATE_HOME=\(place("state"))", "XDG_CONFIG_HOME=\(place("config"))",
          Site.builtProgram(), command, "--json", "--rsh", place("shell"),
        ] + places,
        in: place
      )
      return try run.finish()
    }

    @Test(arguments: [
      "/out", "/out/", "/out/new/", "/out/new/deep", "/within/", "/in/../../outside/", "/out/./x/",
    ])
    func nothingIsWrittenThroughALink(_ destination: String) throws {
      let place = try workplace()
      for source in ["from/", "from/a"] {
        let ending = try run("push", [place(source), "host:\(destination)"], in: place)
        #expect(ending.status != 0, "\(source): \(ending.messages)")
      }
      #expect(try Tool.shell("ls -A '\(place("outside"))'") == "secret\n")
      #expect(try Tool.shell("ls -A '\(place("root/in"))'") == "kept\n")
    }

    @Test(arguments: ["/out/", "/out/secret", "/out/.", "/within/kept", "/in/../../outside/"])
    func nothingIsReadThroughALink(_ source: String) throws {
      let place = try workplace()
      let ending = try run("pull", ["host:\(source)", place("to/")], in: place)
      #expect(ending.status != 0, "\(ending.messages)")
      #expect(!place.exists("to/secret"))
      #expect(!place.exists("to/kept"))
    }

    @Test(arguments: ["root", "root/", "root/./", "link"])
    func whatIsBelowTheRootIsServed(_ root: String) throws {
      let place = try workplace(root)
      let within = place("root/in/")
      for (number, source) in ["/in/", "in/", "/./in//", within].enumerated()
      where root != "link" || source != within {
        let ending = try run("pull", ["host:\(source)", place("to\(number)")], in: place)
        #expect(ending.status == 0, "\(source): \(ending.messages)")
        #expect(try place.text("to\(number)/kept") == "served")
      }
      for destination in ["/new/deep/", "/", "/in/renamed"] {
        let ending = try run("push", [place("from/a"), "host:\(destination)"], in: place)
        #expect(ending.status == 0, "\(destination): \(ending.messages)")
      }
      #expect(place.exists("root/new/deep/a") && place.exists("root/a"))
      #expect(try place.text("root/in/renamed") == "from the near end")
    }

    @Test func theRootItselfIsServedByItsName() throws {
      let place = try workplace()
      let ending = try run("pull", ["host:\(place("root"))", place("to/")], in: place)
      #expect(ending.status == 0, "\(ending.messages)")
      #expect(try place.text("to/root/in/kept") == "served")
      // A link is moved as what it is.
      #expect(try Tool.shell("readlink '\(place("to/root/out"))'") == "../outside\n")
    }
  }
}
