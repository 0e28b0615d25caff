/// Reads lanes from a file: the part of TOML that they take, and nothing beyond it.
///
/// An array of tables, `[[lane]]`, whose values are strings, integers, booleans and times. Whoever
/// knows TOML can write it, and any reader of TOML takes it; what else TOML has is refused by name
/// rather than guessed at, since a lane that is read otherwise than it was meant breaks a contract.
package enum LaneFile {
  /// Reads a file's text.
  ///
  /// - Parameter text: of the whole file.
  /// - Returns: the lanes in their order, at least one.
  /// - Throws: what is wrong, with its line and key.
  package static func lanes(_ text: String) throws(LaneTextError) -> [LaneDescription] {
    var lanes: [LaneDescription] = []
    var fields: [LaneField]?
    var header = 0
    let lines = text.split(omittingEmptySubsequences: false) { $0 == "\n" || $0 == "\r\n" }
    for (index, line) in lines.enumerated() {
      var reader = LaneFileLine(line, number: index + 1)
      switch try reader.read() {
      case .nothing: break
      case .lane:
        if let fields { lanes.append(try lane(fields, header: header)) }
        fields = []
        header = index + 1
      case .field(let field):
        guard fields != nil else {
          throw LaneTextError(line: index + 1, key: field.key, "it stands before any [[lane]]")
        }
        fields?.append(field)
      }
    }
    if let fields { lanes.append(try lane(fields, header: header)) }
    guard !lanes.isEmpty else { throw LaneTextError("there is no [[lane]]") }
    return lanes
  }

  private static func lane(
    _ fields: [LaneField],
    header: Int
  ) throws(LaneTextError) -> LaneDescription {
    guard !fields.isEmpty else { throw LaneTextError(line: header, "nothing is said of this lane") }
    return try LaneDescription(fields)
  }
}

/// One line of such a file, or of another one of this part of TOML.
struct LaneFileLine {
  enum Content {
    case nothing
    case lane
    case field(LaneField)
  }

  private var rest: Substring
  private let number: Int
  private var key: String?

  init(_ line: Substring, number: Int) {
    rest = line
    self.number = number
  }

  mutating func read() throws(LaneTextError) -> Content {
    if let control = rest.unicodeScalars.first(where: LaneFileLine.isControl) {
      throw error("a control character, U+\(String(control.value, radix: 16, uppercase: true))")
    }
    skipBlanks()
    if rest.isEmpty || rest.hasPrefix("#") { return .nothing }
    if rest.hasPrefix("[") {
      try readHeader()
      return .lane
    }
    let name = rest.prefix(while: LaneFileLine.isKeyCharacter)
    guard !name.isEmpty else {
      throw error("a line is [[lane]], a comment, or key = value with a key of letters")
    }
    key = String(name)
    rest = rest.dropFirst(name.count)
    skipBlanks()
    guard rest.hasPrefix("=") else { throw error("a key has = and its value behind it") }
    rest = rest.dropFirst()
    skipBlanks()
    let value = try readValue()
    try finish()
    return .field(LaneField(key: String(name), value: value, line: number))
  }

  private mutating func readHeader() throws(LaneTextError) {
    guard rest.hasPrefix("[[") else { throw error("the only tables here are [[lane]]") }
    rest = rest.dropFirst(2)
    skipBlanks()
    let name = rest.prefix(while: LaneFileLine.isKeyCharacter)
    rest = rest.dropFirst(name.count)
    skipBlanks()
    guard name == "lane", rest.hasPrefix("]]") else {
      throw error("the only tables here are [[lane]]")
    }
    rest = rest.dropFirst(2)
    try finish()
  }

  private mutating func readValue() throws(LaneTextError) -> LaneField.Value {
    if rest.hasPrefix("\"\"\"") || rest.hasPrefix("'''") {
      throw error("a string here is on one line")
    }
    if rest.hasPrefix("\"") { return .text(try readBasicString()) }
    if rest.hasPrefix("'") { return .text(try readLiteralString()) }
    let word = rest.prefix { $0 != " " && $0 != "\t" && $0 != "#" }
    rest = rest.dropFirst(word.count)
    switch word {
    case "": throw error("it has no value")
    case "true": return .flag(true)
    case "false": return .flag(false)
    default:
      if WallInstant(String(word)) != nil { return .text(String(word)) }
      guard let integer = LaneFileLine.integer(word) else {
        throw error("a value is a string in quotes, an integer, true, false, or a time with zone")
      }
      return .text(integer)
    }
  }

  private mutating func readBasicString() throws(LaneTextError) -> String {
    var text = ""
    var characters = rest.dropFirst()
    while let character = characters.popFirst() {
      switch character {
      case "\"":
        rest = characters
        return text
      case "\\":
        // A character that TOML escapes; Unicode numbers have no use in a lane.
        let escapes: [(Character, Character)] = [("\"", "\""), ("\\", "\\"), ("t", "\t")]
        guard let next = characters.popFirst(),
          let meant = escapes.first(where: { $0.0 == next })?.1
        else { throw error("an escape here is \\\", \\\\ or \\t") }
        text.append(meant)
      default:
        text.append(character)
      }
    }
    throw error("a string has no end on this line")
  }

  private mutating func readLiteralString() throws(LaneTextError) -> String {
    let body = rest.dropFirst()
    guard let end = body.firstIndex(of: "'") else {
      throw error("a string has no end on this line")
    }
    rest = body[body.index(after: end)...]
    return String(body[..<end])
  }

  /// Demands that nothing but a comment follows.
  private mutating func finish() throws(LaneTextError) {
    skipBlanks()
    guard rest.isEmpty || rest.hasPrefix("#") else {
      throw error("something follows the end: \(rest)")
    }
  }

  private mutating func skipBlanks() {
    rest = rest.drop { $0 == " " || $0 == "\t" }
  }

  private func error(_ reason: String) -> LaneTextError {
    LaneTextError(line: number, key: key, reason)
  }

  /// A decimal integer as TOML writes it, without its underscores, which stand between digits; nil
  /// for another value.
  private static func integer(_ word: Substring) -> String? {
    let groups = word.split(separator: "_", omittingEmptySubsequences: false)
    guard groups.allSatisfy({ !$0.isEmpty && $0.utf8.allSatisfy { $0 >= 0x30 && $0 <= 0x39 } })
    else { return nil }
    let digits = groups.joined()
    return digits.count == 1 || !digits.hasPrefix("0") ? digits : nil
  }

  private static func isKeyCharacter(_ character: Character) -> Bool {
    character.isASCII
      && (character.isLetter || character.isNumber || character == "_" || character == "-")
  }

  private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
    scalar.value < 0x20 && scalar != "\t" || scalar.value == 0x7F
  }
}
