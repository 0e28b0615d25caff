import DTXLinux
import Glibc
import Testing

extension EndToEndTests {
  /// Destinations that take two names for one.
  @Suite struct FoldingTests {
    /// Entries that differ in the case of their names alone, or in how a letter is composed, of which
    /// one can have its place.
    private static let pairs = [
      ("sub/A", "sub/a"), ("sub/EMPTY", "sub/empty"), ("sub/Large", "sub/large"),
      ("sub/Link", "sub/link"), ("sub/Dir", "sub/dir"),
    ]
    /// Long names are staged under hashes, which differ: only their places are the same.
    private static let long = String(repeating: "n", count: 240)
    private static let composition = ["", long].map { ("sub/\($0)\u{E9}", "sub/\($0)e\u{301}") }

    enum Kind: CaseIterable {
      case everywhere, below
      /// On a file system whose renames cannot but replace.
      case replacing
      /// On one that is the same, and keeps cases apart.
      case replacingComposition

      var isReplacing: Bool { self == .replacing || self == .replacingComposition }
    }

    @Test(arguments: Kind.allCases, ["push", "pull"])
    func neverDoesOneEntryReplaceAnother(_ kind: Kind, _ command: String) throws {
      let place = try Workplace()
      try Self.makeSource(place)
      try place.makeDirectory("to")
      let faults = Faults(
        place,
        below: "to",
        folds: kind == .below ? "sub*" : "*",
        keepsCases: kind == .replacingComposition
      )
      let fault = Faults.Fault(action: .failOn(EINVAL), call: "renameat2", pattern: "*")
      let launcher = try faults.launcher(kind.isReplacing ? fault : nil)
      let pairs = (kind == .replacingComposition ? [] : Self.pairs) + Self.composition
      try Self.expectOneOfEach(of: pairs, place, command, launcher, "\(kind), \(command)")
    }

    @Test(
      .enabled(
        if: LoopDisk.obstacle(.casefold) == nil,
        Comment(rawValue: LoopDisk.obstacle(.casefold) ?? "")
      ),
      arguments: ["to", "to/sub"]
    )
    func neverDoesOneEntryReplaceAnotherOnARealOne(_ folding: String) throws {
      let place = try Workplace()
      try Self.makeSource(place)
      let disk = try LoopDisk(.casefold, place, at: "to", byteCount: 96 << 20)
      defer { withExtendedLifetime(disk) {} }
      try Tool.shell("mkdir -p '\(place(folding))' && chattr +F '\(place(folding))'")
      try Self.expectOneOfEach(of: Self.pairs + Self.composition, place, "push", [], folding)
    }

    @Test func aStrangersOtherSpellingIsLeftAsItIs() throws {
      let place = try Workplace()
      try place.write("from/name", Trees.content(2000, seed: 1))
      try place.write("from/\u{E9}", Trees.content(2000, seed: 2))
      try place.write("to/NAME", "not ours")
      try place.write("to/\u{E9}", "an earlier version")
      let launcher = try Faults(place, below: "to", folds: "*").launcher()
      let ending = try local(place, "push", [], launcher: launcher)
      #expect(ending.status == 2, "\(ending.messages)")
      let named = ending.events(naming: "name").joined()
      #expect(named.contains("another spelling of its name"), "\(ending.lines)")
      #expect(try place.text("to/NAME") == "not ours")
      #expect(!place.exists("to/name"))
      #expect(try place.read("to/\u{E9}") == place.read("from/\u{E9}"))
    }

    // MARK: - The parts of a test

    /// Of each pair both have the same length and time.
    private static func makeSource(_ place: Workplace) throws {
      for (seed, name) in ["A", "a"].enumerated() {
        try place.write("from/sub/\(name)", Trees.content(5000, seed: UInt64(seed)))
      }
      for (seed, name) in ["Large", "large"].enumerated() {
        try place.write("from/sub/\(name)", Trees.content(3 << 20, seed: UInt64(seed) + 5))
      }
      for (seed, name) in composition.flatMap({ [$0.0, $0.1] }).enumerated() {
        try place.write("from/\(name)", Trees.content(4000, seed: UInt64(seed) + 8))
      }
      for name in ["EMPTY", "empty", "Dir/x", "dir/y"] { try place.write("from/sub/\(name)", "") }
      for name in ["Link", "link"] {
        try Tool.shell("ln -s to-\(name) '\(place("from/sub/\(name)"))'")
      }
      try place.write("from/sub/other", "other")
      try Tool.shell("find '\(place("from"))' -exec touch -h -d @1700000000 {} +")
    }

    private static func expectOneOfEach(
      of pairs: [(String, String)],
      _ place: Workplace,
      _ command: String,
      _ launcher: [String],
      _ what: String
    ) throws {
      let options = ["--block-size", "1MiB"]
      var before: String?
      // What the first run leaves is what the second one finds.
      for run in 1...2 {
        let ending = try local(place, command, options, launcher: launcher)
        #expect(ending.status == 2, "\(what), run \(run): \(ending.messages) \(ending.lines)")
        for (upper, lower) in pairs {
          let there = try [upper, lower].filter { try isThere($0, in: place) }
          #expect(there.count == 1, "\(what), run \(run): \(there) of \(upper)")
          let lost = there.first == upper ? lower : upper
          let named = ending.events(naming: lost)
          #expect(named.count == 1, "\(what), run \(run): \(ending.lines)")
          #expect(named.first?.contains("another spelling of its name") == true, "\(named)")
          guard let kept = there.first else { continue }
          let ours = "'\(place("from/\(kept)"))' '\(place("to/\(kept)"))'"
          let isSame = try Tool.run("sh", "-c", "diff -r --no-dereference \(ours)")
          #expect(isSame.status == 0, "\(what), run \(run): \(kept) \(isSame.output)")
        }
        #expect(try place.text("to/sub/other") == "other")
        let strays = try Tool.shell("find '\(place("to"))' -name '.*.dtx-*'")
        #expect(strays == "", "\(what), run \(run)")
        // Whatever was there stays the same file.
        let list = "find '\(place("to/sub"))' ! -type d -printf '%P %i %C@\\n' | sort"
        let now = try Tool.shell(list)
        #expect(before == nil || before == now, "\(what)")
        before = now
      }
    }

    /// Whether a directory has this very name, whatever else would lead to it.
    private static func isThere(_ path: String, in place: Workplace) throws -> Bool {
      let (parent, name) = (path.split(separator: "/")[0], path.split(separator: "/")[1])
      let directory = try Directory.open(bytes(place("to/\(parent)")))
      return try directory.names().contains { $0.name == Array(name.utf8) }
    }
  }
}
