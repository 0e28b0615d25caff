internal import CLiburing
internal import Glibc

/// Attributes of entries, durability, and the file system below.
///
/// In these calls an empty name means this directory.
extension Directory {
  /// Sets the modification time (nanoseconds since 1970) of an entry, of a link itself.
  package func setTimes(of name: [UInt8], modified: Int64) throws(SystemError) {
    let time = FileTime(instant: modified)
    let result = at(name, orItself: true) { directory, text in
      system { dtx_set_modified(directory, text, time.seconds, time.nanoseconds) }
    }
    try checked(result, "utimensat", subject(name))
  }

  /// Sets the permission bits of anything but a symbolic link, which has none (EOPNOTSUPP).
  package func setMode(of name: [UInt8], _ mode: UInt32) throws(SystemError) {
    let result = at(name, orItself: true) { directory, text in
      system { dtx_set_mode(directory, text, mode) }
    }
    try checked(result, "chmod", subject(name))
  }

  /// Sets the owner of an entry, of a link itself.
  ///
  /// That clears setuid and setgid: set the mode after it.
  package func setOwner(
    of name: [UInt8],
    user: UInt32,
    group: UInt32
  ) throws(SystemError) {
    let result = at(name, orItself: true) { directory, text in
      system { dtx_set_owner(directory, text, user, group) }
    }
    try checked(result, "chown", subject(name))
  }

  /// Makes the list of names durable (fsync of the directory).
  package func sync() throws(SystemError) {
    try checked(system { fsync(descriptor.raw) }, "fsync", subject([]))
  }

  /// Locks the directory against other openings of it (flock) without waiting; a lock says nothing
  /// to who does not ask for it.
  ///
  /// Returns false when another holds it. The lock ends with `unlock`, the last reference, or the
  /// process.
  package func lock(_ mode: LockMode) throws(SystemError) -> Bool {
    let result = system { dtx_lock(descriptor.raw, mode == .shared ? 1 : 2) }
    if result == -Int(EWOULDBLOCK) { return false }
    try checked(result, "flock", subject([]))
    return true
  }

  /// Gives the lock back.
  package func unlock() throws(SystemError) {
    try checked(system { dtx_lock(descriptor.raw, 0) }, "flock", subject([]))
  }

  /// Makes all of the file system that holds this directory durable.
  package func syncFileSystem() throws(SystemError) {
    try checked(system { dtx_sync_file_system(descriptor.raw) }, "syncfs", subject([]))
  }

  /// What an unprivileged user can still write: bytes, and files.
  ///
  /// A file system without a fixed number of inodes (btrfs) counts none.
  package func freeSpace() throws(SystemError) -> (
    availableBytes: UInt64, availableInodes: UInt64?
  ) {
    let found = try fileSystem()
    return (found.available_byte_count, found.inode_count > 0 ? found.available_inode_count : nil)
  }

  /// What a quota leaves on the file system that holds this directory; nil where there is none, or
  /// nobody says (before Linux 5.14, network file systems).
  package func quota(
    of owner: QuotaOwner,
    _ number: UInt32
  ) -> (availableBytes: UInt64?, availableInodes: UInt64?)? {
    var found = dtx_quota()
    let result = system { dtx_quota(descriptor.raw, owner.rawValue, number, &found) }
    guard result >= 0 else { return nil }
    let bytes = found.byte_limit == 0 ? nil : found.byte_limit - min(found.byte_limit, found.bytes)
    let inodes =
      found.inode_limit == 0 ? nil : found.inode_limit - min(found.inode_limit, found.inodes)
    return (bytes, inodes)
  }

  /// The file system's magic number (f_type of statfs(2)).
  package func fileSystemType() throws(SystemError) -> Int64 { try fileSystem().type }

  /// The length of the longest name that the file system takes (f_namelen of statfs(2)), in bytes;
  /// nil where it does not say.
  package func nameByteCountMaximum() throws(SystemError) -> Int? {
    let found = try fileSystem().name_byte_count
    return found == 0 ? nil : Int(clamping: found)
  }

  private func fileSystem() throws(SystemError) -> dtx_file_system {
    var found = dtx_file_system()
    try checked(system { dtx_file_system(descriptor.raw, &found) }, "statfs", subject([]))
    return found
  }
}

/// Whose files a quota counts.
package enum QuotaOwner: Int32, Sendable {
  case user = 0
  case group = 1
}
