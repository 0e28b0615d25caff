/// A file system that is put on a disk.
package enum PowerFileSystem: String, CaseIterable, Sendable {
  case ext4
  case xfs
  case btrfs

  /// Makes it on a device.
  func makeArguments(_ device: String) -> [String] {
    switch self {
    case .ext4: ["mkfs.ext4", "-q", "-E", "nodiscard", device]
    case .xfs: ["mkfs.xfs", "-q", "-K", device]
    case .btrfs: ["mkfs.btrfs", "-q", "-K", device]
    }
  }
}
