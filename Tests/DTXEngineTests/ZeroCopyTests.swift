import DTXCore
import DTXLinux
import Testing

@testable import DTXEngine

@Suite struct ZeroCopyLedgerTests {
  /// Four calls, and all orders in which the kernel may tell of them one by one.
  @Test func callsAreDoneWhenAllBeforeThemAre() {
    var orders: [[UInt32]] = [[]]
    for call in UInt32(0)..<4 {
      orders = orders.flatMap { order in
        (0...order.count).map { place in Array(order[..<place]) + [call] + Array(order[place...]) }
      }
    }
    #expect(Set(orders).count == 24)
    for order in orders {
      var ledger = ZeroCopyLedger()
      ledger.note(callCount: 4)
      var told: Set<UInt32> = []
      for call in order {
        ledger.take(ZeroCopyNotification(first: call, last: call, isCopied: false))
        told.insert(call)
        let doneCount = (0...4).last { count in (0..<count).allSatisfy { told.contains($0) } } ?? 0
        for count in 0...4 {
          let isDone = ledger.isDone(callCount: UInt64(count))
          #expect(isDone == (count <= doneCount), "\(count) of \(order)")
        }
      }
    }
  }

  @Test func rangesAreTakenWhole() {
    var ledger = ZeroCopyLedger()
    ledger.note(callCount: 10)
    ledger.take(ZeroCopyNotification(first: 6, last: 9, isCopied: false))
    #expect(!ledger.isDone(callCount: 1))
    ledger.take(ZeroCopyNotification(first: 0, last: 2, isCopied: false))
    #expect(ledger.isDone(callCount: 3))
    #expect(!ledger.isDone(callCount: 4))
    ledger.take(ZeroCopyNotification(first: 3, last: 5, isCopied: false))
    #expect(ledger.isDone(callCount: 10))
  }

  @Test func whatWasNotSentOrIsToldTwiceCountsForNothing() {
    var ledger = ZeroCopyLedger()
    ledger.take(ZeroCopyNotification(first: 0, last: 0, isCopied: true))
    #expect(ledger.verdict == .untried)
    ledger.note(callCount: 3)
    for (first, last) in [(3, 3), (2, 3), (0, .max), (.max, .max), (.max, 0)] as [(UInt32, UInt32)]
    {
      ledger.take(ZeroCopyNotification(first: first, last: last, isCopied: false))
      #expect(!ledger.isDone(callCount: 1), "\(first) to \(last)")
      #expect(ledger.verdict == .awaited, "\(first) to \(last)")
    }
    for _ in 0..<2 { ledger.take(ZeroCopyNotification(first: 0, last: 1, isCopied: false)) }
    #expect(ledger.isDone(callCount: 2))
    #expect(!ledger.isDone(callCount: 3))
  }

  @Test func numbersOverflow() {
    var ledger = ZeroCopyLedger()
    let step = 1 << 30
    for round in 0..<9 {
      ledger.note(callCount: step)
      let first = UInt32(truncatingIfNeeded: round * step)
      #expect(!ledger.isDone(callCount: ledger.callCount))
      ledger.take(
        ZeroCopyNotification(first: first, last: first &+ UInt32(step - 1), isCopied: false)
      )
      #expect(ledger.isDone(callCount: ledger.callCount))
    }
    #expect(ledger.callCount > UInt64(UInt32.max) * 2)
  }

  @Test func oneIsTriedAndACopyEndsIt() {
    var ledger = ZeroCopyLedger()
    #expect(ledger.verdict == .untried)
    ledger.note(callCount: 1)
    #expect(ledger.verdict == .awaited)
    ledger.take(ZeroCopyNotification(first: 0, last: 0, isCopied: false))
    #expect(ledger.verdict == .pays)
    ledger.note(callCount: 2)
    ledger.take(ZeroCopyNotification(first: 1, last: 1, isCopied: true))
    #expect(ledger.verdict == .copies)
    ledger.take(ZeroCopyNotification(first: 2, last: 2, isCopied: false))
    #expect(ledger.verdict == .copies)
    #expect(ledger.isDone(callCount: 3))
  }

  @Test func whereTheKernelHasNoRoomNoneIsTriedAgain() {
    var ledger = ZeroCopyLedger()
    ledger.note(callCount: 0)
    #expect(ledger.verdict == .copies)
    // Later that may pass, as what is under way is done.
    ledger = ZeroCopyLedger()
    ledger.note(callCount: 1)
    ledger.take(ZeroCopyNotification(first: 0, last: 0, isCopied: false))
    ledger.note(callCount: 0)
    #expect(ledger.verdict == .pays)
  }
}

/// On this host, where the kernel copies what leaves; what waits for its turn it reads where it lies.
@Suite struct ZeroCopySendingTests {
  private static let byteCount = 256 << 10
  private static let heldLimit = 4

  /// Units as a reader has them, and what became of them.
  private final class Sender {
    let sending: ZeroCopySending
    let times = ActivityLedger()
    var free: [ReadUnit] = []
    private(set) var mostHeldCount = 0
    private(set) var hasGrown = false
    private let spareCount: Int
    private var unitCount = 3

    init(
      over socket: Socket,
      _ ledger: ZeroCopyLedger?,
      spareCount: Int = ZeroCopySendingTests.heldLimit
    ) throws {
      self.spareCount = spareCount
      sending = ZeroCopySending(socket, ledger, times: times)
      for _ in 0..<unitCount { free.append(try ReadUnit(byteCount: byteCount)) }
    }

    /// Sends a unit full of a byte, as a connection's thread does.
    func send(_ byte: UInt8) throws {
      let last = free.popLast()
      let unit = try #require(last, "all units are held")
      let bytes = UnsafeMutableRawBufferPointer(rebasing: unit.memory.pointer[..<byteCount])
      _ = bytes.initializeMemory(as: UInt8.self, repeating: byte)
      try sending.send(UnsafeRawBufferPointer(bytes))
      if !sending.keep(unit) { free.insert(unit, at: 0) }
      collect()
      mostHeldCount = max(mostHeldCount, unitCount - free.count)
      guard sending.wantsUnits else { return }
      hasGrown = true
      for _ in 0..<spareCount { free.append(try ReadUnit(byteCount: byteCount)) }
      unitCount += spareCount
      sending.grow(by: spareCount)
    }

    /// Takes back what the kernel is done with.
    func collect() {
      while let unit = sending.takeDone() { free.insert(unit, at: 0) }
    }

    var isWhole: Bool { free.count == unitCount }
  }

  private static func connected() throws -> (near: Socket, far: Socket) {
    let listener = try Socket.listen(try #require(SocketAddress(numericHost: "127.0.0.1", port: 0)))
    let near = try Socket.connect(
      to: try listener.localAddress,
      timeoutNanoseconds: 5 * Duration.second
    )
    // When nobody reads on, a test is to fail.
    try near.setSendTimeout(nanoseconds: 10 * Duration.second)
    return (near, try #require(try listener.accept()))
  }

  /// Reads units to the end, or to the first that is another than it was.
  ///
  /// - Returns: the number of those that are whole and in order.
  private static func count(_ far: Socket, unitCount: Int) -> Int {
    for number in 0..<unitCount {
      let bytes = try? far.bytes(byteCount)
      let isWhole = bytes?.count == byteCount
      guard isWhole, bytes?.allSatisfy({ $0 == UInt8(truncatingIfNeeded: number) }) == true else {
        return number
      }
    }
    return unitCount
  }

  @Test(.timeLimit(.minutes(1)))
  func aUnitIsKeptUntilItsBytesHaveLeft() throws {
    let (near, far) = try Self.connected()
    try far.setReceiveBuffer(byteCount: 64 << 10)
    let sender = try Sender(over: near, ZeroCopyLedger(ignoresCopies: true))
    // Nobody reads, and units wait in the kernel.
    for number in 0..<4 { try sender.send(UInt8(number)) }
    #expect(!sender.isWhole)
    let reading = try Background { Self.count(far, unitCount: 200) }
    for number in 4..<200 { try sender.send(UInt8(number)) }
    #expect(try reading.value() == 200)
    try waitUntilDone {
      sender.collect(); return sender.isWhole
    }
    #expect(sender.hasGrown)
    #expect(sender.mostHeldCount <= Self.heldLimit)
    let sent = sender.times.totals.zeroCopyByteCount
    #expect(sent >= UInt64(5 * Self.byteCount) && sent <= UInt64(200 * Self.byteCount))
  }

  @Test("one unit is held where there is no memory for more", .timeLimit(.minutes(1)))
  func twoUnitsAreAlwaysFree() throws {
    let (near, far) = try Self.connected()
    try far.setReceiveBuffer(byteCount: 64 << 10)
    let sender = try Sender(over: near, ZeroCopyLedger(ignoresCopies: true), spareCount: 0)
    let reading = try Background { Self.count(far, unitCount: 50) }
    for number in 0..<50 { try sender.send(UInt8(number)) }
    #expect(try reading.value() == 50)
    #expect(sender.hasGrown && sender.mostHeldCount == 1)
  }

  /// The kernel sends on what it took before the connection was given up.
  @Test(.timeLimit(.minutes(1)))
  func aUnitOfWhichOnlyAPartWasSentIsKept() throws {
    let (near, far) = try Self.connected()
    try far.setReceiveBuffer(byteCount: 64 << 10)
    let sending = ZeroCopySending(
      near,
      ZeroCopyLedger(ignoresCopies: true),
      times: ActivityLedger()
    )
    // More than the kernel takes at once while nobody reads.
    let unit = try ReadUnit(byteCount: 64 << 20)
    let giving = try Background {
      // The SYN counts as a byte.
      while let info = try? near.tcpInfo(), info.bytesAcked <= 1 {}
      near.shutdown()
    }
    #expect(throws: SystemError.self) {
      try sending.send(UnsafeRawBufferPointer(unit.memory.pointer))
    }
    try giving.value()
    #expect(sending.keep(unit))
    #expect(sending.takeDone() == nil)
    withExtendedLifetime(far) {}
  }

  @Test func oneIsTriedWhereTheKernelCopies() throws {
    let (near, far) = try Self.connected()
    let sender = try Sender(over: near, ZeroCopyLedger())
    let reading = try Background { Self.count(far, unitCount: 100) }
    for number in 0..<100 {
      try sender.send(UInt8(number))
      // The first one's word has come before the second is sent.
      if number == 0 {
        try waitUntilDone {
          sender.collect(); return sender.isWhole
        }
      }
    }
    #expect(try reading.value() == 100)
    #expect(sender.isWhole)
    #expect(!sender.hasGrown)
    #expect(sender.mostHeldCount <= 1)
    #expect(sender.times.totals.zeroCopyByteCount == 0)
    // Of all the others the kernel has nothing to say.
    #expect(try near.takeNotification() == nil)
  }

  @Test func whereTheKernelDoesNotDoItAllIsCopied() throws {
    let (near, far) = try Socket.pair()
    let sender = try Sender(over: near, ZeroCopyLedger())
    let reading = try Background { Self.count(far, unitCount: 5) }
    for number in 0..<5 { try sender.send(UInt8(number)) }
    #expect(try reading.value() == 5)
    #expect(sender.mostHeldCount == 0)
  }

  private func waitUntilDone(_ isDone: () -> Bool) throws {
    let limit = Clock.now() + 10 * Duration.second
    while !isDone() { try #require(Clock.now() < limit) }
  }
}
