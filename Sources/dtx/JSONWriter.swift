/// A JSON value whose integers are exact and whose members keep their order.
enum JSONValue: Sendable {
  case null
  case bool(Bool)
  /// Any integer that fits 128 bits; many readers are exact only up to 2^53.
  case number(Int128)
  /// Seconds with nine decimals, from nanoseconds.
  case seconds(UInt64)
  case string(String)
  case array([JSONValue])
  case object([(String, JSONValue)])

  static func integer(_ value: some BinaryInteger) -> JSONValue {
    .number(Int128(clamping: value))
  }

  /// The value, or null without one.
  static func optional<Value>(_ value: Value?, _ make: (Value) -> JSONValue) -> JSONValue {
    value.map(make) ?? .null
  }

  /// The member for a name that may be any bytes: `key` when it is UTF-8, else `key_base64`.
  static func name(_ key: String, _ bytes: [UInt8]) -> (String, JSONValue) {
    if let text = String(validating: bytes, as: UTF8.self) { return (key, .string(text)) }
    return (key + "_base64", .string(JSONWriter.base64(bytes)))
  }

  /// The member for an entry's path below the dataset's root, which itself is `.`.
  static func path(_ bytes: [UInt8]) -> (String, JSONValue) {
    name("path", bytes.isEmpty ? [UInt8(ascii: ".")] : bytes)
  }

  /// The value as one line without its end.
  var line: String {
    var writer = JSONWriter()
    writer.write(self)
    return writer.text
  }
}

/// Puts JSON values into text, without any space between.
struct JSONWriter {
  private(set) var text = ""

  mutating func write(_ value: JSONValue) {
    switch value {
    case .null: text += "null"
    case .bool(let flag): text += flag ? "true" : "false"
    case .number(let number): text += String(number)
    case .seconds(let nanoseconds): writeSeconds(nanoseconds)
    case .string(let string): writeString(string)
    case .array(let elements):
      text += "["
      for (index, element) in elements.enumerated() {
        if index > 0 { text += "," }
        write(element)
      }
      text += "]"
    case .object(let members):
      text += "{"
      for (index, member) in members.enumerated() {
        if index > 0 { text += "," }
        writeString(member.0)
        text += ":"
        write(member.1)
      }
      text += "}"
    }
  }

  private mutating func writeSeconds(_ nanoseconds: UInt64) {
    let fraction = String(nanoseconds % 1_000_000_000)
    text += "\(nanoseconds / 1_000_000_000)."
    text += String(repeating: "0", count: 9 - fraction.count) + fraction
  }

  /// Escapes what JSON demands, and what would disturb a terminal that the line is shown on.
  private mutating func writeString(_ string: String) {
    text += "\""
    for scalar in string.unicodeScalars {
      switch scalar {
      case "\"": text += "\\\""
      case "\\": text += "\\\\"
      default:
        if JSONWriter.isHarmless(scalar) {
          text.unicodeScalars.append(scalar)
        } else {
          for unit in UTF16.encode(scalar) ?? UTF16.encodedReplacementCharacter {
            let digits = String(unit, radix: 16)
            text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
          }
        }
      }
    }
    text += "\""
  }

  private static func isHarmless(_ scalar: Unicode.Scalar) -> Bool {
    if scalar.value >= 0x20, scalar.value < 0x7F { return true }
    switch scalar.properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator: return false
    default: return true
    }
  }

  /// Base64 of RFC 4648, section 4, with padding.
  static func base64(_ bytes: [UInt8]) -> String {
    let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
    var text = ""
    for start in stride(from: 0, to: bytes.count, by: 3) {
      let group = Array(bytes[start..<min(start + 3, bytes.count)])
      var word: UInt32 = 0
      for index in 0..<3 { word = word << 8 | UInt32(index < group.count ? group[index] : 0) }
      for index in 0..<4 {
        let letter = letters[Int(word >> UInt32(18 - 6 * index) & 63)]
        text.append(index <= group.count ? letter : "=")
      }
    }
    return text
  }
}
