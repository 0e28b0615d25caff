import DTXLinux
import Testing

@testable import DTXEngine

@Suite struct WriteUnitPoolTests {
  @Test func aConnectionWhoseUnitsDoNotComeBackLeavesTheOthersTheirs() throws {
    let pool = try WriteUnitPool(connectionCount: 2)
    let hanging = WriteUnitPool.Share()
    let held = (0..<UnitShape.countPerConnection).map { _ in pool.take(hanging) }
    let isServed = Guarded(false)
    let waiting = try Thread(name: "waiting") {
      let unit = pool.take(hanging)
      isServed.withLockAndSignal { $0 = true }
      pool.give(unit)
    }
    let other = WriteUnitPool.Share()
    for _ in 0..<100 {
      let taken = (0..<UnitShape.countPerConnection).map { _ in pool.take(other) }
      for unit in taken { pool.give(unit) }
    }
    #expect(!isServed.withLock { $0 })
    pool.give(held[0])
    waiting.join()
    #expect(isServed.withLock { $0 })
    for unit in held[1...] { pool.give(unit) }
    #expect(pool.freeCount == UnitShape(connectionCount: 2).count)
  }

  @Test(arguments: [1, 2, 4, 14])
  func threadsThatHangLeaveOneToEachOtherConnection(_ connectionCount: Int) {
    let threadCount = StorageWorkers.threadCount(connectionCount: connectionCount)
    #expect(threadCount - UnitShape.countPerConnection >= connectionCount - 1)
    #expect(StorageWorkers.threadCount(connectionCount: 1000) == 16)
  }
}
