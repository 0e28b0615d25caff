internal import DTXLinux

/// A staged file that several threads write to, one at a time.
///
/// The kernel lets one buffered write into a file at a time anyway, and those that wait for it spin
/// on the inode's lock: with four writers on two processors a quarter of the time went there. Here
/// they sleep.
final class SharedFile: Sendable {
  let file: File
  private let turn = Guarded(())

  init(_ file: File) {
    self.file = file
  }

  func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(SystemError) {
    try turn.withLock { _ throws(SystemError) in try file.write(bytes, at: offset) }
  }
}
