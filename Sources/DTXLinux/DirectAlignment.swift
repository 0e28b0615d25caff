/// What reads and writes past the page cache (O_DIRECT) have to keep to, in bytes.
package struct DirectAlignment: Equatable, Sendable {
  /// Of the memory's address; a power of two.
  package let memory: Int
  /// Of the offset in the file and of the length; a power of two.
  package let offset: UInt64

  /// Takes what statx(2) says; nil for the zeros by which it says no.
  ///
  /// Nil as well where either is no power of two, as on a volume that is striped so: the page cache
  /// serves it.
  package init?(memory: Int, offset: UInt64) {
    guard memory > 0, memory.nonzeroBitCount == 1, offset.nonzeroBitCount == 1 else { return nil }
    self.memory = memory
    self.offset = offset
  }

  /// How many bytes at the front of a piece can go past the page cache.
  ///
  /// - Parameters:
  ///   - bytes: the piece in memory.
  ///   - position: its offset in the file.
  /// - Returns: a multiple of the alignment; 0 where memory or offset do not fit.
  package func directByteCount(of bytes: UnsafeRawBufferPointer, at position: UInt64) -> Int {
    fits(bytes.baseAddress, at: position) ? bytes.count & ~Int(offset - 1) : 0
  }

  /// Whether a read or write may begin here.
  ///
  /// - Parameters:
  ///   - address: in memory.
  ///   - position: the offset in the file.
  /// - Returns: whether both are aligned.
  package func fits(_ address: UnsafeRawPointer?, at position: UInt64) -> Bool {
    Int(bitPattern: address) & (memory - 1) == 0 && position & (offset - 1) == 0
  }

  /// A length, rounded up to one that a read may have.
  package func roundedUp(_ byteCount: Int) -> Int {
    (byteCount + Int(offset) - 1) & ~Int(offset - 1)
  }
}
