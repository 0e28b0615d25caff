internal import Crypto
internal import DTXCore

/// The secret of one direction of one connection; every key of that direction comes from it.
///
/// It goes to one sealer and one opener. Two sealers with one secret would seal different records
/// with the same nonces, which gives away both records and the power to forge others.
package struct DirectionalSecret: Sendable {
  package static let byteCount = 32

  let key: SymmetricKey

  init(key: SymmetricKey) {
    self.key = key
  }

  /// Takes a secret from memory, for tests and measurements.
  ///
  /// - Parameter bytes: 32 of them, copied.
  package init(bytes: [UInt8]) {
    precondition(bytes.count == Self.byteCount, "32 bytes are expected, not \(bytes.count)")
    key = SymmetricKey(data: bytes)
  }

  /// Lends the bytes.
  package func withUnsafeBytes<Result>(
    _ body: (UnsafeRawBufferPointer) throws -> Result
  ) rethrows -> Result {
    try key.withUnsafeBytes(body)
  }
}

/// Which way records travel, the initiator being the end that dialled; the values are part of the key schedule.
package enum LaneDirection: UInt8, Sendable, CaseIterable {
  case initiatorToResponder = 0
  case responderToInitiator = 1

  /// The other way.
  package var reversed: LaneDirection {
    switch self {
    case .initiatorToResponder: .responderToInitiator
    case .responderToInitiator: .initiatorToResponder
    }
  }
}

/// What is derived from the session secret, by HKDF-SHA256 (RFC 5869).
///
/// No two uses share a label, so that no message of one kind can stand for one of another, and a
/// message sent back to its author proves nothing.
package enum LaneKeys {
  /// What the keys of one connection are made of.
  package struct Source: Sendable {
    package var secret: SessionSecret
    /// The initiator's 32 bytes, then the responder's: fresh if either end has randomness.
    package var nonces: [UInt8]
    package var identity: LaneIdentity

    /// Names the parts.
    package init(secret: SessionSecret, nonces: [UInt8], identity: LaneIdentity) {
      self.secret = secret
      self.nonces = nonces
      self.identity = identity
    }
  }

  /// The keys that authenticate the three messages of an opening.
  enum OpeningLabel: String {
    case initiator = "dtx lane opening initiator"
    case responder = "dtx lane opening responder"
    case confirmation = "dtx lane opening confirmation"
  }

  /// The key of one kind of message.
  ///
  /// It is the same for all openings of a session: what makes one fresh is the nonces that the
  /// messages cover.
  static func openingKey(_ secret: SessionSecret, _ label: OpeningLabel) -> SymmetricKey {
    HKDF<SHA256>.deriveKey(
      inputKeyMaterial: secret.key,
      info: Array(label.rawValue.utf8),
      outputByteCount: 32
    )
  }

  /// The secret of one direction of one connection.
  package static func directionalSecret(
    _ source: Source,
    _ direction: LaneDirection
  ) -> DirectionalSecret {
    precondition(source.nonces.count == 64, "two nonces have 64 bytes, not \(source.nonces.count)")
    var info = ByteWriter(reservingCapacity: 16)
    info.appendRaw("dtx lane".utf8)
    info.append(UInt16(source.identity.lane))
    info.append(source.identity.number)
    info.append(direction.rawValue)
    let key = HKDF<SHA256>.deriveKey(
      inputKeyMaterial: source.secret.key,
      salt: source.nonces,
      info: info.bytes,
      outputByteCount: 32
    )
    return DirectionalSecret(key: key)
  }

  /// HKDF-Expand of a secret that is a pseudorandom key already (RFC 5869, section 2.3).
  static func expand(_ secret: SymmetricKey, _ label: String, byteCount: Int) -> SymmetricKey {
    HKDF<SHA256>.expand(
      pseudoRandomKey: secret,
      info: Array(label.utf8),
      outputByteCount: byteCount
    )
  }
}
