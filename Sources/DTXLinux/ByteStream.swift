internal import CLiburing
internal import Glibc

/// Bytes both ways to one peer, over a socket or a pair of pipes: for control channels.
///
/// One thread may read while another writes; several readers, or several writers, take turns call
/// by call. After `close` a reader meets the end and a writer EPIPE, as if the peer had gone.
/// Over pipes a peer that has gone raises SIGPIPE, which `Signals.blockAll` ignores.
package final class ByteStream: Sendable {
  private enum Ends {
    case socket(Socket)
    case pipes(PipeEnds)
  }

  private let ends: Ends
  /// Since when a reader has been waiting for bytes; once there are no more, since their end.
  private let waitingSince = Guarded<UInt64?>(nil)

  /// Takes over two descriptors, such as pipe ends or copies of standard input and output.
  ///
  /// Their blocking mode is left as it is, because other processes may share it.
  package init(
    reading: consuming Descriptor,
    writing: consuming Descriptor
  ) throws(SystemError) {
    ends = .pipes(try PipeEnds(reading: reading, writing: writing))
  }

  /// Speaks over a connected socket.
  package init(socket: Socket) { ends = .socket(socket) }

  /// Since when the peer has owed this end a byte, an instant of `Clock.now`.
  ///
  /// That is now while nobody here waits for one: whoever keeps a peer's bytes waiting cannot say
  /// that it is silent. A peer that has ended what it says is silent from then on.
  package var silentSince: UInt64 { waitingSince.withLock { $0 } ?? Clock.now() }

  /// Reads until the buffer is full; false for an orderly end before the first byte.
  ///
  /// An end in the middle throws ECONNRESET. At the deadline (an instant of `Clock.now`; nil: none)
  /// it throws ETIMEDOUT, and bytes read before that are lost.
  package func readExactly(
    into buffer: UnsafeMutableRawBufferPointer,
    deadline: UInt64? = nil
  ) throws(SystemError) -> Bool {
    var filled = 0
    while filled < buffer.count {
      let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[filled...])
      let count = try readSome(into: rest, deadline: deadline)
      if count == 0 {
        if filled == 0 { return false }
        throw SystemError(operation: "read", subject: label, number: ECONNRESET)
      }
      filled += count
    }
    return true
  }

  /// Reads what is there, at least a byte; 0 for the end (or an empty buffer).
  package func readSome(
    into buffer: UnsafeMutableRawBufferPointer,
    deadline: UInt64? = nil
  ) throws(SystemError) -> Int {
    if buffer.isEmpty { return 0 }
    waitingSince.withLock { $0 = $0 ?? Clock.now() }
    let count = try readWhatIsThere(into: buffer, deadline: deadline)
    if count > 0 { waitingSince.withLock { $0 = nil } }
    return count
  }

  private func readWhatIsThere(
    into buffer: UnsafeMutableRawBufferPointer,
    deadline: UInt64?
  ) throws(SystemError) -> Int {
    switch ends {
    case .pipes(let pipes):
      return try pipes.read(into: buffer, deadline: deadline)
    case .socket(let socket):
      if let deadline, try !socket.waitReadable(before: deadline) {
        throw SystemError(operation: "read", subject: label, number: ETIMEDOUT)
      }
      return try socket.receiveSome(buffer)
    }
  }

  /// Writes all bytes; blocks while the peer does not read.
  ///
  /// - Parameters:
  ///   - buffer: the bytes.
  ///   - patience: how long the peer may neither take nor say anything, in nanoseconds; nil for
  ///     ever. It may take nothing for ten times as long. Only pipes and pairs of descriptors heed
  ///     it: a socket has options of its own.
  /// - Throws: `SystemError`; ETIMEDOUT when the peer was silent for so long.
  package func writeAll(
    _ buffer: UnsafeRawBufferPointer,
    patience: UInt64? = nil
  ) throws(SystemError) {
    switch ends {
    case .pipes(let pipes):
      try pipes.write(buffer, patience: patience, silentSince: { silentSince })
    case .socket(let socket): try socket.sendAll(buffer)
    }
  }

  /// Writes all bytes; blocks while the peer does not read.
  ///
  /// - Parameters:
  ///   - bytes: what to write.
  ///   - patience: how long the peer may neither take nor say anything, in nanoseconds; nil for
  ///     ever. It may take nothing for ten times as long. Only pipes and pairs of descriptors heed
  ///     it.
  /// - Throws: `SystemError`; ETIMEDOUT when the peer was silent for so long.
  package func writeAll(_ bytes: [UInt8], patience: UInt64? = nil) throws(SystemError) {
    try bytes.span.withUnsafeBytes { buffer throws(SystemError) in
      try writeAll(buffer, patience: patience)
    }
  }

  /// Ends what this side writes, after a write in progress; the peer then reads to the end.
  package func closeWriting() {
    switch ends {
    case .pipes(let pipes): pipes.closeWriting()
    case .socket(let socket): socket.shutdownSending()
    }
  }

  /// Ends both ways and wakes every thread that is blocked in this stream; repeatable.
  package func close() {
    switch ends {
    case .pipes(let pipes): pipes.close()
    case .socket(let socket): socket.shutdown()
    }
  }

  private var label: String {
    switch ends {
    case .pipes: PipeEnds.label
    case .socket(let socket): socket.label
    }
  }
}

/// Two descriptors that may block, and an event that frees whoever waits for them.
///
/// The descriptors may be shared with other processes, so they are not made non-blocking. Instead
/// nothing is read or written before poll(2) has promised that it will not block: a readable
/// descriptor gives what it has, and a writable pipe takes a page.
private final class PipeEnds: Sendable {
  static let label = "pipe"
  /// PIPE_BUF: what a writable pipe takes without blocking.
  private static let writableByteCount = 4096

  private let reading: Guarded<Descriptor?>
  private let writing: Guarded<Descriptor?>
  /// Signalled once, by `close`, and never reset.
  private let closed: Descriptor

  init(reading: consuming Descriptor, writing: consuming Descriptor) throws(SystemError) {
    closed = Descriptor(owning: Int32(try checked(system { dtx_event() }, "eventfd", "pipe")))
    self.reading = Guarded(reading)
    self.writing = Guarded(writing)
  }

  func read(
    into buffer: UnsafeMutableRawBufferPointer,
    deadline: UInt64?
  ) throws(SystemError) -> Int {
    try reading.withLock { end throws(SystemError) in
      guard let raw = end?.raw else { return 0 }
      while true {
        switch try wait(for: raw, DTX_READABLE, deadline: deadline) {
        case .ready: break
        case .closed: return 0
        case .late: throw PipeEnds.late("read")
        }
        let result = system { Glibc.read(raw, buffer.baseAddress, buffer.count) }
        if result != -Int(EAGAIN) { return try checked(result, "read", PipeEnds.label) }
      }
    }
  }

  func write(
    _ buffer: UnsafeRawBufferPointer,
    patience: UInt64?,
    silentSince: () -> UInt64
  ) throws(SystemError) {
    try writing.withLock { end throws(SystemError) in
      var written = 0
      while written < buffer.count {
        guard let raw = end?.raw, try waitWritable(raw, patience, silentSince) else {
          throw SystemError(operation: "write", subject: PipeEnds.label, number: EPIPE)
        }
        let piece = UnsafeRawBufferPointer(
          rebasing: buffer[written...].prefix(PipeEnds.writableByteCount)
        )
        let result = system { Glibc.write(raw, piece.baseAddress, piece.count) }
        if result == -Int(EAGAIN) { continue }
        written += try checked(result, "write", PipeEnds.label)
      }
    }
  }

  func closeWriting() {
    writing.withLock { end in
      // Closing one of two descriptors of the same socket would not tell the peer.
      if let raw = end?.raw { _ = dtx_shutdown(raw, 0) }
      end = nil
    }
  }

  func close() {
    _ = dtx_event_signal(closed.raw)
    closeWriting()
    reading.withLock { $0 = nil }
  }

  /// False when the stream was closed; throws ETIMEDOUT when the peer was silent for too long.
  private func waitWritable(
    _ raw: Int32,
    _ patience: UInt64?,
    _ silentSince: () -> UInt64
  ) throws(SystemError) -> Bool {
    let start = Clock.now()
    var silence = start
    while true {
      let deadline = patience.map { min(silence + $0, start + 10 * $0) }
      switch try wait(for: raw, DTX_WRITABLE, deadline: deadline) {
      case .ready: return true
      case .closed: return false
      case .late:
        // A peer that says something is there, and may have its reasons to take nothing; but what
        // waits here may be what keeps this end from hearing that it has gone.
        let heard = silentSince()
        guard let patience, heard > silence, Clock.now() < start + 10 * patience else {
          throw PipeEnds.late("write")
        }
        silence = heard
      }
    }
  }

  private enum Waiting {
    case ready
    /// The stream was closed meanwhile.
    case closed
    case late
  }

  private func wait(
    for raw: Int32,
    _ interest: dtx_readiness,
    deadline: UInt64?
  ) throws(SystemError) -> Waiting {
    while true {
      let result = system {
        dtx_wait(raw, Int32(interest.rawValue), closed.raw, Clock.remaining(until: deadline))
      }
      let ready = UInt32(try checked(result, "poll", PipeEnds.label))
      if ready & DTX_WOKEN.rawValue != 0 { return .closed }
      if ready != 0 { return .ready }
      if let deadline, Clock.now() >= deadline { return .late }
    }
  }

  private static func late(_ operation: String) -> SystemError {
    SystemError(operation: operation, subject: label, number: ETIMEDOUT)
  }
}
