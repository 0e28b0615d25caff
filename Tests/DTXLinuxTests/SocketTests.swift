import DTXLinux
import Glibc
import Testing

@Suite struct SocketTests {
  /// A listening socket of this machine, and both ends of a connection to it.
  struct Link {
    let listener: Socket
    let near: Socket
    let far: Socket

    init(host: String = "127.0.0.1", from source: String? = nil) throws {
      let any = try #require(SocketAddress(numericHost: host, port: 0))
      listener = try Socket.listen(any)
      let origin = try source.map { try #require(SocketAddress(numericHost: $0, port: 0)) }
      near = try Socket.connect(
        to: listener.localAddress,
        from: origin,
        timeoutNanoseconds: 30_000_000_000
      )
      far = try #require(try listener.accept(before: soon()))
    }
  }

  static let hosts = ["127.0.0.1", "::1"].filter { host in
    guard let any = SocketAddress(numericHost: host, port: 0) else { return false }
    return (try? Socket.listen(any)) != nil
  }

  private func receive(_ count: Int, from socket: Socket) throws -> [UInt8]? {
    var buffer = [UInt8](repeating: 0, count: count)
    return try buffer.withUnsafeMutableBytes { try socket.receiveExactly($0) } ? buffer : nil
  }

  @Test(arguments: hosts)
  func bytesPassBothWaysUntilAnOrderlyEnd(_ host: String) throws {
    let link = try Link(host: host)
    try link.near.sendAll(bytes("hello"))
    #expect(try receive(5, from: link.far) == bytes("hello"))
    try link.far.sendAll(bytes("you"))
    #expect(try receive(3, from: link.near) == bytes("you"))
    link.near.shutdownSending()
    #expect(try receive(1, from: link.far) == nil)
    #expect(try link.near.peerAddress == link.listener.localAddress)
    #expect(try link.far.peerAddress == link.near.localAddress)
  }

  @Test func twoLargeBuffersArriveInOrder() throws {
    let link = try Link()
    let first = (0..<100_003).map { UInt8(truncatingIfNeeded: $0) }
    let second = (0..<5_000_011).map { UInt8(truncatingIfNeeded: $0 / 7) }
    let near = link.near
    let sender = try Thread(name: "sender") {
      first.withUnsafeBytes { one in
        second.withUnsafeBytes { two in try? near.sendAll(one, two) }
      }
      near.shutdownSending()
    }
    #expect(try receive(first.count, from: link.far) == first)
    #expect(try receive(second.count, from: link.far) == second)
    #expect(try receive(1, from: link.far) == nil)
    sender.join()
  }

  @Test func twoBuffersAreFilledHoweverTheBytesArrive() throws {
    let sent = (0..<1_000).map { UInt8(truncatingIfNeeded: $0) }
    for (piece, firstCount) in [(1, 300), (7, 0), (64, 999), (1_000, 1_000), (333, 500)] {
      let (near, far) = try Socket.pair()
      let sender = try Thread(name: "sender") {
        for start in stride(from: 0, to: sent.count, by: piece) {
          try? near.sendAll(Array(sent[start..<min(start + piece, sent.count)]))
        }
      }
      var first = [UInt8](repeating: 0, count: firstCount)
      var second = [UInt8](repeating: 0, count: sent.count - firstCount)
      let isWhole = try first.withUnsafeMutableBytes { one in
        try second.withUnsafeMutableBytes { two in try far.receiveExactly(one, two) }
      }
      #expect(isWhole)
      #expect(first + second == sent, "in pieces of \(piece)")
      sender.join()
    }
  }

  @Test func anEndInTheMiddleIsALostConnection() throws {
    let (near, far) = try Socket.pair()
    try near.sendAll(bytes("abc"))
    near.shutdown()
    #expect(throws: SystemError(operation: "recv", subject: "socket pair", number: ECONNRESET)) {
      _ = try receive(4, from: far)
    }
  }

  @Test func sendingToAPeerThatIsGoneIsAnErrorAndNoSignal() throws {
    let (near, far) = try Socket.pair()
    far.shutdown()
    #expect(errorNumber { () throws(SystemError) in try near.sendAll([1]) } == EPIPE)
  }

  @Test func shutdownWakesABlockedReceive() throws {
    let link = try Link()
    let near = link.near
    let call = try BlockedCall(in: receiveCalls) { () -> Bool? in
      var byte: UInt8 = 0
      return try? withUnsafeMutableBytes(of: &byte) { try near.receiveExactly($0) }
    }
    near.shutdown()
    #expect(try call.result() == false)
    near.shutdown()
    #expect(try receive(1, from: link.far) == nil, "the peer sees the end as well")
  }

  @Test func shutdownWakesABlockedSend() throws {
    let link = try Link()
    let near = link.near
    let call = try BlockedCall(in: sendCalls) { () -> Int32? in
      errorNumber { () throws(SystemError) in
        try near.sendAll([UInt8](repeating: 0, count: 64 << 20))
      }
    }
    near.shutdown()
    #expect(try call.result() == EPIPE)
  }

  @Test(arguments: hosts)
  func shutdownWakesABlockedAccept(_ host: String) throws {
    let any = try #require(SocketAddress(numericHost: host, port: 0))
    let listener = try Socket.listen(any)
    let address = try listener.localAddress
    let call = try BlockedCall(in: pollCalls) { () -> Bool in
      do {
        return try listener.accept() == nil
      } catch {
        return false
      }
    }
    listener.shutdown()
    #expect(try call.result())
    #expect(try listener.accept() == nil)
    let number = errorNumber { () throws(SystemError) in
      _ = try Socket.connect(to: address, timeoutNanoseconds: 30_000_000_000)
    }
    #expect(number == ECONNREFUSED)
  }

  @Test func acceptAndReceiveGiveUpInTime() throws {
    let link = try Link()
    #expect(try link.listener.accept(before: Clock.now() + 2_000_000) == nil)
    #expect(try link.listener.accept(before: 0) == nil)
    #expect(try !link.far.waitReadable(before: Clock.now() + 2_000_000))
    try link.far.setReceiveTimeout(nanoseconds: 2_000_000)
    #expect(throws: SystemError.self) { _ = try receive(1, from: link.far) }
    do {
      _ = try receive(1, from: link.far)
    } catch let error as SystemError {
      #expect(error.number == ETIMEDOUT)
    }
    try link.near.setSendTimeout(nanoseconds: 2_000_000)
    let number = errorNumber { () throws(SystemError) in
      try link.near.sendAll([UInt8](repeating: 0, count: 64 << 20))
    }
    #expect(number == ETIMEDOUT)
  }

  @Test func aConnectionThatNobodyAnswersTimesOut() throws {
    // A full queue of a listener that accepts nothing drops further attempts silently.
    let any = try #require(SocketAddress(numericHost: "127.0.0.1", port: 0))
    let listener = try Socket.listen(any, backlog: 0)
    let address = try listener.localAddress
    var held: [Socket] = []
    var number: Int32?
    for _ in 0..<16 where number == nil {
      number = errorNumber { () throws(SystemError) in
        held.append(try Socket.connect(to: address, timeoutNanoseconds: 20_000_000))
      }
    }
    #expect(number == ETIMEDOUT)
  }

  @Test func aConnectionComesFromTheAskedAddress() throws {
    let link = try Link(from: "127.0.0.1")
    #expect(try link.far.peerAddress.host == "127.0.0.1")
    let other = try Link(from: "127.0.0.9")
    #expect(try other.far.peerAddress.host == "127.0.0.9")
    let number = errorNumber { () throws(SystemError) in
      _ = try Socket.connect(
        to: try link.listener.localAddress,
        interface: "no-such-link0",
        timeoutNanoseconds: 1_000_000_000
      )
    }
    #expect(number == ENODEV || number == EPERM)
  }

  @Test(arguments: hosts)
  func optionsReadBackAsSet(_ host: String) throws {
    let socket = try Link(host: host).near
    try socket.setNoDelay()
    try socket.setKeepAlive()
    try socket.setUserTimeout(milliseconds: 30_000)
    let algorithm = try socket.congestionControl()
    #expect(!algorithm.isEmpty)
    try socket.setCongestionControl("reno")
    #expect(try socket.congestionControl() == "reno")
    #expect(
      errorNumber { () throws(SystemError) in try socket.setCongestionControl("zzz") } == ENOENT
    )
    #expect(try socket.maxPacingRate() == .max)
    try socket.setMaxPacingRate(bytesPerSecond: 12_500_000_000)
    #expect(try socket.maxPacingRate() == 12_500_000_000, "more than 32 bits")
    try socket.setSendBuffer(byteCount: 100_000)
    #expect(try socket.sendBufferByteCount() >= 100_000)
    try socket.setReceiveBuffer(byteCount: 100_000)
    #expect(try socket.receiveBufferByteCount() >= 100_000)
    try socket.setTypeOfService(0x28)
    #expect(try socket.typeOfService() == 0x28)
  }

  @Test func theKernelCountsWhatWasSent() throws {
    let link = try Link()
    try link.near.sendAll([UInt8](repeating: 7, count: 100_000))
    _ = try receive(100_000, from: link.far)
    let limit = soon()
    while try link.near.tcpInfo().bytesAcked < 100_000, Clock.now() < limit { sched_yield() }
    let info = try link.near.tcpInfo()
    #expect(info.bytesAcked >= 100_000 && info.bytesSent >= 100_000)
    #expect(info.segmentByteCount > 500 && info.congestionWindow > 0 && info.pathMTU > 500)
    #expect(try link.far.tcpInfo().bytesReceived >= 100_000)
    #expect(errorNumber { () throws(SystemError) in _ = try Socket.pair().0.tcpInfo() } != nil)
  }
}
