internal import DTXCore
internal import DTXLinux

/// The thread that takes what the peer says during a session.
final class ControlReader: Sendable {
  /// What came.
  enum Arrival: Sendable {
    case message(Message)
    /// Bytes of the lane that goes through the channel.
    case laneBytes([UInt8])
    /// The channel has ended; nothing follows.
    case ended(String)
    /// What came is no message; nothing follows.
    case unreadable(String)
  }

  private let thread: Thread

  /// Begins to read.
  ///
  /// - Parameters:
  ///   - channel: where the peer speaks.
  ///   - backlog: what each message enters before it is delivered; whoever hears it lets it leave.
  ///   - deliver: takes what comes, on a thread of its own.
  /// - Throws: `TransferError` when there is no thread for it.
  init(
    _ channel: ControlChannel,
    _ backlog: Backlog,
    deliver: @escaping @Sendable (Arrival) -> Void
  ) throws(TransferError) {
    do {
      thread = try Thread(name: "dtx-ctl-read") {
        deliver(ControlReader.read(channel, backlog, deliver))
      }
    } catch {
      throw TransferError("the control channel has no thread", error)
    }
  }

  func join() {
    thread.join()
  }

  private static func read(
    _ channel: ControlChannel,
    _ backlog: Backlog,
    _ deliver: (Arrival) -> Void
  ) -> Arrival {
    do throws(TransferError) {
      while let (kind, bytes) = try channel.receive() {
        switch kind {
        case .laneBytes:
          deliver(.laneBytes(bytes))
        case .handshake:
          return .unreadable("a handshake within the session")
        case .message:
          let message: Message
          do {
            message = try MessageCodec.decode(bytes)
          } catch {
            return .unreadable("a message that cannot be read: \(error)")
          }
          switch backlog.enter(bytes.count) {
          case .entered: deliver(.message(message))
          case .refused: return .unreadable("more than it let this end answer")
          case .closed: break
          }
        }
      }
      return .ended("the far end closed the control channel")
    } catch {
      return .ended(error.cause ?? error.summary)
    }
  }
}
