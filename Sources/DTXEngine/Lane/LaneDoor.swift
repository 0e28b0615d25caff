internal import DTXCore
internal import DTXLinux

/// What stands between a listening socket and the lanes: the connections that are being proven.
final class LaneDoor: Sendable {
  typealias Prove =
    @Sendable (Socket, _ accept: (LaneIdentity) -> Bool) throws(LaneError) -> OpenedLane

  /// Proving needs a few frames and small arrays; 64 threads of it take 16 MiB of address space.
  static let stackByteCount = 256 << 10

  /// How long to wait when descriptors or memory are short: the connection stays queued, and asking
  /// at once would find the same.
  private static let shortageNanoseconds = 50 * Duration.millisecond

  private let socket: Socket
  private let allowedPeer: SocketAddress?
  private let prove: Prove
  private let onLane: @Sendable (OpenedLane) -> Void
  private let visitors = Guarded(Visitors())

  init(
    socket: Socket,
    allowedPeer: SocketAddress?,
    prove: @escaping Prove,
    onLane: @escaping @Sendable (OpenedLane) -> Void
  ) {
    self.socket = socket
    self.allowedPeer = allowedPeer
    self.prove = prove
    self.onLane = onLane
  }

  /// Takes connections until the door is shut; the acceptor's thread.
  func acceptAll() {
    while !visitors.withLock({ $0.isShut }) {
      do throws(SystemError) {
        guard let connection = try socket.accept() else { return }
        admit(connection)
      } catch {
        _ = visitors.wait(
          until: { $0.isShut ? true : nil },
          deadline: Clock.now() + Self.shortageNanoseconds
        )
      }
    }
  }

  /// Ends the listening and every connection that is being proven; waits for nothing.
  func shut() {
    let connections = visitors.withLockAndSignal { visitors in
      visitors.isShut = true
      return visitors.present.map(\.connection)
    }
    socket.shutdown()
    for connection in connections { connection.shutdown() }
  }

  /// Waits until no connection is being proven; the door must be shut.
  func waitUntilEmpty() {
    _ = visitors.wait(until: { $0.present.isEmpty ? true : nil })
  }

  private func admit(_ connection: Socket) {
    if let allowedPeer {
      // Without an address it has left already. Its port is not compared.
      let peer = try? connection.peerAddress
      guard peer?.with(port: 0) == allowedPeer else { return }
    }
    let displaced = visitors.withLock { visitors in
      visitors.strangerCount < Limits.unprovenConnectionCount ? nil : visitors.oldestStranger
    }
    displaced?.connection.shutdown()
    // Its thread wakes and leaves: no 65th one is ever started.
    let ticket = visitors.wait(until: { visitors in
      if visitors.isShut { return .some(UInt64?.none) }
      guard visitors.strangerCount < Limits.unprovenConnectionCount else { return nil }
      return .some(visitors.enter(connection))
    })
    guard let ticket = ticket ?? nil else { return }
    do throws(SystemError) {
      _ = try Thread(name: "dtx-prove", stackByteCount: Self.stackByteCount) {
        self.serve(connection, ticket: ticket)
      }
    } catch {
      // No room for a thread: the initiator tries again.
      visitors.withLockAndSignal { $0.leave(ticket) }
    }
  }

  /// Proves one connection; the thread of its own.
  private func serve(_ connection: Socket, ticket: UInt64) {
    let lane = try? proven(connection, ticket: ticket)
    let isWelcome = visitors.withLockAndSignal { visitors in
      visitors.leave(ticket)
      return !visitors.isShut
    }
    if let lane, isWelcome { onLane(lane) }
  }

  private func proven(_ connection: Socket, ticket: UInt64) throws -> OpenedLane {
    let lane = try prove(connection) { identity in
      visitors.withLockAndSignal { $0.introduce(ticket, as: identity) }
    }
    try LaneOptions.apply(to: lane.socket)
    return lane
  }
}

/// A connection that is being proven.
private struct Visitor: Sendable {
  let ticket: UInt64
  let connection: Socket
  /// Whether its request was authentic.
  var isIntroduced = false
}

/// The connections that are being proven, and what is known of those before them.
private struct Visitors: Sendable {
  var isShut = false
  /// In the order of their arrival.
  private(set) var present: [Visitor] = []
  private var nextTicket: UInt64 = 0
  /// The last connection's number of each lane.
  private var lastNumbers = [UInt32?](repeating: nil, count: Limits.laneCount)

  var strangerCount: Int { present.count { !$0.isIntroduced } }
  var oldestStranger: Visitor? { present.first { !$0.isIntroduced } }

  mutating func enter(_ connection: Socket) -> UInt64 {
    defer { nextTicket += 1 }
    present.append(Visitor(ticket: nextTicket, connection: connection))
    return nextTicket
  }

  mutating func leave(_ ticket: UInt64) {
    present.removeAll { $0.ticket == ticket }
  }

  /// Notes a connection's number; false when it is not above its lane's last one.
  mutating func introduce(_ ticket: UInt64, as identity: LaneIdentity) -> Bool {
    precondition(lastNumbers.indices.contains(identity.lane), "lane \(identity.lane)")
    if let last = lastNumbers[identity.lane], identity.number <= last { return false }
    lastNumbers[identity.lane] = identity.number
    guard let index = present.firstIndex(where: { $0.ticket == ticket }) else { return false }
    present[index].isIntroduced = true
    return true
  }
}
