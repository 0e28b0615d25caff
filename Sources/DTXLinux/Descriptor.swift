internal import CLiburing
internal import Glibc

/// A file descriptor with one owner, closed when the owner goes.
package struct Descriptor: ~Copyable, Sendable {
  /// The number, for a call that borrows it while this value lives.
  package let raw: Int32

  /// Takes over an open descriptor, which nothing else may close from now on.
  package init(owning raw: Int32) {
    precondition(raw >= 0, "a descriptor is not negative, got \(raw)")
    self.raw = raw
  }

  deinit { _ = Glibc.close(raw) }

  /// Closes the descriptor and reports a failure, which after a write means that data may be lost.
  ///
  /// It is closed even if this throws, so there is nothing to repeat.
  package consuming func close() throws(SystemError) {
    let number = raw
    discard self
    // Linux has released the number even when it reports EINTR; a second close could hit another's.
    if Glibc.close(number) != 0, errno != EINTR {
      throw SystemError(operation: "close", subject: "descriptor \(number)", number: errno)
    }
  }

  /// A second descriptor, closed on exec, of the same open file.
  package borrowing func duplicate() throws(SystemError) -> Descriptor {
    try Descriptor.duplicate(of: raw)
  }

  /// A descriptor of our own, closed on exec, of what another number is open on (such as 0 or 1).
  package static func duplicate(of raw: Int32) throws(SystemError) -> Descriptor {
    let result = system { dtx_duplicate(raw) }
    return Descriptor(owning: Int32(try checked(result, "fcntl", "descriptor \(raw)")))
  }

  /// Gives the number away; whoever takes it must close it.
  package consuming func release() -> Int32 {
    let number = raw
    discard self
    return number
  }
}

/// Both ends of a new pipe, closed on exec, each to be taken once.
///
/// An end that nobody took is closed with this value.
package struct Pipe: ~Copyable {
  private var reading: Descriptor?
  private var writing: Descriptor?

  /// Makes a pipe.
  package init() throws(SystemError) {
    var ends: [Int32] = [-1, -1]
    try checked(system { dtx_pipe(&ends) }, "pipe", "pipe")
    reading = Descriptor(owning: ends[0])
    writing = Descriptor(owning: ends[1])
  }

  /// Takes the end that is read from.
  package mutating func takeReading() -> Descriptor {
    guard let end = reading.take() else { preconditionFailure("the reading end was taken before") }
    return end
  }

  /// Takes the end that is written to.
  package mutating func takeWriting() -> Descriptor {
    guard let end = writing.take() else { preconditionFailure("the writing end was taken before") }
    return end
  }
}

extension Descriptor {
  /// Makes a descriptor's number name what another one does: `redirect(1, to: 2)`.
  package static func redirect(_ raw: Int32, to target: Int32) throws(SystemError) {
    try checked(system { dtx_redirect(raw, target) }, "dup2", "descriptor \(raw)")
  }
}
