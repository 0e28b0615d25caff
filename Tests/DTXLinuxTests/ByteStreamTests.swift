import DTXLinux
import Glibc
import Testing

/// Everything here holds over pipes and over sockets.
@Suite struct ByteStreamTests {
  enum Carrier: CaseIterable { case pipes, socket, socketDescriptors }

  init() {
    // As Signals.blockAll does: over pipes a peer that is gone raises it.
    signal(SIGPIPE, SIG_IGN)
  }

  private func makeStreams(_ carrier: Carrier) throws -> (ByteStream, ByteStream) {
    switch carrier {
    case .pipes:
      var forth = try Pipe()
      var back = try Pipe()
      return (
        try ByteStream(reading: back.takeReading(), writing: forth.takeWriting()),
        try ByteStream(reading: forth.takeReading(), writing: back.takeWriting())
      )
    case .socket:
      let (near, far) = try Socket.pair()
      return (ByteStream(socket: near), ByteStream(socket: far))
    case .socketDescriptors:
      // What a server gets as standard input and output from some starters: one socket twice.
      var ends: [Int32] = [-1, -1]
      try #require(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0)
      let streams = try ends.map { raw in
        let one = Descriptor(owning: raw)
        let two = try one.duplicate()
        return try ByteStream(reading: one, writing: two)
      }
      return (streams[0], streams[1])
    }
  }

  private func read(
    _ count: Int,
    from stream: ByteStream,
    deadline: UInt64? = nil
  ) throws -> [UInt8]? {
    var buffer = [UInt8](repeating: 0, count: count)
    let isWhole = try buffer.withUnsafeMutableBytes {
      try stream.readExactly(into: $0, deadline: deadline)
    }
    return isWhole ? buffer : nil
  }

  @Test(arguments: Carrier.allCases)
  func bytesPassBothWaysUntilTheEnd(_ carrier: Carrier) throws {
    let (near, far) = try makeStreams(carrier)
    try near.writeAll(bytes("question"))
    #expect(try read(8, from: far) == bytes("question"))
    near.closeWriting()
    #expect(try read(1, from: far) == nil)
    try far.writeAll(bytes("answer"))
    #expect(try read(6, from: near) == bytes("answer"))
  }

  @Test(arguments: Carrier.allCases)
  func muchPassesWhileTheReaderKeepsUp(_ carrier: Carrier) throws {
    let (near, far) = try makeStreams(carrier)
    let content = (0..<3_000_001).map { UInt8(truncatingIfNeeded: $0 / 3) }
    let writer = try Thread(name: "writer") {
      try? near.writeAll(content)
      near.closeWriting()
    }
    #expect(try read(content.count, from: far) == content)
    #expect(try read(1, from: far) == nil)
    writer.join()
  }

  @Test(arguments: Carrier.allCases)
  func closeWakesABlockedReader(_ carrier: Carrier) throws {
    let (near, far) = try makeStreams(carrier)
    let call = try BlockedCall(in: pollCalls.union(receiveCalls)) { () -> Int? in
      var byte: UInt8 = 0
      return try? withUnsafeMutableBytes(of: &byte) { try near.readSome(into: $0) }
    }
    near.close()
    #expect(try call.result() == 0)
    near.close()
    #expect(try read(1, from: far) == nil, "the peer meets the end")
  }

  @Test(arguments: Carrier.allCases)
  func closeWakesABlockedWriter(_ carrier: Carrier) throws {
    let (near, far) = try makeStreams(carrier)
    let call = try BlockedCall(in: pollCalls.union(sendCalls)) { () -> Int32? in
      errorNumber { () throws(SystemError) in
        try near.writeAll([UInt8](repeating: 0, count: 16 << 20))
      }
    }
    near.close()
    #expect(try call.result() == EPIPE)
    _ = far
  }

  @Test(arguments: Carrier.allCases)
  func writingToAPeerThatIsGoneFails(_ carrier: Carrier) throws {
    let (near, far) = try makeStreams(carrier)
    far.close()
    let number = errorNumber { () throws(SystemError) in
      try near.writeAll([UInt8](repeating: 0, count: 16 << 20))
    }
    #expect(number == EPIPE)
  }

  @Test(arguments: Carrier.allCases)
  func aDeadlineEndsTheWait(_ carrier: Carrier) throws {
    let (near, far) = try makeStreams(carrier)
    do {
      _ = try read(1, from: near, deadline: Clock.now() + 2_000_000)
      Issue.record("it read something")
    } catch let error as SystemError {
      #expect(error.number == ETIMEDOUT)
    }
    try far.writeAll([9])
    #expect(try read(1, from: near, deadline: soon()) == [9])
  }

  @Test(arguments: Carrier.allCases)
  func anEndInTheMiddleIsALostConnection(_ carrier: Carrier) throws {
    let (near, far) = try makeStreams(carrier)
    try near.writeAll(bytes("abc"))
    near.close()
    do {
      _ = try read(4, from: far)
      Issue.record("it read something")
    } catch let error as SystemError {
      #expect(error.number == ECONNRESET)
    }
  }
}
