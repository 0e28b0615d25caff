/// The journal's bytes: dtx-journal(5).
///
/// A record carries its own length and checksum, so that a reader finds the end of what was
/// written without any other help.
package enum JournalCodec {
  /// What every journal begins with: magic and version, the digests' algorithm, seven zeros.
  package static let fileHeader: [UInt8] =
    Array("DTXJRNL1".utf8) + [DigestAlgorithm.xxh3.rawValue, 0, 0, 0, 0, 0, 0, 0]

  /// Type, epoch, sequence and session.
  private static let prefixByteCount = 1 + 4 + 8 + 8
  private static let checksumByteCount = 8

  /// A record's bytes, ready to be appended; its body has no `problem`.
  package static func encode(_ record: JournalRecord) -> [UInt8] {
    let problem = record.body.problem ?? ""
    precondition(problem.isEmpty, "a journal record with \(problem)")
    let payload = payload(of: record.body)
    let byteCount = prefixByteCount + payload.count + checksumByteCount
    precondition(
      byteCount <= Limits.journalRecordByteCount,
      "a journal record of \(byteCount) bytes, not \(Limits.journalRecordByteCount) at the most"
    )
    var writer = ByteWriter(reservingCapacity: 4 + byteCount)
    writer.append(UInt32(byteCount))
    writer.append(record.body.kind.rawValue)
    writer.append(record.epoch)
    writer.append(record.sequence)
    writer.append(record.session)
    writer.appendRaw(payload)
    writer.appendRaw(checksum(of: writer.bytes))
    return writer.bytes
  }

  /// Reads the record that begins at the reader's place.
  ///
  /// Nothing of it is looked at before its checksum holds; the error's offset is then that of the
  /// field in question, else that of the record's length.
  package static func decode(_ reader: inout ByteReader) throws(FormatError) -> JournalRecord {
    let start = reader.offset
    let byteCount = UInt64(try reader.uint32("record length"))
    func failure(_ problem: FormatError.Problem) -> FormatError {
      FormatError(offset: start, field: "record length", problem: problem)
    }
    guard byteCount > 0 else { throw failure(.invalid("zeros where a record would begin")) }
    guard byteCount <= UInt64(Limits.journalRecordByteCount) else {
      let allowed = UInt64(Limits.journalRecordByteCount)
      throw failure(.tooLarge(found: byteCount, allowed: allowed))
    }
    guard byteCount >= UInt64(prefixByteCount + checksumByteCount) else {
      throw failure(.invalid("\(byteCount) bytes are too few for a record"))
    }
    let coveredByteCount = Int(byteCount) - checksumByteCount
    let covered = try reader.raw("record", byteCount: coveredByteCount)
    let found = try reader.raw("record checksum", byteCount: checksumByteCount)
    let expected = checksum(of: Array(reader.bytes[start..<start + 4 + coveredByteCount]))
    guard found.elementsEqual(expected) else {
      throw FormatError(
        offset: start,
        field: "record checksum",
        problem: .invalid("it does not match")
      )
    }
    do throws(FormatError) {
      return try record(ByteReader(covered))
    } catch {
      throw FormatError(
        offset: start + 4 + error.offset,
        field: error.field,
        problem: error.problem
      )
    }
  }

  private static func checksum(of bytes: [UInt8]) -> [UInt8] {
    Digest.xxh3(of: bytes).bytes(checksumByteCount)
  }

  private static func payload(of body: JournalRecord.Body) -> [UInt8] {
    var writer = ByteWriter()
    switch body {
    case .opened(let blockByteCount, let wallTime):
      writer.append(blockByteCount)
      writer.append(wallTime)
    case .durable(let identity, let extent):
      writer.appendCounted(identity.path)
      writer.append(identity.byteCount)
      writer.append(identity.modified)
      writer.append(identity.sourceIdentity)
      writer.append(extent.offset)
      writer.append(extent.byteCount)
      writer.append(extent.digest, .xxh3)
    case .published(let path), .discarded(let path):
      writer.appendCounted(path)
    case .owned(let token):
      writer.append(token)
    }
    return writer.bytes
  }

  /// Takes apart what the checksum has vouched for; it may still be another version's.
  private static func record(_ covered: ByteReader) throws(FormatError) -> JournalRecord {
    var reader = covered
    let type = try reader.byte("record type")
    guard let kind = JournalRecord.Body.Kind(rawValue: type) else {
      throw FormatError(offset: 0, field: "record type", problem: .unexpected(found: UInt64(type)))
    }
    let epoch = try reader.uint32("epoch")
    let sequence = try reader.uint64("sequence")
    let session = try reader.uint64("session")
    let body = try body(kind, &reader)
    try reader.finish("record")
    if let problem = body.problem {
      throw FormatError(offset: prefixByteCount, field: "record", problem: .invalid(problem))
    }
    return JournalRecord(epoch: epoch, sequence: sequence, session: session, body: body)
  }

  private static func body(
    _ kind: JournalRecord.Body.Kind,
    _ reader: inout ByteReader
  ) throws(FormatError) -> JournalRecord.Body {
    switch kind {
    case .opened:
      let blockByteCount = try reader.uint64("block length")
      return .opened(blockByteCount: blockByteCount, wallTime: try reader.int64("wall time"))
    case .durable:
      let identity = FileIdentity(
        path: try path(&reader),
        byteCount: try reader.uint64("file length"),
        modified: try reader.int64("modification time"),
        sourceIdentity: try reader.uint64("source identity")
      )
      let extent = DurableExtent(
        offset: try reader.uint64("extent offset"),
        byteCount: try reader.uint32("extent length"),
        digest: try reader.digest("extent digest", .xxh3)
      )
      return .durable(identity, extent)
    case .published:
      return .published(path: try path(&reader))
    case .discarded:
      return .discarded(path: try path(&reader))
    case .owned:
      return .owned(token: try reader.uint64("token"))
    }
  }

  private static func path(_ reader: inout ByteReader) throws(FormatError) -> [UInt8] {
    Array(try reader.counted("path", maximum: Limits.pathByteCount))
  }
}
