internal import CLiburing
internal import Glibc

/// What an entry of a file system is.
package enum FileKind: UInt8, Sendable {
  case regular, directory, symlink, fifo, socket, blockDevice, characterDevice

  /// The kind in a mode's type bits; an unknown type counts as a regular file.
  init(mode: UInt32) {
    switch mode & UInt32(S_IFMT) {
    case UInt32(S_IFDIR): self = .directory
    case UInt32(S_IFLNK): self = .symlink
    case UInt32(S_IFIFO): self = .fifo
    case UInt32(S_IFSOCK): self = .socket
    case UInt32(S_IFBLK): self = .blockDevice
    case UInt32(S_IFCHR): self = .characterDevice
    default: self = .regular
    }
  }

  /// The kind that a directory states for an entry; some file systems state none (DT_UNKNOWN).
  init?(directoryType type: UInt8) {
    // DT_ numbers are the mode's type bits, shifted.
    guard type != 0 else { return nil }
    self.init(mode: UInt32(type) << 12)
  }

  /// The type bits for mknod(2).
  var typeBits: UInt32 {
    switch self {
    case .regular: UInt32(S_IFREG)
    case .directory: UInt32(S_IFDIR)
    case .symlink: UInt32(S_IFLNK)
    case .fifo: UInt32(S_IFIFO)
    case .socket: UInt32(S_IFSOCK)
    case .blockDevice: UInt32(S_IFBLK)
    case .characterDevice: UInt32(S_IFCHR)
    }
  }
}

/// The state of one entry, as statx(2) reported it.
package struct FileStatus: Sendable, Equatable {
  package var kind: FileKind
  /// Permission bits, with setuid, setgid and sticky (0o7777).
  package var mode: UInt16
  package var userID: UInt32
  package var groupID: UInt32
  /// The size in bytes (for a symbolic link, of its target's name).
  package var byteCount: UInt64
  /// Bytes allocated on the file system, which is less than the size where there are holes.
  package var blockByteCount: UInt64
  package var linkCount: UInt32
  package var device: UInt64
  package var inode: UInt64
  /// Modification time, in nanoseconds since 1970; times that do not fit are clamped.
  package var modified: Int64
  /// Time of the last change of the inode, in nanoseconds since 1970.
  package var changed: Int64
  /// The device that a device node stands for.
  package var deviceMajor: UInt32
  package var deviceMinor: UInt32

  /// Whether both are of one file, whatever its names.
  package func isSameFile(as other: FileStatus) -> Bool {
    device == other.device && inode == other.inode
  }

  init(_ found: dtx_status) {
    kind = FileKind(mode: found.mode)
    mode = UInt16(truncatingIfNeeded: found.mode & 0o7777)
    userID = found.user
    groupID = found.group
    byteCount = found.byte_count
    blockByteCount = found.allocated_byte_count
    linkCount = found.link_count
    device = found.device
    inode = found.inode
    modified = FileTime(seconds: found.modified_seconds, found.modified_nanoseconds).instant
    changed = FileTime(seconds: found.changed_seconds, found.changed_nanoseconds).instant
    deviceMajor = found.device_major
    deviceMinor = found.device_minor
  }

  /// Asks for the status of a name below a directory, or with an empty name of the descriptor.
  static func read(
    _ directory: Int32,
    _ name: UnsafePointer<CChar>,
    isFresh: Bool = false,
    into status: inout dtx_status
  ) -> Int {
    system { dtx_status(directory, name, isFresh ? 1 : 0, &status) }
  }
}

/// An instant in the two parts that the kernel uses: nanoseconds always count forward.
struct FileTime {
  var seconds: Int64
  var nanoseconds: UInt32

  init(seconds: Int64, _ nanoseconds: UInt32) {
    self.seconds = seconds
    self.nanoseconds = nanoseconds
  }

  init(instant: Int64) {
    // Rounded towards the past, so that the rest is never negative.
    let rest = ((instant % 1_000_000_000) + 1_000_000_000) % 1_000_000_000
    nanoseconds = UInt32(rest)
    seconds = instant / 1_000_000_000 - (instant % 1_000_000_000 < 0 ? 1 : 0)
  }

  /// Nanoseconds since 1970, clamped to what fits (the years 1677 to 2262).
  var instant: Int64 {
    let (product, overflowed) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
    if overflowed { return seconds < 0 ? .min : .max }
    let (sum, exceeded) = product.addingReportingOverflow(Int64(nanoseconds))
    return exceeded ? .max : sum
  }
}
