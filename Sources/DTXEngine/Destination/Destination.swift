internal import DTXCore
internal import DTXLinux

/// All that is done to the receiving tree.
///
/// The session decides what happens when; this performs it. `compare`, `prepare`, `seal`,
/// `finalize` and `storeManifest` are called from one metadata thread, in the session's order;
/// `commit` from one commit thread; `stage`, `StagedFile.write` and `finish` from many of the
/// storage's workers at once. What concerns one entry is a `FailedEntry`; a `TransferError` means that the
/// transfer cannot go on.
///
/// Everything below the root is reached from its descriptor and never through a link. Bytes are
/// written under a staged name beside the target, and renamed into place when they are durable.
package final class Destination: Sendable {
  let options: DestinationOptions
  /// Nil in a dry run whose destination does not exist, and where nothing is kept.
  let root: OpenDirectory?
  /// The directories above it that this run has made, and itself, from the top.
  let madeRoots: [[UInt8]]
  /// Of a root that is not there: the nearest directory that is.
  let nearest: Directory?
  let topNames: [[UInt8]]
  let stagedName: StagedName
  /// Nil in a dry run, and where nothing is kept.
  let writing: Writing?
  /// Where nothing is kept: there is neither root nor state, and nothing is touched.
  let discarding: Discarding?
  /// Where single blocks of files that are in place are put right; `discarding` seals these.
  let repairing: Repairing?
  let replay: JournalReplay
  /// Whether an earlier run ended before its end.
  let isContinued: Bool
  let timeGranularity: Int64
  /// How files are reached below the root.
  package let method: StorageMethod
  /// The file systems, as statx numbers them, on which every rename replaces what has the name.
  let replacingDevices = Guarded<Set<UInt64>>([])
  /// Segments from their comparison to their seal.
  let places = Guarded<[Int: SegmentPlace]>([:])
  /// Directories that were not there when their segment was compared and that the next one goes on
  /// in: what has come into them since is this run's own.
  let absentDirectories = Guarded<[[UInt8]]>([])
  let stagedFiles = StagedTable()
  let carried: Guarded<[CarriedDigests]>
  let sealing: Guarded<Sealing>
  private let counters = Guarded(DestinationStatistics())
  private let notices = Guarded<[String]>([])
  private let isCancelled = Guarded(false)
  /// Whether the end of this run removes what it has made.
  let withdrawing = Guarded(false)

  /// What a run that changes something has.
  struct Writing: Sendable {
    var state: StateDirectory
    var lock: DestinationLock
    var journal: JournalWriter
    var policy: SyncPolicy
  }

  /// Opens the root and the session's state, takes the lock, and reads what an earlier run left.
  ///
  /// Blocks for up to 15 s while another run that has lost its peer holds the lock, and for a minute
  /// to see that an owner on another host is gone.
  ///
  /// - Parameters:
  ///   - path: the receiving directory as the user wrote it; made with its parents if missing,
  ///     but for a dry run.
  ///   - topNames: the dataset's top-level names, ascending; one empty name for the contents of
  ///     one directory.
  ///   - session: a random number that the journal's records bear.
  ///   - options: what the user chose.
  /// - Returns: a destination that is ready for the first segment; `close` follows.
  /// - Throws: `.locked`, naming the holder; `.failed` when root or state cannot be used.
  package static func open(
    root path: [UInt8],
    topNames: [[UInt8]],
    session: UInt64,
    options: DestinationOptions
  ) throws(TransferError) -> Destination {
    Destination(
      try DestinationOpening(path, topNames: topNames, session: session, options: options)
    )
  }

  /// A destination that takes everything and keeps nothing.
  package static func discarding(_ options: DestinationOptions) -> Destination {
    Destination(rootless: options, nil)
  }

  /// A destination that takes what a tree's files lack of its manifest, and nothing else.
  ///
  /// - Parameters:
  ///   - repairing: the tree, and what it lacks; its lock goes with `close`.
  ///   - options: what the user chose.
  /// - Returns: a destination that is ready for the first segment.
  static func repairing(_ repairing: Repairing, _ options: DestinationOptions) -> Destination {
    Destination(rootless: options, repairing)
  }

  private init(rootless options: DestinationOptions, _ repairing: Repairing?) {
    self.options = options
    self.repairing = repairing
    root = nil
    madeRoots = []
    nearest = nil
    topNames = []
    stagedName = StagedName(key: StagedName.key(topNames: []))
    writing = nil
    discarding = Discarding(blockByteCount: options.blockByteCount)
    replay = JournalReplay([])
    isContinued = false
    timeGranularity = 1
    // There is nothing that could be waited for.
    method = StorageMethod(mechanism: .inline, isDirect: false)
    carried = Guarded([])
    sealing = Guarded(Sealing())
  }

  private init(_ opening: DestinationOpening) {
    discarding = nil
    repairing = nil
    options = opening.options
    root = opening.root
    madeRoots = opening.madeRoots
    nearest = opening.nearest
    topNames = opening.topNames
    stagedName = StagedName(
      key: opening.key,
      token: opening.writing?.lock.token ?? opening.replay.token,
      byteCountMaximum: opening.nameByteCountMaximum
    )
    writing = opening.writing
    replay = opening.replay
    isContinued = opening.isContinued
    timeGranularity = opening.timeGranularity
    method =
      opening.options.method
      ?? StorageMethod.choose(
        opening.options.storage,
        fileSystemType: try? opening.root?.directory.fileSystemType()
      )
    carried = Guarded(opening.carried)
    sealing = Guarded(Sealing())
    for notice in opening.notices { note(notice) }
  }

  /// The dataset's key: names the session's state and its staged files.
  package var key: String { stagedName.key }

  package var statistics: DestinationStatistics {
    counters.withLock { $0 }
  }

  /// What a person should know, since the last call; any thread.
  package func takeNotices() -> [String] {
    notices.withLock { notices in
      defer { notices = [] }
      return notices
    }
  }

  /// Tells the next run, on any thread, that this one will soon end, for its peer is gone.
  package func markPeerGone() {
    try? writing?.lock.write(.peerGone)
  }

  /// Ends a comparison, which may read for hours, from any thread; it throws `.interrupted`.
  package func cancel() {
    isCancelled.withLock { $0 = true }
  }

  /// Closes all files and gives the lock back, whatever else still refers to this.
  ///
  /// Called when all other calls have returned; a second call does nothing.
  package func close() {
    stagedFiles.removeAll()
    places.withLock { $0.removeAll() }
    removeTraces()
    writing?.lock.release()
    repairing?.close()
  }

  deinit {
    writing?.lock.release()
    repairing?.close()
  }

  /// What really ended a call that failed so: another run may have taken the destination.
  func cause(of error: TransferError) -> TransferError {
    writing?.lock.loss ?? repairing?.loss ?? error
  }

  // MARK: - Where nothing is changed

  /// Why something is not done at an append-only destination.
  static let addsAlone = "this destination changes nothing that is there"

  /// Whether a directory was there before, and so keeps its owner, mode and time.
  func isFixed(_ index: Int, in place: SegmentPlace) -> Bool {
    // The root may have been made by this very run.
    let isNewRoot = place.inventory.name(of: index).isEmpty && !madeRoots.isEmpty
    return options.isAppendOnly && place.action(of: index) == .keep && !isNewRoot
  }

  // MARK: - Parts that the others share

  func note(_ notice: String) {
    notices.withLock { $0.append(notice) }
  }

  func count(_ change: (inout DestinationStatistics) -> Void) {
    counters.withLock { change(&$0) }
  }

  func checkCancelled() throws(TransferError) {
    if isCancelled.withLock({ $0 }) {
      throw TransferError(.interrupted, "interrupted while the destination was compared")
    }
  }

  /// What a run has that may write; a dry run has no business in what asks for it.
  func requireWriting() -> Writing {
    guard let writing else { preconditionFailure("a dry run changes nothing") }
    return writing
  }

  func requireRoot() -> OpenDirectory {
    guard let root else { preconditionFailure("a run that writes has a root") }
    return root
  }

  func place(of segment: Int) -> SegmentPlace {
    guard let place = places.withLock({ $0[segment] }) else {
      preconditionFailure("segment \(segment) is not open at the destination")
    }
    return place
  }

  func metadata(of entry: Entry) -> EntryMetadata {
    EntryMetadata(entry, preservesOwner: options.preservesOwner)
  }

  /// Adds a call's duration to what syncs took.
  func timingSync<Result, Failure: Error>(
    _ body: () throws(Failure) -> Result
  ) throws(Failure) -> Result {
    let start = Clock.now()
    defer { count { $0.syncNanoseconds += Clock.now() - start } }
    return try body()
  }
}
