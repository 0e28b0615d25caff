internal import DTXCore
internal import DTXLinux
internal import Glibc

/// The journal on disk, written by the commit thread and, rarely, by the metadata thread.
///
/// After a record that could not be written whole, nothing more is appended: a reader would stop
/// before what follows.
final class JournalWriter: Sendable {
  private let state: StateDirectory
  private let session: UInt64
  private let blockByteCount: UInt64
  private let token: UInt64?
  private let journal: Guarded<Journal?>

  private struct Journal: Sendable {
    var file: File
    var nextSequence: UInt64
    var byteCount: UInt64
    /// Bytes that were left after the latest compaction.
    var liveByteCount: UInt64
    var isBroken = false
  }

  /// A journal up to this length is not compacted.
  private let longByteCount: UInt64

  /// Reads the journal that an earlier run left.
  static func replay(in state: StateDirectory) throws(TransferError) -> JournalReplay {
    try replayWithOpening(in: state).0
  }

  /// The same, and when the session began that wrote it: nanoseconds since 1970.
  static func replayWithOpening(
    in state: StateDirectory
  ) throws(TransferError) -> (JournalReplay, opened: Int64?) {
    let bytes = try TransferError.unless(
      "the journal in \(printable(state.directory.path)) cannot be read"
    ) { () throws(SystemError) in try read(in: state) }
    let replay = JournalReplay(bytes)
    // A session rewrites the journal when it begins, so its opening comes first.
    var reader = ByteReader(bytes)
    guard replay.recordCount > 0,
      (try? reader.raw("header", byteCount: JournalCodec.fileHeader.count)) != nil,
      let first = try? JournalCodec.decode(&reader),
      case .opened(_, let wallTime) = first.body
    else { return (replay, nil) }
    return (replay, wallTime)
  }

  /// Begins a session's journal: what the replay found to be live, then what is appended.
  ///
  /// - Parameters:
  ///   - replay: of the journal that is there.
  ///   - state: where it is.
  ///   - session: a random number that records bear.
  ///   - blockByteCount: the session's block length.
  ///   - token: that staged files bear; nil where a lock of the file system is enough.
  ///   - longByteCount: a journal up to this length is not compacted later. Compaction costs
  ///     reading all and writing what is live. Half a million records of 16 MiB blocks are 8 TB.
  /// - Throws: `.failed` when it cannot be written.
  init(
    _ replay: JournalReplay,
    in state: StateDirectory,
    session: UInt64,
    blockByteCount: UInt64,
    token: UInt64? = nil,
    longByteCount: UInt64 = 64 << 20
  ) throws(TransferError) {
    self.longByteCount = longByteCount
    self.state = state
    self.session = session
    self.blockByteCount = blockByteCount
    self.token = token
    do throws(SystemError) {
      let journal = try JournalWriter.rewrite(
        replay,
        in: state,
        session: session,
        epoch: 0,
        blockByteCount: blockByteCount,
        token: token
      )
      self.journal = Guarded(journal)
    } catch {
      throw JournalWriter.failure(state, error)
    }
  }

  /// Appends records in one write.
  ///
  /// - Throws: `.failed`; the journal is then of no further use to this run.
  func append(_ bodies: [JournalRecord.Body], epoch: UInt32) throws(TransferError) {
    guard !bodies.isEmpty else { return }
    do throws(SystemError) {
      try journal.withLock { journal throws(SystemError) in
        guard let present = journal else { return }
        guard !present.isBroken else { throw JournalWriter.broken(state) }
        var bytes: [UInt8] = []
        for (index, body) in bodies.enumerated() {
          let record = JournalRecord(
            epoch: epoch,
            sequence: present.nextSequence + UInt64(index),
            session: session,
            body: body
          )
          bytes.append(contentsOf: JournalCodec.encode(record))
        }
        // Broken until the write has succeeded.
        journal?.isBroken = true
        try present.file.append(bytes)
        journal?.isBroken = false
        journal?.nextSequence += UInt64(bodies.count)
        journal?.byteCount += UInt64(bytes.count)
      }
    } catch {
      throw JournalWriter.failure(state, error)
    }
  }

  /// Makes durable what was appended; after a failure nobody knows what was.
  func sync() throws(TransferError) {
    do throws(SystemError) {
      try journal.withLock { journal throws(SystemError) in
        guard let present = journal else { return }
        guard !present.isBroken else { throw JournalWriter.broken(state) }
        journal?.isBroken = true
        try present.file.syncData()
        journal?.isBroken = false
      }
    } catch {
      throw JournalWriter.failure(state, error)
    }
  }

  /// Rewrites a journal that is mostly done with; durable when it returns.
  func compactIfLarge(epoch: UInt32) throws(TransferError) {
    do throws(SystemError) {
      try journal.withLock { journal throws(SystemError) in
        guard let present = journal, !present.isBroken else { return }
        let limit = max(longByteCount, 2 * present.liveByteCount)
        guard present.byteCount > limit else { return }
        let replay = JournalReplay(try JournalWriter.read(in: state))
        // What was just written must read back whole; if it does not, the long one stays.
        guard replay.validByteCount == present.byteCount else { return }
        journal = try JournalWriter.rewrite(
          replay,
          in: state,
          session: session,
          epoch: epoch,
          blockByteCount: blockByteCount,
          token: token
        )
      }
    } catch {
      throw JournalWriter.failure(state, error)
    }
  }

  /// Removes the journal: all that it stood for is published.
  func remove() throws(SystemError) {
    try journal.withLock { journal throws(SystemError) in
      guard let present = journal else { return }
      journal = nil
      try state.remove(StateDirectory.Name.journal)
      try present.file.close()
    }
  }

  /// Writes a whole journal beside the old one and puts it in its place.
  private static func rewrite(
    _ replay: JournalReplay,
    in state: StateDirectory,
    session: UInt64,
    epoch: UInt32,
    blockByteCount: UInt64,
    token: UInt64?
  ) throws(SystemError) -> Journal {
    let bytes = replay.compacted(
      session: session,
      epoch: epoch,
      blockByteCount: blockByteCount,
      wallTime: Clock.wall(),
      token: token
    )
    let directory = state.directory
    try state.remove(StateDirectory.Name.newJournal)
    let file = try directory.openFile(StateDirectory.Name.newJournal, .append)
    try file.append(bytes)
    try file.sync()
    try directory.rename(StateDirectory.Name.newJournal, to: StateDirectory.Name.journal)
    try directory.sync()
    let recordCount = replay.files.reduce(UInt64(token == nil ? 1 : 2)) {
      $0 + UInt64($1.extents.count)
    }
    return Journal(
      file: file,
      nextSequence: recordCount,
      byteCount: UInt64(bytes.count),
      liveByteCount: UInt64(bytes.count)
    )
  }

  private static func read(in state: StateDirectory) throws(SystemError) -> [UInt8] {
    let name = StateDirectory.Name.journal
    guard let status = try state.directory.statusIfPresent(of: name) else { return [] }
    guard status.kind == .regular else { return [] }
    let file = try state.directory.openFile(name, .read)
    // A damaged file system may tell any length; behind a hole there is no record of ours.
    let longest = min(status.byteCount, Limits.journalByteCount)
    let first = try file.dataRanges(upTo: longest).first { $0.lowerBound == 0 }
    return try file.read(byteCount: Int(first?.upperBound ?? 0), at: 0)
  }

  private static func broken(_ state: StateDirectory) -> SystemError {
    SystemError(
      operation: "append",
      subject: "\(printable(state.directory.path))/journal",
      number: EIO
    )
  }

  private static func failure(_ state: StateDirectory, _ error: SystemError) -> TransferError {
    TransferError(
      "the journal in \(printable(state.directory.path)) cannot be written",
      error,
      remedy: "what was acknowledged before is safe: run the same command again"
    )
  }
}
