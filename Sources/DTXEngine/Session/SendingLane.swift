internal import DTXCore
internal import DTXLinux

/// One connection at the sender, with its thread.
///
/// Reports `sent` for each block and `connectionLost` once, as its last word.
final class SendingLane: SessionLane {
  private enum Command: Sendable {
    case block(BlockWork)
    case end
  }

  private let id: ConnectionID
  private let socket: Socket
  private let inbox = Mailbox<Command>()
  private let thread: Thread
  private let passage: BlockPassage
  private let tuning: LaneProof

  init(
    _ opened: OpenedLane,
    table: SourceTable,
    compression: BlockCompression.Terms,
    times: ActivityLedger,
    tuning: LaneProof,
    makeReader: @escaping @Sendable () throws(SystemError) -> BlockReader,
    report: @escaping @Sendable (SendSession.Event) -> Void
  ) throws(SystemError) {
    let id = ConnectionID(lane: opened.identity.lane, number: opened.identity.number)
    self.id = id
    socket = opened.socket
    self.tuning = tuning
    let passage = BlockPassage(over: opened.socket)
    self.passage = passage
    let inbox = self.inbox
    let socket = opened.socket
    thread = try Thread(name: "dtx-send-\(id.lane)") {
      do {
        // Before the sender, which asks for the pace.
        try tuning.tune()
        let sender = try BlockSender(
          opened: opened,
          reader: try makeReader(),
          table: table,
          passage: passage,
          compression: BlockCompression(compression, over: socket),
          times: times,
          zeroCopy: LaneOptions.staysOnHost(socket) ? nil : ZeroCopyLedger()
        )
        try tuning.prove { byteCount throws(SystemError) in try sender.fill(byteCount) }
        try SendingLane.run(sender, inbox) { report(.sent(id, $0, $1)) }
        socket.shutdownSending()
        report(.connectionLost(id, reason: "it was closed"))
      } catch let error as SystemError {
        socket.shutdown()
        report(.connectionLost(id, reason: error.description))
      } catch {
        socket.shutdown()
        let isFinal = (error as? LaneProof.Failure)?.isFinal ?? true
        if isFinal { report(.failed(SessionFailure(.lane, "\(error)"))) }
        report(.connectionLost(id, reason: "\(error)"))
      }
    }
  }

  /// Payload that has reached the other end over this connection.
  var acknowledgedByteCount: UInt64 { passage.acknowledgedByteCount(over: socket) }

  /// The connection's counters, for what its lane is held to.
  var reading: ConnectionReading {
    guard let info = try? socket.tcpInfo(), let shape = SegmentShape(of: socket) else {
      // It is no TCP connection: all that is known of it is what it carries.
      return ConnectionReading(id: id, acknowledgedByteCount: acknowledgedByteCount, shape: nil)
    }
    return ConnectionReading(
      id: id,
      acknowledgedByteCount: info.bytesAcked,
      retransmittedByteCount: info.bytesRetransmitted,
      roundTripMicroseconds: UInt64(info.roundTripMicroseconds),
      shape: shape,
      busyMicroseconds: info.busyMicroseconds,
      receiveWindowMicroseconds: info.receiveWindowLimitedMicroseconds,
      sendBufferMicroseconds: info.sendBufferLimitedMicroseconds,
      silentNanoseconds: SendingLane.silence(of: info)
    )
  }

  /// Timeouts in a row that count as silence: with the shortest that Linux has (TCP_RTO_MIN, 200 ms,
  /// doubled each time) they take 6.2 s, so that one loss behind a long rest is none.
  private static let silentTimeoutCount = 5

  private static func silence(of info: TCPInfo) -> UInt64 {
    guard info.unansweredTimeoutCount >= silentTimeoutCount else { return 0 }
    return UInt64(info.sinceAnswerMilliseconds) * Duration.millisecond
  }

  /// Sets the pace anew; a connection that does not take it ends, and its successor says why.
  func retune() {
    do {
      try tuning.retune()
    } catch {
      abort()
    }
  }

  /// Queues a block.
  func load(_ work: BlockWork) {
    inbox.send(.block(work))
  }

  /// Ends the connection in order, behind what is queued.
  func end() {
    inbox.send(.end)
  }

  /// Ends the connection at once; a thread that waits in a system call wakes up.
  func abort() {
    socket.shutdown()
    inbox.close()
  }

  func hasReturned(before deadline: UInt64) -> Bool {
    thread.hasReturned(before: deadline)
  }

  func join() {
    thread.join()
  }

  private static func run(
    _ sender: BlockSender,
    _ inbox: Mailbox<Command>,
    _ sent: (BlockReference, [ExtentOutcome]) -> Void
  ) throws(SystemError) {
    // Blocks that the reader knows of and that are not sent.
    var queue: [Command] = []
    while true {
      while let command = inbox.tryReceive() { try take(command) }
      if queue.isEmpty {
        sender.rest()
        guard let command = inbox.receive() else { return }
        try take(command)
      }
      switch queue.removeFirst() {
      case .block(let work): sent(work.reference, try sender.send(work))
      case .end: return try sender.sendEnd()
      }
    }

    func take(_ command: Command) throws(SystemError) {
      if case .block(let work) = command { try sender.expect(work) }
      queue.append(command)
    }
  }
}
