internal import DTXCore
internal import DTXLinux

/// What an entry's owner, mode and time are to be at the destination.
struct EntryMetadata: Equatable, Sendable {
  let kind: EntryKind
  let mode: UInt16
  /// Nil where the owner is not taken over.
  let owner: Owner?
  /// Nanoseconds since 1970.
  let modified: Int64

  struct Owner: Equatable, Sendable {
    var user: UInt32
    var group: UInt32
  }

  private static let setIDBits: UInt16 = 0o6000

  /// Takes what an entry says, as far as it is taken over.
  ///
  /// A file's set-id bits come only with its owner, for they would lend another user's rights
  /// than they did at the source. A directory's lend none.
  init(_ entry: Entry, preservesOwner: Bool) {
    kind = entry.kind
    let dropsSetID = entry.kind != .directory && !preservesOwner
    mode = dropsSetID ? entry.mode & ~EntryMetadata.setIDBits : entry.mode
    owner = preservesOwner ? Owner(user: entry.userID, group: entry.groupID) : nil
    modified = entry.modified
  }

  /// Whether a process of ours can open the entry once it has its mode.
  var isReadable: Bool { mode & 0o400 != 0 || Host.effectiveUserID == 0 }

  /// The permissions to make a staged file with that one thread writes whole: what the entry grants
  /// to everybody alike, and reading and writing for us.
  ///
  /// Before the file has its owner, anybody may count as one of its group or as one of the others.
  /// So it grants to these only what it will grant to all three, and nobody may ever do more than in
  /// the end. For most files this is their mode, which then need not be set.
  var stagedPermissions: UInt32 {
    let mode = UInt32(mode)
    let common = mode >> 6 & mode >> 3 & mode & 0o7
    return 0o600 | mode & 0o100 | common << 3 | common
  }

  /// Sets on an open file what differs: the owner first, since that clears set-id bits, and the
  /// time last, since nothing may follow it.
  ///
  /// - Parameters:
  ///   - file: gets it.
  ///   - rights: what the file has now.
  /// - Throws: what fchown(2), fchmod(2) and futimens(3) say.
  func apply(to file: File, from rights: FileRights) throws(SystemError) {
    let changesOwner = owner.map { rights.owner != $0 } ?? false
    if changesOwner, let owner { try file.setOwner(user: owner.user, group: owner.group) }
    if changesOwner || rights.mode != mode { try file.setMode(UInt32(mode)) }
    try file.setTimes(modified: modified)
  }

  /// Sets on an open file what differs from what it has.
  func apply(to file: File) throws(SystemError) {
    try apply(to: file, from: FileRights(try file.status()))
  }

  /// Sets all of it on a name that is no directory; a link's mode is nobody's choice on Linux.
  func apply(to name: [UInt8], in directory: Directory) throws(SystemError) {
    if let owner { try directory.setOwner(of: name, user: owner.user, group: owner.group) }
    if kind != .symlink { try directory.setMode(of: name, UInt32(mode)) }
    try directory.setTimes(of: name, modified: modified)
  }

  /// Sets what differs from a status on a name; an empty one means the directory itself.
  ///
  /// - Returns: whether anything did.
  @discardableResult
  func update(
    _ name: [UInt8],
    in directory: Directory,
    from status: FileStatus,
    granularity: Int64
  ) throws(SystemError) -> Bool {
    var hasChanged = false
    if let owner, status.userID != owner.user || status.groupID != owner.group {
      try directory.setOwner(of: name, user: owner.user, group: owner.group)
      hasChanged = true
    }
    // A change of owner may have cleared bits of a mode that was right.
    if kind != .symlink, hasChanged || status.mode != mode {
      try directory.setMode(of: name, UInt32(mode))
      hasChanged = true
    }
    if !Comparator.sameTime(status.modified, modified, granularity) {
      try directory.setTimes(of: name, modified: modified)
      hasChanged = true
    }
    return hasChanged
  }

  /// Whether an entry has the owner and the mode that it is to have.
  func matchesRights(of status: FileStatus) -> Bool {
    let rights = FileRights(status)
    return (owner ?? rights.owner) == rights.owner && (kind == .symlink || mode == rights.mode)
  }

  /// What of a published entry is not as it should be; nil when all is.
  func difference(from status: FileStatus, byteCount: UInt64, granularity: Int64) -> String? {
    if EntryKind(status.kind) != kind { return "something else is there after it was published" }
    if kind == .regular, status.byteCount != byteCount {
      return "it has \(status.byteCount) bytes instead of \(byteCount) after it was published"
    }
    if kind != .symlink, status.mode != mode {
      let (found, wanted) = (String(status.mode, radix: 8), String(mode, radix: 8))
      return "its mode is \(found) instead of \(wanted) after it was published"
    }
    if !Comparator.sameTime(status.modified, modified, granularity) {
      return "the file system did not keep its time"
    }
    return nil
  }
}

extension EntryKind {
  /// Nil for what dtx does not move.
  init?(_ kind: FileKind) {
    switch kind {
    case .regular: self = .regular
    case .directory: self = .directory
    case .symlink: self = .symlink
    case .fifo: self = .fifo
    case .socket, .blockDevice, .characterDevice: return nil
    }
  }
}
