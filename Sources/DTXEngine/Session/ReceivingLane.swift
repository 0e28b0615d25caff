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
    destination: Destination,
    table: ReceivingTable,
    gate: Gate,
    unitByteCount: Int,
    report: @escaping @Sendable (ReceiveSession.Event) -> Void
  ) throws(SystemError) {
    let id = ConnectionID(lane: opened.identity.lane, number: opened.identity.number)
    socket = opened.socket
    let socket = opened.socket
    let passage = BlockPassage(over: socket)
    self.passage = passage
    thread = try Thread(name: "dtx-receive-\(id.lane)") {
      let reason = ReceivingLane.receive(
        opened,
        id,
        destination: destination,
        table: table,
        gate: gate,
        unitByteCount: unitByteCount,
        passage: passage,
        report: { event in
          report(event)
          passage.settle()
        }
      )
      passage.settle()
      socket.shutdown()
      report(.connectionLost(id, reason: reason))
    }
  }

  /// Payload of the block that is arriving.
  var arrivingByteCount: UInt64 { passage.receivedByteCount }

  /// Leaves the end to the sender, which has said its last or is about to.
  func end() {}

  /// Ends the connection at once; a thread that waits in a system call wakes up.
  func abort() {
    socket.shutdown()
  }

  func join() {
    thread.join()
  }

  /// - Returns: why the connection ended.
  private static func receive(
    _ opened: OpenedLane,
    _ id: ConnectionID,
    destination: Destination,
    table: ReceivingTable,
    gate: Gate,
    unitByteCount: Int,
    passage: BlockPassage,
    report: (ReceiveSession.Event) -> Void
  ) -> String {
    let receiver: BlockReceiver
    do {
      receiver = try BlockReceiver(
        opened: opened,
        destination: destination,
        table: table,
        gate: gate,
        unitByteCount: unitByteCount,
        passage: passage
      )
    } catch {
      return error.description
    }
    do throws(BlockReceiver.Failure) {
      try receiver.run { report(.received(id, $0, $1)) }
      return "it was closed"
    } catch {
      receiver.abandon()
      switch error {
      case .broken(let reason):
        return reason
      case .violation(let reason):
        // With a cipher this is tampering or a fault of the path; the block goes again, and a
        // peer that keeps doing it runs out of connections.
        return "what came on it is not what was sent: \(reason)"
      case .storage(let reason):
        report(.failed(SessionFailure(.storage, reason)))
        return reason
      }
    }
  }
}
