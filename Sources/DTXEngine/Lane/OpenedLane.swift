package import DTXCore
package import DTXLinux

/// Which connection of which lane.
package struct LaneIdentity: Hashable, Sendable {
  /// The lane's index, below `Limits.laneCount`.
  package var lane: Int
  /// The connection's number.
  ///
  /// It rises with each attempt to open one and is never used again, however many connections the
  /// lane has at a time.
  package var number: UInt32

  /// Names a connection.
  package init(lane: Int, number: UInt32) {
    self.lane = lane
    self.number = number
  }
}

extension LaneIdentity: CustomStringConvertible {
  package var description: String { "lane \(lane), connection \(number)" }
}

/// A connection whose two ends have proven to each other that they know the session's secret.
///
/// `@unchecked Sendable`: sealer and opener belong to one thread at a time each. The thread that
/// opened the connection makes the value, hands it over once and keeps nothing of it; whoever
/// receives it gives the sealer to the thread that sends and the opener to the one that receives.
package struct OpenedLane: @unchecked Sendable {
  /// Without timeouts; its TCP options are set.
  package let socket: Socket
  package let identity: LaneIdentity
  package let cipher: Cipher
  /// Seals what this end sends.
  package let sealer: RecordSealer
  /// Opens what this end receives.
  package let opener: RecordOpener

  /// Derives the connection's keys.
  ///
  /// - Parameters:
  ///   - socket: after the opening.
  ///   - cipher: of the records.
  ///   - keys: where the keys come from; never used for another value of this type at this end.
  ///   - outgoing: the direction in which this end sends.
  init(socket: Socket, cipher: Cipher, keys: LaneKeys.Source, outgoing: LaneDirection) {
    self.socket = socket
    self.identity = keys.identity
    self.cipher = cipher
    sealer = RecordSealer(cipher: cipher, secret: LaneKeys.directionalSecret(keys, outgoing))
    opener = RecordOpener(
      cipher: cipher,
      secret: LaneKeys.directionalSecret(keys, outgoing.reversed)
    )
  }
}
