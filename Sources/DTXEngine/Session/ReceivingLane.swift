internal import DTXCore
internal import DTXLinux

/// One connection at the receiver, with its thread.
///
/// Reports `received` for each block and `connectionLost` once, as its last word.
final class ReceivingLane: SessionLane {
  private let socket: Socket
  private let thread: Thread
  private let passage: BlockPassage

  init(
    _ opened: OpenedLane,
    surroundings: BlockWriter.Surroundings,
    gate: Gate,
    report: @escaping @Sendable (ReceiveSession.Event) -> Void
  ) throws(SystemError) {
    let id = ConnectionID(lane: opened.identity.lane, number: opened.identity.number)
    socket = opened.socket
    let socket = opened.socket
    let passage = BlockPassage(over: socket)
    self.passage = passage
    thread = try Thread(name: "dtx-receive-\(id.lane)") {
      let reason = ReceivingLane.receive(opened, surroundings, gate, passage) { block, outcome in
        switch outcome {
        case .arrived(let extents): report(.received(id, block.reference, extents))
        case .abandoned: break
        case .refused(let reason): report(.failed(SessionFailure(.storage, reason)))
        }
        passage.settle(payloadByteCount: block.arrivedByteCount)
      }
      socket.shutdown()
      report(.connectionLost(id, reason: reason))
    }
  }

  /// Payload of blocks that are arriving, or are not written yet.
  var arrivingByteCount: UInt64 { passage.receivedByteCount }

  /// Ends the connection: whoever is done needs nothing more that may come on it.
  ///
  /// The sender may have lost its power, or may never end it: what waited for its last word would
  /// keep the destination locked.
  func end() {
    socket.shutdown()
  }

  /// Ends the connection at once; a thread that waits in a system call wakes up.
  func abort() {
    socket.shutdown()
  }

  func hasReturned(before deadline: UInt64) -> Bool {
    thread.hasReturned(before: deadline)
  }

  func join() {
    thread.join()
  }

  /// - Returns: why the connection ended; nothing writes for it any more.
  private static func receive(
    _ opened: OpenedLane,
    _ surroundings: BlockWriter.Surroundings,
    _ gate: Gate,
    _ passage: BlockPassage,
    _ done: @escaping @Sendable (BlockWriter, BlockWriter.Outcome) -> Void
  ) -> String {
    let receiver: BlockReceiver
    do throws(SystemError) {
      receiver = try BlockReceiver(
        opened: opened,
        surroundings: surroundings,
        gate: gate,
        passage: passage,
        done: done
      )
    } catch {
      return error.description
    }
    defer { receiver.conclude() }
    do throws(BlockReceiver.Failure) {
      try receiver.run()
      return "it was closed"
    } catch {
      switch error {
      case .broken(let reason):
        return reason
      case .violation(let reason):
        // With a cipher this is tampering or a fault of the path; the block goes again, and a
        // peer that keeps doing it runs out of connections.
        return "what came on it is not what was sent: \(reason)"
      }
    }
  }
}
