package import DTXCore

/// How an end reaches its files: on which threads, and whether past the page cache.
package struct StorageMethod: Equatable, Sendable {
  /// Whether the connections' own threads do it, because no call on a file ever waits for a device.
  package var isInline: Bool
  /// Whether large files are written past the page cache where they take it.
  package var isDirect: Bool

  /// Chooses by what the file system is.
  ///
  /// - Parameters:
  ///   - mode: what the user asked for.
  ///   - type: the file system's magic number (statfs(2)); nil where it could not be had.
  /// - Returns: the method; a file that takes no direct writes is written through the cache anyway.
  package static func choose(_ mode: StorageMode, fileSystemType type: Int64?) -> StorageMethod {
    let isMemory = type.map { memoryTypes.contains($0) } ?? false
    let isDirect =
      switch mode {
      case .buffered: false
      case .direct: !isMemory
      case .automatic: type.map { directTypes.contains($0) } ?? false
      }
    return StorageMethod(isInline: isMemory, isDirect: isDirect)
  }

  /// tmpfs and ramfs.
  ///
  /// A write there is a copy, and as fast on the thread whose cache has the bytes as anywhere.
  private static let memoryTypes: [Int64] = [0x0102_1994, 0x8584_58F6]

  /// ext2 to ext4, and XFS.
  ///
  /// Written to a virtual disk's ext4 in units of 2 MiB, 4 GiB and their sync took 4 s directly and
  /// 10-14 s through the cache, with a tenth of the processor time. Those that are left out keep
  /// caches of their own (GPFS, ZFS), check what they wrote (btrfs), or send each direct write to a
  /// server and wait for it (NFS).
  private static let directTypes: [Int64] = [0xEF53, 0x5846_5342]
}
