internal import DTXCore
internal import DTXLinux

/// What the sender says of the transfer, signed if there is a key.
struct ReceiptOffer: Sendable {
  let bytes: [UInt8]
  /// Why it is not signed; nil when it is.
  let problem: String?

  /// Signs a statement with this user's key.
  ///
  /// - Parameter make: makes the statement with the public half of the key.
  init(_ make: (_ key: [UInt8]?) -> ReceiptStatement) {
    do throws(TransferError) {
      let key = try SigningKey.ofUser()
      let statement = make(key.publicKey)
      bytes = ReceiptCodec.offer(
        statement,
        signature: key.sign(ReceiptCodec.signedBytes(statement))
      )
      problem = nil
    } catch {
      bytes = ReceiptCodec.offer(make(nil), signature: nil)
      problem = "this end did not sign the receipt: \(error.sentence)"
    }
  }

  /// The whole receipt, with the receiver's answer.
  ///
  /// - Parameter answer: as it came.
  /// - Returns: a file's bytes, what it holds, and what there is to say of it.
  func completed(
    _ answer: ReceiptAnswer
  ) -> (bytes: [UInt8], receipt: Receipt?, notice: String?) {
    let alone = bytes + ReceiptCodec.answer(nil, signature: nil)
    var notice: String?
    switch answer {
    case .endorsed(let rest):
      let whole = bytes + rest
      if let receipt = try? ReceiptCodec.decode(whole), receipt.receiverFinding != .broken {
        return (whole, receipt, problem)
      }
      notice = "the receiver's endorsement of the receipt cannot be used"
    case .declined(let reason):
      notice = "the receiver did not endorse the receipt: \(printable(Array(reason.utf8)))"
    case .missing(let reason):
      notice = "the receiver was gone before it endorsed the receipt: \(reason)"
    }
    return (alone, try? ReceiptCodec.decode(alone), notice ?? problem)
  }
}

/// What the receiver makes of the sender's receipt.
struct ReceiptEndorsing {
  /// What is told to the sender.
  let answer: ReceiptAnswer
  /// What is kept, and what it holds; nil where nothing is.
  var bytes: [UInt8]?
  var receipt: Receipt?
  /// What this end's user should know.
  var notice: String?

  /// Compares what the sender says with what is known here, and endorses it.
  ///
  /// - Parameters:
  ///   - offer: as it came.
  ///   - own: what this end would say.
  ///   - make: makes the endorsement with the public half of this end's key.
  init(
    of offer: [UInt8],
    knowing own: ReceiptStatement,
    _ make: (_ key: [UInt8]?) -> ReceiptEndorsement
  ) {
    let offered: Receipt
    do throws(FormatError) {
      offered = try ReceiptCodec.decodeOffer(offer)
    } catch {
      answer = .declined("it is no receipt: \(error)")
      notice = "the sender's receipt is none: \(error)"
      return
    }
    let differences = offered.statement.differences(from: own)
    guard differences.isEmpty, offered.senderFinding != .broken else {
      let reason =
        differences.isEmpty
        ? "its signature is broken"
        : "this end knows otherwise of its \(differences.joined(separator: ", "))"
      answer = .declined(reason)
      notice = "the sender's receipt was not endorsed: \(reason)"
      return
    }
    let endorsement: ReceiptEndorsement
    var signature: [UInt8]?
    do throws(TransferError) {
      let key = try SigningKey.ofUser()
      endorsement = make(key.publicKey)
      signature = key.sign(offer + ReceiptCodec.signedBytes(endorsement))
    } catch {
      endorsement = make(nil)
      notice = "this end did not sign the receipt: \(error.sentence)"
    }
    let rest = ReceiptCodec.answer(endorsement, signature: signature)
    answer = .endorsed(rest)
    bytes = offer + rest
    receipt = Receipt(
      offered.statement,
      signature: offered.statementSignature,
      endorsement: endorsement,
      endorsementSignature: signature
    )
  }
}
