@testable import DTXCore
@testable import DTXEngine
import DTXLinux
import Testing

@Suite struct DestinationStateTests {
  static let options = DestinationOptions(blockByteCount: TestDataset.blockByteCount)

  static func open(_ tree: TestTree) throws -> Destination {
    try Destination.open(root: tree.path, topNames: [[]], session: 1, options: options)
  }

  @Test func theKeyIsADigestOfTheTopNames() {
    #expect(StagedName.key(topNames: [[]]) == Digest.xxh3(of: [0]).hex(8))
    let names = [Array("a".utf8), Array("bc".utf8)]
    #expect(StagedName.key(topNames: names) == Digest.xxh3(of: [1, 0x61, 2, 0x62, 0x63]).hex(8))
  }

  @Test func stagedNamesFitAndNeverMeet() {
    let staged = StagedName(key: "0123456789abcdef")
    #expect(staged.name(for: Array("f".utf8)[...]) == Array(".f.dtx-0123456789abcdef".utf8))
    let long = Array(repeating: UInt8(0x61), count: 255)
    let hashed = staged.name(for: long[...])
    #expect(hashed.count == 1 + 16 + 21)
    #expect(staged.isStaged(hashed))
    let pretender = hashed[1..<17]
    #expect(staged.name(for: pretender) != hashed)
    #expect(!staged.isStaged(Array("f.dtx-0123456789abcdef".utf8)))
    #expect(!staged.isStaged(Array(".f.dtx-0123456789abcdee".utf8)))
    #expect(staged.name(for: long[..<233]).count == 255)
    #expect(staged.name(for: long[..<234]).count == 38)
  }

  @Test func stagedNamesFitWhereNamesAreShort() {
    let target = Array(repeating: UInt8(0x61), count: 143)
    for (token, plainByteCount) in [(nil, 121), (7, 119)] as [(UInt64?, Int)] {
      let staged = StagedName(key: "0123456789abcdef", token: token, byteCountMaximum: 143)
      let longest = staged.name(for: target[..<plainByteCount])
      #expect(longest.count == 143)
      #expect(staged.isLeftover(longest))
      for byteCount in plainByteCount + 1...143 {
        let hashed = staged.name(for: target[..<byteCount])
        #expect(hashed.count == 1 + 16 + longest.count - 1 - plainByteCount)
        #expect(staged.isLeftover(hashed))
        // Who does not know how long names may be finds it as well.
        #expect(StagedName(key: "0123456789abcdef", token: token).isLeftover(hashed))
      }
    }
    // No file system's word makes a name longer than a manifest may have it.
    let wide = StagedName(key: "0123456789abcdef", byteCountMaximum: 1530)
    #expect(wide == StagedName(key: "0123456789abcdef"))
  }

  @Test func anotherRunIsNamed() throws {
    let tree = try TestTree()
    let holder = try Self.open(tree)
    defer { holder.close() }
    #expect {
      _ = try Self.open(tree)
    } throws: { error in
      let failure = error as? TransferError
      return failure?.kind == .locked
        && failure?.cause?.contains("pid=\(Host.processID) host=") == true
    }
  }

  @Test func aLockThatIsGivenBackIsTaken() throws {
    let tree = try TestTree()
    let holder = try Self.open(tree)
    holder.markPeerGone()
    let waiting = try Background { (try? Self.open(tree)) != nil }
    holder.close()
    #expect(try waiting.value())
    let line = String(
      decoding: try tree.content(".dtx/\(holder.key)/lock"),
      as: UTF8.self
    )
    #expect(line.hasSuffix("state=released\n"))
  }

  @Test func otherTopNamesHaveAnotherLock() throws {
    let tree = try TestTree()
    let holder = try Self.open(tree)
    defer { holder.close() }
    let other = try Destination.open(
      root: tree.path,
      topNames: [[0x61]],
      session: 2,
      options: Self.options
    )
    other.close()
    #expect(other.key != holder.key)
  }

  @Test func stateIsOpenToItsOwnerAloneAndMarked() throws {
    let tree = try TestTree()
    try tree.root.setTimes(of: [], modified: 77)
    let destination = try Self.open(tree)
    #expect(try tree.status(".dtx")?.mode == 0o700)
    #expect(try tree.status(".dtx/\(destination.key)")?.mode == 0o700)
    #expect(StateMarker.isPresent(in: tree.root))
    #expect(try tree.root.status(of: []).modified == 77)
    destination.close()
  }

  @Test(arguments: ["foreign", "another user's", "writable", "file", "link"])
  func aStateDirectoryThatIsNotOursIsRefused(kind: String) throws {
    let tree = try TestTree()
    switch kind {
    case "another user's":
      guard Host.effectiveUserID == 0 else {
        try Test.cancel("only the superuser can make a directory another user's")
      }
      try Self.open(tree).close()
      try tree.root.setOwner(of: Array(".dtx".utf8), user: 65534, group: 65534)
    case "foreign":
      try tree.makeDirectory(".dtx")
      try tree.write(".dtx/other", [1])
    case "writable":
      try Self.open(tree).close()
      try tree.root.setMode(of: Array(".dtx".utf8), 0o720)
    case "file":
      try tree.write(".dtx", [1])
    default:
      try tree.root.makeSymlink(Array(".dtx".utf8), target: Array("/tmp".utf8))
    }
    #expect {
      _ = try Self.open(tree)
    } throws: { error in
      let failure = error as? TransferError
      return failure?.kind == .failed && failure?.remedy?.contains("--state-dir") == true
    }
  }

  /// A journal decides which staged bytes are taken for good, so its directory is looked at too.
  @Test func theStateOfAnotherUsersSessionIsRefused() throws {
    guard Host.effectiveUserID == 0 else {
      try Test.cancel("only the superuser can make a directory another user's")
    }
    let tree = try TestTree()
    let destination = try Self.open(tree)
    destination.close()
    let key = Array(".dtx/\(destination.key)".utf8)
    try tree.root.setOwner(of: key, user: 65534, group: 65534)
    #expect {
      _ = try Self.open(tree)
    } throws: { error in
      (error as? TransferError)?.cause == "it belongs to another user, number 65534"
    }
    #expect(try StatusReader.read(directory: tree.path, stateDirectory: nil).isEmpty)
    // To whom the destination belongs, its state may belong as well.
    try tree.root.setOwner(of: Array(".dtx".utf8), user: 65534, group: 65534)
    try tree.root.setOwner(of: [], user: 65534, group: 65534)
    try Self.open(tree).close()
  }

  /// Whoever owns a staged file may change it at any time; but a run that was killed before the rename
  /// may have given it to its owner already.
  @Test(arguments: [false, true])
  func whatAnotherUserHasStagedIsNotGoneOnWith(_ isItsOwner: Bool) throws {
    guard Host.effectiveUserID == 0 else {
      try Test.cancel("only the superuser can make a file another user's")
    }
    let tree = try TestTree()
    var samples = DestinationResumeTests.samples
    if isItsOwner { samples[1].entry.userID = 65534 }
    let dataset = TestDataset(samples)
    let key = try DestinationResumeTests.interrupt(tree, dataset)
    let staged = DestinationResumeTests.staged(key)
    try tree.root.setOwner(of: staged, user: 65534, group: 65534)
    let options = DestinationOptions(
      preservesOwner: isItsOwner,
      blockByteCount: TestDataset.blockByteCount
    )
    var transfer = try TestTransfer(tree, dataset, options: options)
    try transfer.run()
    let comparison = transfer.comparisons[0]
    let wanted = try DestinationResumeTests.wantedOfBig(comparison, dataset.segments[0])
    #expect(wanted == (0..<5).map { !isItsOwner || $0 >= 3 })
    #expect(try #require(try tree.status("big")).userID == (isItsOwner ? 65534 : 0))
  }

  /// A damaged file system may tell any length.
  @Test func aJournalOfAnAbsurdLengthIsReadNoFurtherThanItsFirstRecords() throws {
    let tree = try TestTree()
    let dataset = TestDataset(DestinationResumeTests.samples)
    _ = try DestinationResumeTests.interrupt(tree, dataset)
    let key = StagedName.key(topNames: [[]])
    let journal = try tree.root.openFile(Array(".dtx/\(key)/journal".utf8), .readWrite)
    try journal.setByteCount(1 << 42)
    var transfer = try TestTransfer(tree, dataset)
    try transfer.run()
    #expect(transfer.comparisons[0].resumedByteCount > 0)
  }

  @Test func whatARunLeftThatEndedBetweenTwoCallsIsOurs() throws {
    let tree = try TestTree()
    try tree.makeDirectory(".dtx", 0o700)
    try Self.open(tree).close()
    #expect(StateMarker.isPresent(in: tree.root))
  }

  @Test func aDryRunRemembersTheTimesGranularity() throws {
    #expect(TimeGranularity.granularity(of: TimeGranularity.probe) == 1)
    #expect(TimeGranularity.granularity(of: 1_000_000_001_987_654_000) == 1000)
    #expect(TimeGranularity.granularity(of: 1_000_000_001_000_000_000) == 1_000_000_000)
    #expect(TimeGranularity.granularity(of: 1_000_000_000_000_000_000) == 2_000_000_000)
    #expect(TimeGranularity.granularity(of: 12) == nil)
    let tree = try TestTree()
    let destination = try Self.open(tree)
    let lock = ".dtx/\(destination.key)/lock"
    destination.close()
    #expect(try tree.status(lock)?.modified == TimeGranularity.probe)
    try tree.root.setTimes(of: Array(lock.utf8), modified: 1_000_000_001_000_000_000)
    let dry = try Destination.open(
      root: tree.path,
      topNames: [[]],
      session: 1,
      options: DestinationOptions(blockByteCount: TestDataset.blockByteCount, isDryRun: true)
    )
    #expect(dry.timeGranularity == 1_000_000_000)
  }

  @Test func aKernelThatHidesErrorsIsNotTrusted() {
    #expect(SyncPolicy.reportsErrors(kernel: "5.14.0-503.el9.x86_64"))
    #expect(SyncPolicy.reportsErrors(kernel: "6.1"))
    #expect(SyncPolicy.reportsErrors(kernel: "5.8.0"))
    #expect(!SyncPolicy.reportsErrors(kernel: "5.7.19"))
    #expect(!SyncPolicy.reportsErrors(kernel: "4.18.0-553.el8"))
    #expect(!SyncPolicy.reportsErrors(kernel: "unknown"))
  }

  @Test func moreStagedFilesThanMayBeOpenAreOpenedAgain() throws {
    let tree = try TestTree()
    let table = StagedTable(openLimit: 2)
    func open(
      _ name: String,
      _ known: StagedIdentity?
    ) throws(SystemError) -> (SharedFile, StagedIdentity) {
      let file = try tree.root.openFile(
        Array(name.utf8),
        known == nil ? .createExclusive : .readWrite
      )
      let identity = StagedIdentity(try file.status())
      if let known { #expect(identity == known) }
      return (SharedFile(file), identity)
    }
    for round in 0..<2 {
      for index in 0..<5 {
        let key = StagedTable.Key(segment: 0, entry: index)
        let file = try table.acquire(key) { known throws(SystemError) in
          try open("f\(index)", known)
        }
        try file.file.write([UInt8(index)], at: UInt64(round))
        table.release(key)
      }
    }
    for index in 0..<5 {
      #expect(try tree.content("f\(index)") == [UInt8(index), UInt8(index)])
      table.remove(StagedTable.Key(segment: 0, entry: index))
    }
    #expect(!table.contains(StagedTable.Key(segment: 0, entry: 0)))
  }

  @Test func aFileThatDoesNotOpenHoldsUpNoOther() throws {
    let tree = try TestTree()
    let table = StagedTable()
    let isHanging = Guarded(false)
    let isReleased = Guarded(false)
    let hanging = StagedTable.Key(segment: 0, entry: 0)
    let root = tree.root
    let thread = try Thread(name: "hanging") {
      _ = try? table.acquire(hanging) { _ throws(SystemError) in
        isHanging.withLockAndSignal { $0 = true }
        _ = isReleased.wait(until: { $0 ? true : nil }) as Bool?
        throw SystemError(operation: "open", subject: "f0", number: 5)
      }
    }
    _ = isHanging.wait(until: { $0 ? true : nil }) as Bool?
    let key = StagedTable.Key(segment: 0, entry: 1)
    _ = try table.acquire(key) { _ throws(SystemError) in
      let file = try root.openFile(Array("f1".utf8), .createExclusive)
      return (SharedFile(file), StagedIdentity(try file.status()))
    }
    table.release(key)
    #expect(table.contains(key) && !table.contains(hanging))
    isReleased.withLockAndSignal { $0 = true }
    thread.join()
    // Who comes after it tries again.
    _ = try table.acquire(hanging) { known throws(SystemError) in
      #expect(known == nil)
      let file = try root.openFile(Array("f0".utf8), .createExclusive)
      return (SharedFile(file), StagedIdentity(try file.status()))
    }
  }

  @Test func threadsThatOpenAFileAtOnceShareIt() throws {
    let tree = try TestTree()
    let root = tree.root
    for round in 0..<50 {
      let table = StagedTable()
      let key = StagedTable.Key(segment: 0, entry: round)
      let found = Guarded<[SharedFile]>([])
      let openingCount = Guarded(0)
      let threads = try (0..<8).map { _ in
        try Thread(name: "opener") {
          let file = try? table.acquire(key) { _ throws(SystemError) in
            openingCount.withLock { $0 += 1 }
            let file = try root.openFile(Array("f\(round)".utf8), .createExclusive)
            return (SharedFile(file), StagedIdentity(try file.status()))
          }
          if let file { found.withLock { $0.append(file) } }
        }
      }
      for thread in threads { thread.join() }
      let files = found.withLock { $0 }
      #expect(files.count == 8 && files.allSatisfy { $0 === files[0] })
      #expect(openingCount.withLock { $0 } == 1)
    }
  }

  @Test func theJournalIsCompactedWhenMostOfItIsDone() throws {
    let tree = try TestTree()
    let destination = try Self.open(tree)
    let journal = try JournalWriter(
      JournalReplay([]),
      in: try #require(destination.writing).state,
      session: 1,
      blockByteCount: TestDataset.blockByteCount,
      longByteCount: 64 << 10
    )
    let name = ".dtx/\(destination.key)/journal"
    func bodies(_ path: String, _ count: Int) -> [JournalRecord.Body] {
      let identity = FileIdentity(
        path: Array(path.utf8) + Array(repeating: 0x61, count: 200),
        byteCount: 1 << 40,
        modified: 1,
        sourceIdentity: 2
      )
      return (0..<count).map { index in
        .durable(identity, DurableExtent(offset: UInt64(index), byteCount: 1, digest: .zero))
      }
    }
    try journal.append(bodies("live", 3), epoch: 1)
    try journal.append(bodies("done", 400), epoch: 2)
    try journal.append(
      [.published(path: Array("done".utf8) + Array(repeating: 0x61, count: 200))],
      epoch: 2
    )
    #expect(try #require(try tree.status(name)).byteCount > 64 << 10)
    try journal.compactIfLarge(epoch: 3)
    #expect(try #require(try tree.status(name)).byteCount < 4096)
    try journal.append(bodies("more", 1), epoch: 4)
    try journal.sync()
    let replay = JournalReplay(try tree.content(name))
    #expect(replay.end == .clean)
    #expect(replay.files.map(\.extents.count) == [3, 1])
    destination.close()
  }

  @Test func aDamagedManifestIsLeftAside() throws {
    let tree = try TestTree()
    let dataset = TestDataset([.root(), .file("f", 100)])
    var first = try TestTransfer(tree, dataset)
    try first.run()
    let manifest = Array(".dtx/\(first.destination.key)/manifest".utf8)
    let byteCount = try tree.root.status(of: manifest).byteCount
    for offset in stride(from: 0, to: byteCount, by: 13) {
      try tree.flip(manifest, at: offset)
      let transfer = try TestTransfer(tree, dataset)
      let comparison = try transfer.destination.compare(dataset.segments[0])
      #expect(comparison.wanted.isEmpty)
      let isTrue = comparison.digests == [dataset.digest(dataset.segments[0], 0)]
      #expect(isTrue || comparison.digests == [.zero], "offset \(offset)")
      transfer.destination.close()
      try tree.flip(manifest, at: offset)
    }
    let identities = Array(".dtx/\(first.destination.key)/identities".utf8)
    try tree.flip(identities, at: 70)
    let transfer = try TestTransfer(tree, dataset)
    #expect(try transfer.destination.compare(dataset.segments[0]).digests == [.zero])
    transfer.destination.close()
  }
}
