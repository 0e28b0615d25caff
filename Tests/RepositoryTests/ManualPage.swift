/// The flags that the manual page names, and those that the program's help prints.
enum ManualPage {
  /// A flag that help does not print because the parser keeps it hidden.
  static let hiddenFlags = ["--generate-completion-script"]

  /// The flags behind `.Fl` macros: `.It Fl n , Fl -dry-run` names `-n` and `--dry-run`.
  static func flags(inPage page: Repository.TextFile) -> [String] {
    var flags: [String] = []
    for line in page.lines where line.hasPrefix(".") {
      let words = line.dropFirst().split(separator: " ")
      for (macro, name) in zip(words, words.dropFirst()) where macro == "Fl" {
        flags.append("-\(name)")
      }
    }
    return unique(flags)
  }

  /// The flags in the lines of a help that describe some: `  -n, --dry-run   Compare`.
  static func flags(inHelp help: String) -> [String] {
    var flags: [String] = []
    for line in help.split(separator: "\n") where line.hasPrefix("  -") {
      for word in line.split(whereSeparator: { " ,/".contains($0) }) {
        guard word.hasPrefix("-") else { break }
        flags.append(String(word))
      }
    }
    return unique(flags)
  }

  /// The commands that a help lists under `SUBCOMMANDS:`.
  static func subcommands(inHelp help: String) -> [String] {
    let lines = help.split(separator: "\n", omittingEmptySubsequences: false)
    guard let start = lines.firstIndex(of: "SUBCOMMANDS:") else { return [] }
    return lines[(start + 1)...].prefix { !$0.isEmpty }.compactMap { line in
      // Further lines of a description are indented to its column.
      line.hasPrefix("   ") ? nil : line.split(separator: " ").first.map(String.init)
    }
  }

  /// The flags of a command and of all below it.
  static func printedFlags(_ command: String = "") throws -> [String] {
    let help = try Repository.output(of: "\(command) --help")
    let below = try subcommands(inHelp: help).flatMap { try printedFlags("\(command) \($0)") }
    return unique(flags(inHelp: help) + below)
  }

  /// A sentence for each flag that one of the two has and the other has not.
  static func differences(page: [String], help: [String]) -> [String] {
    help.filter { !page.contains($0) }.map { "the page does not name \($0)" }
      + page.filter { !help.contains($0) && !hiddenFlags.contains($0) }
      .map { "no command has \($0)" }
  }

  private static func unique(_ flags: [String]) -> [String] {
    var unique: [String] = []
    for flag in flags where !unique.contains(flag) { unique.append(flag) }
    return unique.sorted()
  }
}
