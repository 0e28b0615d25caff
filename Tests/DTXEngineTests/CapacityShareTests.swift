import DTXCore
import DTXEngine
import DTXLinux
import Testing

@Suite struct CapacityShareTests {
  private static let capacity = Rate(bitsPerSecond: 100)

  private func claim(_ bits: UInt64, _ tree: TestTree) throws -> CapacityShare.Outcome {
    try CapacityShare.claim(
      Rate(bitsPerSecond: bits),
      of: CapacityShareTests.capacity,
      in: tree.path
    )
  }

  private func taken(_ bits: UInt64, _ tree: TestTree) throws -> CapacityShare {
    guard case .taken(let share) = try claim(bits, tree) else {
      throw TransferError(.failed, "\(bits) were not free")
    }
    return share
  }

  @Test func sharesStayBelowTheCapacityUntilTheyAreGivenBack() throws {
    let tree = try TestTree()
    let first = try taken(60, tree)
    let second = try taken(40, tree)
    guard case .refused(let free, let holders) = try claim(1, tree) else {
      Issue.record("the capacity was exceeded")
      return
    }
    #expect(free == Rate(bitsPerSecond: 0))
    #expect(holders.map(\.rate.bitsPerSecond) == [60, 40])
    #expect(holders.allSatisfy { $0.process == Host.processID })
    first.release()
    first.release()
    let third = try taken(60, tree)
    second.release()
    third.release()
    #expect(try tree.paths() == [])
  }

  @Test func aShareThatNobodyRefersToIsGivenBack() throws {
    let tree = try TestTree()
    _ = try taken(100, tree)
    let share = try taken(100, tree)
    share.release()
  }

  @Test func whatIsNoShareIsPassedOver() throws {
    let tree = try TestTree()
    let line = Array(
      CapacityClaim(process: 1, rate: CapacityShareTests.capacity, since: 0).line.utf8
    )
    // Nobody has it locked: its holder was killed.
    try tree.write("dtx-share-1-dead", line)
    try tree.write("other", line)
    let directory = try Directory.open(tree.path)
    let link = Array("dtx-share-2-link".utf8)
    try directory.makeSymlink(link, target: Array("other".utf8))
    try directory.makeNode(Array("dtx-share-3-pipe".utf8), kind: .fifo, permissions: 0o666)
    try tree.write("dtx-share-4-odd", Array("rate=100\n".utf8))
    let odd = try directory.openFile(Array("dtx-share-4-odd".utf8), .read)
    #expect(try odd.lock(.exclusive))
    let other = try directory.openFile(Array("other".utf8), .read)
    #expect(try other.lock(.exclusive))
    let share = try taken(100, tree)
    #expect(try !tree.paths().contains("dtx-share-1-dead"))
    #expect(try directory.statusIfPresent(of: link) != nil)
    #expect(try tree.content("other") == line)
    share.release()
  }

  @Test func whoClaimsWaitsForAnotherWhoLooks() throws {
    let tree = try TestTree()
    let directory = try Directory.open(tree.path)
    #expect(try directory.lock(.exclusive))
    let outcome = Guarded<Bool?>(nil)
    let thread = try Thread(name: "claim") {
      let isTaken = (try? self.taken(100, tree)) != nil
      outcome.withLockAndSignal { $0 = isTaken }
    }
    #expect(outcome.withLock { $0 } == nil)
    try directory.unlock()
    #expect(outcome.wait(until: { $0 }) == true)
    thread.join()
  }

  @Test func aDirectoryThatOthersCanClearIsNotUsed() throws {
    let tree = try TestTree()
    try Directory.open(tree.path).setMode(of: [], 0o777)
    #expect(throws: TransferError.self) { try claim(1, tree) }
    try Directory.open(tree.path).setMode(of: [], 0o1777)
    try taken(1, tree).release()
  }
}
