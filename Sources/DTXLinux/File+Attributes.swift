internal import CLiburing
internal import Glibc

/// How a file will be used, for the page cache.
package enum FileAdvice: Sendable {
  case sequential, willNeed, dontNeed
}

/// Who else may hold a lock at the same time.
package enum LockMode: Sendable {
  case shared, exclusive
}

/// Attributes, space, durability and locks.
extension File {
  /// The file's status.
  ///
  /// - Parameter isFresh: whether a network file system asks its server, which costs a round trip:
  ///   the client's cache is some seconds behind what others write. Local ones make no difference.
  /// - Returns: what statx(2) says.
  /// - Throws: the same.
  package func status(isFresh: Bool = false) throws(SystemError) -> FileStatus {
    var found = dtx_status()
    try check("stat", FileStatus.read(raw, "", isFresh: isFresh, into: &found))
    return FileStatus(found)
  }

  /// Sets the size; what is added reads as zeros and is a hole.
  package func setByteCount(_ byteCount: UInt64) throws(SystemError) {
    let size = Int(clamping: byteCount)
    try check("ftruncate", system { ftruncate(raw, size) })
  }

  /// What direct reads and writes of this file have to keep to; nil where it takes none.
  ///
  /// Kernels before Linux 6.1 do not say: nil as well.
  package func directAlignment() throws(SystemError) -> DirectAlignment? {
    var memory: UInt32 = 0
    var offset: UInt32 = 0
    try check("stat", system { dtx_direct_alignment(raw, &memory, &offset) })
    return DirectAlignment(memory: Int(memory), offset: UInt64(offset))
  }

  /// How many bytes of a range are in the page cache.
  ///
  /// Who may not know it, since he may not write to the file, is told that all are.
  package func cachedByteCount(offset: UInt64, length: UInt64) throws(SystemError) -> UInt64 {
    let result = system {
      Int(dtx_cached_byte_count(raw, Int64(clamping: offset), Int64(clamping: length)))
    }
    return UInt64(try checked(result, "cachestat", printable(path)))
  }

  /// Makes the content durable, and of the attributes what reading it needs (fdatasync).
  package func syncData() throws(SystemError) {
    try check("fdatasync", system { fdatasync(raw) })
  }

  /// Makes content and attributes durable (fsync).
  package func sync() throws(SystemError) {
    try check("fsync", system { fsync(raw) })
  }

  /// Starts to write dirty pages of a range to the disk and does not wait for them.
  ///
  /// This makes nothing durable; it spreads the work that `syncData` would otherwise do at once.
  /// Length 0 means to the end. Where the file system cannot do it, nothing happens.
  package func startWriteOut(offset: UInt64, length: UInt64) throws(SystemError) {
    let result = system {
      dtx_start_write_out(raw, Int64(clamping: offset), Int64(clamping: length))
    }
    let cannot = [-Int(ENOSYS), -Int(EOPNOTSUPP), -Int(ESPIPE)].contains(result)
    if !cannot { try check("sync_file_range", result) }
  }

  /// Tells the page cache how a range will be used; length 0 means to the end.
  ///
  /// Advice is never needed for a right result, so failures are not reported.
  package func advise(_ advice: FileAdvice, offset: UInt64 = 0, length: UInt64 = 0) {
    let number =
      switch advice {
      case .sequential: POSIX_FADV_SEQUENTIAL
      case .willNeed: POSIX_FADV_WILLNEED
      case .dontNeed: POSIX_FADV_DONTNEED
      }
    _ = posix_fadvise(raw, Int(clamping: offset), Int(clamping: length), Int32(number))
  }

  /// Drops a range from the page cache, so that its next reads come from the device.
  ///
  /// Where the range alone does not go, as of pages that are larger than it, the whole file does;
  /// what is dirty is written first. What another process maps or reads meanwhile stays, and so does
  /// all of a file system that is nothing but page cache: so the cache is asked afterwards. A disk's
  /// or an array's own cache is not reached.
  ///
  /// - Parameters:
  ///   - offset: the range's first byte, a multiple of the page's size.
  ///   - length: the range's length.
  /// - Returns: whether nothing of it is left there; false also to who may not know.
  /// - Throws: what fdatasync(2) says.
  package func dropCached(offset: UInt64, length: UInt64) throws(SystemError) -> Bool {
    advise(.dontNeed, offset: offset, length: length)
    if try cachedByteCount(offset: offset, length: length) == 0 { return true }
    try syncData()
    advise(.dontNeed)
    return try cachedByteCount(offset: offset, length: length) == 0
  }

  /// The ranges below a byte count that hold data; everything between them is holes of zeros.
  ///
  /// A file system that knows no holes gives one range. The ranges are ascending, not empty and
  /// not adjacent, and a file that shrank meanwhile has no data beyond its end.
  package func dataRanges(upTo byteCount: UInt64) throws(SystemError) -> [Range<UInt64>] {
    var ranges: [Range<UInt64>] = []
    var offset: UInt64 = 0
    while offset < byteCount {
      let data = seek(from: offset, hole: false)
      if data == -Int(ENXIO) { break }
      if data == -Int(EINVAL) || data == -Int(EOPNOTSUPP) { return [0..<byteCount] }
      let start = UInt64(try checked(data, "lseek", printable(path)))
      if start >= byteCount { break }
      let hole = seek(from: start, hole: true)
      if hole == -Int(ENXIO) { break }
      let end = min(UInt64(try checked(hole, "lseek", printable(path))), byteCount)
      // A writer that punches a hole between the two calls can make the range empty.
      if end > start { ranges.append(start..<end) }
      offset = max(end, start + 1)
    }
    return ranges
  }

  private func seek(from offset: UInt64, hole: Bool) -> Int {
    system { Int(dtx_seek(raw, Int64(clamping: offset), hole ? 1 : 0)) }
  }

  /// Locks the file against other openings of it (flock) without waiting.
  ///
  /// Returns false when another holds it. The lock ends with `unlock`, `close`, or the process.
  package func lock(_ mode: LockMode) throws(SystemError) -> Bool {
    let result = system { dtx_lock(raw, mode == .shared ? 1 : 2) }
    if result == -Int(EWOULDBLOCK) { return false }
    try check("flock", result)
    return true
  }

  /// Gives the lock back.
  package func unlock() throws(SystemError) {
    try check("flock", system { dtx_lock(raw, 0) })
  }

  /// Sets the permission bits.
  package func setMode(_ mode: UInt32) throws(SystemError) {
    try check("fchmod", system { fchmod(raw, mode) })
  }

  /// Sets the modification time, in nanoseconds since 1970.
  package func setTimes(modified: Int64) throws(SystemError) {
    let time = FileTime(instant: modified)
    try check("futimens", system { dtx_set_modified(raw, "", time.seconds, time.nanoseconds) })
  }

  /// Sets the owner, which clears setuid and setgid: set the mode after it.
  package func setOwner(user: UInt32, group: UInt32) throws(SystemError) {
    try check("fchown", system { fchown(raw, user, group) })
  }

  private func check(_ operation: String, _ result: Int) throws(SystemError) {
    try checked(result, operation, printable(path))
  }
}
