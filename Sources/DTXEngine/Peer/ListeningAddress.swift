internal import DTXLinux

/// Where an end listens for lanes, and whom it takes.
struct ListeningAddress: Equatable, Sendable {
  /// In digits.
  var host: String
  /// The only peer to take connections from; nil takes any that proves itself.
  var peer: String?
  /// What the other end may dial, likeliest first.
  var addresses: [String]

  /// For a far end on the same machine.
  static let loopback = ListeningAddress(
    host: "127.0.0.1",
    peer: "127.0.0.1",
    addresses: ["127.0.0.1"]
  )

  /// For an initiator whose far end is another host: which of its addresses leads back from there,
  /// nobody knows but the far end.
  static func anyAddress() -> ListeningAddress {
    ListeningAddress(host: "::", peer: nil, addresses: [Host.hostName])
  }

  /// Listens at all addresses, and takes whoever proves itself: lanes come on other ways than the
  /// control channel.
  mutating func takeAnyWay() {
    host = "::"
    peer = nil
  }

  /// The address that ssh came to, and the one that it came from: sshd(8), SSH_CONNECTION.
  static func fromEnvironment() -> ListeningAddress {
    let words = (Host.environment("SSH_CONNECTION") ?? "").split(separator: " ").map(String.init)
    guard words.count == 4 else {
      return ListeningAddress(host: "::", peer: nil, addresses: [Host.hostName])
    }
    return ListeningAddress(host: words[2], peer: words[0], addresses: [words[2]])
  }
}
