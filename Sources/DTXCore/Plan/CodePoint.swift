/// The mark in each packet's header by which networks tell classes of traffic apart: the
/// differentiated services code point of RFC 2474.
package struct CodePoint: Equatable, Sendable {
  /// 0 to 63.
  package let value: UInt8

  /// Makes a mark from its number.
  ///
  /// - Parameter value: nil comes of one above 63.
  package init?(value: UInt8) {
    guard value <= 63 else { return nil }
    self.value = value
  }

  /// Reads a mark as people write it: a name of an RFC in any case, or its number.
  ///
  /// - Parameter text: nil comes of one that is neither.
  package init?(_ text: String) {
    let name = text.lowercased()
    if let known = CodePoint.names.first(where: { $0.name == name }) {
      value = known.value
      return
    }
    let isNumber = !text.isEmpty && text.utf8.allSatisfy { $0 >= 0x30 && $0 <= 0x39 }
    guard isNumber, let number = UInt8(text), number <= 63 else { return nil }
    value = number
  }

  /// The mark in the octet that IPv4 calls type of service, IPv6 traffic class; the lower two bits
  /// are those of congestion notification (RFC 3168).
  package var typeOfService: UInt8 { value << 2 }

  /// The mark of such an octet.
  package init(typeOfService: UInt8) {
    value = typeOfService >> 2
  }

  /// Class selectors (RFC 2474), assured forwarding (RFC 2597), expedited forwarding (RFC 3246),
  /// voice-admit (RFC 5865) and lower effort (RFC 8622).
  private static let names: [(name: String, value: UInt8)] = {
    var names: [(name: String, value: UInt8)] = (0..<8).map { ("cs\($0)", $0 * 8) }
    for group in UInt8(1)...4 {
      for precedence in UInt8(1)...3 {
        names.append(("af\(group)\(precedence)", group * 8 + precedence * 2))
      }
    }
    return names + [("ef", 46), ("va", 44), ("le", 1)]
  }()
}

extension CodePoint: CustomStringConvertible {
  /// The name, or the number of a mark without one.
  package var description: String {
    CodePoint.names.first { $0.value == value }?.name ?? "\(value)"
  }
}
