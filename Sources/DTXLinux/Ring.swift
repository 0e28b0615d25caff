internal import CLiburing
internal import Glibc

/// Reads and writes of files that the kernel does by itself (io_uring), many at a time.
///
/// Any thread gives work; one thread of the ring's own submits it and hears of its end, because a
/// ring with a single user costs least. What does not fit among the operations under way waits for
/// its turn. A ring that nobody refers to any more ends when it has done what it was given.
package final class Ring: Sendable {
  /// Is told how many bytes were moved, or what is wrong; on the ring's thread, which it must not
  /// hold up.
  ///
  /// Fewer bytes than were asked for mean no error: the file ends there, or the rest is for a
  /// system call, which does it or says what is wrong.
  package typealias Completion = @Sendable (Result<Int, SystemError>) -> Void

  private let core: RingCore
  private let thread: Thread

  /// Makes a ring and its thread.
  ///
  /// - Parameters:
  ///   - name: of the thread, as tools show it.
  ///   - depth: the number of operations under way at most.
  ///   - slotCount: buffers that are held at most, for writes that need not look their pages up.
  ///     None are where RLIMIT_MEMLOCK has no room for them.
  /// - Throws: ENOSYS, EPERM or EACCES where io_uring is off; ENOMEM; EAGAIN where the system has no
  ///   room for another thread.
  package init(name: String, depth: Int, slotCount: Int) throws(SystemError) {
    precondition(depth > 0 && slotCount >= 0, "a ring of \(depth) operations")
    let core = RingCore(depth: depth, slotCount: slotCount)
    self.core = core
    thread = try Thread(name: name) { core.run() }
    let number = core.awaitOpening()
    if number == 0 { return }
    thread.join()
    throw SystemError(operation: "io_uring_setup", subject: name, number: number)
  }

  deinit { core.end() }

  /// Writes bytes to a file.
  ///
  /// - Parameters:
  ///   - bytes: stay as they are until `completion` is called.
  ///   - buffer: they lie in it.
  ///   - file: nobody closes it before that.
  ///   - offset: of the first byte in the file.
  ///   - granularity: a write that was cut short is gone on with where a multiple of so many bytes
  ///     was written: the next one must be aligned.
  ///   - completion: called once.
  package func write(
    _ bytes: UnsafeRawBufferPointer,
    in buffer: PageBuffer,
    to file: File,
    at offset: UInt64,
    granularity: Int = 1,
    completion: @escaping Completion
  ) {
    core.add(
      RingOperation(
        .write(bytes, granularity: granularity),
        buffer,
        file,
        at: offset,
        completion: completion
      )
    )
  }

  /// Reads bytes of a file by one call, into spaced memory.
  ///
  /// - Parameters:
  ///   - memory: left alone until `completion` is called.
  ///   - buffer: it lies in this one.
  ///   - range: what is read into, counted over all pieces.
  ///   - file: nobody closes it before that.
  ///   - offset: of the first byte in the file.
  ///   - completion: called once.
  package func read(
    into memory: SpacedMemory,
    in buffer: PageBuffer,
    range: Range<Int>,
    of file: File,
    at offset: UInt64,
    completion: @escaping Completion
  ) {
    precondition(range.upperBound <= memory.byteCount, "a read past the memory's end")
    core.add(RingOperation(.read(memory, range), buffer, file, at: offset, completion: completion))
  }

  /// Whether it holds no buffers: it was not to, or may not.
  package var isPlain: Bool { core.isPlain }

  /// Waits until everything that was given is complete, and ends the thread.
  ///
  /// Not called by a completion; nothing is given after it. A second call does nothing.
  package func finish() {
    core.end()
    thread.join()
  }
}

/// What was asked of a ring.
///
/// It keeps memory and file until it is complete.
struct RingOperation {
  enum Kind {
    case write(UnsafeRawBufferPointer, granularity: Int)
    case read(SpacedMemory, Range<Int>)
  }

  let kind: Kind
  let buffer: PageBuffer
  let file: File
  let offset: UInt64
  let completion: Ring.Completion
  private(set) var done = 0

  /// One submission's length has 32 bits, and a write returns at most 2 GiB.
  private static let longestSubmission = 1 << 30

  init(
    _ kind: Kind,
    _ buffer: PageBuffer,
    _ file: File,
    at offset: UInt64,
    completion: @escaping Ring.Completion
  ) {
    self.kind = kind
    self.buffer = buffer
    self.file = file
    self.offset = offset
    self.completion = completion
  }

  var byteCount: Int {
    switch kind {
    case .write(let bytes, _): bytes.count
    case .read(_, let range): range.count
    }
  }

  /// Why it cannot even be asked of the kernel.
  var fault: SystemError? {
    guard let start = Int64(exactly: offset), Int64.max - start >= byteCount else {
      return failure(EFBIG)
    }
    return nil
  }

  /// Queues it, or what is left of it.
  func submit(to raw: OpaquePointer, slot: Int, token: Int) {
    let result =
      switch kind {
      case .write(let bytes, _):
        dtx_ring_write(
          raw,
          file.raw,
          bytes.baseAddress.map { $0 + done },
          UInt32(min(bytes.count - done, RingOperation.longestSubmission)),
          offset + UInt64(done),
          Int32(slot),
          UInt32(token)
        )
      case .read(let memory, let range):
        dtx_ring_read_apart(
          raw,
          file.raw,
          memory.base,
          memory.pieceByteCount,
          memory.stride,
          range.lowerBound,
          range.count,
          offset,
          UInt32(token)
        )
      }
    precondition(result == 0, "a ring has room for each of its operations")
  }

  /// What a completion says: nil where the rest is to be submitted.
  mutating func take(_ result: Int32) -> Result<Int, SystemError>? {
    switch kind {
    case .read:
      if -result == EINTR { return nil }
      // A file that cannot wait without a thread: a system call can.
      if -result == EAGAIN { return .success(0) }
      return result < 0 ? .failure(failure(-result)) : .success(Int(result))
    case .write(let bytes, let granularity):
      if -result == EINTR { return nil }
      if -result == EAGAIN { return .success(done) }
      // A device that takes nothing would otherwise be asked for ever.
      guard result > 0 else { return .failure(failure(result == 0 ? EIO : -result)) }
      done += Int(result)
      return done < bytes.count && done.isMultiple(of: granularity) ? nil : .success(done)
    }
  }

  private func failure(_ number: Int32) -> SystemError {
    let operation =
      switch kind {
      case .write: "write"
      case .read: "read"
      }
    return SystemError(operation: operation, subject: printable(file.path), number: number)
  }
}
