internal import DTXCore
internal import DTXLinux

/// How files that were written whole, and directories, become durable: one by one, or with all of
/// their file system at once.
///
/// Measured on ext4, 3,000 files of 16 KiB: fdatasync each 6,300 files a second; write-out
/// started, then fdatasync, in batches 15,000; syncfs 31,000. But syncfs waits for everybody's
/// dirty pages, and not every file system means by it what these four do.
final class SyncPolicy: Sendable {
  /// Files up to here are synced one by one: that waits for nobody else.
  static let fewFiles = 8
  /// Files that are open at a time for being synced one by one.
  static let batchFileCount = 256
  /// A sync of the file system that takes longer waits for others' data.
  private static let slowNanoseconds = 2 * Duration.second

  /// ext2 to ext4, XFS, btrfs, F2FS, and tmpfs, which has nothing to sync.
  private static let trustedTypes: [Int64] = [
    0xEF53, 0x5846_5342, 0x9123_683E, 0xF2F5_2010, 0x0102_1994,
  ]

  private let root: OpenDirectory
  /// Whether syncfs makes all durable that was done before, and says so if it could not.
  let trustsFileSystem: Bool
  private let state = Guarded(State())

  private struct State: Sendable {
    var isSlow = false
    /// File systems that are mounted below the root, each by one of its directories.
    var foreign: [OpenDirectory] = []
  }

  init(root: OpenDirectory) {
    self.root = root
    let type = try? root.directory.fileSystemType()
    let isTrusted = type.map { SyncPolicy.trustedTypes.contains($0) } ?? false
    trustsFileSystem = isTrusted && SyncPolicy.reportsErrors(kernel: Host.kernelRelease)
  }

  /// Before Linux 5.8 syncfs(2) did not say that a write-out had failed.
  static func reportsErrors(kernel release: String) -> Bool {
    let numbers = release.split { !$0.isNumber }.prefix(2).compactMap { Int($0) }
    guard numbers.count == 2 else { return false }
    return (numbers[0], numbers[1]) >= (5, 8)
  }

  /// Whether so many files in this directory are better synced with their file system.
  func syncsFileSystem(of directory: OpenDirectory, fileCount: Int) -> Bool {
    trustsFileSystem && fileCount > SyncPolicy.fewFiles && directory.device == root.device
      && !state.withLock { $0.isSlow }
  }

  /// Syncs the root's file system, and remembers whether that takes too long for the next time.
  func syncRoot() throws(SystemError) {
    let start = Clock.now()
    try root.directory.syncFileSystem()
    if Clock.now() - start > SyncPolicy.slowNanoseconds { state.withLock { $0.isSlow = true } }
  }

  /// Notes a directory that something was changed in: its file system is to be synced at the end.
  func touch(_ directory: OpenDirectory) {
    guard directory.device != root.device else { return }
    state.withLock { state in
      if !state.foreign.contains(where: { $0.device == directory.device }) {
        state.foreign.append(directory)
      }
    }
  }

  /// Makes everything durable that was done to the tree.
  func syncAll() throws(SystemError) {
    try root.directory.syncFileSystem()
    for directory in state.withLock({ $0.foreign }) { try directory.directory.syncFileSystem() }
  }

  /// Whether a change in this directory needs a sync of its own, because `syncAll` may not do.
  func needsOwnSync(_ directory: OpenDirectory) -> Bool {
    !trustsFileSystem || directory.device != root.device
  }
}
