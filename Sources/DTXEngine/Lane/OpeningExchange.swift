internal import DTXLinux
internal import Glibc

/// Messages of fixed length over one socket until one deadline.
struct OpeningExchange {
  private let socket: Socket
  /// An instant of `Clock.now`.
  private let deadline: UInt64

  init(socket: Socket, timeoutNanoseconds: UInt64) {
    self.socket = socket
    deadline = Clock.now() + timeoutNanoseconds
  }

  /// Sends a message.
  ///
  /// It needs no deadline: the three together fit into any socket's empty buffer.
  func send(_ bytes: [UInt8]) throws(LaneError) {
    do throws(SystemError) {
      try socket.sendAll(bytes)
    } catch {
      throw Self.failure(error)
    }
  }

  /// Receives a message of so many bytes.
  ///
  /// The deadline is for all of it: a stranger that sends a byte now and then gains no time, as it
  /// would against a receive timeout, which begins anew with each byte.
  func receive(_ byteCount: Int) throws(LaneError) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: byteCount)
    var filled = 0
    while filled < byteCount {
      let received: Int
      do throws(SystemError) {
        guard try socket.waitReadable(before: deadline) else { throw Self.timeout }
        var free = bytes.mutableSpan
        received = try free.withUnsafeMutableBytes { buffer throws(SystemError) in
          try socket.receiveSome(UnsafeMutableRawBufferPointer(rebasing: buffer[filled...]))
        }
      } catch {
        throw Self.failure(error)
      }
      guard received > 0 else { throw .closed }
      filled += received
    }
    return bytes
  }

  private static let timeout = SystemError(operation: "poll", subject: "lane", number: ETIMEDOUT)

  private static func failure(_ error: SystemError) -> LaneError {
    switch error.number {
    case ETIMEDOUT: .timedOut
    case ECONNRESET, EPIPE: .closed
    default: .system(error)
    }
  }
}
