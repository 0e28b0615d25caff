/// What is wrong with a scenario, and where.
package struct ScenarioError: Error, Equatable, Sendable, CustomStringConvertible {
  /// Counted from 1; 0 for what concerns the whole.
  package var line: Int
  package var problem: String

  package init(line: Int, _ problem: String) {
    self.line = line
    self.problem = problem
  }

  package var description: String { line == 0 ? problem : "line \(line): \(problem)" }
}

/// A scenario's text taken apart: a part of TOML 1.0 that is enough for it, dtx-scenario(5).
struct ScenarioText {
  enum Value: Equatable {
    case text(String)
    case integer(UInt64)
    case flag(Bool)
  }

  struct Entry: Equatable {
    var key: String
    var value: Value
    var line: Int
  }

  /// The entries behind one header; the first table has none, and no name.
  struct Table: Equatable {
    var name: String
    /// Whether its header has two brackets, so that there may be several.
    var isRepeated: Bool
    var line: Int
    var entries: [Entry] = []
  }

  private(set) var tables = [Table(name: "", isRepeated: false, line: 1)]

  init(_ text: String) throws(ScenarioError) {
    // A carriage return and a line feed are one character to Swift.
    let lines = text.split(omittingEmptySubsequences: false) { $0 == "\n" || $0 == "\r\n" }
    for (index, line) in lines.enumerated() {
      var cursor = LineCursor(line, line: index + 1)
      try take(&cursor)
    }
  }

  private mutating func take(_ cursor: inout LineCursor) throws(ScenarioError) {
    cursor.skipSpace()
    guard let first = cursor.next, first != "#" else { return }
    if first == "[" {
      let header = try cursor.header()
      try begin(header.name, isRepeated: header.isRepeated, line: cursor.line)
    } else {
      let key = try cursor.word("a key")
      cursor.skipSpace()
      guard cursor.take("=") else { throw cursor.error("'\(key)' is followed by no '='") }
      cursor.skipSpace()
      let value = try cursor.value(of: key)
      let table = tables.count - 1
      if tables[table].entries.contains(where: { $0.key == key }) {
        throw cursor.error("'\(key)' stands here a second time")
      }
      tables[table].entries.append(Entry(key: key, value: value, line: cursor.line))
    }
    cursor.skipSpace()
    if let rest = cursor.next, rest != "#" {
      throw cursor.error("'\(cursor.rest)' follows where the line should end")
    }
  }

  private mutating func begin(
    _ name: String,
    isRepeated: Bool,
    line: Int
  ) throws(ScenarioError) {
    if let earlier = tables.first(where: { $0.name == name }) {
      guard earlier.isRepeated == isRepeated else {
        throw ScenarioError(
          line: line,
          "'\(name)' has one pair of brackets on one line and two on another"
        )
      }
      guard isRepeated else {
        throw ScenarioError(line: line, "[\(name)] stands here a second time")
      }
    }
    tables.append(Table(name: name, isRepeated: isRepeated, line: line))
  }
}

/// A place in a line.
private struct LineCursor {
  let line: Int
  private var left: Substring

  init(_ text: Substring, line: Int) {
    left = text
    self.line = line
  }

  var next: Character? { left.first }
  var rest: Substring { left }

  func error(_ problem: String) -> ScenarioError { ScenarioError(line: line, problem) }

  mutating func skipSpace() {
    left = left.drop { $0 == " " || $0 == "\t" }
  }

  mutating func take(_ text: String) -> Bool {
    guard left.hasPrefix(text) else { return false }
    left = left.dropFirst(text.count)
    return true
  }

  /// Letters, digits, hyphens and underscores.
  mutating func word(_ what: String) throws(ScenarioError) -> String {
    let word = left.prefix { character in
      character.isASCII && (character.isLetter || character.isNumber || "-_".contains(character))
    }
    guard !word.isEmpty else { throw error("'\(left)' where \(what) should be") }
    left = left.dropFirst(word.count)
    return String(word)
  }

  mutating func header() throws(ScenarioError) -> (name: String, isRepeated: Bool) {
    let isRepeated = take("[[")
    if !isRepeated { _ = take("[") }
    skipSpace()
    let name = try word("a table's name")
    skipSpace()
    guard take(isRepeated ? "]]" : "]") else { throw error("the brackets are not closed") }
    return (name, isRepeated)
  }

  mutating func value(of key: String) throws(ScenarioError) -> ScenarioText.Value {
    guard let first = next, first != "#" else { throw error("'\(key)' has no value") }
    if first == "\"" { return .text(try quoted()) }
    let word = left.prefix { !" \t#".contains($0) }
    left = left.dropFirst(word.count)
    if word == "true" { return .flag(true) }
    if word == "false" { return .flag(false) }
    let isNumber = word.allSatisfy { $0.isASCII && $0.isNumber }
    if isNumber, let number = UInt64(word) { return .integer(number) }
    throw error(
      "'\(word)' is neither a whole number, true or false, nor does it stand in quotes"
    )
  }

  private mutating func quoted() throws(ScenarioError) -> String {
    left.removeFirst()
    var text = ""
    while let character = left.popFirst() {
      if character == "\"" { return text }
      guard character == "\\" else {
        text.append(character)
        continue
      }
      guard let escaped = left.popFirst(), escaped == "\"" || escaped == "\\" else {
        throw error("a backslash stands before a quote or another backslash alone")
      }
      text.append(escaped)
    }
    throw error("the quotes are not closed")
  }
}
