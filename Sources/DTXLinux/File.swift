internal import CLiburing
internal import Glibc
internal import Synchronization

/// What a file is opened for.
package enum OpenMode: Sendable {
  /// To read an existing file.
  case read
  /// To read and write an existing file.
  case readWrite
  /// To read and write; made if it is missing.
  case create
  /// To read and write; it must not exist yet (EEXIST).
  case createExclusive
  /// To read, and to write at the end only; made if it is missing.
  case append

  var flags: Int32 {
    switch self {
    case .read: O_RDONLY
    case .readWrite: O_RDWR
    case .create: O_RDWR | O_CREAT
    case .createExclusive: O_RDWR | O_CREAT | O_EXCL
    case .append: O_RDWR | O_CREAT | O_APPEND
    }
  }
}

/// An open file, whose reads and writes name their offset, so that threads may share it.
///
/// Calls from several threads are safe, but `close` must come after all others have returned: a
/// call that overlaps with it may fail with EBADF or even meet another file, one after it fails.
package final class File: Sendable {
  /// The directory's path and the name in it: put together only for a message, because a file of
  /// a few KiB is opened as often as one of a TiB.
  private let directory: [UInt8]
  private let name: [UInt8]
  private let state: Atomic<Int32>

  /// Takes over a descriptor; the path is for messages.
  package init(path: [UInt8], owning descriptor: consuming Descriptor) {
    directory = []
    name = path
    state = Atomic(descriptor.release())
  }

  /// Takes over the descriptor of a name below a directory.
  init(_ name: [UInt8], in directory: Directory, owning descriptor: consuming Descriptor) {
    self.directory = directory.path
    self.name = name
    state = Atomic(descriptor.release())
  }

  /// The path that it was opened by, for messages only.
  package var path: [UInt8] {
    directory.isEmpty ? name : Directory.join(directory, name)
  }

  deinit {
    let raw = state.load(ordering: .relaxed)
    if raw >= 0 { _ = Glibc.close(raw) }
  }

  /// Opens a file that the user named: links in the path are followed.
  ///
  /// Like `Directory.openFile` it never waits.
  package static func open(
    _ path: [UInt8],
    _ mode: OpenMode,
    permissions: UInt32 = 0o600,
    direct: Bool = false
  ) throws(SystemError) -> File {
    let flags = mode.flags | O_NONBLOCK | O_NOCTTY | (direct ? dtx_open_direct : 0)
    let result = withCString(path) { text in
      system { dtx_openat(AT_FDCWD, text, flags, permissions) }
    }
    let raw = Int32(try checked(result, "open", printable(path)))
    return File(path: path, owning: Descriptor(owning: raw))
  }

  /// The descriptor's number, for a call that borrows it; -1 once closed.
  package var raw: Int32 { state.load(ordering: .relaxed) }

  /// Closes the file and reports a failure, which after a write means that data may be lost.
  ///
  /// A second call does nothing.
  package func close() throws(SystemError) {
    let number = state.exchange(-1, ordering: .relaxed)
    if number < 0 { return }
    // Linux has released the number even when it reports EINTR.
    if Glibc.close(number) != 0, errno != EINTR {
      throw SystemError(operation: "close", subject: printable(path), number: errno)
    }
  }

  /// Reads until the buffer is full or the file ends; returns the number of bytes.
  package func read(
    into buffer: UnsafeMutableRawBufferPointer,
    at offset: UInt64
  ) throws(SystemError) -> Int {
    var filled = 0
    while filled < buffer.count {
      let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[filled...])
      let position = try self.position(offset, plus: filled)
      let result = system { pread(raw, rest.baseAddress, rest.count, position) }
      let count = try checked(result, "read", printable(path))
      if count == 0 { break }
      filled += count
    }
    return filled
  }

  /// Reads into spaced memory until that is full or the file ends; returns the number of bytes.
  ///
  /// - Parameters:
  ///   - memory: where the bytes go.
  ///   - position: the first byte that is read into, counted over all pieces.
  ///   - byteCount: how many, at most to the last piece's end.
  ///   - offset: of the first byte in the file.
  ///   - once: whether one system call must do: the next one might not be aligned.
  /// - Returns: the number of bytes.
  /// - Throws: what preadv(2) says.
  package func read(
    into memory: SpacedMemory,
    from position: Int,
    byteCount: Int,
    at offset: UInt64,
    once: Bool = false
  ) throws(SystemError) -> Int {
    precondition(position + byteCount <= memory.byteCount, "a read past the memory's end")
    var filled = 0
    while filled < byteCount {
      let place = try self.position(offset, plus: filled)
      let result = system {
        dtx_read_apart(
          raw,
          memory.base,
          memory.pieceByteCount,
          memory.stride,
          position + filled,
          byteCount - filled,
          Int64(place)
        )
      }
      let count = try checked(result, "read", printable(path))
      filled += count
      if count == 0 || once { break }
    }
    return filled
  }

  /// Reads up to a number of bytes; fewer come only at the end of the file.
  package func read(byteCount: Int, at offset: UInt64) throws(SystemError) -> [UInt8] {
    // An array of no capacity is one for all threads, and its length would be written all the same.
    guard byteCount > 0 else { return [] }
    var failure: SystemError?
    let bytes = [UInt8](unsafeUninitializedCapacity: byteCount) { buffer, count in
      do throws(SystemError) {
        let target = UnsafeMutableRawBufferPointer(buffer.extracting(..<byteCount))
        count = try read(into: target, at: offset)
      } catch {
        failure = error
      }
    }
    if let failure { throw failure }
    return bytes
  }

  /// Writes all bytes at an offset; when it throws, some of them may have been written.
  package func write(_ buffer: UnsafeRawBufferPointer, at offset: UInt64) throws(SystemError) {
    var written = 0
    while written < buffer.count {
      let rest = UnsafeRawBufferPointer(rebasing: buffer[written...])
      let position = try self.position(offset, plus: written)
      let result = system { pwrite(raw, rest.baseAddress, rest.count, position) }
      written += try progress(result, "write")
    }
  }

  /// Writes all bytes at an offset; when it throws, some of them may have been written.
  package func write(_ bytes: [UInt8], at offset: UInt64) throws(SystemError) {
    try bytes.span.withUnsafeBytes { buffer throws(SystemError) in try write(buffer, at: offset) }
  }

  /// Writes all bytes at the end of a file opened with `.append`.
  ///
  /// One call of a few KiB lands in one piece on local file systems; when it throws, a part of it
  /// may be there.
  package func append(_ buffer: UnsafeRawBufferPointer) throws(SystemError) {
    var written = 0
    while written < buffer.count {
      let rest = UnsafeRawBufferPointer(rebasing: buffer[written...])
      written += try progress(system { Glibc.write(raw, rest.baseAddress, rest.count) }, "write")
    }
  }

  /// Writes all bytes at the end of a file opened with `.append`.
  package func append(_ bytes: [UInt8]) throws(SystemError) {
    try bytes.span.withUnsafeBytes { buffer throws(SystemError) in try append(buffer) }
  }

  /// The bytes that a write took; a device that takes none would otherwise be asked for ever.
  private func progress(_ result: Int, _ operation: String) throws(SystemError) -> Int {
    try checked(result == 0 ? -Int(EIO) : result, operation, printable(path))
  }

  private func position(_ offset: UInt64, plus count: Int) throws(SystemError) -> Int {
    guard let position = Int(exactly: offset), Int.max - position >= count else {
      throw SystemError(operation: "seek", subject: printable(path), number: EFBIG)
    }
    return position + count
  }
}
