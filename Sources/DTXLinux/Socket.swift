internal import CLiburing
internal import Glibc
internal import Synchronization

/// A stream socket: a listening one, or one end of a connection, whose calls block.
///
/// Any thread may call any method; two threads that send, or two that receive, at the same time get
/// their bytes mixed. The descriptor lives as long as the object, so `shutdown` from another thread
/// is always safe; the connection is closed with the last reference.
package final class Socket: Sendable {
  let descriptor: Descriptor
  /// What messages call it.
  let label: String
  private let wasShutDown = Atomic<Bool>(false)

  init(owning descriptor: consuming Descriptor, label: String) {
    self.descriptor = descriptor
    self.label = label
  }

  /// Listens for connections, on any free port where the address has port 0.
  ///
  /// The IPv6 address "::" takes IPv4 connections too. A port whose old connections linger can be
  /// taken again at once (SO_REUSEADDR).
  package static func listen(
    _ address: SocketAddress,
    backlog: Int32 = 128
  ) throws(SystemError) -> Socket {
    let socket = try Socket.make(for: address)
    try socket.set(DTX_REUSE_ADDRESS, 1)
    if address.isV6 { try socket.set(DTX_ONLY_V6, 0) }
    // So that a connection that vanishes between poll and accept cannot block the acceptor.
    try socket.check("fcntl", system { dtx_set_blocking(socket.descriptor.raw, 0) })
    try socket.bind(to: address)
    try socket.check("listen", system { Glibc.listen(socket.descriptor.raw, backlog) })
    return socket
  }

  /// Connects, and gives up with ETIMEDOUT.
  ///
  /// - Parameters:
  ///   - address: the peer.
  ///   - source: the address to come from; port 0 takes any.
  ///   - interface: the device to leave by (SO_BINDTODEVICE), which may need a capability.
  ///   - timeoutNanoseconds: how long to try.
  ///   - prepare: sets what the first packet is to have already.
  /// - Returns: a connected socket.
  /// - Throws: what the network answered (ECONNREFUSED, EHOSTUNREACH ...), or ETIMEDOUT.
  package static func connect(
    to address: SocketAddress,
    from source: SocketAddress? = nil,
    interface: String? = nil,
    timeoutNanoseconds: UInt64,
    preparing prepare: (Socket) throws(SystemError) -> Void = { _ in }
  ) throws(SystemError) -> Socket {
    let deadline = Clock.now().addingReportingOverflow(timeoutNanoseconds)
    let socket = try Socket.make(for: address)
    let raw = socket.descriptor.raw
    try socket.bind(from: source, interface: interface)
    try prepare(socket)
    try socket.check("fcntl", system { dtx_set_blocking(raw, 0) })
    let started = system { dtx_connect(raw, address.bytes, UInt32(address.bytes.count)) }
    if started == -Int(EINPROGRESS) {
      let limit = deadline.overflow ? nil : deadline.partialValue
      guard try socket.waitReady(DTX_WRITABLE, before: limit) else {
        throw SystemError(operation: "connect", subject: socket.label, number: ETIMEDOUT)
      }
      let number = try socket.option(DTX_PENDING_ERROR)
      try socket.check("connect", -Int(number))
    } else {
      try socket.check("connect", started)
    }
    try socket.check("fcntl", system { dtx_set_blocking(raw, 1) })
    return socket
  }

  /// A socket that is bound and goes nowhere: for finding out what the kernel takes.
  ///
  /// - Parameters:
  ///   - source: the address to come from; nil for an IPv4 socket without.
  ///   - interface: the device to leave by.
  /// - Returns: the socket.
  /// - Throws: EADDRNOTAVAIL for an address that is not this machine's, ENODEV for a device that
  ///   there is not.
  package static func unconnected(
    from source: SocketAddress?,
    interface: String?
  ) throws(SystemError) -> Socket {
    let result = system { dtx_socket(source?.family ?? AF_INET) }
    let raw = Int32(try checked(result, "socket", source?.description ?? "IPv4"))
    let socket = Socket(owning: Descriptor(owning: raw), label: source?.description ?? "a socket")
    try socket.bind(from: source, interface: interface)
    return socket
  }

  /// Two connected sockets within this machine.
  package static func pair() throws(SystemError) -> (Socket, Socket) {
    var ends: [Int32] = [-1, -1]
    try checked(system { dtx_socket_pair(&ends) }, "socketpair", "socket pair")
    return (
      Socket(owning: Descriptor(owning: ends[0]), label: "socket pair"),
      Socket(owning: Descriptor(owning: ends[1]), label: "socket pair")
    )
  }

  /// Waits for a connection; nil once the deadline (`Clock.now`) has passed or after `shutdown`.
  ///
  /// A connection that its peer gave up before it was taken is passed over. EMFILE, ENFILE and
  /// ENOBUFS are thrown; the connection stays queued, so a retry at once would find the same.
  package func accept(before deadline: UInt64? = nil) throws(SystemError) -> Socket? {
    while true {
      if isShutDown { return nil }
      guard try waitReady(DTX_READABLE, before: deadline) else { return nil }
      if isShutDown { return nil }
      let result = system { dtx_accept(descriptor.raw) }
      if result >= 0 {
        let accepted = Descriptor(owning: Int32(result))
        // The peer may be gone again already; that shows at the first read.
        let peer = try? Socket.address(of: accepted.raw, isPeer: true, label: label)
        return Socket(owning: accepted, label: peer?.description ?? label)
      }
      // accept(2): errors of the new connection's network arrive here and mean "try again".
      let passing = [
        EAGAIN, ECONNABORTED, EPROTO, ENETDOWN, ENETUNREACH, EHOSTDOWN, EHOSTUNREACH,
        ENOPROTOOPT, ENONET, EOPNOTSUPP, ETIMEDOUT, EPERM,
      ]
      if !passing.contains(Int32(-result)), !isShutDown { try check("accept", result) }
    }
  }

  /// Ends the connection or the listening, both ways; wakes every thread that is blocked in it.
  ///
  /// Bytes already sent still arrive. Safe from any thread, repeatedly.
  package func shutdown() {
    wasShutDown.store(true, ordering: .sequentiallyConsistent)
    _ = dtx_shutdown(descriptor.raw, 1)
  }

  /// Ends what this side sends, which the peer then reads to the end; receiving goes on.
  package func shutdownSending() { _ = dtx_shutdown(descriptor.raw, 0) }

  /// Whether `shutdown` was called here.
  package var isShutDown: Bool { wasShutDown.load(ordering: .sequentiallyConsistent) }

  /// Waits until something can be received, an end included; false once the deadline has passed.
  package func waitReadable(before deadline: UInt64? = nil) throws(SystemError) -> Bool {
    try waitReady(DTX_READABLE, before: deadline)
  }

  /// The address of this end, which a socket of `pair` has not (EAFNOSUPPORT).
  package var localAddress: SocketAddress {
    get throws(SystemError) {
      try Socket.address(of: descriptor.raw, isPeer: false, label: label)
    }
  }

  /// The address of the other end.
  package var peerAddress: SocketAddress {
    get throws(SystemError) {
      try Socket.address(of: descriptor.raw, isPeer: true, label: label)
    }
  }

  /// Binds a connection that was accepted to the device that it has to leave by.
  ///
  /// - Parameter interface: the device (SO_BINDTODEVICE).
  /// - Throws: ENODEV for one that there is not, EPERM where that needs a capability.
  package func bind(toInterface interface: String) throws(SystemError) {
    try bind(from: nil, interface: interface)
  }

  private static func make(for address: SocketAddress) throws(SystemError) -> Socket {
    let result = system { dtx_socket(address.family) }
    let raw = Int32(try checked(result, "socket", address.description))
    return Socket(owning: Descriptor(owning: raw), label: address.description)
  }

  private func bind(from source: SocketAddress?, interface: String?) throws(SystemError) {
    if let interface {
      let result = withCString(Array(interface.utf8)) { name in
        system { dtx_bind_interface(descriptor.raw, name) }
      }
      try checked(result, "bind", "interface \(printable(Array(interface.utf8)))")
    }
    guard let source else { return }
    // The port is chosen at connect, for this peer only: otherwise ports run out sooner.
    if source.port == 0 { try set(DTX_LATE_PORT, 1) }
    try bind(to: source)
  }

  private func bind(to address: SocketAddress) throws(SystemError) {
    let result = system { dtx_bind(descriptor.raw, address.bytes, UInt32(address.bytes.count)) }
    try checked(result, "bind", address.description)
  }

  private static func address(
    of raw: Int32,
    isPeer: Bool,
    label: String
  ) throws(SystemError) -> SocketAddress {
    let operation = isPeer ? "getpeername" : "getsockname"
    return try withUnsafeTemporaryAllocation(byteCount: 128, alignment: 8) {
      buffer throws(SystemError) in
      let result = system { dtx_address(raw, isPeer ? 1 : 0, buffer.baseAddress, 128) }
      let count = try checked(result, operation, label)
      guard let address = SocketAddress(UnsafeRawBufferPointer(rebasing: buffer[..<count])) else {
        throw SystemError(operation: operation, subject: label, number: EAFNOSUPPORT)
      }
      return address
    }
  }

  private func waitReady(
    _ interest: dtx_readiness,
    before deadline: UInt64?
  ) throws(SystemError) -> Bool {
    while true {
      let result = system {
        dtx_wait(
          descriptor.raw,
          Int32(interest.rawValue),
          -1,
          Clock.remaining(until: deadline)
        )
      }
      if try checked(result, "poll", label) > 0 { return true }
      if let deadline, Clock.now() >= deadline { return false }
    }
  }

  @discardableResult
  func check(_ operation: String, _ result: Int) throws(SystemError) -> Int {
    try checked(result, operation, label)
  }
}
