/// One pattern of a filter: `*` and `?` stop at `/`, `**` does not, `[...]` is a set of bytes.
///
/// What rsync cannot read, a set without an end or a class that there is not, matches nothing.
///
/// Matching follows all places in the pattern at once, so its time is at most the product of both
/// lengths: a peer may choose the pattern.
struct GlobPattern: Sendable {
  private enum Token: Sendable {
    case byte(UInt8)
    /// Any byte but `/`.
    case one
    case set(GlobSet)
    /// Any bytes, with `/` or without.
    case many(crossesSlash: Bool)
  }

  private let tokens: [Token]

  private static let slash = UInt8(ascii: "/")
  private static let star = UInt8(ascii: "*")

  init(_ pattern: some Collection<UInt8>) {
    tokens = GlobPattern.tokens(pattern) ?? [.set(.none)]
  }

  /// - Returns: the pattern's parts; nil when it cannot be read.
  private static func tokens(_ pattern: some Collection<UInt8>) -> [Token]? {
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
        guard let set = GlobSet(takingFrom: &rest) else { return nil }
        tokens.append(.set(set))
      case UInt8(ascii: "\\"):
        guard let escaped = rest.popFirst() else { return nil }
        tokens.append(.byte(escaped))
      default:
        tokens.append(.byte(first))
      }
    }
    return tokens
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
    case .set(let set): byte != slash && set.contains(byte)
    case .many: false
    }
  }
}
