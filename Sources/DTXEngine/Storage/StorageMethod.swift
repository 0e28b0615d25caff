package import DTXCore

/// How an end reaches its files: who does it, and whether past the page cache.
package struct StorageMethod: Equatable, Sendable {
  /// Who reads and writes, where it can be had.
  package var mechanism: StorageMechanism
  /// Whether large files are read and written past the page cache where they take it.
  package var isDirect: Bool

  /// Whether the connections' own threads do it.
  package var isInline: Bool { mechanism == .inline }

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
      case .direct, .ring: !isMemory
      case .automatic: type.map { directTypes.contains($0) } ?? false
      }
    // A ring is for who asks for it. From and to a virtual disk's ext4, with units on huge pages,
    // 4 GiB took as long by the pool as by rings of 2 requests at a time (4.8 and 4.7 s, 5.6 and
    // 5.3 s), and the rings 1-7 % more processor time of the two ends: they save half of what a write
    // costs, and spend it on waking a thread more for each unit. Rings of 6 took a fifth longer where
    // one end alone used the disk. A device that wants more requests than there are connections
    // may turn that round. Small files stay with calls in any case: opened, written, closed and
    // renamed by a ring, in batches of 1 to 128, a file of 16 KiB took 29-74 microseconds on a
    // memory file system, by calls 22.
    let mechanism: StorageMechanism = isMemory ? .inline : mode == .ring ? .ring : .pool
    return StorageMethod(mechanism: mechanism, isDirect: isDirect)
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
