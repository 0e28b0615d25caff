/// A receipt's bytes: dtx-receipt(5).
///
/// They are canonical: a receipt has one encoding, and what decodes encodes to the same bytes. So a
/// signature is checked over what encoding gives.
package enum ReceiptCodec {
  private static let magic = Array("DTXRCPT1".utf8)
  /// An Ed25519 signature and a public key: RFC 8032, section 5.1.
  package static let signatureByteCount = 64
  package static let keyByteCount = 32

  /// What the sender's signature covers: the beginning of a file.
  package static func signedBytes(_ statement: ReceiptStatement) -> [UInt8] {
    var body = ByteWriter()
    encode(statement, into: &body)
    var writer = ByteWriter(reservingCapacity: body.byteCount + 16)
    writer.appendRaw(magic)
    writer.appendCounted(body.bytes)
    return writer.bytes
  }

  /// What the sender offers, and what the receiver's answer is put behind.
  package static func offer(_ statement: ReceiptStatement, signature: [UInt8]?) -> [UInt8] {
    var writer = ByteWriter()
    writer.appendRaw(signedBytes(statement))
    append(signature: signature, &writer)
    return writer.bytes
  }

  /// What the receiver's signature covers behind the offer.
  package static func signedBytes(_ endorsement: ReceiptEndorsement) -> [UInt8] {
    var body = ByteWriter()
    encode(endorsement.receiver, into: &body)
    body.append(endorsement.endorsed)
    body.appendVarint(endorsement.offPlanBlockCount)
    body.appendVarint(endorsement.epochCount)
    body.appendVarint(endorsement.syncNanoseconds)
    var writer = ByteWriter()
    writer.append(true)
    writer.appendCounted(body.bytes)
    return writer.bytes
  }

  /// What follows the offer in a file; without an endorsement it says so.
  package static func answer(_ endorsement: ReceiptEndorsement?, signature: [UInt8]?) -> [UInt8] {
    var writer = ByteWriter()
    if let endorsement {
      writer.appendRaw(signedBytes(endorsement))
      append(signature: signature, &writer)
    } else {
      writer.append(false)
    }
    return writer.bytes
  }

  /// A whole file.
  package static func encode(_ receipt: Receipt) -> [UInt8] {
    offer(receipt.statement, signature: receipt.statementSignature)
      + answer(receipt.endorsement, signature: receipt.endorsementSignature)
  }

  /// Reads a whole file.
  package static func decode(_ bytes: [UInt8]) throws(FormatError) -> Receipt {
    var reader = ByteReader(bytes)
    var receipt = try offer(&reader)
    if try reader.flag("endorsed") {
      let body = try reader.counted("endorsement", maximum: Limits.receiptByteCount)
      var inner = ByteReader(body)
      receipt.endorsement = try endorsement(&inner)
      try inner.finish("endorsement")
      receipt.endorsementSignature = try signature(&reader)
    }
    try reader.finish("receipt")
    return receipt
  }

  /// Reads what a sender offers.
  package static func decodeOffer(_ bytes: [UInt8]) throws(FormatError) -> Receipt {
    var reader = ByteReader(bytes)
    let receipt = try offer(&reader)
    try reader.finish("receipt")
    return receipt
  }

  private static func offer(_ reader: inout ByteReader) throws(FormatError) -> Receipt {
    guard try reader.raw("magic", byteCount: 8).elementsEqual(magic) else {
      throw FormatError(offset: 0, field: "magic", problem: .invalid("this is no receipt"))
    }
    let body = try reader.counted("statement", maximum: Limits.receiptByteCount)
    var inner = ByteReader(body)
    let statement = try statement(&inner)
    try inner.finish("statement")
    return Receipt(statement, signature: try signature(&reader))
  }

  // MARK: - Parts of both

  private static func append(signature: [UInt8]?, _ writer: inout ByteWriter) {
    writer.append(signature != nil)
    if let signature {
      precondition(signature.count == signatureByteCount, "a signature of \(signature.count) bytes")
      writer.appendRaw(signature)
    }
  }

  private static func signature(_ reader: inout ByteReader) throws(FormatError) -> [UInt8]? {
    guard try reader.flag("signed") else { return nil }
    return Array(try reader.raw("signature", byteCount: signatureByteCount))
  }

  private static func encode(_ party: ReceiptParty, into writer: inout ByteWriter) {
    writer.appendCounted(party.implementation, maximum: 255)
    writer.appendCounted(party.host, maximum: 255)
    let paths = party.paths.prefix(Limits.receiptPathCount)
    writer.appendVarint(paths.count)
    for path in paths { writer.appendCounted(path.prefix(Limits.pathByteCount)) }
    writer.append(party.key != nil)
    if let key = party.key {
      precondition(key.count == keyByteCount, "a key of \(key.count) bytes")
      writer.appendRaw(key)
    }
  }

  private static func party(_ reader: inout ByteReader) throws(FormatError) -> ReceiptParty {
    let implementation = try reader.text("implementation", maximum: 255)
    let host = try reader.text("host", maximum: 255)
    var paths: [[UInt8]] = []
    for _ in 0..<(try reader.count("path count", maximum: Limits.receiptPathCount)) {
      paths.append(Array(try reader.counted("path", maximum: Limits.pathByteCount)))
    }
    var key: [UInt8]?
    if try reader.flag("key") { key = Array(try reader.raw("key", byteCount: keyByteCount)) }
    return ReceiptParty(implementation: implementation, host: host, paths: paths, key: key)
  }

  private static func endorsement(
    _ reader: inout ByteReader
  ) throws(FormatError) -> ReceiptEndorsement {
    let receiver = try party(&reader)
    var endorsement = ReceiptEndorsement(
      receiver: receiver,
      endorsed: try reader.int64("endorsed")
    )
    endorsement.offPlanBlockCount = try reader.varint("blocks off plan")
    endorsement.epochCount = try reader.varint("epochs")
    endorsement.syncNanoseconds = try reader.varint("sync time")
    return endorsement
  }

  // MARK: - The statement

  private static func encode(_ statement: ReceiptStatement, into writer: inout ByteWriter) {
    encode(statement.sender, into: &writer)
    writer.append(statement.started)
    writer.appendVarint(statement.nanoseconds)
    writer.append(statement.predictedNanoseconds)
    writer.append(statement.roots.content, .sha256)
    writer.append(statement.roots.full, .sha256)
    for count in [
      statement.blockByteCount, statement.entryCount, statement.fileCount, statement.byteCount,
      statement.movedByteCount, statement.movedBlockCount, statement.resentByteCount,
      statement.skippedByteCount, statement.unreadByteCount, statement.missingCount,
    ] { writer.appendVarint(count) }
    writer.appendVarint(statement.missing.count)
    for entry in statement.missing {
      writer.appendCounted(entry.path.prefix(Limits.pathByteCount))
      writer.append(entry.failure.rawValue)
      writer.appendCounted(entry.reason, maximum: 1000)
    }
    writer.append(statement.verification.rawValue)
    writer.append(statement.cipher.rawValue)
    writer.append(statement.usesShellLane)
    writer.append(statement.compression.rawValue)
    writer.append(statement.planDigest, .xxh3)
    writer.append(statement.generation)
    writer.appendVarint(statement.lanes.count)
    for lane in statement.lanes { LaneStatementCodec.encode(lane, into: &writer) }
    writer.appendVarint(statement.progress.count)
    for interval in statement.progress {
      writer.appendVarint(interval.nanoseconds)
      writer.appendVarint(interval.durableByteCount)
    }
  }

  private static func statement(
    _ reader: inout ByteReader
  ) throws(FormatError) -> ReceiptStatement {
    let sender = try party(&reader)
    let started = try reader.int64("started")
    let nanoseconds = try reader.varint("duration")
    let predicted = try reader.optionalVarint("predicted duration")
    let roots = Roots(
      content: try reader.digest("content root", .sha256),
      full: try reader.digest("root", .sha256)
    )
    var statement = ReceiptStatement(sender: sender, started: started, roots: roots)
    statement.nanoseconds = nanoseconds
    statement.predictedNanoseconds = predicted
    statement.blockByteCount = try reader.varint("block size")
    statement.entryCount = try reader.varint("entries")
    statement.fileCount = try reader.varint("files")
    statement.byteCount = try reader.varint("bytes")
    statement.movedByteCount = try reader.varint("bytes moved")
    statement.movedBlockCount = try reader.varint("blocks moved")
    statement.resentByteCount = try reader.varint("bytes resent")
    statement.skippedByteCount = try reader.varint("bytes skipped")
    statement.unreadByteCount = try reader.varint("bytes unread")
    statement.missingCount = try reader.varint("missing entries")
    // Each takes three bytes at least.
    let missingCount = try reader.count("missing count", maximum: Limits.receiptMissingByteCount)
    for _ in 0..<missingCount { statement.missing.append(try missing(&reader)) }
    statement.verification = try reader.value("verification", VerificationLevel.init)
    statement.cipher = try reader.value("cipher", Cipher.init)
    statement.usesShellLane = try reader.flag("through shell")
    statement.compression = try reader.value("compression", Compression.init)
    statement.planDigest = try reader.digest("plan", .xxh3)
    statement.generation = try reader.uint32("generation")
    let laneCount = try reader.count("lane count", maximum: Limits.laneCount)
    for _ in 0..<laneCount { statement.lanes.append(try LaneStatementCodec.decode(&reader)) }
    let count = try reader.count("interval count", maximum: Limits.receiptIntervalCount)
    for _ in 0..<count {
      statement.progress.append(
        ProgressInterval(
          nanoseconds: try reader.varint("interval"),
          durableByteCount: try reader.varint("bytes durable")
        )
      )
    }
    return statement
  }

  private static func missing(_ reader: inout ByteReader) throws(FormatError) -> MissingEntry {
    MissingEntry(
      path: Array(try reader.counted("path", maximum: Limits.pathByteCount)),
      failure: try reader.value("failure", EntryFailure.init),
      reason: try reader.text("reason", maximum: 1000)
    )
  }
}

extension ByteReader {
  /// A byte that stands for one of a few values.
  mutating func value<Value>(
    _ field: String,
    _ make: (UInt8) -> Value?
  ) throws(FormatError) -> Value {
    let start = offset
    let raw = try byte(field)
    guard let value = make(raw) else {
      throw FormatError(offset: start, field: field, problem: .unexpected(found: UInt64(raw)))
    }
    return value
  }

  /// A flag, and behind a set one a varint.
  mutating func optionalVarint(_ field: String) throws(FormatError) -> UInt64? {
    try flag(field) ? try varint(field) : nil
  }
}

extension ByteWriter {
  /// A flag, and behind a set one a varint.
  mutating func append(_ value: UInt64?) {
    append(value != nil)
    if let value { appendVarint(value) }
  }
}
