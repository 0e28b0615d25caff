internal import Foundation
internal import Glibc

/// A disk in memory whose power is cut at chosen moments: a file below a mount of its own, for a
/// loop device to lie on.
///
/// One thread serves it, in the order in which requests come, so that a cut is a state between two
/// of them: what the file system had sent and nothing of the page cache.
final class CutDisk: @unchecked Sendable {
  // `@unchecked Sendable`: all that changes is guarded by `lock`.
  private static let rootNode: UInt64 = 1
  private static let diskNode: UInt64 = 2

  let place: String
  private let channel: FuseChannel
  private let byteCount: Int
  private let lock = NSLock()
  private var history: DiskHistory
  /// Operations after which the power is cut, ascending, and where to.
  private var cuts: [(operationCount: Int, path: String)] = []
  private var lot: Lot
  private var failure: HarnessError?

  /// Mounts a disk of zeros.
  ///
  /// - Parameters:
  ///   - place: an empty directory.
  ///   - byteCount: of the disk.
  ///   - lot: decides what a cut loses.
  /// - Throws: where it cannot be mounted.
  init(at place: String, byteCount: Int, lot: Lot) throws(HarnessError) {
    self.place = place
    self.byteCount = byteCount
    self.lot = lot
    history = DiskHistory(byteCount: byteCount)
    channel = try FuseChannel(at: place)
    Thread.detachNewThread { [self] in serve() }
  }

  /// Where the disk is, for a loop device.
  var path: String { "\(place)/disk" }

  /// Writes and flushes so far.
  var operationCount: Int { lock.withLock { history.operationCount } }

  /// Chooses when the power is cut; the disk goes on as if nothing had happened.
  ///
  /// - Parameter chosen: after how many operations from now, and the file that the disk as it is
  ///   then goes to.
  func cut(at chosen: [(operationCount: Int, path: String)]) {
    lock.withLock {
      let now = history.operationCount
      cuts = chosen.map { (now + $0.operationCount, $0.path) }
      cuts.sort { $0.operationCount < $1.operationCount }
    }
  }

  /// Cuts the power now.
  func cut(to path: String) throws(HarnessError) {
    let failed = lock.withLock {
      write(path)
      return failure
    }
    if let failed { throw failed }
  }

  /// Ends it.
  func unmount() {
    channel.unmount()
  }

  private func write(_ path: String) {
    let (bytes, _) = history.cut(by: &lot)
    do {
      try SparseFile.write(bytes, to: path)
    } catch {
      failure = error
    }
  }

  // MARK: - The file system

  private func serve() {
    while let request = channel.next() { serve(request) }
  }

  private func serve(_ request: FuseChannel.Request) {
    switch request.operation {
    case .initialize:
      channel.answer(request, initialization(request))
    case .lookUp:
      guard request.body.starts(with: Array("disk\0".utf8)) else {
        return channel.answer(request, error: ENOENT)
      }
      channel.answer(request, entry())
    case .getAttributes, .setAttributes:
      channel.answer(request, validity() + attributes(of: request.node))
    case .open, .openDirectory:
      channel.answer(request, [UInt8](repeating: 0, count: 16))
    case .read:
      let offset = Int(request.number(8, UInt64.self))
      let count = Int(request.number(16, UInt32.self))
      channel.answer(request, read(offset, count))
    case .write:
      let offset = Int(request.number(8, UInt64.self))
      let count = request.number(16, UInt32.self)
      note { $0.write(request.body[40..<40 + Int(count)], at: offset) }
      var answer: [UInt8] = []
      append(count, to: &answer)
      append(UInt32(0), to: &answer)
      channel.answer(request, answer)
    case .sync:
      note { $0.flush() }
      channel.answer(request)
    case .statistics:
      channel.answer(request, [UInt8](repeating: 0, count: 80))
    case .readDirectory, .flush, .release, .releaseDirectory, .destroy:
      channel.answer(request)
    case .forget, .forgetSeveral, .interrupt:
      // These want no answer.
      break
    case .other:
      channel.answer(request, error: ENOSYS)
    }
  }

  private func read(_ offset: Int, _ count: Int) -> [UInt8] {
    lock.withLock {
      let start = min(offset, byteCount)
      return Array(history.current[start..<min(start + count, byteCount)])
    }
  }

  /// Notes what the disk was told, and cuts the power when its time has come.
  private func note(_ change: (inout DiskHistory) -> Void) {
    lock.withLock {
      change(&history)
      while let next = cuts.first, history.operationCount >= next.operationCount {
        cuts.removeFirst()
        write(next.path)
      }
    }
  }

  // MARK: - Answers

  /// `fuse_init_out`: version 7.31, large writes.
  private func initialization(_ request: FuseChannel.Request) -> [UInt8] {
    var bytes: [UInt8] = []
    append(UInt32(7), to: &bytes)
    append(UInt32(31), to: &bytes)
    append(request.number(8, UInt32.self), to: &bytes)
    // FUSE_BIG_WRITES and FUSE_MAX_PAGES.
    append(UInt32(1 << 5 | 1 << 22), to: &bytes)
    append(UInt16(16), to: &bytes)
    append(UInt16(12), to: &bytes)
    append(UInt32(FuseChannel.maximumWriteByteCount), to: &bytes)
    append(UInt32(1), to: &bytes)
    append(UInt16(FuseChannel.maximumWriteByteCount / 4096), to: &bytes)
    return bytes + [UInt8](repeating: 0, count: 64 - bytes.count)
  }

  /// `fuse_entry_out` of the disk.
  private func entry() -> [UInt8] {
    var bytes: [UInt8] = []
    append(CutDisk.diskNode, to: &bytes)
    append(UInt64(0), to: &bytes)
    for _ in 0..<2 { append(UInt64(3600), to: &bytes) }
    append(UInt64(0), to: &bytes)
    return bytes + attributes(of: CutDisk.diskNode)
  }

  /// What stands before the attributes in `fuse_attr_out`: for how long they hold.
  private func validity() -> [UInt8] {
    var bytes: [UInt8] = []
    append(UInt64(3600), to: &bytes)
    append(UInt64(0), to: &bytes)
    return bytes
  }

  /// `fuse_attr`.
  private func attributes(of node: UInt64) -> [UInt8] {
    let isDisk = node != CutDisk.rootNode
    var bytes: [UInt8] = []
    append(node, to: &bytes)
    append(UInt64(isDisk ? byteCount : 0), to: &bytes)
    append(UInt64(isDisk ? byteCount / 512 : 0), to: &bytes)
    for _ in 0..<3 { append(UInt64(0), to: &bytes) }
    for _ in 0..<3 { append(UInt32(0), to: &bytes) }
    append(UInt32(isDisk ? S_IFREG | 0o600 : S_IFDIR | 0o700), to: &bytes)
    append(UInt32(1), to: &bytes)
    for _ in 0..<3 { append(UInt32(0), to: &bytes) }
    append(UInt32(4096), to: &bytes)
    append(UInt32(0), to: &bytes)
    return bytes
  }
}

/// Files that take only what is not zero.
enum SparseFile {
  private static let pieceByteCount = 64 << 10

  /// Writes a file in place of another.
  static func write(_ bytes: [UInt8], to path: String) throws(HarnessError) {
    let descriptor = Glibc.open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw HarnessError("open", path, errno) }
    defer { close(descriptor) }
    guard ftruncate(descriptor, bytes.count) == 0 else {
      throw HarnessError("ftruncate", path, errno)
    }
    let number = bytes.withUnsafeBytes { bytes -> Int32 in
      for offset in stride(from: 0, to: bytes.count, by: pieceByteCount) {
        let piece = UnsafeRawBufferPointer(
          rebasing: bytes[offset..<min(offset + pieceByteCount, bytes.count)]
        )
        if isZero(piece) { continue }
        guard pwrite(descriptor, piece.baseAddress, piece.count, offset) == piece.count else {
          return errno
        }
      }
      return 0
    }
    guard number == 0 else { throw HarnessError("write", path, number) }
  }

  private static func isZero(_ bytes: UnsafeRawBufferPointer) -> Bool {
    guard let start = bytes.baseAddress, let first = bytes.first else { return true }
    // Each byte is the one before it.
    return first == 0 && memcmp(start, start + 1, bytes.count - 1) == 0
  }
}
