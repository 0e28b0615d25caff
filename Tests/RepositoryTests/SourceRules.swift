/// What the compiler cannot keep: each rule yields a sentence for every violation that it finds.
enum SourceRules {
  /// What the rooms that decide, and the one that owns the system calls, may import.
  ///
  /// A folder cannot forbid an import, and the build finds every module that was built before.
  static let imports: [(room: String, allowed: [String])] = [
    ("Sources/DTXCore/", ["CXXHash"]),
    ("Sources/DTXSimulator/", ["DTXCore"]),
    ("Sources/DTXLinux/", ["CLiburing", "Glibc", "Synchronization"]),
  ]

  /// Rooms whose results must be the same on every run and on both ends.
  static let deterministicRooms = ["Sources/DTXCore/", "Sources/DTXSimulator/"]

  /// Names that bring a clock, chance, threads, rounding or a changing order along.
  ///
  /// The standard library has all of them, so that no import gives them away.
  static let bannedWords = [
    "ContinuousClock", "SuspendingClock", "SystemRandomNumberGenerator", "Task", "async", "Double",
    "Float", "hashValue", "Dictionary",
  ]

  static let bannedPieces = [".random(", ".shuffled("]

  /// The words of unfinished work, put together so that this file does not hold them.
  static let unfinishedWords = ["TO" + "DO", "FIX" + "ME"]

  /// Imports that a room may not have.
  static func strangeImports(in file: Repository.TextFile) -> [String] {
    guard file.path.hasSuffix(".swift"), file.path.hasPrefix("Sources/") else { return [] }
    let allowed = imports.first { file.path.hasPrefix($0.room) }?.allowed
    return violations(in: file) { code in
      guard let module = module(importedBy: code) else { return nil }
      // Full Foundation asks for a newer C library than the travelling binary may.
      if module.hasPrefix("Foundation") { return "imports \(module)" }
      if let allowed, !allowed.contains(module) { return "imports \(module)" }
      return nil
    }
  }

  /// Words that a deterministic room may not use.
  static func chance(in file: Repository.TextFile) -> [String] {
    guard deterministicRooms.contains(where: { file.path.hasPrefix($0) }) else { return [] }
    return violations(in: file) { code in
      let words = words(of: code)
      if let word = words.first(where: { bannedWords.contains(String($0)) }) {
        return "uses \(word)"
      }
      if let piece = bannedPieces.first(where: { code.contains($0) }) { return "uses \(piece)" }
      if isSet(code) { return "uses Set<" }
      return isDictionary(code) ? "uses a dictionary" : nil
    }
  }

  /// Words of unfinished work, in comments too.
  static func unfinished(in file: Repository.TextFile) -> [String] {
    file.lines.enumerated().compactMap { index, line in
      let word = words(of: line).first { unfinishedWords.contains(String($0)) }
      return word.map { "\(file.path):\(index + 1): \($0)" }
    }
  }

  private static func violations(
    in file: Repository.TextFile,
    _ rule: (String) -> String?
  ) -> [String] {
    file.lines.enumerated().compactMap { index, line in
      rule(code(of: line)).map { "\(file.path):\(index + 1): \($0)" }
    }
  }

  /// A line without its comment and without what stands in quotes.
  private static func code(of line: String) -> String {
    var code = ""
    var isQuoted = false
    var isEscaped = false
    var last: Character = " "
    for character in line {
      if isQuoted {
        if character == "\"", !isEscaped { isQuoted = false }
        isEscaped = character == "\\" && !isEscaped
        continue
      }
      if character == "\"" {
        isQuoted = true
        isEscaped = false
        continue
      }
      if character == "/", last == "/" { return String(code.dropLast()) }
      code.append(character)
      last = character
    }
    return code
  }

  /// The module that a line imports: `internal import struct Module.Name` imports `Module`.
  private static func module(importedBy code: String) -> String? {
    let parts = code.split(separator: " ")
    guard let place = parts.firstIndex(of: "import") else { return nil }
    let kinds: [Substring] = [
      "struct", "class", "enum", "protocol", "typealias", "func", "let", "var", "actor",
    ]
    let name = parts[(place + 1)...].first { !kinds.contains($0) }
    return name?.split(separator: ".").first.map(String.init)
  }

  private static func words(of line: String) -> [Substring] {
    line.split { !($0.isLetter || $0.isNumber || $0 == "_") }
  }

  /// Whether `Set<` or `Set(` stands there as a word of its own: `BitSet` is another.
  private static func isSet(_ code: String) -> Bool {
    var previous: Character = " "
    var rest = Substring(code)
    while let first = rest.first {
      let isStart = !(previous.isLetter || previous.isNumber || previous == "_")
      if isStart, rest.hasPrefix("Set<") || rest.hasPrefix("Set(") { return true }
      previous = first
      rest = rest.dropFirst()
    }
    return false
  }

  /// Whether there is a dictionary's type or literal: `[Key: Value]`, `[:]`, `["a": 1]`.
  ///
  /// Within brackets a colon at the outermost level means a dictionary, but for those of a
  /// subscript's labels and of conditions.
  private static func isDictionary(_ code: String) -> Bool {
    var brackets: [(opening: Character, isSubscript: Bool, asks: Int)] = []
    var previous: Character = " "
    for character in code {
      switch character {
      case "[", "(", "{":
        // What follows a name or a closing bracket is a subscript or a call.
        let isSubscript = previous.isLetter || previous.isNumber || "_])?!".contains(previous)
        brackets.append((character, isSubscript, 0))
      case "]", ")", "}": _ = brackets.popLast()
      // A condition's question mark stands behind a space, an optional's does not.
      case "?" where previous == " " && !brackets.isEmpty:
        brackets[brackets.count - 1].asks += 1
      case ":" where !brackets.isEmpty:
        if brackets[brackets.count - 1].asks > 0 {
          brackets[brackets.count - 1].asks -= 1
        } else if let last = brackets.last, last.opening == "[", !last.isSubscript {
          return true
        }
      default: break
      }
      previous = character
    }
    return false
  }
}
