package import DTXCore
internal import DTXLinux

/// Accepts connections on one port and hands over those that prove themselves.
///
/// Each connection is proven on a thread of its own that lives until then, 5 s at the most. At most
/// 64 of them have not shown an authentic request yet; a further one takes the place of the oldest
/// of these, which is closed. Were the new one closed instead, 64 connections that stall would keep
/// everybody out; so, an honest initiator, whose request follows its handshake at once, is only
/// displaced when 64 others arrive in between. One that has shown its request never is.
///
/// Strangers get no byte, and nothing is reported of them.
package final class LaneListener: Sendable {
  private let door: LaneDoor
  private let acceptor: Thread

  /// Connections that the kernel keeps until they are taken.
  ///
  /// In a burst of strangers it should drop no honest SYN, which comes again only after a second.
  /// The kernel's own limit is lower on some machines (net.core.somaxconn).
  private static let backlog: Int32 = 1024

  /// The port that it listens on.
  package let port: UInt16

  /// Starts to listen.
  ///
  /// - Parameters:
  ///   - host: the address to listen on, in digits; "::" takes IPv4 too.
  ///   - ports: the first free one is taken; 0 stands for any.
  ///   - secret: of the session.
  ///   - sessionID: 16 bytes, public.
  ///   - cipher: as agreed on the control channel; a request for another is refused.
  ///   - allowedPeer: the only address, in digits, to take connections from; nil takes any.
  ///   - timeoutNanoseconds: what a connection gets to prove itself.
  ///   - onLane: called with each proven connection, from threads of the listener's, several at a
  ///     time. It may block, and it may call `close()`.
  /// - Throws: `.invalidAddress`; `.system` when no port could be had, of the last one tried.
  package init(
    host: String,
    ports: ClosedRange<UInt16> = 0...0,
    secret: SessionSecret,
    sessionID: [UInt8],
    cipher: Cipher,
    allowedPeer: String? = nil,
    timeoutNanoseconds: UInt64 = Limits.unprovenNanoseconds,
    onLane: @escaping @Sendable (OpenedLane) -> Void
  ) throws(LaneError) {
    precondition(
      sessionID.count == LaneOpening.sessionIDByteCount,
      "a session has 16 bytes of name"
    )
    if let allowedPeer, SocketAddress(numericHost: allowedPeer, port: 0) == nil {
      throw .invalidAddress(allowedPeer)
    }
    let socket = try Self.listen(host: host, ports: ports)
    let prove: LaneDoor.Prove = { connection, accept throws(LaneError) in
      try LaneOpening.respond(
        socket: connection,
        secret: secret,
        sessionID: sessionID,
        cipher: cipher,
        timeoutNanoseconds: timeoutNanoseconds,
        accept: accept
      )
    }
    let door = LaneDoor(
      socket: socket,
      allowedPeer: allowedPeer.flatMap { SocketAddress(numericHost: $0, port: 0) },
      prove: prove,
      onLane: onLane
    )
    self.door = door
    do throws(SystemError) {
      port = try socket.localAddress.port
      acceptor = try Thread(name: "dtx-listen", stackByteCount: LaneDoor.stackByteCount) {
        door.acceptAll()
      }
    } catch {
      throw .system(error)
    }
  }

  deinit {
    door.shut()
  }

  /// Ends the listening, and every connection that has not proven itself.
  ///
  /// Safe from any thread, repeatedly. When it returns, the port is free and nothing more is proven.
  /// It does not wait for `onLane`, which may be what called it: a connection that had proven itself
  /// before may still be handed over, and goes when its recipient drops it.
  package func close() {
    door.shut()
    acceptor.join()
    door.waitUntilEmpty()
  }

  private static func listen(
    host: String,
    ports: ClosedRange<UInt16>
  ) throws(LaneError) -> Socket {
    var failure: SystemError?
    for port in ports {
      guard let address = SocketAddress(numericHost: host, port: port) else {
        throw .invalidAddress(host)
      }
      do throws(SystemError) {
        return try Socket.listen(address, backlog: Self.backlog)
      } catch {
        failure = error
      }
    }
    guard let failure else { preconditionFailure("a closed range of ports is never empty") }
    throw .system(failure)
  }
}
