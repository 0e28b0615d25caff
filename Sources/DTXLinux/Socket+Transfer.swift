internal import CLiburing
internal import Glibc

/// Sending and receiving bytes. A broken connection never raises SIGPIPE.
extension Socket {
  /// Sends all bytes.
  ///
  /// When it throws, an unknown part was sent and the connection is of no more use. ETIMEDOUT means
  /// that the send timeout passed without progress.
  package func sendAll(_ buffer: UnsafeRawBufferPointer) throws(SystemError) {
    try sendAll(buffer, UnsafeRawBufferPointer(start: nil, count: 0))
  }

  /// Sends all bytes.
  package func sendAll(_ bytes: [UInt8]) throws(SystemError) {
    try bytes.span.withUnsafeBytes { buffer throws(SystemError) in try sendAll(buffer) }
  }

  /// Sends two buffers one after the other, together where they fit (a header and its payload).
  package func sendAll(
    _ first: UnsafeRawBufferPointer,
    _ second: UnsafeRawBufferPointer
  ) throws(SystemError) {
    var first = first
    var second = second
    while first.count + second.count > 0 {
      let result = system {
        dtx_send(
          descriptor.raw,
          first.baseAddress,
          first.count,
          second.baseAddress,
          second.count
        )
      }
      let sent = try transferred(result, "send")
      let fromFirst = min(sent, first.count)
      first = UnsafeRawBufferPointer(rebasing: first[fromFirst...])
      second = UnsafeRawBufferPointer(rebasing: second[(sent - fromFirst)...])
    }
  }

  /// Receives until the buffer is full; false for an orderly end before the first byte.
  ///
  /// An end in the middle is thrown as ECONNRESET: to the reader it is a connection lost as by a
  /// reset. ETIMEDOUT means that the receive timeout passed; bytes received before it are lost.
  package func receiveExactly(_ buffer: UnsafeMutableRawBufferPointer) throws(SystemError) -> Bool {
    try receiveExactly(buffer, UnsafeMutableRawBufferPointer(start: nil, count: 0))
  }

  /// Receives until two buffers are full, one after the other, in one system call where it can.
  package func receiveExactly(
    _ first: UnsafeMutableRawBufferPointer,
    _ second: UnsafeMutableRawBufferPointer
  ) throws(SystemError) -> Bool {
    var first = first
    var second = second
    var isAtStart = true
    while first.count + second.count > 0 {
      let result = system {
        dtx_receive_whole(
          descriptor.raw,
          first.baseAddress,
          first.count,
          second.baseAddress,
          second.count
        )
      }
      let count = try transferred(result, "recv")
      if count == 0 {
        if isAtStart { return false }
        throw SystemError(operation: "recv", subject: label, number: ECONNRESET)
      }
      isAtStart = false
      let fromFirst = min(count, first.count)
      first = UnsafeMutableRawBufferPointer(rebasing: first[fromFirst...])
      second = UnsafeMutableRawBufferPointer(rebasing: second[(count - fromFirst)...])
    }
    return true
  }

  /// Receives what is there, at least a byte; 0 for an orderly end (or an empty buffer).
  package func receiveSome(_ buffer: UnsafeMutableRawBufferPointer) throws(SystemError) -> Int {
    if buffer.isEmpty { return 0 }
    let result = system { dtx_receive(descriptor.raw, buffer.baseAddress, buffer.count) }
    return try transferred(result, "recv")
  }

  /// A socket's timeout shows as EAGAIN, which says little to a person.
  func transferred(_ result: Int, _ operation: String) throws(SystemError) -> Int {
    try check(operation, result == -Int(EAGAIN) ? -Int(ETIMEDOUT) : result)
  }
}
