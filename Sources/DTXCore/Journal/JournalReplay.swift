/// What a journal's bytes say: which extents of which staged files are durable.
///
/// The first record that is torn, damaged, out of sequence or zero ends the log, and all before it
/// counts: what the lost tail said is sent again, and nothing is believed that was not written.
/// The writer truncates the file to `validByteCount` before it appends, and writes
/// `JournalCodec.fileHeader` first when that is 0.
package struct JournalReplay: Equatable, Sendable {
  /// How the bytes ended.
  package enum End: Equatable, Sendable {
    /// With a whole record, with the header, or with nothing at all.
    case clean
    /// With something that is no record, at this offset.
    case torn(offset: Int, reason: FormatError)
  }

  /// Bytes of the header and of the records that count.
  package private(set) var validByteCount = 0
  package private(set) var end = End.clean
  /// Records that count.
  package private(set) var recordCount = 0
  /// The sequence of the record to be appended next.
  package private(set) var nextSequence: UInt64 = 0
  /// The latest record's epoch; nil without records.
  package private(set) var lastEpoch: UInt32?
  /// The latest record's session; nil without records.
  package private(set) var lastSession: UInt64?
  /// The block's length in the session that began last; nil when none has.
  package private(set) var blockByteCount: UInt64?
  /// The token that staged files bear in their names; nil where their names have none.
  package private(set) var token: UInt64?
  /// The files that are staged, in canonical order.
  package private(set) var files: [JournalFile] = []

  package init(_ bytes: [UInt8]) {
    guard !bytes.isEmpty else { return }
    let header = JournalCodec.fileHeader
    guard bytes.starts(with: header) else {
      let isShort = header.starts(with: bytes)
      let problem = isShort ? FormatError.Problem.truncated : .invalid("no journal of this version")
      end = .torn(offset: 0, reason: FormatError(offset: 0, field: "header", problem: problem))
      return
    }
    validByteCount = header.count
    var reader = ByteReader(bytes)
    do throws(FormatError) {
      _ = try reader.raw("header", byteCount: header.count)
      while !reader.isAtEnd {
        let record = try JournalCodec.decode(&reader)
        guard record.sequence == nextSequence else {
          throw FormatError(
            offset: validByteCount,
            field: "sequence",
            problem: .invalid("\(record.sequence) where \(nextSequence) follows")
          )
        }
        apply(record)
        validByteCount = reader.offset
      }
    } catch {
      end = .torn(offset: validByteCount, reason: error)
    }
  }

  /// What is known of the staged file of this path.
  package func file(at path: [UInt8]) -> JournalFile? {
    let index = firstIndex(from: path)
    guard index < files.count, files[index].identity.path == path else { return nil }
    return files[index]
  }

  /// A journal that says the same without what is done with: header, a session's opening, its token
  /// if it has one, and the live records, numbered from 0.
  ///
  /// It is written beside the old one, synced, and renamed over it.
  ///
  /// - Parameters:
  ///   - session: the session that compacts.
  ///   - epoch: that of all records in it.
  ///   - blockByteCount: the session's block length.
  ///   - wallTime: nanoseconds since 1970.
  ///   - token: that staged files bear now.
  /// - Returns: a whole journal.
  package func compacted(
    session: UInt64,
    epoch: UInt32,
    blockByteCount: UInt64,
    wallTime: Int64,
    token: UInt64? = nil
  ) -> [UInt8] {
    var bytes = JournalCodec.fileHeader
    var sequence: UInt64 = 0
    func append(_ body: JournalRecord.Body) {
      let record = JournalRecord(epoch: epoch, sequence: sequence, session: session, body: body)
      bytes.append(contentsOf: JournalCodec.encode(record))
      sequence += 1
    }
    append(.opened(blockByteCount: blockByteCount, wallTime: wallTime))
    if let token { append(.owned(token: token)) }
    for file in files {
      for extent in file.extents { append(.durable(file.identity, extent)) }
    }
    return bytes
  }

  private mutating func apply(_ record: JournalRecord) {
    recordCount += 1
    // A file would have to hold 2^64 records for this to wrap.
    nextSequence = record.sequence &+ 1
    lastEpoch = record.epoch
    lastSession = record.session
    switch record.body {
    case .opened(let blockByteCount, _):
      self.blockByteCount = blockByteCount
      // A session without a token says nothing of one.
      token = nil
    case .owned(let token):
      self.token = token
    case .durable(let identity, let extent):
      let index = firstIndex(from: identity.path)
      let isKnown = index < files.count && files[index].identity.path == identity.path
      if !isKnown {
        files.insert(JournalFile(identity: identity), at: index)
      } else if files[index].identity != identity {
        files[index] = JournalFile(identity: identity)
      }
      files[index].add(extent)
    case .published(let path), .discarded(let path):
      let index = firstIndex(from: path)
      if index < files.count, files[index].identity.path == path { files.remove(at: index) }
    }
  }

  /// The index of the first file whose path does not come before `path`.
  private func firstIndex(from path: [UInt8]) -> Int {
    var low = 0
    var high = files.count
    while low < high {
      let middle = (low + high) / 2
      if Inventory.precedes(files[middle].identity.path, path) {
        low = middle + 1
      } else {
        high = middle
      }
    }
    return low
  }
}
