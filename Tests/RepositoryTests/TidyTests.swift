import Testing

/// What the compiler cannot keep about this repository.
///
/// Beside each rule is a test that plants what it must find: a rule that finds nothing anywhere
/// would look the same as a tidy tree.
@Suite struct TidyTests {
  @Test func theRoomsImportWhatTheyMay() throws {
    let files = try Repository.files(below: "Sources")
    #expect(files.contains { $0.path.hasPrefix("Sources/DTXCore/") })
    #expect(files.flatMap(SourceRules.strangeImports) == [])
  }

  @Test(arguments: [
    ("Sources/DTXCore/A.swift", "import Glibc", "Glibc"),
    ("Sources/DTXCore/A.swift", "  internal import struct DTXLinux.File", "DTXLinux"),
    ("Sources/DTXCore/A.swift", "package import DTXEngine", "DTXEngine"),
    ("Sources/DTXSimulator/A.swift", "import CXXHash", "CXXHash"),
    ("Sources/DTXSimulator/A.swift", "@testable import Dispatch", "Dispatch"),
    ("Sources/DTXLinux/A.swift", "import DTXCore // why", "DTXCore"),
    ("Sources/DTXEngine/A.swift", "import Foundation", "Foundation"),
    ("Sources/dtx/A.swift", "import FoundationEssentials", "FoundationEssentials"),
  ])
  func anImportThatARoomMayNotHaveIsFound(_ path: String, _ line: String, _ module: String) {
    let file = Repository.TextFile(path: path, text: "// import Nothing\n\(line)\n")
    #expect(SourceRules.strangeImports(in: file) == ["\(path):2: imports \(module)"])
  }

  @Test(arguments: [
    ("Sources/DTXCore/A.swift", "internal import CXXHash"),
    ("Sources/DTXSimulator/A.swift", "package import DTXCore"),
    ("Sources/DTXLinux/A.swift", "internal import Glibc"),
    ("Sources/DTXEngine/A.swift", "import Crypto"),
    ("Sources/DTXCore/A.swift", "let text = \"import Glibc\""),
  ])
  func anImportThatARoomMayHaveIsLeftAlone(_ path: String, _ line: String) {
    #expect(SourceRules.strangeImports(in: Repository.TextFile(path: path, text: line)) == [])
  }

  @Test func whatDecidesIsDeterministic() throws {
    let files = try Repository.files(below: "Sources")
    #expect(files.flatMap(SourceRules.chance) == [])
  }

  @Test(
    arguments: [
      ("let clock = ContinuousClock()", "ContinuousClock"),
      ("SuspendingClock.now", "SuspendingClock"),
      ("var chance = SystemRandomNumberGenerator()", "SystemRandomNumberGenerator"),
      ("let x = Int.random(in: 0..<3)", ".random("), ("list.shuffled()", ".shuffled("),
      ("Task { }", "Task"), ("func f() async {", "async"), ("let rate: Double", "Double"),
      ("Float(3)", "Float"), ("x.hashValue", "hashValue"), ("var seen: Set<Int> = []", "Set<"),
      ("let seen = Set(list)", "Set<"), ("Dictionary(grouping: x)", "Dictionary"),
      ("var map: [String: Int]", "a dictionary"), ("[Int?: Int]()", "a dictionary"),
      ("let map = [:]", "a dictionary"),
      ("func f(_ map: [Path.Name: [UInt8]]) {", "a dictionary"),
      ("return [a ? b : c: d]", "a dictionary"), ("let map = [\"a\": 1]", "a dictionary"),
    ],
    SourceRules.deterministicRooms
  )
  func whatMayChangeBetweenRunsIsFound(_ planted: (String, String), _ room: String) {
    let file = Repository.TextFile(path: "\(room)A.swift", text: "\n\(planted.0)")
    #expect(SourceRules.chance(in: file) == ["\(room)A.swift:2: uses \(planted.1)"])
  }

  @Test(arguments: [
    "let set = BitSet(count: 3)", "// a Dictionary of Double", "let text = \"Task [a: b]\"",
    "list[max(0, index): 3]", "let x = [a ? b : c]", "[f(label: 3)]", "MultiTask()",
    "extension List: OptionSet {", "rates.map { [$0, x] }", "case (let a, let b): [a]",
    "inventory[of: index]",
  ])
  func whatIsTheSameEveryTimeIsLeftAlone(_ line: String) {
    #expect(
      SourceRules.chance(in: Repository.TextFile(path: "Sources/DTXCore/A.swift", text: line))
        == []
    )
  }

  @Test func outsideTheseRoomsAClockIsNoMatter() {
    let file = Repository.TextFile(path: "Sources/DTXLinux/A.swift", text: "let x: Double")
    #expect(SourceRules.chance(in: file) == [])
  }

  @Test func nothingIsMarkedAsUnfinished() throws {
    #expect(try Repository.files().flatMap(SourceRules.unfinished) == [])
  }

  @Test(arguments: SourceRules.unfinishedWords)
  func aMarkOfUnfinishedWorkIsFound(_ word: String) {
    let file = Repository.TextFile(path: "README.md", text: "done\n<!-- \(word): more -->")
    #expect(SourceRules.unfinished(in: file) == ["README.md:2: \(word)"])
    #expect(
      SourceRules.unfinished(in: Repository.TextFile(path: "a", text: "\(word)S x\(word)")) == []
    )
  }

  @Test func theManualNamesTheFlagsThatThereAre() throws {
    let help = try ManualPage.printedFlags()
    #expect(help.contains("--read-only"))
    let page = ManualPage.flags(inPage: try Repository.file("man/dtx.1"))
    #expect(ManualPage.differences(page: page, help: help) == [])
  }

  @Test func aFlagThatOneOfTheTwoHasAloneIsFound() {
    let page = Repository.TextFile(
      path: "man/dtx.1",
      text: ".It Fl n , Fl -dry-run\n.Op Fl -old Ar x | Fl q\nFl -text"
    )
    let help = """
      OPTIONS:
        -n, --dry-run           Compare --nothing.
        --owner/--no-owner      Keep.
                                --not-a-flag
        -e, --rsh <command>     Shell.
      """
    #expect(ManualPage.flags(inPage: page) == ["--dry-run", "--old", "-n", "-q"])
    #expect(
      ManualPage.flags(inHelp: help) == [
        "--dry-run", "--no-owner", "--owner", "--rsh", "-e", "-n",
      ]
    )
    #expect(
      ManualPage.differences(page: ["--dry-run", "--old"], help: ["--dry-run", "--new"]) == [
        "the page does not name --new", "no command has --old",
      ]
    )
  }

  @Test func commandsBelowACommandAreFound() {
    let help =
      "USAGE\n\nSUBCOMMANDS:\n  push        Move\n              more\n  pull   Get\n\n  See"
    #expect(ManualPage.subcommands(inHelp: help) == ["push", "pull"])
  }
}
