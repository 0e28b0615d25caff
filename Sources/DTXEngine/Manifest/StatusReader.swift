internal import DTXCore
internal import DTXLinux

/// Reads what sessions have left at a destination, and removes it when asked to.
package enum StatusReader {
  /// The sessions that a destination's state knows of, by their keys.
  ///
  /// - Parameters:
  ///   - directory: the destination.
  ///   - stateDirectory: where its state is kept; nil for its `.dtx`.
  /// - Returns: nothing where there is no state.
  /// - Throws: `.failed`, `.integrity` when what is there cannot be read.
  package static func read(
    directory: [UInt8],
    stateDirectory: [UInt8]?
  ) throws(TransferError) -> [SessionStatus] {
    var sessions: [SessionStatus] = []
    for state in try states(of: try open(directory), stateDirectory) {
      if let session = try status(of: state) { sessions.append(session) }
    }
    return sessions
  }

  /// Removes what sessions left that broke off: staged files, journals, partial manifests.
  ///
  /// Finished manifests stay, and so do published files. A session that a run holds is left alone;
  /// to see that an owner on another host is gone may take a minute.
  ///
  /// - Parameters:
  ///   - directory: the destination.
  ///   - stateDirectory: where its state is kept; nil for its `.dtx`.
  /// - Returns: what these sessions had.
  /// - Throws: `.failed` when something cannot be removed.
  package static func discard(
    directory: [UInt8],
    stateDirectory: [UInt8]?
  ) throws(TransferError) -> [SessionStatus] {
    let root = try open(directory)
    var discarded: [SessionStatus] = []
    for state in try states(of: root, stateDirectory) {
      guard let session = try status(of: state), isBrokenOff(state) else { continue }
      let lock: DestinationLock
      do {
        lock = try DestinationLock.take(in: state)
      } catch {
        guard error.kind == .locked else { throw error }
        continue
      }
      defer { lock.release() }
      // Whoever held it may have come to the end.
      guard isBrokenOff(state) else { continue }
      try discard(state, session, under: lock, in: root)
      discarded.append(session)
    }
    return discarded
  }

  /// A file of the session in this tree's `.dtx` that came to its end last.
  ///
  /// - Parameters:
  ///   - name: of the file, in the session's directory.
  ///   - what: it is.
  ///   - tree: a destination.
  ///   - remedy: what to do where there is none.
  /// - Returns: the session's directory, and the name.
  /// - Throws: `.failed` when there is none.
  static func latest(
    _ name: [UInt8],
    _ what: String,
    in tree: Directory,
    remedy: String
  ) throws(TransferError) -> (directory: Directory, name: [UInt8]) {
    var latest: (state: StateDirectory, modified: Int64)?
    for state in try states(of: tree, nil) {
      let found = try? state.directory.statusIfPresent(of: name)
      guard let status = found ?? nil else { continue }
      if let known = latest, known.modified >= status.modified { continue }
      latest = (state, status.modified)
    }
    guard let latest else {
      throw TransferError(
        .failed,
        "\(printable(tree.path)) has no \(what)",
        cause: "there is none in its .dtx",
        remedy: remedy
      )
    }
    return (latest.state.directory, name)
  }

  // MARK: - Finding

  private static func open(_ directory: [UInt8]) throws(TransferError) -> Directory {
    try TransferError.unless("\(printable(directory)) cannot be opened") {
      () throws(SystemError) in try Directory.open(directory)
    }
  }

  /// The state directories of a destination, by their names.
  private static func states(
    of root: Directory,
    _ stateDirectory: [UInt8]?
  ) throws(TransferError) -> [StateDirectory] {
    let top = try StateDirectory.openTop(
      root: root,
      stateDirectory: stateDirectory,
      creates: false
    )
    guard let top else { return [] }
    let suffix = StateDirectory.name(key: "", root: root, isBelowRoot: stateDirectory == nil)
    return try TransferError.unless("state directory \(printable(top.path)) cannot be read") {
      () throws(SystemError) -> [StateDirectory] in
      var found: [StateDirectory] = []
      for item in try top.names() where item.name.suffix(suffix.count).elementsEqual(suffix) {
        let status = try top.status(of: item.name)
        guard status.kind == .directory, StateDirectory.distrust(of: status, in: top) == nil else {
          continue
        }
        let directory = try top.openDirectory(item.name)
        found.append(
          StateDirectory(directory: directory, isBelowRoot: stateDirectory == nil)
        )
      }
      return found
    }
  }

  /// Nil for a session of which nothing is left but its lock's file.
  private static func status(
    of state: StateDirectory
  ) throws(TransferError) -> SessionStatus? {
    let slash = UInt8(ascii: "/")
    let name = state.directory.path.split(separator: slash).last ?? []
    var session = SessionStatus(key: printable(Array(name)))
    session.holder = try TransferError.unless("the lock of session \(session.key)") {
      () throws(SystemError) -> String? in try DestinationLock.holder(in: state)
    }
    session.isLocked = session.holder != nil
    if state.contains(StateDirectory.Name.manifest) {
      session.finishedManifest = try summary(in: state)
    }
    let hasJournal = state.contains(StateDirectory.Name.journal)
    guard hasJournal || session.isLocked || session.finishedManifest != nil else { return nil }
    let (replay, opened) = try JournalWriter.replayWithOpening(in: state)
    session.startedWall = opened
    session.files = replay.files.map { file in
      SessionStatus.File(
        path: file.identity.path,
        durableByteCount: file.durableByteCount,
        byteCount: file.identity.byteCount
      )
    }
    session.durableByteCount = session.files.reduce(0) { $0 + $1.durableByteCount }
    return session
  }

  private static func summary(
    in state: StateDirectory
  ) throws(TransferError) -> ManifestSummary? {
    var manifest = try ManifestFile.open(StateDirectory.Name.manifest, in: state.directory)
    while try manifest.nextSegment() != nil {}
    return manifest.summary
  }

  private static func isBrokenOff(_ state: StateDirectory) -> Bool {
    StateDirectory.Name.unfinished.contains { state.contains($0) }
  }

  // MARK: - Removing

  private static func discard(
    _ state: StateDirectory,
    _ session: SessionStatus,
    under lock: DestinationLock,
    in root: Directory
  ) throws(TransferError) {
    // Behind the key there may be the destination's place.
    let stagedName = StagedName(key: String(session.key.prefix(16)), token: lock.token)
    let summary = "session \(session.key) cannot be discarded"
    try TransferError.unless(summary) { () throws(SystemError) in
      try sweep(root, stagedName)
      try lock.requireHold()
      for name in StateDirectory.Name.unfinished { try state.remove(name) }
      try state.directory.sync()
    }
  }

  /// Removes staged files wherever they are: the journal names only the large ones.
  private static func sweep(
    _ root: Directory,
    _ stagedName: StagedName
  ) throws(SystemError) {
    var pending: [[UInt8]] = [[]]
    while let path = pending.popLast() {
      let directory = path.isEmpty ? root : try root.openDirectory(path)
      let before = try directory.status(of: []).modified
      var hasChanged = false
      for item in try directory.names() {
        let isState = path.isEmpty && item.name == StateMarker.directoryName
        var kind = item.kind
        if kind == nil { kind = try directory.statusIfPresent(of: item.name)?.kind }
        if kind == .directory {
          if !isState { pending.append(path.isEmpty ? item.name : path + [slash] + item.name) }
        } else if stagedName.isLeftover(item.name) {
          try directory.unlink(item.name)
          hasChanged = true
        }
      }
      // What was finished keeps its time.
      if hasChanged { try? directory.setTimes(of: [], modified: before) }
    }
  }

  private static let slash = UInt8(ascii: "/")
}
