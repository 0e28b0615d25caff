/// One pattern of a filter: `*` and `?` stop at `/`, `**` does not, `[...]` is a set of bytes.
///
/// Matching follows all places in the pattern at once, so its time is at most the product of both
/// lengths: a peer may choose the pattern.
struct GlobPattern: Sendable {
  private enum Token: Sendable {
    case byte(UInt8)
    /// Any byte but `/`.
    case one
    case set([ClosedRange<UInt8>], isNegated: Bool)
    /// Any bytes, with `/` or without.
    case many(crossesSlash: Bool)
  }

  private let tokens: [Token]

  private static let slash = UInt8(ascii: "/")
  private static let star = UInt8(ascii: "*")

  /// Reads a pattern; a set without an end is taken byte by byte.
  init(_ pattern: some Collection<UInt8>) {
    var tokens: [Token] = []
    var rest = Array(pattern)[...]
    while let first = rest.popFirst() {
      switch first {
      case GlobPattern.star:
        let isDouble = rest.first == GlobPattern.star
        rest = rest.drop { $0 == GlobPattern.star }
        tokens.append(.many(crossesSlash: isDouble))
      case UInt8(ascii: "?"):
        tokens.append(.one)
      case UInt8(ascii: "["):
        if let (set, after) = GlobPattern.set(rest) {
          tokens.append(set)
          rest = after
        } else {
          tokens.append(.byte(first))
        }
      case UInt8(ascii: "\\"):
        tokens.append(.byte(rest.popFirst() ?? first))
      default:
        tokens.append(.byte(first))
      }
    }
    self.tokens = tokens
  }

  /// Whether the pattern matches the whole text.
  func matches(_ text: ArraySlice<UInt8>) -> Bool {
    // `places[i]`: what came so far is matched by the first `i` tokens.
    var places = Array(repeating: false, count: tokens.count + 1)
    places[0] = true
    passStars(&places)
    for byte in text {
      var next = Array(repeating: false, count: tokens.count + 1)
      for (index, token) in tokens.enumerated() where places[index] {
        if case .many(let crossesSlash) = token {
          if crossesSlash || byte != GlobPattern.slash { next[index] = true }
        } else if GlobPattern.takes(token, byte) {
          next[index + 1] = true
        }
      }
      places = next
      passStars(&places)
    }
    return places[tokens.count]
  }

  /// A star may match nothing.
  private func passStars(_ places: inout [Bool]) {
    for (index, token) in tokens.enumerated() where places[index] {
      if case .many = token { places[index + 1] = true }
    }
  }

  private static func takes(_ token: Token, _ byte: UInt8) -> Bool {
    switch token {
    case .byte(let expected): byte == expected
    case .one: byte != slash
    case .set(let ranges, let isNegated):
      byte != slash && ranges.contains { $0.contains(byte) } != isNegated
    case .many: false
    }
  }

  /// The set that begins here, behind its bracket, and what follows it; nil when it has no end.
  private static func set(_ pattern: ArraySlice<UInt8>) -> (Token, ArraySlice<UInt8>)? {
    var rest = pattern
    let isNegated = rest.first == UInt8(ascii: "!") || rest.first == UInt8(ascii: "^")
    if isNegated { rest = rest.dropFirst() }
    var ranges: [ClosedRange<UInt8>] = []
    var isFirst = true
    while let low = rest.popFirst() {
      if low == UInt8(ascii: "]"), !isFirst { return (.set(ranges, isNegated: isNegated), rest) }
      isFirst = false
      if rest.first == UInt8(ascii: "-"), let high = rest.dropFirst().first,
        high != UInt8(ascii: "]")
      {
        rest = rest.dropFirst(2)
        if low <= high { ranges.append(low...high) }
      } else {
        ranges.append(low...low)
      }
    }
    return nil
  }
}
