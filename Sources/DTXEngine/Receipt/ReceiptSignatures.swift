internal import Crypto
package import DTXCore

/// What an end's signature on a receipt is worth.
package enum SignatureFinding: Equatable, Sendable {
  /// The end had no key, or did not agree.
  case missing
  /// The key signed these very bytes.
  case valid(PublicKeyText)
  /// It is no signature of these bytes by the key that they name.
  case broken
}

extension Receipt {
  /// What the sender's signature is worth.
  package var senderFinding: SignatureFinding {
    let bytes = ReceiptCodec.signedBytes(statement)
    return Receipt.finding(statementSignature, by: statement.sender.key, over: bytes)
  }

  /// What the receiver's signature is worth.
  package var receiverFinding: SignatureFinding {
    guard let endorsement else { return .missing }
    let bytes =
      ReceiptCodec.offer(statement, signature: statementSignature)
      + ReceiptCodec.signedBytes(endorsement)
    return Receipt.finding(endorsementSignature, by: endorsement.receiver.key, over: bytes)
  }

  private static func finding(
    _ signature: [UInt8]?,
    by key: [UInt8]?,
    over bytes: [UInt8]
  ) -> SignatureFinding {
    guard let signature else { return .missing }
    guard let key, let open = try? Curve25519.Signing.PublicKey(rawRepresentation: key),
      open.isValidSignature(signature, for: bytes)
    else { return .broken }
    return .valid(PublicKeyText(key))
  }
}
