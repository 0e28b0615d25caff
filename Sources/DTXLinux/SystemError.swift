internal import CLiburing
internal import Glibc

/// One failed system call: what was tried, on what, and why.
package struct SystemError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The call or act that failed ("open", "fdatasync").
  package var operation: String
  /// What it was tried on: a path or an address, already fit for a terminal.
  package var subject: String
  /// The error number (errno).
  package var number: Int32

  /// Makes an error from its parts.
  package init(operation: String, subject: String, number: Int32) {
    self.operation = operation
    self.subject = subject
    self.number = number
  }

  /// The symbol of the number ("ENOSPC"), or "errno 999" for one without a symbol.
  package var name: String {
    guard let symbol = dtx_error_name(number) else { return "errno \(number)" }
    return String(cString: symbol)
  }

  /// The C library's sentence for the number ("No space left on device").
  package var explanation: String {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: 128) { text in
      guard let start = text.baseAddress else { return name }
      dtx_error_text(number, start, text.count)
      return String(cString: start)
    }
  }

  package var description: String {
    "\(operation) \(subject): \(explanation) (\(name))"
  }
}

/// Calls until the call is not interrupted; returns its result, or the negative error number.
///
/// The number is read here, right after the call, so that nothing that runs on the way out of the
/// surrounding closures can change errno.
func system(_ call: () -> Int) -> Int {
  while true {
    let result = call()
    if result >= 0 { return result }
    let number = errno
    if number != EINTR { return -Int(number) }
  }
}

/// The same for a call with a C int as its result.
func system(_ call: () -> Int32) -> Int { system { Int(call()) } }

/// Turns a negative error number, as `system` returns it, into a thrown error.
@discardableResult
func checked(
  _ result: Int,
  _ operation: String,
  _ subject: @autoclosure () -> String
) throws(SystemError) -> Int {
  if result >= 0 { return result }
  throw SystemError(
    operation: operation,
    subject: subject(),
    number: Int32(truncatingIfNeeded: -result)
  )
}

/// Runs `body` with the bytes as a C string.
///
/// The bytes must hold no NUL: what follows one would be ignored silently, so this stops there.
func withCString(_ bytes: [UInt8], _ body: (UnsafePointer<CChar>) -> Int) -> Int {
  withUnsafeTemporaryAllocation(of: CChar.self, capacity: bytes.count + 1) { text in
    guard let start = text.baseAddress else { return -Int(ENOMEM) }
    let hasZero = bytes.withUnsafeBytes { source in
      guard let first = source.baseAddress, !source.isEmpty else { return false }
      memcpy(start, first, source.count)
      return memchr(start, 0, source.count) != nil
    }
    if hasZero { return -Int(EINVAL) }
    text[bytes.count] = 0
    return body(UnsafePointer(start))
  }
}

/// Has a call write text into the bytes; returns the count, or the negative error number.
func readInto(
  _ bytes: inout [UInt8],
  _ call: (UnsafeMutablePointer<CChar>, Int) -> Int
) -> Int {
  bytes.withUnsafeMutableBytes { buffer in
    guard let start = buffer.baseAddress else { return -Int(EINVAL) }
    return system { call(start.assumingMemoryBound(to: CChar.self), buffer.count) }
  }
}

extension SystemError {
  /// The number of a file that is too large (EFBIG).
  package static let tooLarge = EFBIG
  package static let wouldBlock = EWOULDBLOCK
  /// The number of a file that is no longer the one that it was (ESTALE).
  package static let stale = ESTALE

  /// Whether the file system has no locks to give (flock(2), and nfs(5) without a lock daemon).
  package var isAboutLocks: Bool { [ENOLCK, ENOSYS, EOPNOTSUPP, EINVAL].contains(number) }

  /// Whether access was denied, rather than something missing or broken.
  package var isAboutPermission: Bool { number == EACCES || number == EPERM }

  /// Whether room ran out: on the file system, in a quota, or by a limit on a file's length.
  package var isAboutSpace: Bool { number == ENOSPC || number == EDQUOT || number == EFBIG }

  /// A path that leads nowhere (ENOENT), found out without a system call.
  package static func missing(_ path: [UInt8]) -> SystemError {
    SystemError(operation: "open", subject: printable(path), number: ENOENT)
  }
}
