import DTXCore
@testable import DTXEngine
import DTXLinux
import Testing

/// Owner files on a real file system, for processes that are said to be on several hosts.
@Suite struct OwnershipTests {
  /// Nobody is silent for so long in a test.
  private static let patient = OwnerTiming(
    beat: 600 * Duration.second,
    lease: 1200 * Duration.second,
    patience: 3600 * Duration.second,
    pause: Duration.millisecond
  )

  /// Whoever shows no sign of life at once is taken for dead.
  private static let impatient = OwnerTiming(
    beat: 1,
    lease: 2,
    patience: 20 * Duration.millisecond,
    pause: Duration.millisecond
  )

  private static func process(host: Int, number: Int32 = 10) -> OwnerProcess {
    OwnerProcess(boot: "boot-\(host)", namespace: 1, number: number, started: 5)
  }

  private static func claim(
    _ tree: TestTree,
    as process: OwnerProcess,
    _ timing: OwnerTiming
  ) throws -> Ownership {
    let outcome = try Ownership.claim(in: tree.root, as: process, timing: timing)
    guard case .claimed(let ownership) = outcome else {
      throw SystemError(operation: "claim", subject: "\(outcome)", number: 0)
    }
    return ownership
  }

  private static func names(_ tree: TestTree) throws -> [String] {
    try tree.root.names().map { String(decoding: $0.name, as: UTF8.self) }.sorted()
  }

  @Test func oneAfterAnotherNumbersRise() throws {
    let tree = try TestTree()
    for number in 1...3 as ClosedRange<UInt64> {
      let ownership = try Self.claim(tree, as: Self.process(host: Int(number)), Self.patient)
      #expect(ownership.token == number)
      #expect(try Self.names(tree) == ["owner.\(number)"])
      #expect(try Ownership.holder(in: tree.root)?.contains("pid=10 host=") == true)
      try ownership.check()
      ownership.release()
      ownership.release()
      #expect(try Ownership.holder(in: tree.root) == nil)
    }
  }

  @Test func anOwnerThatIsAliveKeepsOthersOut() throws {
    let tree = try TestTree()
    let owner = try Self.claim(tree, as: Self.process(host: 1), Self.patient)
    defer { owner.release() }
    let signs = try Background {
      for _ in 0..<3000 {
        Clock.sleep(nanoseconds: Duration.millisecond)
        try? owner.check()
      }
      return true
    }
    let other = try Ownership.claim(
      in: tree.root,
      as: Self.process(host: 2),
      timing: Self.patient
    )
    guard case .held(let holder) = other else {
      Issue.record("\(other)")
      return
    }
    #expect(holder.hasPrefix("pid=10 host="))
    #expect(try signs.value())
    #expect(owner.holds)
  }

  @Test func aProcessThatIsGoneHoldsNobodyOnItsHost() throws {
    let tree = try TestTree()
    let me = OwnerFiles.currentProcess
    var gone = me
    gone.started -= 1
    let files = OwnerFiles(directory: tree.root, process: gone)
    let record = OwnerRecord(claim: 1, process: gone, host: "here", since: 0)
    #expect(try files.make(7, record))
    #expect(try Ownership.holder(in: tree.root) == nil)
    let next = try Self.claim(tree, as: me, Self.patient)
    #expect(next.token == 8)
    next.release()
  }

  @Test func ofAnotherHostSilenceAloneTells() throws {
    let tree = try TestTree()
    let other = Self.process(host: 2)
    let files = OwnerFiles(directory: tree.root, process: other)
    let record = OwnerRecord(claim: 1, process: other, host: "there", since: 0)
    #expect(try files.make(7, record))
    #expect(try Ownership.holder(in: tree.root)?.hasPrefix(record.summary) == true)
    let next = try Self.claim(tree, as: Self.process(host: 1), Self.impatient)
    #expect(next.token == 8)
    #expect(try Self.names(tree) == ["owner.8"])
    next.release()
  }

  @Test func aLineThatIsHalfWrittenIsSomebodys() throws {
    let tree = try TestTree()
    let record = OwnerRecord(claim: 1, process: Self.process(host: 2), host: "there", since: 0)
    try tree.write("owner.1", Array(record.line.prefix(100)))
    let holder = try Ownership.holder(in: tree.root)
    #expect(holder?.hasPrefix("an unknown process") == true)
    let next = try Self.claim(tree, as: Self.process(host: 1), Self.impatient)
    #expect(next.token == 2)
    next.release()
  }

  @Test func whoeverWasTakenForDeadHoldsNoMore() throws {
    let tree = try TestTree()
    let sleeper = try Self.claim(tree, as: Self.process(host: 1), Self.patient)
    #expect(sleeper.holds)
    let next = try Self.claim(tree, as: Self.process(host: 2), Self.impatient)
    #expect(throws: sleeper.lost) { try sleeper.check() }
    #expect(!sleeper.holds)
    sleeper.release()
    #expect(try Self.names(tree) == ["owner.2"])
    #expect(try Ownership.holder(in: tree.root)?.contains("state=running") == true)
    next.release()
    #expect(try Ownership.holder(in: tree.root) == nil)
  }
}
