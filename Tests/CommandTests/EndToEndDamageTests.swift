import DTXLinux
import Glibc
import Testing

extension EndToEndTests {
  /// What an unfinished transfer left is not what it was.
  @Suite struct DamageTests {
    @Test func bytesFlippedInAStagedFileAreSentAgain() throws {
      let site = try Site()
      let staged = try Self.breakOff(site)
      let before = try Self.wanted(site)
      // In the first durable MiB.
      let file = try File.open(bytes(staged), .readWrite)
      let byte = try file.read(byteCount: 1, at: 4711)
      try file.write(byte.map { ~$0 }, at: 4711)
      try file.close()
      let after = try Self.wanted(site)
      #expect(after == before + 1 << 20)
      let ending = try site.run("push", "--block-size", "1MiB", site.place("from/"), site.far("to"))
      #expect(ending.status == 0, "\(ending.messages)")
      #expect(ending.messages.contains("staged extents are not"), "\(ending.messages)")
      try Trees.expectSame(site.place, "from", "to")
    }

    @Test(arguments: [0, 1, 2, 3, 4])
    func bytesFlippedInTheJournalCostNoMoreThanTime(_ quarter: UInt64) throws {
      let site = try Site()
      _ = try Self.breakOff(site)
      let journal = try Tool.shell("ls '\(site.place("to/.dtx"))'/*/journal").split(separator: "\n")
      let file = try File.open(bytes(String(try #require(journal.first))), .readWrite)
      let byteCount = try file.status().byteCount
      let offset = min(byteCount - 1, byteCount * quarter / 4)
      let byte = try file.read(byteCount: 1, at: offset)
      try file.write(byte.map { $0 ^ 0x10 }, at: offset)
      try file.close()
      let ending = try site.run("push", "--block-size", "1MiB", site.place("from/"), site.far("to"))
      #expect(ending.status == 0, "\(ending.messages)")
      try Trees.expectSame(site.place, "from", "to")
    }

    @Test func aJournalThatSaysMoreThanTheFileHoldsIsNotBelieved() throws {
      let site = try Site()
      let staged = try Self.breakOff(site)
      // Another file of the same length in its place, as a careless restore would leave.
      try Tool.shell("cp --sparse=always '\(staged)' '\(staged).x'; mv '\(staged).x' '\(staged)'")
      try Tool.shell("truncate -s 1000 '\(staged)'; truncate -s \(24 << 20) '\(staged)'")
      let ending = try site.run("push", "--block-size", "1MiB", site.place("from/"), site.far("to"))
      #expect(ending.status == 0, "\(ending.messages)")
      try Trees.expectSame(site.place, "from", "to")
    }

    @Test func anotherBlockSizeStartsTheUnfinishedFilesAnew() throws {
      let site = try Site()
      _ = try Self.breakOff(site)
      let ending = try site.run("push", "--block-size", "2MiB", site.place("from/"), site.far("to"))
      #expect(ending.status == 0, "\(ending.messages)")
      #expect(ending.messages.contains("blocks of 1048576 bytes"), "\(ending.messages)")
      try Trees.expectSame(site.place, "from", "to")
    }

    /// Pushes a file at a rate and ends it in the middle; returns the staged file's path.
    private static func breakOff(_ site: Site) throws -> String {
      try site.place.write("from/large", Trees.content(24 << 20, seed: 3))
      let run = try site.start(
        "push",
        [
          "--rate", "80M", "--lanes", "1", "--block-size", "1MiB", site.place("from/"),
          site.far("to"),
        ]
      )
      let hasMoved = try run.isDurable(6 << 20)
      #expect(hasMoved)
      Glibc.kill(run.child.processID, SIGKILL)
      _ = try run.finish()
      try site.awaitFarEnd()
      let staged = try Tool.shell("find '\(site.place("to"))' -name '.large.dtx-*'")
      return String(try #require(staged.split(separator: "\n").first, "nothing is staged"))
    }

    private static func wanted(_ site: Site) throws -> UInt64 {
      try site.run(
        "push",
        "-n",
        "--block-size",
        "1MiB",
        site.place("from/"),
        site.far("to")
      ).figure("bytes_wanted")
    }
  }
}
