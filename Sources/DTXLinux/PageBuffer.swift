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

/// A fixed number of buffers of one size: how many are out bounds the work in flight.
package final class BufferPool: Sendable {
  /// The number of buffers, in the pool and out of it.
  package let count: Int
  /// The size of each.
  package let byteCount: Int
  private let free: Guarded<[PageBuffer]>

  /// Maps all buffers at once.
  package init(count: Int, byteCount: Int) throws(SystemError) {
    precondition(count > 0, "a pool has at least 1 buffer, got \(count)")
    self.count = count
    self.byteCount = byteCount
    var buffers: [PageBuffer] = []
    buffers.reserveCapacity(count)
    for _ in 0..<count { buffers.append(try PageBuffer(byteCount: byteCount)) }
    free = Guarded(buffers)
  }

  /// Takes a buffer, and waits until one is given back where none is left.
  package func take() -> PageBuffer {
    guard let buffer = free.wait(until: { $0.popLast() }) else {
      preconditionFailure("a wait without a deadline ended without a buffer")
    }
    return buffer
  }

  /// Takes a buffer, or nil if there is none until the deadline (an instant of `Clock.now`).
  package func take(deadline: UInt64) -> PageBuffer? {
    free.wait(until: { $0.popLast() }, deadline: deadline)
  }

  /// Takes a buffer if one is left.
  package func tryTake() -> PageBuffer? { free.withLock { $0.popLast() } }

  /// Gives a buffer of this pool back; its content stays as it is.
  package func give(_ buffer: PageBuffer) {
    precondition(buffer.byteCount == byteCount, "a buffer of another pool was given back")
    free.withLockAndSignal { free in
      precondition(free.count < count, "more buffers were given back than taken")
      free.append(buffer)
    }
  }

  /// The number of buffers that are not taken.
  package var freeCount: Int { free.withLock { $0.count } }
}
