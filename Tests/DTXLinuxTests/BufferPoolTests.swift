import DTXLinux
import Glibc
import Testing

@Suite struct BufferPoolTests {
  @Test(arguments: [1, 4096, 1 << 20, 12_345])
  func aBufferIsAlignedZeroAndWhole(_ byteCount: Int) throws {
    let buffer = try PageBuffer(byteCount: byteCount)
    #expect(buffer.pointer.count == byteCount && buffer.byteCount == byteCount)
    #expect(Int(bitPattern: buffer.pointer.baseAddress) % 4096 == 0)
    #expect(buffer.pointer.allSatisfy { $0 == 0 })
    buffer.pointer[byteCount - 1] = 1
  }

  @Test func moreMemoryThanThereIsAnError() {
    #expect(errorNumber { () throws(SystemError) in _ = try PageBuffer(byteCount: .max) } == ENOMEM)
  }

  @Test func aPoolBoundsWhatIsOut() throws {
    let pool = try BufferPool(count: 2, byteCount: 4096)
    let first = pool.take()
    let second = pool.take()
    #expect(first !== second)
    #expect(pool.freeCount == 0)
    #expect(pool.tryTake() == nil)
    #expect(pool.take(deadline: Clock.now() + 2_000_000) == nil)
    let call = try BlockedCall(in: futexCalls) { pool.take() }
    pool.give(second)
    #expect(try call.result() === second)
    pool.give(first)
    #expect(pool.freeCount == 1)
  }

  @Test func threadsNeverHoldTheSameBuffer() throws {
    let pool = try BufferPool(count: 3, byteCount: 8)
    let clashes = Guarded(0)
    let threads = try (0..<6).map { index in
      try Thread(name: "user \(index)") {
        for _ in 0..<500 {
          let buffer = pool.take()
          buffer.pointer.storeBytes(of: index, as: Int.self)
          sched_yield()
          if buffer.pointer.load(as: Int.self) != index { clashes.withLock { $0 += 1 } }
          pool.give(buffer)
        }
      }
    }
    for thread in threads { thread.join() }
    #expect(clashes.withLock { $0 } == 0)
    #expect(pool.freeCount == 3)
  }
}
