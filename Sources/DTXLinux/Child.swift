internal import CLiburing
internal import Glibc

/// How a process ended.
package enum ExitState: Sendable, Equatable {
  /// It returned this status.
  case exited(Int32)
  /// This signal ended it.
  case signalled(Int32)
}

/// A process that this one started.
///
/// Its end should be waited for; a child whose last reference goes while it runs stays a zombie
/// after its end until this process ends. Methods may be called from any thread.
package final class Child: Sendable {
  /// The number of the process.
  package let processID: Int32
  /// The program's name, for messages.
  private let name: String
  private let state = Guarded<ExitState?>(nil)

  private init(processID: Int32, name: String) {
    self.processID = processID
    self.name = name
  }

  deinit { _ = waitIfDone() }

  /// Starts a program with an empty signal mask and the default reaction to PIPE.
  ///
  /// Of this process's descriptors it gets the three named here, and none that closes on exec,
  /// which all of this module's do. It stays in this process group.
  ///
  /// - Parameters:
  ///   - arguments: the program (searched in PATH unless it has a slash) and its arguments.
  ///   - standardInput: a descriptor that the caller keeps; nil inherits.
  ///   - standardOutput: the same.
  ///   - standardError: the same.
  ///   - ignoringInterrupt: whether it inherits that INT is ignored (see `Signals.blockAll`); if
  ///     not, it has the default reaction.
  /// - Returns: the running child.
  /// - Throws: ENOENT where there is no such program.
  package static func spawn(
    _ arguments: [[UInt8]],
    standardInput: Int32? = nil,
    standardOutput: Int32? = nil,
    standardError: Int32? = nil,
    ignoringInterrupt: Bool = true
  ) throws(SystemError) -> Child {
    let name = printable(arguments.first ?? [])
    guard !arguments.isEmpty, !arguments.contains(where: { $0.contains(0) }) else {
      throw SystemError(operation: "posix_spawn", subject: name, number: EINVAL)
    }
    var texts: [UnsafeMutablePointer<CChar>?] = arguments.map { argument in
      (argument + [0]).withUnsafeBytes { bytes in
        let text = UnsafeMutablePointer<CChar>.allocate(capacity: bytes.count)
        UnsafeMutableRawPointer(text).copyMemory(
          from: UnsafeRawPointer(bytes.baseAddress ?? UnsafeRawPointer(text)),
          byteCount: bytes.count
        )
        return text
      }
    }
    texts.append(nil)
    defer { for text in texts { text?.deallocate() } }
    var processID: pid_t = 0
    let result = system {
      dtx_spawn(
        &processID,
        texts,
        standardInput ?? -1,
        standardOutput ?? -1,
        standardError ?? -1,
        ignoringInterrupt ? 1 : 0
      )
    }
    try checked(result, "posix_spawn", name)
    return Child(processID: processID, name: name)
  }

  /// The same with arguments as text.
  package static func spawn(
    _ arguments: [String],
    standardInput: Int32? = nil,
    standardOutput: Int32? = nil,
    standardError: Int32? = nil,
    ignoringInterrupt: Bool = true
  ) throws(SystemError) -> Child {
    try spawn(
      arguments.map { Array($0.utf8) },
      standardInput: standardInput,
      standardOutput: standardOutput,
      standardError: standardError,
      ignoringInterrupt: ignoringInterrupt
    )
  }

  /// Starts a program with a stream to its standard input and from its standard output.
  package static func spawnConnected(
    _ arguments: [[UInt8]],
    standardError: Int32? = nil,
    ignoringInterrupt: Bool = true
  ) throws(SystemError) -> (child: Child, stream: ByteStream) {
    var input = try Pipe()
    var output = try Pipe()
    let childReads = input.takeReading()
    let childWrites = output.takeWriting()
    let stream = try ByteStream(reading: output.takeReading(), writing: input.takeWriting())
    let child = try spawn(
      arguments,
      standardInput: childReads.raw,
      standardOutput: childWrites.raw,
      standardError: standardError,
      ignoringInterrupt: ignoringInterrupt
    )
    return (child, stream)
  }

  /// Waits for the end of the process.
  package func wait() throws(SystemError) -> ExitState {
    while true {
      if let state = waitIfDone() { return state }
      // Waiting without reaping, and without the lock, lets `terminate` be called meanwhile.
      let result = system { dtx_await_exit(processID) }
      // Another thread may have reaped it between the two calls.
      if result == -Int(ECHILD), let state = state.withLock({ $0 }) { return state }
      try checked(result, "waitid", name)
    }
  }

  /// How the process ended, or nil while it runs.
  package func waitIfDone() -> ExitState? {
    state.withLock { state in
      if state != nil { return state }
      var signalled: Int32 = 0
      var code: Int32 = 0
      if dtx_reap(processID, &signalled, &code) == 1 {
        state = signalled != 0 ? .signalled(code) : .exited(code)
      }
      return state
    }
  }

  /// Sends a signal to the process unless its end was already seen.
  ///
  /// Until it is reaped its number cannot be another's, and the lock keeps it from being reaped.
  package func terminate(_ signal: Int32 = SIGTERM) {
    state.withLock { state in
      if state == nil { _ = kill(processID, signal) }
    }
  }
}
