internal import Glibc

/// Page-aligned memory, as direct reads and writes need it.
///
/// `@unchecked Sendable`: it is handed from one owner to the next (through a pool or a mailbox), and
/// only the owner of the moment touches the bytes.
package final class PageBuffer: @unchecked Sendable {
  /// The bytes, valid while the buffer lives and zero at first.
  package let pointer: UnsafeMutableRawBufferPointer

  /// Maps memory; the count is rounded up to whole pages, of which the pointer shows what was asked.
  package init(byteCount: Int) throws(SystemError) {
    precondition(byteCount > 0, "a buffer has at least 1 byte, got \(byteCount)")
    let base = mmap(
      nil,
      byteCount,
      PROT_READ | PROT_WRITE,
      MAP_PRIVATE | Int32(MAP_ANONYMOUS),
      -1,
      0
    )
    guard let base, base != MAP_FAILED else {
      throw SystemError(operation: "mmap", subject: "\(byteCount) bytes", number: errno)
    }
    pointer = UnsafeMutableRawBufferPointer(start: base, count: byteCount)
  }

  deinit { munmap(pointer.baseAddress, pointer.count) }

  /// The number of bytes.
  package var byteCount: Int { pointer.count }
}
