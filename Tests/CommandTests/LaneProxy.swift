import DTXLinux
import Testing

/// Stands between the two ends of the lanes: counts what passes, and cuts or damages when it is told
/// to.
///
/// The far end listens on a port of 127.0.0.1; this listens on the same port of 127.0.0.2, which
/// `--lane-host` names.
final class LaneProxy: Sendable {
  static let host = "127.0.0.2"

  private struct State {
    var connections: [Socket] = []
    var pumps: [Thread] = []
    var byteCount: UInt64 = 0
    /// What is called once so many bytes have passed.
    var alarm: (byteCount: UInt64, ring: @Sendable () -> Void)?
    /// Once so many bytes have passed, one is turned.
    var damage: UInt64?
    var isClosed = false
    var isRefusing = false
    var connectionCount = 0
  }

  let port: UInt16
  /// Where this listens: on the same port, or on one of its own.
  let door: UInt16
  private let listener: Socket
  private let target: SocketAddress
  private let state = Guarded(State())
  private let acceptor = Guarded<Thread?>(nil)

  /// Listens on a port that the far end can have as well.
  ///
  /// - Parameter hasOwnDoor: on another one, where the far end listens on all addresses.
  /// - Throws: when no port can be had.
  init(hasOwnDoor: Bool = false) throws {
    port = try Sshd.freePort()
    door = hasOwnDoor ? try Sshd.freePort() : port
    target = try #require(SocketAddress(numericHost: "127.0.0.1", port: port))
    let here = try #require(SocketAddress(numericHost: LaneProxy.host, port: door))
    listener = try Socket.listen(here)
    let thread = try Thread(name: "proxy") { [listener, state, target] in
      while let connection = try? listener.accept() {
        LaneProxy.serve(connection, target, state)
      }
    }
    acceptor.withLock { $0 = thread }
  }

  /// The options that lead lanes through here.
  var options: [String] { ["--lane-host", LaneProxy.host, "--port", "\(port)"] }

  /// Bytes that have passed, both ways.
  var byteCount: UInt64 { state.withLock { $0.byteCount } }

  /// Connections that were made through here.
  var connectionCount: Int { state.withLock { $0.connectionCount } }

  /// Calls once, on a thread of the proxy's, when so many more bytes have passed.
  func afterBytes(_ byteCount: UInt64, _ ring: @escaping @Sendable () -> Void) {
    state.withLock { $0.alarm = ($0.byteCount + byteCount, ring) }
  }

  /// Turns a bit of a byte, once so many more bytes have passed, in the middle of many that came at
  /// once: those are a file's, where few may be a record that names a block or ends one.
  func damageAfterBytes(_ byteCount: UInt64) {
    state.withLock { $0.damage = $0.byteCount + byteCount }
  }

  /// Breaks every connection off, in the middle of whatever passes.
  func cut() {
    let connections = state.withLock { state in
      defer { state.connections = [] }
      return state.connections
    }
    for connection in connections { connection.shutdown() }
  }

  /// Cuts every connection, and turns away those that come, until told otherwise.
  func refuse(_ isRefusing: Bool) {
    state.withLock { $0.isRefusing = isRefusing }
    if isRefusing { cut() }
  }

  /// Ends everything; called before the test lets go of it.
  func close() {
    state.withLock { $0.isClosed = true }
    listener.shutdown()
    acceptor.withLock { $0 }?.join()
    cut()
    for pump in state.withLock({ $0.pumps }) { pump.join() }
  }

  private static func serve(_ near: Socket, _ target: SocketAddress, _ state: Guarded<State>) {
    guard !state.withLock({ $0.isRefusing }),
      let far = try? Socket.connect(to: target, timeoutNanoseconds: 5_000_000_000)
    else { return near.shutdown() }
    let pumps = [(near, far), (far, near)].compactMap { from, to in
      try? Thread(name: "pump") { pump(from, to, state) }
    }
    state.withLock { state in
      state.connectionCount += 1
      state.connections += [near, far]
      state.pumps += pumps
      if state.isClosed { for connection in [near, far] { connection.shutdown() } }
    }
  }

  private static let many = 32 << 10

  private static func pump(_ from: Socket, _ to: Socket, _ state: Guarded<State>) {
    guard let buffer = try? PageBuffer(byteCount: 64 << 10) else { return }
    while let count = try? from.receiveSome(buffer.pointer), count > 0 {
      let isDamaged = state.withLock { state in
        guard let damage = state.damage, state.byteCount >= damage, count >= LaneProxy.many else {
          return false
        }
        state.damage = nil
        return true
      }
      if isDamaged { buffer.pointer[count / 2] ^= 0x10 }
      let piece = UnsafeRawBufferPointer(rebasing: buffer.pointer[..<count])
      guard (try? to.sendAll(piece)) != nil else { break }
      let ring: (@Sendable () -> Void)? = state.withLock { state in
        state.byteCount += UInt64(count)
        guard let alarm = state.alarm, state.byteCount >= alarm.byteCount else { return nil }
        state.alarm = nil
        return alarm.ring
      }
      ring?()
    }
    // What ends in order on one side ends in order on the other.
    to.shutdownSending()
    from.shutdown()
  }
}
