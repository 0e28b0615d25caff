package import DTXCore
package import DTXLinux

/// Frames both ways over whatever secure byte stream leads to the peer.
///
/// A frame is a type byte, a little-endian length of 32 bits, and so many bytes. Sending hands the
/// frame to a thread of the channel's own, so that no caller waits for a slow peer until the queue
/// is full.
package final class ControlChannel: Sendable {
  package enum FrameKind: UInt8, Sendable {
    /// One step of the handshake, before the session.
    case handshake = 1
    case message = 2
    /// Bytes of the lane that goes through this channel.
    case laneBytes = 3
  }

  private static let headerByteCount = 5
  /// Frames that wait for the peer at most; inventory pages are the large ones.
  private static let queueLength = 64
  /// Bytes of the lane that wait for the peer at most, beyond which one more frame is queued: a
  /// message does not wait long behind them on a slow path.
  private static let waitingLaneByteCount = 128 << 10

  /// How long the peer may keep this end waiting, in nanoseconds.
  package struct Patience: Sendable {
    /// For its greeting.
    package var greeting = Limits.greetingNanoseconds
    /// For each later step of the handshake.
    package var step = Limits.handshakeNanoseconds
    /// For it to take the next bytes of a frame, or to say something; at the end, for it to take all
    /// that is queued.
    package var writing = Limits.peerSilenceNanoseconds

    /// What dtx-protocol(7) says.
    package init() {}
  }

  private struct Frame: Sendable {
    let bytes: [UInt8]
    /// How many of them are the lane's.
    var laneByteCount = 0
  }

  private let stream: ByteStream
  private let patience: Patience
  private let outbox = Mailbox<Frame>(capacity: ControlChannel.queueLength)
  /// Bytes of the lane in the outbox; nil once the lane is to send no more.
  private let waitingLaneBytes = Guarded<Int?>(0)
  /// Until when somebody may wait for room; nil without an end.
  private let roomDeadline = Guarded<UInt64?>(nil)
  private let writer: Thread
  private let hasEnded = Guarded(false)

  /// Begins to write what is sent.
  ///
  /// - Parameters:
  ///   - stream: leads to the peer.
  ///   - patience: how long the peer may keep this end waiting.
  /// - Throws: `TransferError` when there is no thread for it.
  package init(
    _ stream: ByteStream,
    patience: Patience = Patience()
  ) throws(TransferError) {
    self.stream = stream
    self.patience = patience
    let outbox = self.outbox
    let waitingLaneBytes = self.waitingLaneBytes
    do {
      writer = try Thread(name: "dtx-ctl-write") {
        defer { waitingLaneBytes.withLockAndSignal { $0 = nil } }
        while let frame = outbox.receive() {
          guard (try? stream.writeAll(frame.bytes, patience: patience.writing)) != nil else {
            // The reader meets the end as well, and says so: also where the peer is there, but takes
            // nothing more.
            outbox.close()
            stream.close()
            return
          }
          guard frame.laneByteCount > 0 else { continue }
          waitingLaneBytes.withLockAndSignal { $0? -= frame.laneByteCount }
        }
      }
    } catch {
      throw TransferError("the control channel has no thread", error)
    }
  }

  /// Queues a message; dropped when the channel is closed.
  package func send(_ message: Message) {
    let frame = Frame(bytes: ControlChannel.frame(.message, MessageCodec.encode(message)))
    // A beat behind so much else would say nothing.
    if message == .heartbeat { _ = outbox.trySend(frame) } else { _ = queue(frame) }
  }

  /// Waits for room; false when the channel is closed, or there is none by the time that `hurry` set.
  private func queue(_ frame: Frame) -> Bool {
    while true {
      let last = roomDeadline.withLock { $0 }
      // Whoever waits already hears of haste a second late.
      if let queued = outbox.send(frame, deadline: last ?? Clock.now() + Duration.second) {
        return queued
      }
      if last != nil {
        outbox.close()
        return false
      }
    }
  }

  /// Lets nobody wait for room for longer than an interrupted session takes to stop; the channel is
  /// closed for whoever would.
  func hurry() {
    roomDeadline.withLock { $0 = $0 ?? Clock.now() + Limits.stoppingNanoseconds }
  }

  /// Takes nothing more to send; what is queued still leaves.
  func endSending() {
    outbox.close()
  }

  /// Queues bytes of the lane that goes through the channel; waits while too many are queued, or
  /// too much else.
  ///
  /// - Parameter laneBytes: what a frame takes of them.
  /// - Returns: false when the lane is to send no more.
  package func send(laneBytes: [UInt8]) -> Bool {
    let isOpen: Bool? = waitingLaneBytes.wait { waiting in
      guard let count = waiting else { return false }
      if count >= ControlChannel.waitingLaneByteCount { return nil }
      waiting = count + laneBytes.count
      return true
    }
    guard isOpen == true else { return false }
    let frame = ControlChannel.frame(.laneBytes, laneBytes)
    return queue(Frame(bytes: frame, laneByteCount: laneBytes.count))
  }

  /// Lets the lane that goes through the channel send no more; whoever waits to do so ends.
  func closeLane() {
    waitingLaneBytes.withLockAndSignal { $0 = nil }
    hurry()
  }

  private static func frame(_ kind: FrameKind, _ payload: [UInt8]) -> [UInt8] {
    precondition(payload.count <= Limits.controlFrameByteCount, "a frame of \(payload.count) bytes")
    var frame = ByteWriter(reservingCapacity: payload.count + ControlChannel.headerByteCount)
    frame.append(kind.rawValue)
    frame.append(UInt32(payload.count))
    frame.appendRaw(payload)
    return frame.bytes
  }

  /// Sends the greeting, which is no frame: it comes before the version is known.
  package func send(_ hello: Hello) {
    outbox.send(Frame(bytes: hello.encoded()))
  }

  /// Sends one step of the handshake.
  ///
  /// - Parameter payload: what it says.
  /// - Throws: `.usage` when it does not fit a frame: thousands of sources, or of filter rules.
  package func sendStep(_ payload: [UInt8]) throws(TransferError) {
    guard payload.count < Limits.controlFrameByteCount else {
      throw TransferError(
        .usage,
        "what was asked for takes \(payload.count) bytes, and a request has room for "
          + "\(Limits.controlFrameByteCount)",
        remedy: "name a directory above the sources, or fewer filter rules; nothing was moved"
      )
    }
    send(.taken(payload))
  }

  /// Refuses to go on, before the session, with lines as `TransferError` has them.
  package func refuse(_ reason: StopReason, _ text: String) {
    send(.refused(reason, text))
  }

  private func send(_ step: HandshakeCodec.Step) {
    outbox.send(Frame(bytes: ControlChannel.frame(.handshake, HandshakeCodec.encode(step))))
  }

  /// Reads the next step of the handshake.
  ///
  /// - Throws: the peer's refusal, as an error of its kind.
  package func receiveStep() throws(TransferError) -> [UInt8] {
    guard let (kind, bytes) = try receive(before: Clock.now() + patience.step) else {
      throw TransferError(.failed, "the far end closed the connection during the handshake")
    }
    guard kind == .handshake, let step = try? HandshakeCodec.step(bytes) else {
      throw TransferError(.refused, "the far end sent something else than a handshake")
    }
    switch step {
    case .taken(let payload): return payload
    case .refused(let reason, let text): throw ControlChannel.error(reason, text)
    }
  }

  /// The peer's error: its first line says what failed, the next ones why and what to do.
  private static func error(_ reason: StopReason, _ text: String) -> TransferError {
    let kind: TransferError.Kind =
      switch reason {
      case .locked: .locked
      case .failed: .failed
      case .unattainable: .unattainable
      case .interrupted, .protocolViolation, .disagreement: .refused
      }
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    return TransferError(
      kind,
      lines[0],
      cause: lines.count > 1 && !lines[1].isEmpty ? lines[1] : nil,
      remedy: lines.count > 2 && !lines[2].isEmpty ? lines[2] : nil
    )
  }

  /// Reads the next frame.
  ///
  /// - Parameter deadline: when it has to be here, an instant of `Clock.now`; nil waits without end.
  /// - Returns: nil when the peer has ended the channel.
  /// - Throws: `TransferError` for what is no frame, a channel that breaks, and a missed deadline.
  package func receive(
    before deadline: UInt64? = nil
  ) throws(TransferError) -> (FrameKind, [UInt8])? {
    let head = try read(byteCount: ControlChannel.headerByteCount, before: deadline)
    guard let head else { return nil }
    var reader = ByteReader(head)
    guard let rawKind = try? reader.byte("kind"), let kind = FrameKind(rawValue: rawKind),
      let length = try? reader.uint32("length"), length <= UInt32(Limits.controlFrameByteCount)
    else {
      throw TransferError(
        .refused,
        "the far end sent a frame that this version does not know",
        remedy: "use the same version of dtx at both ends"
      )
    }
    guard length > 0 else { return (kind, []) }
    guard let payload = try read(byteCount: Int(length), before: deadline) else { return nil }
    return (kind, payload)
  }

  /// Reads the peer's greeting.
  ///
  /// - Parameter isAwaited: the peer may take its time for the first byte, because a person may have
  ///   to give a password before.
  /// - Returns: what it says of itself.
  /// - Throws: `.refused` with what came instead, when the far end is no dtx; `.failed` when it says
  ///   nothing in time.
  package func receiveHello(isAwaited: Bool) throws(TransferError) -> Hello {
    let first: [UInt8]? =
      isAwaited
      ? try read(byteCount: 1) : try read(byteCount: 1, before: Clock.now() + patience.greeting)
    let deadline = Clock.now() + patience.greeting
    guard let first,
      let others = try read(byteCount: Hello.magic.count - 1, before: deadline)
    else {
      throw TransferError(.failed, "the far end closed the connection before it said anything")
    }
    let magic = first + others
    guard magic == Hello.magic else {
      throw TransferError(
        .refused,
        "the far end is no dtx: it began with \"\(printable(magic + rest()))\"",
        remedy: "a shell there that prints at log-in must be silent when it is not interactive"
      )
    }
    guard let count = try read(byteCount: 2, before: deadline),
      let body = try read(byteCount: Int(count[0]) | Int(count[1]) << 8, before: deadline)
    else { throw TransferError(.failed, "the far end closed the connection while it greeted") }
    do {
      return try Hello(decoding: body)
    } catch {
      throw TransferError(.refused, "the far end's greeting cannot be read", cause: "\(error)")
    }
  }

  /// Sends what is queued, then ends the sending direction.
  ///
  /// What the peer has not taken within the patience for writing is lost, however alive it is:
  /// whoever has come to the end holds a dataset, or a person, for nothing.
  package func finishSending() {
    outbox.close()
    if !writer.hasReturned(before: Clock.now() + patience.writing) { stream.close() }
    writer.join()
    stream.closeWriting()
  }

  /// Since when the peer has owed this end a byte, an instant of `Clock.now`: one of any frame, and
  /// not while this end keeps the next ones waiting.
  var silentSince: UInt64 { stream.silentSince }

  /// Notes that the peer has ended its direction; called by the thread that reads.
  func noteEnd() {
    hasEnded.withLockAndSignal { $0 = true }
  }

  /// Waits until the peer has ended its direction, for as long as an orderly end can take.
  func awaitEnd() {
    let deadline = Clock.now() + Limits.endingNanoseconds
    _ = hasEnded.wait(until: { $0 ? true : nil }, deadline: deadline) as Bool?
  }

  /// Ends both directions at once; what is queued is lost.
  package func close() {
    outbox.close()
    stream.close()
  }

  private func read(
    byteCount: Int,
    before deadline: UInt64? = nil
  ) throws(TransferError) -> [UInt8]? {
    guard byteCount > 0 else { return [] }
    var isEnd = false
    do {
      let bytes = try [UInt8](unsafeUninitializedCapacity: byteCount) { buffer, count in
        isEnd = try !stream.readExactly(
          into: UnsafeMutableRawBufferPointer(buffer),
          deadline: deadline
        )
        count = isEnd ? 0 : byteCount
      }
      return isEnd ? nil : bytes
    } catch let error as SystemError {
      if deadline != nil, error.name == "ETIMEDOUT" {
        throw TransferError(
          .failed,
          "the far end fell silent in the middle of the handshake",
          cause: "it did not say in time what was its turn to say (ETIMEDOUT)",
          remedy: "nothing was moved: see whether it still runs, and try again"
        )
      }
      throw TransferError("the connection to the far end broke", error)
    } catch {
      throw TransferError(.failed, "the connection to the far end broke", cause: "\(error)")
    }
  }

  /// A little of what follows bytes that are no greeting, for the message.
  private func rest() -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: 80)
    // What is no dtx may say nothing more.
    let deadline = Clock.now() + Duration.second
    let count = bytes.withUnsafeMutableBytes { buffer in
      (try? stream.readSome(into: buffer, deadline: deadline)) ?? 0
    }
    return Array(bytes.prefix(count))
  }
}
