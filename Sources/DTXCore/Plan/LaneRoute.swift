/// How a lane's packets find their way: what a network tells this lane from others by.
package struct LaneRoute: Equatable, Sendable {
  /// The initiator's address of the lane, in digits.
  package var bindAddress: String?
  /// The device to leave by at the initiator.
  package var interface: String?
  /// The mark of what both ends send.
  package var codePoint: CodePoint?
  /// How the data's sender reacts to losses; nil for its host's default.
  package var congestionControl: String?
  /// Where the lane is dialled, instead of where the others are.
  package var target: LaneTarget?

  package init() {}

  /// Whether the lane goes another way than one of which nothing is said.
  ///
  /// Marks and congestion control are set on whatever way it goes.
  package var hasAddresses: Bool { bindAddress != nil || interface != nil || target != nil }
}

/// An address of the end that listens, at which a lane is dialled.
package struct LaneTarget: Equatable, Sendable {
  /// A name or an address, IPv6 without brackets.
  package var host: String
  /// Nil for the port that this end listens on.
  package var port: UInt16?

  package init(host: String, port: UInt16?) {
    self.host = host
    self.port = port
  }

  /// Reads `host`, `host:port`, an IPv6 address, or one in brackets with or without a port.
  ///
  /// - Parameter text: nil comes of one that is none of these.
  package init?(_ text: String) {
    if text.hasPrefix("[") {
      guard let end = text.firstIndex(of: "]") else { return nil }
      let rest = text[text.index(after: end)...]
      guard rest.isEmpty || rest.hasPrefix(":") else { return nil }
      let host = text[text.index(after: text.startIndex)..<end]
      guard host.contains(":") else { return nil }
      self.init(host, port: rest.isEmpty ? nil : rest.dropFirst())
      return
    }
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    if parts.count == 2 {
      self.init(parts[0], port: parts[1])
    } else {
      self.init(text[...], port: nil)
    }
  }

  private init?(_ host: Substring, port: Substring?) {
    guard !host.isEmpty, host.utf8.count <= 255, !host.hasPrefix("-"),
      host.utf8.allSatisfy(LaneTarget.isHostByte)
    else { return nil }
    self.host = String(host)
    guard let port else { return }
    guard port.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }), let number = UInt16(port), number > 0
    else { return nil }
    self.port = number
  }

  /// Letters, digits, what names and addresses have between them, and a scope's percent sign.
  private static func isHostByte(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
    case UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: ":"),
      UInt8(ascii: "%"):
      true
    default: false
    }
  }
}

extension LaneTarget: CustomStringConvertible {
  package var description: String {
    let shown = host.contains(":") ? "[\(host)]" : host
    return port.map { "\(shown):\($0)" } ?? host
  }
}
