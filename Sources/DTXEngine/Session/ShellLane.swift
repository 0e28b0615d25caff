internal import DTXCore
internal import DTXLinux

/// The lane that goes through the control channel when no port can be reached.
///
/// The lane's code talks to one end of a socket pair as to any connection; threads here carry the
/// bytes between the other end and the channel's frames. The remote shell encrypts them.
final class ShellLane: Sendable {
  /// Large enough to spare frames, small enough that a message does not wait long behind one.
  private static let frameByteCount = 64 << 10

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
        channel.send(.laneBytes, Array(buffer.pointer[..<count]))
      }
    }
    let keys = LaneKeys.Source(
      secret: secret,
      nonces: [UInt8](repeating: 0, count: 64),
      identity: identity
    )
    let opened = OpenedLane(socket: outer, cipher: .none, keys: keys, outgoing: outgoing)
    return (ShellLane(inner: inner, pump: pump), opened)
  }

  private init(inner: Socket, pump: Thread) {
    self.inner = inner
    self.pump = pump
  }

  /// Hands over bytes that came on the channel; blocks while the lane is busy.
  func deliver(_ bytes: [UInt8]) {
    // A lane that has ended needs no more bytes.
    try? inner.sendAll(bytes)
  }

  func close() {
    inner.shutdown()
    pump.join()
  }
}
