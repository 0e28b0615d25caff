internal import DTXCore
internal import DTXLinux

/// The steps from a path to a destination that is ready for its first segment.
struct DestinationOpening {
  let options: DestinationOptions
  let topNames: [[UInt8]]
  let key: String
  let root: OpenDirectory?
  /// The directories above it that this run has made, and itself, from the top.
  let madeRoots: [[UInt8]]
  /// Of a root that is not there: the nearest directory that is.
  let nearest: Directory?
  private(set) var replay = JournalReplay([])
  /// Whether an earlier run ended before its end.
  private(set) var isContinued = false
  private(set) var timeGranularity: Int64 = 1
  /// Of a name on the root's file system; nil where that does not say.
  private(set) var nameByteCountMaximum: Int?
  private(set) var carried: [CarriedDigests] = []
  private(set) var notices: [String] = []
  private(set) var writing: Destination.Writing?

  /// Opens the root and the state; a dry run takes what it finds and changes nothing.
  init(
    _ path: [UInt8],
    topNames: [[UInt8]],
    session: UInt64,
    options: DestinationOptions
  ) throws(TransferError) {
    self.options = options
    self.topNames = topNames
    key = StagedName.key(topNames: topNames)
    let missing = DestinationRoot.missing(path, within: options.confinement)
    madeRoots = options.isDryRun ? [] : missing
    nearest = missing.isEmpty ? nil : DestinationRoot.nearest(path, within: options.confinement)
    let directory = try DestinationRoot.open(
      path,
      creates: !options.isDryRun,
      isContents: topNames == [[]],
      within: options.confinement
    )
    guard let directory else {
      root = nil
      return
    }
    let status = try TransferError.unless("destination \(printable(path)) cannot be used") {
      () throws(SystemError) in try directory.status(of: [])
    }
    let root = OpenDirectory(directory: directory, device: status.device)
    self.root = root
    nameByteCountMaximum = (try? directory.nameByteCountMaximum()) ?? nil
    if options.verification == .media, let reason = EpochReadBack.refusal(at: directory) {
      throw TransferError(
        .failed,
        "destination \(printable(path)) cannot be verified on media",
        cause: reason,
        remedy: "nothing was moved; --verify durable goes as far as can be"
      )
    }
    let state = try StateDirectory.open(
      root: directory,
      key: key,
      stateDirectory: options.stateDirectory,
      creates: !options.isDryRun
    )
    guard let state else { return }
    if options.isDryRun {
      try takeReplay(state)
      timeGranularity = DestinationOpening.rememberedGranularity(state)
    } else {
      try beginWriting(state, root, session)
    }
    openCarried(state)
  }

  private mutating func beginWriting(
    _ state: StateDirectory,
    _ root: OpenDirectory,
    _ session: UInt64
  ) throws(TransferError) {
    let lock = try DestinationLock.take(in: state)
    try takeReplay(state)
    let place = "state directory \(printable(state.directory.path))"
    try TransferError.unless("\(place) cannot be used", remedy: "nothing was moved") {
      () throws(SystemError) in
      try probe(state, lock, root.directory)
      try DestinationOpening.keepEarlierManifest(in: state)
    }
    adoptStaged(in: root.directory, as: lock.token)
    // The journal is the successor's by now if that took too long.
    try lock.check()
    let journal = try JournalWriter(
      replay,
      in: state,
      session: session,
      blockByteCount: options.blockByteCount,
      token: lock.token
    )
    writing = Destination.Writing(
      state: state,
      lock: lock,
      journal: journal,
      policy: SyncPolicy(root: root)
    )
  }

  /// Gives the staged files that the journal knows the names that this owner stages under.
  ///
  /// An owner before this one that has slept through its end finds them no more. One that did not
  /// come to writing its journal may have renamed some of them. What is not found is sent again.
  private func adoptStaged(in root: Directory, as token: UInt64?) {
    guard replay.token != token else { return }
    func stagedName(_ token: UInt64?) -> StagedName {
      StagedName(key: key, token: token, byteCountMaximum: nameByteCountMaximum)
    }
    let new = stagedName(token)
    let between = (replay.token ?? 0) + 1..<max(token ?? 0, (replay.token ?? 0) + 1)
    let old =
      [stagedName(replay.token)]
      + between.suffix(DestinationOpening.unwrittenOwnerCount).map { stagedName($0) }
    for file in replay.files {
      let path = file.identity.path
      let slash = path.lastIndex(of: UInt8(ascii: "/")).map { $0 + 1 } ?? 0
      func staged(_ name: StagedName) -> [UInt8] {
        Array(path[..<slash]) + name.name(for: path[slash...])
      }
      for name in old where (try? root.rename(staged(name), to: staged(new))) != nil { break }
    }
  }

  /// Owners in a row that ended between their claim and their journal, at most.
  private static let unwrittenOwnerCount = 16

  private mutating func takeReplay(_ state: StateDirectory) throws(TransferError) {
    isContinued = state.contains(StateDirectory.Name.journal)
    replay = try JournalWriter.replay(in: state)
    if case .torn(let offset, let reason) = replay.end {
      notices.append(
        "the journal ends at byte \(offset) (\(reason)); what it said behind that is sent again"
      )
    }
    if let earlier = replay.blockByteCount, earlier != options.blockByteCount,
      !replay.files.isEmpty
    {
      notices.append(
        "an earlier run used blocks of \(earlier) bytes; its files in part are sent again"
      )
    }
  }

  /// Finds out what the root's file system keeps of times.
  ///
  /// The lock's file serves for it where it is on that file system, and keeps the probe's time.
  private mutating func probe(
    _ state: StateDirectory,
    _ lock: DestinationLock,
    _ root: Directory
  ) throws(SystemError) {
    let isOnRoot = try lock.file.status().device == root.status(of: []).device
    if state.isBelowRoot, isOnRoot {
      timeGranularity = try TimeGranularity.probe(lock.file)
      return
    }
    let staged = StagedName(key: key)
    let name = staged.name(for: Array("probe".utf8)[...])
    let before = try root.status(of: []).modified
    let file = try root.openFile(name, .create)
    timeGranularity = try TimeGranularity.probe(file)
    try root.unlink(name)
    try? root.setTimes(of: [], modified: before)
  }

  /// A dry run cannot probe; a run before it has left what it found in the lock's time.
  private static func rememberedGranularity(_ state: StateDirectory) -> Int64 {
    guard state.isBelowRoot,
      let lock = (try? state.directory.statusIfPresent(of: StateDirectory.Name.lock)) ?? nil
    else { return 1 }
    return TimeGranularity.granularity(of: lock.modified) ?? 1
  }

  /// Keeps an interrupted run's manifest, which knows the digests of what had been sealed.
  ///
  /// The longer one, if a run before that was interrupted as well.
  private static func keepEarlierManifest(in state: StateDirectory) throws(SystemError) {
    let directory = state.directory
    let partial = try directory.statusIfPresent(of: StateDirectory.Name.manifestPartial)
    guard let partial else { return }
    let earlier = try directory.statusIfPresent(of: StateDirectory.Name.manifestEarlier)
    guard partial.byteCount > earlier?.byteCount ?? 0 else { return }
    try directory.rename(
      StateDirectory.Name.manifestPartial,
      to: StateDirectory.Name.manifestEarlier
    )
    if state.contains(StateDirectory.Name.identitiesPartial) {
      try directory.rename(
        StateDirectory.Name.identitiesPartial,
        to: StateDirectory.Name.identitiesEarlier
      )
    }
  }

  private mutating func openCarried(_ state: StateDirectory) {
    let pairs = [
      (StateDirectory.Name.manifest, StateDirectory.Name.identities),
      (StateDirectory.Name.manifestEarlier, StateDirectory.Name.identitiesEarlier),
    ]
    for (manifest, identities) in pairs where state.contains(manifest) {
      do throws(TransferError) {
        carried.append(
          try CarriedDigests(manifest: manifest, identities: identities, in: state.directory)
        )
      } catch {
        notices.append("\(error.summary): \(error.cause ?? "no reason is known")")
      }
    }
  }
}
