internal import DTXLinux

/// Whose a file is, and what it grants.
struct FileRights: Equatable, Sendable {
  var owner: EntryMetadata.Owner
  var mode: UInt16

  init(_ status: FileStatus) {
    owner = EntryMetadata.Owner(user: status.userID, group: status.groupID)
    mode = status.mode
  }
}

/// What the files are that we make in one directory.
///
/// The directory's group and access list and the umask decide that, alike for all files that are made
/// with the same permissions. So the first one is looked at, and with many small files that saves a
/// system call for each. Should somebody change the directory meanwhile, what the files get by that
/// is set right when they are published. Any thread may ask.
final class NewFiles: Sendable {
  private let known = Guarded<[UInt32: FileRights]>([:])

  /// The rights of a file that was made with these permissions, and on which nothing was set yet.
  func rights(of file: File, permissions: UInt32) throws(SystemError) -> FileRights {
    if let rights = known.withLock({ $0[permissions] }) { return rights }
    let rights = FileRights(try file.status())
    known.withLock { $0[permissions] = rights }
    return rights
  }
}
