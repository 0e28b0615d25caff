import DTXLinux
import Glibc
import Testing

@Suite struct PageBufferTests {
  @Test(arguments: [1, 4096, 1 << 20, 12_345, 2 << 20, (2 << 20) + 16, 5 << 20])
  func aBufferIsAlignedZeroAndWhole(_ byteCount: Int) throws {
    let buffer = try PageBuffer(byteCount: byteCount)
    #expect(buffer.pointer.count == byteCount && buffer.byteCount == byteCount)
    let alignment = byteCount < 2 << 20 ? 4096 : 2 << 20
    #expect(Int(bitPattern: buffer.pointer.baseAddress).isMultiple(of: alignment))
    #expect(buffer.pointer.allSatisfy { $0 == 0 })
    buffer.pointer[byteCount - 1] = 1
  }

  @Test func moreMemoryThanThereIsAnError() {
    #expect(errorNumber { () throws(SystemError) in _ = try PageBuffer(byteCount: .max) } == ENOMEM)
  }
}

@Suite struct PoolTests {
  @Test func aPoolBoundsWhatIsOut() throws {
    let pool = Pool([1, 2])
    #expect(Set([pool.take(), pool.take()]) == [1, 2])
    #expect(pool.freeCount == 0)
    let call = try BlockedCall(in: futexCalls) { pool.take() }
    pool.give(2)
    #expect(try call.result() == 2)
    pool.give(1)
    #expect(pool.freeCount == 1 && pool.count == 2)
  }

  @Test func whatCameBackLastGoesFirst() {
    let pool = Pool([1, 2, 3])
    let taken = (0..<3).map { _ in pool.take() }
    for item in taken { pool.give(item) }
    #expect(pool.take() == taken.last)
  }

  @Test func threadsNeverHoldTheSameItem() throws {
    let pool = Pool((0..<3).map { _ in Guarded(false) })
    let clashes = Guarded(0)
    let threads = try (0..<6).map { index in
      try Thread(name: "user \(index)") {
        for _ in 0..<500 {
          let isTaken = pool.take()
          let clashed = isTaken.withLock { taken in
            defer { taken = true }
            return taken
          }
          if clashed { clashes.withLock { $0 += 1 } }
          isTaken.withLock { $0 = false }
          pool.give(isTaken)
        }
      }
    }
    for thread in threads { thread.join() }
    #expect(clashes.withLock { $0 } == 0)
    #expect(pool.freeCount == 3)
  }
}

@Suite struct WorkerPoolTests {
  @Test func aJobThatHangsStopsNoOther() throws {
    let pool = try WorkerPool(name: "work", threadCount: 2)
    let isReleased = Guarded(false)
    let done = Guarded(0)
    pool.run { _ = isReleased.wait(until: { $0 ? true : nil }) as Bool? }
    for _ in 0..<100 { pool.run { done.withLockAndSignal { $0 += 1 } } }
    #expect(done.wait(until: { $0 == 100 ? true : nil }) as Bool? == true)
    isReleased.withLockAndSignal { $0 = true }
    pool.finish()
  }

  @Test func finishWaitsForEveryJobAndTakesNoMore() throws {
    let pool = try WorkerPool(name: "work", threadCount: 3)
    let done = Guarded(0)
    for _ in 0..<1000 { pool.run { done.withLock { $0 += 1 } } }
    pool.finish()
    #expect(done.withLock { $0 } == 1000)
    pool.run { done.withLock { $0 += 1 } }
    #expect(done.withLock { $0 } == 1000)
  }

  @Test func oneThreadKeepsTheOrder() throws {
    let pool = try WorkerPool(name: "work", threadCount: 1)
    let seen = Guarded<[Int]>([])
    for index in 0..<100 { pool.run { seen.withLock { $0.append(index) } } }
    pool.finish()
    #expect(seen.withLock { $0 } == Array(0..<100))
  }
}
