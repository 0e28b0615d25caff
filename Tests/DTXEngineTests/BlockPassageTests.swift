import DTXLinux
import Testing

@testable import DTXEngine

@Suite struct BlockPassageTests {
  @Test func whatTheKernelStillHoldsHasNotArrived() throws {
    let (near, far, listener) = try Self.connected()
    defer { listener.shutdown() }
    let passage = BlockPassage(over: near)
    #expect(passage.acknowledgedByteCount(over: near) == 0)
    // 900 bytes of files in a record of 1000, of which nothing has been sent.
    passage.pass(payloadByteCount: 900, wireByteCount: 1000)
    #expect(passage.acknowledgedByteCount(over: near) == 0)
    let record = [UInt8](repeating: 0, count: 1000)
    try record.withUnsafeBytes { try near.sendAll($0) }
    let limit = Clock.now() + 5_000_000_000
    while passage.acknowledgedByteCount(over: near) < 900, Clock.now() < limit {}
    #expect(passage.acknowledgedByteCount(over: near) == 900)
    far.shutdown()
  }

  @Test func compressedBytesStandForMore() throws {
    let (near, far, listener) = try Self.connected()
    let passage = BlockPassage(over: near)
    // 9000 bytes of files in 1000 of records, of which a half has been sent.
    passage.pass(payloadByteCount: 9000, wireByteCount: 1000)
    try [UInt8](repeating: 0, count: 500).withUnsafeBytes { try near.sendAll($0) }
    let limit = Clock.now() + 5_000_000_000
    while passage.acknowledgedByteCount(over: near) < 4500, Clock.now() < limit {}
    #expect(passage.acknowledgedByteCount(over: near) == 4500)
    far.shutdown()
    listener.shutdown()
  }

  private static func connected() throws -> (near: Socket, far: Socket, listener: Socket) {
    let listener = try Socket.listen(
      try #require(SocketAddress(numericHost: "127.0.0.1", port: 0))
    )
    let near = try Socket.connect(
      to: try listener.localAddress,
      timeoutNanoseconds: 5_000_000_000
    )
    return (near, try #require(try listener.accept()), listener)
  }

  @Test func whatIsSettledCountsNoMore() throws {
    let (near, _) = try Socket.pair()
    let passage = BlockPassage(over: near)
    passage.pass(payloadByteCount: 5, wireByteCount: 60)
    passage.pass(payloadByteCount: 7, wireByteCount: 60)
    #expect(passage.receivedByteCount == 12)
    // No TCP socket: it says nothing of what it holds.
    #expect(passage.acknowledgedByteCount(over: near) == 12)
    passage.settle(payloadByteCount: 5)
    #expect(passage.receivedByteCount == 7)
    passage.settle(payloadByteCount: 7)
    #expect(passage.receivedByteCount == 0)
  }

  @Test func toldProgressNeverGoesBackNorBeyondTheEnd() {
    var pace = ProgressPace(0)
    #expect(pace.moved(10, of: 100) == 10)
    #expect(pace.moved(7, of: 100) == 10)
    #expect(pace.moved(101, of: 100) == 100)
  }
}
