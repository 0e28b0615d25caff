internal import DTXCore
internal import DTXLinux

/// Where a session keeps its journal, its manifest and its lock: `<state>/<key>/`.
struct StateDirectory: Sendable {
  /// The key's directory.
  let directory: Directory
  /// Whether it is below the root, in `.dtx`.
  let isBelowRoot: Bool

  enum Name {
    static let journal = Array("journal".utf8)
    static let newJournal = Array("journal.new".utf8)
    static let lock = Array("lock".utf8)
    static let manifest = Array("manifest".utf8)
    static let receipt = Array("receipt".utf8)
    static let manifestPartial = Array("manifest.partial".utf8)
    static let manifestEarlier = Array("manifest.earlier".utf8)
    static let identities = Array("identities".utf8)
    static let identitiesPartial = Array("identities.partial".utf8)
    static let identitiesEarlier = Array("identities.earlier".utf8)

    /// What a session leaves only when it breaks off.
    static let unfinished = [
      journal, newJournal, manifestPartial, identitiesPartial, manifestEarlier, identitiesEarlier,
    ]
  }

  /// Opens the directory that holds the keys' ones; the marker and the mode prove that it is ours.
  ///
  /// - Parameters:
  ///   - root: the receiving directory.
  ///   - stateDirectory: another place, which the user named.
  ///   - creates: makes what is missing.
  /// - Returns: nil where it is missing and is not to be made.
  /// - Throws: `.failed`, also for a `.dtx` that is not ours.
  static func openTop(
    root: Directory,
    stateDirectory: [UInt8]?,
    creates: Bool
  ) throws(TransferError) -> Directory? {
    if let stateDirectory {
      return try DestinationRoot.open(stateDirectory, creates: creates, isContents: true)
    }
    let place = "state directory \(printable(root.path))/.dtx"
    let remedy = "nothing was moved"
    let problem = try TransferError.unless("\(place) cannot be used", remedy: remedy) {
      () throws(SystemError) -> String? in try StateDirectory.problem(in: root)
    }
    if let problem {
      throw TransferError(
        .failed,
        "\(place) is not used",
        cause: problem,
        remedy: "move it away, or choose another place with --state-dir; \(remedy)"
      )
    }
    return try TransferError.unless("\(place) cannot be used", remedy: remedy) {
      () throws(SystemError) -> Directory? in
      guard try root.statusIfPresent(of: StateMarker.directoryName) != nil else {
        return creates ? try makeTop(in: root) : nil
      }
      let top = try root.openDirectory(StateMarker.directoryName)
      if creates, !StateMarker.isPresent(in: root) { try mark(top) }
      return top
    }
  }

  /// The name of the directory for a session, below what `openTop` returns.
  ///
  /// Elsewhere than in the root, sessions of several destinations lie side by side, so the
  /// destination's place is part of the name.
  static func name(key: String, root: Directory, isBelowRoot: Bool) -> [UInt8] {
    guard !isBelowRoot else { return Array(key.utf8) }
    let place = Digest.xxh3(of: canonicalPath(of: root)).hex(8)
    return Array("\(key)-\(place)".utf8)
  }

  /// Opens a key's directory.
  ///
  /// - Returns: nil where it is missing and is not to be made.
  static func open(
    root: Directory,
    key: String,
    stateDirectory: [UInt8]?,
    creates: Bool
  ) throws(TransferError) -> StateDirectory? {
    let top = try openTop(root: root, stateDirectory: stateDirectory, creates: creates)
    guard let top else { return nil }
    let isBelowRoot = stateDirectory == nil
    let name = name(key: key, root: root, isBelowRoot: isBelowRoot)
    let directory = try TransferError.unless(
      "state directory \(printable(top.path)) cannot be used",
      remedy: "nothing was moved"
    ) { () throws(SystemError) -> (Directory, problem: String?)? in
      if try top.statusIfPresent(of: name) == nil {
        guard creates else { return nil }
        try makePrivate(name, in: top)
      }
      let directory = try top.openDirectory(name)
      return (directory, distrust(of: try directory.status(of: []), in: top))
    }
    guard let (directory, problem) = directory else { return nil }
    if let problem {
      throw TransferError(
        .failed,
        "state directory \(printable(directory.path)) is not used",
        cause: problem,
        remedy: "move it away; nothing was moved"
      )
    }
    return StateDirectory(directory: directory, isBelowRoot: isBelowRoot)
  }

  /// Why what a directory holds is not to be believed; nil where it is.
  ///
  /// Whoever writes a journal decides which staged bytes are taken for good.
  static func distrust(of status: FileStatus, in parent: Directory) -> String? {
    guard status.mode & 0o022 == 0 else { return "others than its owner can write to it" }
    guard isForeign(status, in: parent) else { return nil }
    return "it belongs to another user, number \(status.userID)"
  }

  /// Whether something in a directory is none of ours: it belongs neither to who runs this nor to the
  /// superuser nor to who owns the directory, whose tree it is anyway.
  static func isForeign(_ status: FileStatus, in parent: Directory) -> Bool {
    guard status.userID != Host.effectiveUserID, status.userID != 0 else { return false }
    return (try? parent.status(of: []).userID) != status.userID
  }

  /// Whether something of this name is there.
  func contains(_ name: [UInt8]) -> Bool {
    ((try? directory.statusIfPresent(of: name)) ?? nil) != nil
  }

  /// Removes a file if it is there.
  func remove(_ name: [UInt8]) throws(SystemError) {
    do throws(SystemError) {
      try directory.unlink(name)
    } catch {
      guard error.isAbsence else { throw error }
    }
  }

  /// Why the root's `.dtx` is not ours; nil when it is, or when there is none.
  ///
  /// An empty one without a marker is what a run leaves that ended between two calls.
  private static func problem(in root: Directory) throws(SystemError) -> String? {
    guard let status = try root.statusIfPresent(of: StateMarker.directoryName) else { return nil }
    guard status.kind == .directory else { return "it is no directory" }
    if let problem = distrust(of: status, in: root) { return problem }
    if StateMarker.isPresent(in: root) { return nil }
    let names = try root.openDirectory(StateMarker.directoryName).names()
    return names.isEmpty ? nil : "it is not dtx's: it has no file dtx-state"
  }

  private static func makeTop(in root: Directory) throws(SystemError) -> Directory {
    let before = try root.status(of: [])
    try makePrivate(StateMarker.directoryName, in: root)
    let top = try root.openDirectory(StateMarker.directoryName)
    try mark(top)
    // The root's time is the dataset's, or of no concern to us. Somebody else's root keeps the
    // new one, which does no harm.
    try? root.setTimes(of: [], modified: before.modified)
    return top
  }

  private static func mark(_ top: Directory) throws(SystemError) {
    let file = try top.openFile(StateMarker.fileName, .create)
    try file.write(Array("dtx's journals and manifests: see dtx(1)\n".utf8), at: 0)
    try file.sync()
    try file.close()
    try top.sync()
  }

  private static func makePrivate(_ name: [UInt8], in parent: Directory) throws(SystemError) {
    do throws(SystemError) {
      try parent.makeDirectory(name, permissions: 0o700)
    } catch {
      guard error.isPresence else { throw error }
    }
    try parent.sync()
  }

  /// The path without links and dots, as the kernel knows it; the one that was given if it does
  /// not say.
  private static func canonicalPath(of root: Directory) -> [UInt8] {
    guard let file = try? File.open(root.path, .read),
      let descriptors = try? Directory.open(Array("/proc/self/fd".utf8)),
      let path = try? descriptors.readSymlink(Array("\(file.raw)".utf8))
    else { return root.path }
    return path
  }
}
