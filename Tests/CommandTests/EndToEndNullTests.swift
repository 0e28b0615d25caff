import DTXLinux
import Glibc
import Testing

extension EndToEndTests {
  /// Ends without a disk, and what a run says limited it.
  @Suite struct NullTests {
    private static let byteCount: UInt64 = 20 << 20

    @Test(arguments: ["push", "pull"])
    func nothingIsReadAndNothingKept(_ command: String) throws {
      let site = try Site()
      let absent = command == "push" ? site.far("absent/below") : site.place("absent/below")
      let places = command == "push" ? [absent] : ["\(Sshd.host):", absent]
      let ending = try site.start(
        command,
        ["--source-null", "20MiB", "--sink-null"] + places
      ).finish()
      #expect(ending.status == 0, "\(ending.messages)")
      #expect(try ending.figure("bytes_sent") == Self.byteCount)
      #expect(try ending.figure("files") == 1)
      let summary = try #require(ending.lines.last)
      #expect(summary.contains("\"source_null\":true,\"sink_null\":true,\"verification\":\"none\""))
      #expect(summary.contains("\"limited_by\":[{\"cause\":\"the "))
      #expect(!site.place.exists("absent"))
      #expect(!site.place.exists("near-state/dtx/sent"), "a copy of the manifest was kept")
    }

    @Test(arguments: ["push", "pull"])
    func aTreeGoesNowhere(_ command: String) throws {
      let site = try Site()
      try Trees.makeMixed(site.place, "from", largeByteCount: 3 << 20, smallCount: 100)
      try site.place.write("to/kept", "kept")
      let before = try Trees.snapshot(site.place("to"))
      let places =
        command == "push"
        ? [site.place("from/"), site.far("to")] : [site.far("from/"), site.place("to")]
      let ending = try site.start(command, ["--sink-null"] + places).finish()
      #expect(ending.status == 0, "\(ending.messages)")
      let wanted = try ending.figure("bytes_wanted")
      #expect(wanted >= 3 << 20)
      #expect(try ending.figure("bytes_sent") == wanted)
      #expect(try Trees.snapshot(site.place("to")) == before)
      let again = try site.start(command, ["--sink-null"] + places).finish()
      #expect(try again.figure("bytes_sent") == wanted)
    }

    @Test(arguments: ["push", "pull"])
    func whatWasMadeUpIsThere(_ command: String) throws {
      let site = try Site()
      let places =
        command == "push" ? [site.far("to")] : ["\(Sshd.host):.", site.place("to")]
      let arguments = ["--source-null", "20MiB", "--block-size", "1MiB"] + places
      let ending = try site.start(command, arguments).finish()
      #expect(ending.status == 0, "\(ending.messages)")
      let file = try File.open(bytes(site.place("to/null-000000")), .read)
      #expect(try file.status().byteCount == Self.byteCount)
      let verified = try site.run("verify", site.place("to"))
      #expect(verified.status == 0, "\(verified.messages)")
      let again = try site.start(command, arguments).finish()
      #expect(try again.figure("bytes_sent") == 0)
    }

    @Test(arguments: ["push", "pull"])
    func aPacedRunSaysSo(_ command: String) throws {
      let site = try Site()
      let places = command == "push" ? [site.far("to")] : ["\(Sshd.host):", site.place("to")]
      let ending = try site.start(
        command,
        ["--source-null", "4MiB", "--sink-null", "--block-size", "1MiB", "--rate", "10M"] + places
      ).finish()
      #expect(ending.status == 0, "\(ending.messages)")
      // Others may keep this machine's processors busy meanwhile; the rate comes next then.
      #expect(ending.lines.last?.contains("{\"cause\":\"the lanes' rate\",\"percent\":") == true)
      #expect(try ending.figure("moving_seconds") > 0)
      #expect(ending.lines.last?.contains("\"awaiting_seconds\":0.000000000") == false)
    }
  }
}
