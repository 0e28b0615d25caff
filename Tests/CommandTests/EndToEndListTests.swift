import DTXLinux
import Glibc
import Testing

extension EndToEndTests {
  /// What `--verbose` lists is what rsync would itemize.
  @Suite struct ListTests {
    @Test(arguments: ["push", "pull"])
    func everyEntryThatChangesIsListed(_ command: String) throws {
      let site = try Site()
      try Self.makeTrees(site.place)
      let expected = try Self.itemized(site.place)
      #expect(expected.count == 15, "\(expected)")
      for option in ["-nv", "-v"] {
        let ending = try Self.move(site, command, option)
        #expect(ending.status == 0, "\(ending.messages)")
        #expect(try Self.listed(ending) == expected, "\(command) \(option)")
      }
      try Trees.expectSame(site.place, "from", "to")
      let again = try Self.move(site, command, "-v")
      #expect(try Self.listed(again) == [])
      let quiet = try Self.move(site, command, "--checksum")
      #expect(try Self.listed(quiet) == [])
    }

    @Test(arguments: ["push", "pull"])
    func aNewDestinationGetsAll(_ command: String) throws {
      let site = try Site()
      try Self.makeTrees(site.place)
      let count = Int(try Tool.shell("find '\(site.place("from"))' | wc -l").dropLast())
      try Tool.shell("rm -r '\(site.place("to"))'")
      let ending = try Self.move(site, command, "-nv")
      #expect(try Self.listed(ending).count == count)
    }

    private static func move(
      _ site: Site,
      _ command: String,
      _ option: String
    ) throws -> Run.Ending {
      command == "push"
        ? try site.run(command, option, site.place("from/"), site.far("to"))
        : try site.run(command, option, site.far("from/"), site.place("to"))
    }

    /// The paths of all `entry` events, as the list without `--json` has them.
    private static func listed(_ ending: Run.Ending) throws -> [String] {
      let prefix = #"{"type":"entry","path":""#
      return try ending.lines.filter { $0.hasPrefix(prefix) }.map { line in
        let end = try #require(line.firstRange(of: #"","kind":""#))
        let path = line[line.index(line.startIndex, offsetBy: prefix.count)..<end.lowerBound]
        return line.hasSuffix(#""kind":"directory"}"#) ? "\(path)/" : String(path)
      }.sorted()
    }

    private static func itemized(_ place: Workplace) throws -> [String] {
      try Tool.shell(
        "rsync -an --out-format='%i %n' '\(place("from"))/' '\(place("to"))/'"
      ).split(separator: "\n").map { line in
        String(line.drop { $0 != " " }.dropFirst())
      }.sorted()
    }

    /// A source, and a copy of which some entries have changed since.
    private static func makeTrees(_ place: Workplace) throws {
      for name in ["same", "mode", "time", "content", "grown", "d/same", "set/a"] {
        try place.write("from/\(name)", "content of \(name)")
      }
      symlink("same", place("from/link-same"))
      symlink("same", place("from/link-other"))
      try Tool.shell(
        """
        cd '\(place.path)' && touch -d @1000000000 from/* && touch -h -d @1000000000 from/link-* \
        && cp -a from to && cd from && chmod 600 mode && touch -h -d @1100000000 link-same time \
        && echo > content && echo more >> grown && ln -sfn d link-other && chmod 700 d \
        && mkdir -p new/empty new/deep && : > new/none && echo x > new/deep/file \
        && ln -s none new/link && mkfifo new/fifo && touch -d @1200000000 .
        """
      )
    }
  }
}
