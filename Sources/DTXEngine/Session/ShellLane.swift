internal import DTXCore
internal import DTXLinux

/// The lane that goes through the control channel when no port can be reached.
///
/// The lane's code talks to one end of a socket pair as to any connection; threads here carry the
/// bytes between the other end and the channel's frames. The remote shell encrypts them.
final class ShellLane: Sendable {
  /// Large enough to spare frames, small enough that a message does not wait long behind one.
  private static let frameByteCount = 64 << 10

  private let channel: ControlChannel
  private let inner: Socket
  private let pump: Thread

  /// The connection's name at both ends.
  static let identity = LaneIdentity(lane: 0, number: 1)

  /// - Returns: the lane, and the connection to use.
  static func open(
    over channel: ControlChannel,
    secret: SessionSecret,
    outgoing: LaneDirection
  ) throws(SystemError) -> (ShellLane, OpenedLane) {
    let (outer, inner) = try Socket.pair()
    let pump = try Thread(name: "dtx-shell-lane") {
      guard let buffer = try? PageBuffer(byteCount: frameByteCount) else { return }
      while let count = try? inner.receiveSome(buffer.pointer), count > 0 {
        guard channel.send(laneBytes: Array(buffer.pointer[..<count])) else { break }
      }
      // The lane meets its end now, also where it waits for room.
      inner.shutdown()
    }
    let keys = LaneKeys.Source(
      secret: secret,
      nonces: [UInt8](repeating: 0, count: 64),
      identity: identity
    )
    let opened = OpenedLane(socket: outer, cipher: .none, keys: keys, outgoing: outgoing)
    return (ShellLane(channel, inner, pump), opened)
  }

  private init(_ channel: ControlChannel, _ inner: Socket, _ pump: Thread) {
    self.channel = channel
    self.inner = inner
    self.pump = pump
  }

  /// Hands over bytes that came on the channel; blocks while the lane is busy.
  func deliver(_ bytes: [UInt8]) {
    // A lane that has ended needs no more bytes.
    try? inner.sendAll(bytes)
  }

  /// Ends the lane, when its thread has returned.
  ///
  /// - Parameter deadline: until when what it has sent may take to leave, an instant of `Clock.now`.
  func close(before deadline: UInt64) {
    inner.shutdown()
    if !pump.hasReturned(before: deadline) { channel.closeLane() }
    pump.join()
  }
}
