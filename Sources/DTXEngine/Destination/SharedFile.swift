internal import DTXLinux

/// A staged file that several threads write to.
///
/// Through the page cache they do so one at a time: the kernel lets one such write into a file at a
/// time anyway, and those that wait for it spin on the inode's lock: with four writers on two
/// processors a quarter of the time went there. Here they sleep.
final class SharedFile: Sendable {
  let file: File
  private let direct: DirectFile?
  private let turn = Guarded(Turn())

  /// Takes open descriptors of one file.
  init(_ file: File, direct: DirectFile? = nil) {
    self.file = file
    self.direct = direct
  }

  /// Takes an open file, and opens it a second time past the page cache if it can be.
  ///
  /// - Parameters:
  ///   - file: open for reading and writing.
  ///   - name: the file's, in `directory`.
  ///   - directory: where it lies.
  convenience init(_ file: File, directlyAs name: [UInt8], in directory: Directory) {
    self.init(file, direct: DirectFile(of: file, name, in: directory, .readWrite))
  }

  /// Writes bytes at an offset; any thread.
  ///
  /// - Throws: what pwrite(2) says.
  func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(SystemError) {
    let direct = try writeDirectly(bytes, at: offset)
    guard direct < bytes.count else { return }
    let rest = UnsafeRawBufferPointer(rebasing: bytes[direct...])
    try turn.withLock { _ throws(SystemError) in
      try file.write(rest, at: offset + UInt64(direct))
    }
  }

  /// Whether it is written past the page cache where that can be.
  var isDirect: Bool { direct != nil }

  /// What of some bytes can go past the page cache, for who writes it by other means than `write`.
  ///
  /// - Parameters:
  ///   - bytes: the piece in memory.
  ///   - offset: of the first byte in the file.
  /// - Returns: the file that takes them, the number of bytes at the front, and what each further
  ///   write's offset and length must be a multiple of; nil where there are none.
  func directPart(
    of bytes: UnsafeRawBufferPointer,
    at offset: UInt64
  ) -> (file: File, byteCount: Int, granularity: Int)? {
    guard let direct else { return nil }
    let count = direct.alignment.directByteCount(of: bytes, at: offset)
    return count > 0 ? (direct.file, count, Int(direct.alignment.offset)) : nil
  }

  /// Writes what is aligned, from the front.
  ///
  /// - Returns: the number of bytes, 0 where the kernel takes none so after all.
  private func writeDirectly(
    _ bytes: UnsafeRawBufferPointer,
    at offset: UInt64
  ) throws(SystemError) -> Int {
    guard let direct else { return 0 }
    let count = direct.alignment.directByteCount(of: bytes, at: offset)
    guard count > 0 else { return 0 }
    do throws(SystemError) {
      try direct.file.write(UnsafeRawBufferPointer(rebasing: bytes[..<count]), at: offset)
      return count
    } catch {
      // Some file systems take the opening and refuse the write; and where a full disk has cut one
      // short, its rest is no longer aligned, and says by the other way what is wrong.
      guard error.isAboutArgument else { throw error }
      return 0
    }
  }

  /// Closes the file; a failure means that data may be lost.
  func close() throws(SystemError) {
    try direct?.file.close()
    try file.close()
  }
}
