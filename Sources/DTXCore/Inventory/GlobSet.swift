/// A bracket expression of a pattern: single bytes, ranges of them, and POSIX's classes.
///
/// A class holds of ASCII what it holds in the C locale, and no other byte. The grammar is that of
/// rsync's `dowild`, also where others differ: a backslash escapes within brackets too, and a
/// hyphen behind a class or a range stands for itself.
struct GlobSet: Sendable {
  private var ranges: [ClosedRange<UInt8>] = []
  private var isNegated = false

  /// Holds nothing.
  static let none = GlobSet()

  private static let closing = UInt8(ascii: "]")
  private static let colon = UInt8(ascii: ":")

  private init() {}

  /// Reads a set, whose opening bracket has been taken, and takes it from the pattern.
  ///
  /// Nil when it has no end, or names a class that there is not.
  ///
  /// - Parameter pattern: what follows the bracket; afterwards, what follows the set.
  init?(takingFrom pattern: inout ArraySlice<UInt8>) {
    isNegated = pattern.first == UInt8(ascii: "!") || pattern.first == UInt8(ascii: "^")
    if isNegated { pattern.removeFirst() }
    var isFirst = true
    // The byte that a hyphen would make a range from.
    var low: UInt8?
    while let byte = pattern.popFirst() {
      if byte == GlobSet.closing, !isFirst { return }
      isFirst = false
      if byte == UInt8(ascii: "-"), let first = low, let next = pattern.first,
        next != GlobSet.closing
      {
        guard let last = GlobSet.unescaped(pattern.removeFirst(), &pattern) else { return nil }
        if first <= last { ranges.append(first...last) }
        low = nil
      } else if byte == UInt8(ascii: "["), let name = GlobSet.className(pattern) {
        guard let members = GlobSet.members(ofClass: name) else { return nil }
        ranges += members
        pattern = pattern[(name.endIndex + 2)...]
        low = nil
      } else {
        guard let single = GlobSet.unescaped(byte, &pattern) else { return nil }
        ranges.append(single...single)
        low = single
      }
    }
    return nil
  }

  func contains(_ byte: UInt8) -> Bool {
    ranges.contains { $0.contains(byte) } != isNegated
  }

  /// The byte itself, or the one that it escapes; nil where nothing follows.
  private static func unescaped(_ byte: UInt8, _ rest: inout ArraySlice<UInt8>) -> UInt8? {
    byte == UInt8(ascii: "\\") ? rest.popFirst() : byte
  }

  /// The name between `:` and `:]`, behind a bracket; nil when this is no class.
  private static func className(_ pattern: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
    guard pattern.first == colon else { return nil }
    let inside = pattern.dropFirst()
    guard let end = inside.firstIndex(of: closing), end > inside.startIndex,
      inside[end - 1] == colon
    else { return nil }
    return inside[..<(end - 1)]
  }

  private static func members(ofClass name: ArraySlice<UInt8>) -> [ClosedRange<UInt8>]? {
    switch String(decoding: name, as: UTF8.self) {
    case "alnum": [0x30...0x39, 0x41...0x5A, 0x61...0x7A]
    case "alpha": [0x41...0x5A, 0x61...0x7A]
    case "blank": [0x09...0x09, 0x20...0x20]
    case "cntrl": [0x00...0x1F, 0x7F...0x7F]
    case "digit": [0x30...0x39]
    case "graph": [0x21...0x7E]
    case "lower": [0x61...0x7A]
    case "print": [0x20...0x7E]
    case "punct": [0x21...0x2F, 0x3A...0x40, 0x5B...0x60, 0x7B...0x7E]
    case "space": [0x09...0x0D, 0x20...0x20]
    case "upper": [0x41...0x5A]
    case "xdigit": [0x30...0x39, 0x41...0x46, 0x61...0x66]
    default: nil
    }
  }
}
