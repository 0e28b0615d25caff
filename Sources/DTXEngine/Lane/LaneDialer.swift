package import DTXCore
package import DTXLinux

/// Dials connections of lanes, and proves them.
///
/// It is a value without state: any number of threads may dial with one.
package struct LaneDialer: Sendable {
  /// What one address gets, for connecting and proving together.
  ///
  /// A lost SYN comes again after 1 s (RFC 6298, section 2), a round trip around the world takes
  /// 0.3 s, and somebody is waiting for the first byte.
  package static let candidateNanoseconds = 3 * Duration.second

  /// Names or addresses, in the order in which they are tried.
  package var hosts: [String]
  package var port: UInt16
  /// The address to come from, for lanes that a network tells apart by it; candidates of the other
  /// family are passed over.
  package var source: SocketAddress?
  /// The device to leave by.
  package var interface: String?
  /// What is set on each connection before its first packet.
  var tuning = LaneTuning()
  package var timeoutNanoseconds = LaneDialer.candidateNanoseconds

  private let secret: SessionSecret
  private let sessionID: [UInt8]
  private let cipher: Cipher

  /// Makes a dialer.
  ///
  /// - Parameters:
  ///   - hosts: names or addresses, in the order in which they are tried.
  ///   - port: of the end that listens.
  ///   - secret: of the session.
  ///   - sessionID: 16 bytes, public.
  ///   - cipher: as agreed on the control channel.
  package init(
    hosts: [String],
    port: UInt16,
    secret: SessionSecret,
    sessionID: [UInt8],
    cipher: Cipher
  ) {
    precondition(
      sessionID.count == LaneOpening.sessionIDByteCount,
      "a session has 16 bytes of name"
    )
    self.hosts = hosts
    self.port = port
    self.secret = secret
    self.sessionID = sessionID
    self.cipher = cipher
  }

  /// Opens one connection; blocks the calling thread for up to `timeoutNanoseconds` an address,
  /// and for as long as the system takes to look up names.
  ///
  /// A host that accepts connections and cannot prove itself is passed over like one that is down.
  ///
  /// - Parameter identity: with a number that no attempt on this lane had before, for the other end
  ///   may have noted it though the attempt failed. Connections of one lane are dialled one after
  ///   another: of two at a time, the higher number may arrive first and make the lower one void.
  /// - Returns: the connection, proven both ways.
  /// - Throws: `.unreachable`, with what each address answered.
  package func dial(_ identity: LaneIdentity) throws(LaneError) -> OpenedLane {
    var failures: [DialFailure] = []
    for host in hosts {
      let addresses: [SocketAddress]
      do throws(ResolveError) {
        addresses = try SocketAddress.resolve(host: host, port: port)
      } catch {
        failures.append(DialFailure(candidate: host, error: .unresolved(error)))
        continue
      }
      for address in addresses where source.map({ $0.isV6 == address.isV6 }) ?? true {
        do throws(LaneError) {
          return try open(address, identity)
        } catch {
          failures.append(DialFailure(candidate: address.description, error: error))
        }
      }
    }
    throw .unreachable(failures)
  }

  /// Connects without proving anything, to see what the path is like.
  ///
  /// - Returns: the connection to the first address that answers; nil where none does.
  func look() -> Socket? {
    for host in hosts {
      guard let addresses = try? SocketAddress.resolve(host: host, port: port) else { continue }
      for address in addresses where source.map({ $0.isV6 == address.isV6 }) ?? true {
        if let socket = try? connect(to: address) { return socket }
      }
    }
    return nil
  }

  private func connect(to address: SocketAddress) throws(SystemError) -> Socket {
    try Socket.connect(
      to: address,
      from: source,
      interface: interface,
      timeoutNanoseconds: timeoutNanoseconds,
      preparing: { [tuning] socket throws(SystemError) in try tuning.apply(to: socket) }
    )
  }

  private func open(
    _ address: SocketAddress,
    _ identity: LaneIdentity
  ) throws(LaneError) -> OpenedLane {
    let started = Clock.now()
    let socket: Socket
    do throws(SystemError) {
      socket = try connect(to: address)
      try LaneOptions.apply(to: socket)
    } catch {
      throw .system(error)
    }
    let elapsed = Clock.now() - started
    return try LaneOpening.initiate(
      socket: socket,
      secret: secret,
      sessionID: sessionID,
      identity: identity,
      cipher: cipher,
      timeoutNanoseconds: timeoutNanoseconds > elapsed ? timeoutNanoseconds - elapsed : 0
    )
  }
}

/// What every lane's connection is set to, at both ends.
enum LaneOptions {
  /// How long sent bytes may stay unacknowledged: as long as the control channel may be silent.
  ///
  /// A far end that lost its power must not hold a lane, and with it a lock, for ever.
  private static let userTimeoutMilliseconds =
    UInt32(Limits.peerSilenceNanoseconds / Duration.millisecond)

  static func apply(to socket: Socket) throws(SystemError) {
    // Records are written whole, so there is nothing that waiting would join.
    try socket.setNoDelay()
    // For the receiving end, which sends nothing that could stay unacknowledged. The first probe
    // leaves after two hours (net.ipv4.tcp_keepalive_time), so this is the last resort only: the
    // control channel's heartbeat tells of a dead peer long before.
    try socket.setKeepAlive()
    try socket.setUserTimeout(milliseconds: userTimeoutMilliseconds)
    if staysOnHost(socket) {
      try socket.setSendBuffer(byteCount: hostSendBufferByteCount)
      try socket.setReceiveBuffer(byteCount: hostReceiveBufferByteCount)
    }
  }

  /// Where no path is to be filled, what is under way had better stay in the processor's cache.
  ///
  /// 2 GiB over two lanes took 0.72 s when the sender's buffer was asked to have 64 KiB (of which the
  /// kernel makes 128), 0.92 s with 128 and with 256 KiB, 1.0 s with 512 KiB and 4 MiB; medians of 13
  /// to 15 rounds on a processor with 1 MiB of L2. The receiver's made no difference from 60 KiB on.
  private static let hostSendBufferByteCount = 64 << 10
  private static let hostReceiveBufferByteCount = 512 << 10

  /// Whether both ends are on this machine.
  static func staysOnHost(_ socket: Socket) -> Bool {
    guard let here = try? socket.localAddress, let there = try? socket.peerAddress else {
      return false
    }
    return here.with(port: 0) == there.with(port: 0)
  }
}
