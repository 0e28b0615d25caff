@testable import DTXCore
@testable import DTXEngine
import DTXLinux
import Testing

@Suite struct DestinationResumeTests {
  static let samples: [Sample] = [
    .root(), .file("big", 300_000, seed: 9), .file("other", 150_000, seed: 4), .file("small", 100),
  ]

  /// A run that commits the first extents of `big` and then ends as by a kill.
  static func interrupt(
    _ tree: TestTree,
    _ dataset: TestDataset,
    extentCount: Int = 3
  ) throws -> String {
    var transfer = try TestTransfer(tree, dataset)
    let segment = dataset.segments[0]
    _ = try transfer.compareAndPrepare(segment)
    let big = try #require(segment.entry("big"))
    var work = EpochWork(epoch: 1)
    for extent in segment.entries[big].extents.prefix(extentCount) {
      try transfer.write(segment, extent)
      work.extents.append(
        EpochWork.ExtentPlace(
          segment: 0,
          extent: extent,
          digest: dataset.digest(segment, extent)
        )
      )
    }
    #expect(try transfer.destination.commit(work).failures.isEmpty)
    // And one that is written and not committed.
    try transfer.write(segment, try #require(segment.entries[big].extents.last))
    return transfer.destination.key
  }

  static func staged(_ key: String, _ name: String = "big") -> [UInt8] {
    StagedName(key: key).name(for: Array(name.utf8)[...])
  }

  static func wantedOfBig(_ comparison: Comparison, _ segment: Segment) throws -> [Bool] {
    let big = try #require(segment.entry("big"))
    return segment.entries[big].extents.map { comparison.wanted[$0] }
  }

  @Test func durableExtentsAreNotSentAgain() throws {
    let tree = try TestTree()
    let dataset = TestDataset(Self.samples)
    let key = try Self.interrupt(tree, dataset)
    #expect(try tree.paths() == [printable(Self.staged(key))])
    var transfer = try TestTransfer(tree, dataset)
    let (roots, _) = try transfer.run()
    let comparison = transfer.comparisons[0]
    #expect(
      try Self.wantedOfBig(comparison, dataset.segments[0]) == [false, false, false, true, true]
    )
    #expect(comparison.resumedByteCount == 3 * TestDataset.blockByteCount)
    #expect(transfer.destination.statistics.rereadByteCount == 3 * TestDataset.blockByteCount)
    #expect(try tree.content("big") == Self.samples[1].content)
    #expect(try tree.paths() == ["big", "other", "small"])
    let clean = try TestTree()
    var direct = try TestTransfer(clean, dataset)
    #expect(try direct.run().0 == roots)
  }

  @Test func aFlippedByteInAStagedFileIsFoundAndItsExtentSentAgain() throws {
    let tree = try TestTree()
    let dataset = TestDataset(Self.samples)
    let key = try Self.interrupt(tree, dataset)
    try tree.flip(Self.staged(key), at: TestDataset.blockByteCount + 17)
    var transfer = try TestTransfer(tree, dataset)
    try transfer.run()
    #expect(
      try Self.wantedOfBig(transfer.comparisons[0], dataset.segments[0])
        == [false, true, false, true, true]
    )
    #expect(transfer.destination.takeNotices().contains { $0.hasPrefix("big: 1 staged extents") })
    #expect(try tree.content("big") == Self.samples[1].content)
  }

  @Test(arguments: [20, 60, 200, 300])
  func aFlippedByteInTheJournalCostsResendingOnly(offset: UInt64) throws {
    let tree = try TestTree()
    let dataset = TestDataset(Self.samples)
    let key = try Self.interrupt(tree, dataset)
    try tree.flip(Array(".dtx/\(key)/journal".utf8), at: offset)
    var transfer = try TestTransfer(tree, dataset)
    let (_, failures) = try transfer.run()
    #expect(transfer.failures.isEmpty)
    #expect(failures.isEmpty)
    #expect(transfer.comparisons[0].resumedByteCount < 3 * TestDataset.blockByteCount)
    #expect(try tree.content("big") == Self.samples[1].content)
    #expect(try tree.paths() == ["big", "other", "small"])
  }

  @Test func aTornJournalIsCutWhereItEnds() throws {
    let tree = try TestTree()
    let dataset = TestDataset(Self.samples)
    let key = try Self.interrupt(tree, dataset)
    let name = Array(".dtx/\(key)/journal".utf8)
    let file = try tree.root.openFile(name, .readWrite)
    try file.setByteCount(try file.status().byteCount - 5)
    let transfer = try TestTransfer(tree, dataset)
    defer { transfer.destination.close() }
    #expect(transfer.destination.takeNotices().contains { $0.hasPrefix("the journal ends") })
    let comparison = try transfer.destination.compare(dataset.segments[0])
    #expect(
      try Self.wantedOfBig(comparison, dataset.segments[0]) == [false, false, true, true, true]
    )
    guard case .clean = JournalReplay(try tree.content(name)).end else {
      Issue.record("the journal was not compacted")
      return
    }
  }

  @Test func anotherVersionOfTheSourceDiscardsWhatWasStaged() throws {
    let tree = try TestTree()
    let key = try Self.interrupt(tree, TestDataset(Self.samples))
    var samples = Self.samples
    // The same length and time; the sender's inode or ctime are others.
    samples[1] = .file("big", 300_000, seed: 33)
    var transfer = try TestTransfer(tree, TestDataset(samples))
    let segment = transfer.dataset.segments[0]
    let comparison = try transfer.compareAndPrepare(segment)
    #expect(try Self.wantedOfBig(comparison, segment) == [true, true, true, true, true])
    #expect(try tree.root.statusIfPresent(of: Self.staged(key)) == nil)
    let digests = try transfer.move(segment, wanted: comparison.wanted, known: comparison.digests)
    try transfer.seal(segment, digests)
    _ = try transfer.finish()
    #expect(try tree.content("big") == samples[1].content)
  }

  @Test func anotherBlockLengthDiscardsWhatWasStagedAndSaysSo() throws {
    let tree = try TestTree()
    _ = try Self.interrupt(tree, TestDataset(Self.samples))
    let options = DestinationOptions(blockByteCount: 128 << 10)
    var transfer = try TestTransfer(
      tree,
      TestDataset(Self.samples, blockByteCount: 128 << 10),
      options: options
    )
    #expect(transfer.destination.takeNotices().contains { $0.contains("blocks of 65536 bytes") })
    try transfer.run()
    #expect(transfer.comparisons[0].resumedByteCount == 0)
    #expect(try tree.content("big") == Self.samples[1].content)
    #expect(try tree.paths() == ["big", "other", "small"])
  }

  @Test func aFileThatIsAllStagedIsPublishedWithoutASend() throws {
    let tree = try TestTree()
    let dataset = TestDataset(Self.samples)
    let key = try Self.interrupt(tree, dataset, extentCount: 5)
    // As far as the metadata, before the rename.
    try tree.root.setMode(of: Self.staged(key), 0o400)
    var transfer = try TestTransfer(tree, dataset)
    let segment = dataset.segments[0]
    let comparison = try transfer.compareAndPrepare(segment)
    #expect(try Self.wantedOfBig(comparison, segment).allSatisfy { !$0 })
    #expect(try tree.content("big") == Self.samples[1].content)
    #expect(try tree.status("big")?.mode == 0o644)
    #expect(try tree.status("big")?.modified == Sample.time)
    let digests = try transfer.move(segment, wanted: comparison.wanted, known: comparison.digests)
    try transfer.seal(segment, digests)
    _ = try transfer.finish()
    #expect(try tree.paths() == ["big", "other", "small"])
  }

  @Test func dataInAHoleOfAStagedFileDiscardsIt() throws {
    let tree = try TestTree()
    let dataset = TestDataset([
      .root(), .sparse("big", 400_000, [0..<65_536, 131_072..<196_608, 300_000..<310_000]),
    ])
    let key = try Self.interrupt(tree, dataset, extentCount: 2)
    let clean = try TestTransfer(tree, dataset)
    let comparison = try clean.destination.compare(dataset.segments[0])
    clean.destination.close()
    #expect(try Self.wantedOfBig(comparison, dataset.segments[0]).contains(false))
    try tree.flip(Self.staged(key), at: 250_000)
    var transfer = try TestTransfer(tree, dataset)
    try transfer.run()
    #expect(transfer.comparisons[0].resumedByteCount == 0)
    let content = try tree.content("big")
    #expect(content[250_000] == 0)
    #expect(content[131_072] != 0)
  }

  @Test func leftoversAreSweptFromFinishedDirectories() throws {
    let tree = try TestTree()
    let dataset = TestDataset(Self.samples + [.directory("d", modified: 5), .file("d/f", 9)])
    let key = try Self.interrupt(tree, dataset)
    let gone = Self.staged(key, "gone")
    let other = StagedName(key: "0123456789abcdef").name(for: Array("gone".utf8)[...])
    try tree.root.openFile(gone, .create).close()
    try tree.root.openFile(other, .create).close()
    try tree.root.openFile(Array("d/".utf8) + gone, .create).close()
    var transfer = try TestTransfer(tree, dataset)
    try transfer.run()
    #expect(try tree.paths() == [printable(other), "big", "d", "d/f", "other", "small"])
    #expect(try tree.status("d")?.modified == 5)
    #expect(try tree.root.status(of: []).modified == Sample.time)
  }

  @Test func whatWasSealedBeforeAnInterruptionKeepsItsDigests() throws {
    let tree = try TestTree()
    let dataset = TestDataset([.root(), .file("a", 10), .file("b", 20)], starts: ["b"])
    var transfer: TestTransfer? = try TestTransfer(tree, dataset)
    let segment = dataset.segments[0]
    let comparison = try #require(try transfer?.compareAndPrepare(segment))
    let digests = try #require(
      try transfer?.move(segment, wanted: comparison.wanted, known: comparison.digests)
    )
    try transfer?.seal(segment, digests)
    transfer = nil
    var second = try TestTransfer(tree, dataset)
    try second.run()
    #expect(second.comparisons[0].wanted.isEmpty)
    #expect(second.comparisons[0].digests == digests)
    let left = try tree.root.openDirectory(Array(".dtx/\(second.destination.key)".utf8)).names()
    #expect(left.map { printable($0.name) } == ["identities", "lock", "manifest"])
  }

  @Test func theFailedEntrysStagedFileGoesWithTheSeal() throws {
    let tree = try TestTree()
    let dataset = TestDataset(Self.samples)
    var transfer = try TestTransfer(tree, dataset)
    let segment = dataset.segments[0]
    let comparison = try transfer.compareAndPrepare(segment)
    let big = try #require(segment.entry("big"))
    try transfer.write(segment, try #require(segment.entries[big].extents.first))
    let small = try #require(segment.entry("small"))
    try transfer.write(segment, try #require(segment.entries[small].extents.first))
    // The source has changed: the session leaves both out.
    for entry in [big, small] {
      transfer.failures.append(
        FailedEntry(segment: 0, entry: entry, failure: .changed, reason: "it changed")
      )
    }
    var wanted = comparison.wanted
    for extent in segment.extents.indices
    where segment.extents[extent].entry != UInt32(try #require(segment.entry("other"))) {
      wanted[extent] = false
    }
    let digests = try transfer.move(segment, wanted: wanted, known: comparison.digests)
    try transfer.seal(segment, digests)
    _ = try transfer.finish()
    #expect(try tree.paths() == ["other"])
  }

  @Test func extentsOfOneFileAreWrittenByTwoThreadsInAnyOrder() throws {
    let tree = try TestTree()
    let dataset = TestDataset([.root(), .file("big", 2_000_000)])
    var transfer = try TestTransfer(tree, dataset)
    let segment = dataset.segments[0]
    let comparison = try transfer.compareAndPrepare(segment)
    let destination = transfer.destination
    func writer(_ extents: [Int]) throws -> Background<Bool> {
      try Background {
        for extent in extents {
          guard case .file(let staged) = destination.stage(segment, extent: extent) else {
            return false
          }
          let offset = segment.extents[extent].offset
          let bytes = dataset.bytes(segment, extent)
          guard (try? TestTransfer.write(bytes, staged, offset)) != nil,
            destination.finish(staged, segment: segment, extent: extent, isIntact: true) == nil
          else { return false }
        }
        return true
      }
    }
    let all = Array(segment.extents.indices)
    let backwards = try writer(all.filter { $0 % 2 == 0 }.reversed())
    let forwards = try writer(all.filter { $0 % 2 == 1 })
    #expect(try backwards.value())
    #expect(try forwards.value())
    var work = EpochWork(epoch: 1)
    work.extents = all.map {
      EpochWork.ExtentPlace(segment: 0, extent: $0, digest: dataset.digest(segment, $0))
    }
    work.complete = [EpochWork.EntryPlace(segment: 0, entry: Int(segment.extents[0].entry))]
    #expect(try destination.commit(work).failures.isEmpty)
    #expect(comparison.wanted.population == all.count)
    #expect(try tree.content("big") == Sample.file("big", 2_000_000).content)
    destination.close()
  }

  @Test(arguments: [1_999_999, 2_000_001] as [UInt64])
  func aStagedFileOfAnotherLengthGetsNoName(_ byteCount: UInt64) throws {
    let tree = try TestTree()
    let dataset = TestDataset([.root(), .file("big", 2_000_000)])
    var transfer = try TestTransfer(tree, dataset)
    defer { transfer.destination.close() }
    let segment = dataset.segments[0]
    try transfer.compareAndPrepare(segment)
    var work = EpochWork(epoch: 1)
    for extent in segment.extents.indices {
      try transfer.write(segment, extent)
      work.extents.append(
        EpochWork.ExtentPlace(
          segment: 0,
          extent: extent,
          digest: dataset.digest(segment, extent)
        )
      )
    }
    let entry = try #require(segment.entry("big"))
    work.complete = [EpochWork.EntryPlace(segment: 0, entry: entry)]
    // Somebody else has touched it: the extents were as they should be when they came.
    let staged = transfer.destination.stagedName.name(for: segment.inventory.name(of: entry))
    try tree.root.openFile(staged, .readWrite).setByteCount(byteCount)
    let failures = try transfer.destination.commit(work).failures
    #expect(failures.map(\.entry) == [entry])
    #expect(failures.first?.reason.contains("instead of 2000000") == true, "\(failures)")
    #expect(try tree.root.statusIfPresent(of: Array("big".utf8)) == nil)
  }

  @Test func anExtentThatArrivesTwiceReplacesTheFirst() throws {
    let tree = try TestTree()
    let dataset = TestDataset([.root(), .file("f", 100)])
    var transfer = try TestTransfer(tree, dataset)
    let segment = dataset.segments[0]
    let comparison = try transfer.compareAndPrepare(segment)
    for isIntact in [true, false] {
      guard case .file(let staged) = transfer.destination.stage(segment, extent: 0) else {
        Issue.record("the extent was refused")
        return
      }
      try TestTransfer.write(Array(repeating: 1, count: 100), staged, 0)
      #expect(
        transfer.destination.finish(staged, segment: segment, extent: 0, isIntact: isIntact) == nil
      )
    }
    _ = try transfer.move(segment, wanted: comparison.wanted, known: comparison.digests)
    #expect(try tree.content("f") == Sample.file("f", 100).content)
    transfer.destination.close()
  }

  @Test(arguments: [3, 5])
  func whatStandsInForAStagedFileIsReplacedWhereAnEarlierRunStopped(_ count: Int) throws {
    let tree = try TestTree()
    let dataset = TestDataset(Self.samples)
    _ = try Self.interrupt(tree, dataset, extentCount: count)
    // Length and time agree; the run before found that the content does not.
    try tree.write("big", Array(repeating: 0, count: 300_000), mode: 0, modified: Sample.time)
    let options = DestinationOptions(
      comparesDigests: true,
      blockByteCount: TestDataset.blockByteCount
    )
    var transfer = try TestTransfer(tree, dataset, options: options)
    try transfer.run()
    #expect(transfer.failures.isEmpty)
    #expect(
      try Self.wantedOfBig(transfer.comparisons[0], dataset.segments[0])
        == (0..<5).map { $0 >= count }
    )
    #expect(try tree.content("big") == Self.samples[1].content)
    #expect(try tree.paths() == ["big", "other", "small"])
  }

  /// The sender reads a file whose length and time agree, asks for it, and then it changes there.
  @Test func ofADemandedFileThatIsLeftOutNothingStays() throws {
    let tree = try TestTree()
    let dataset = TestDataset(Self.samples)
    var first = try TestTransfer(tree, dataset)
    try first.run()
    let before = try tree.content("big")
    var transfer = try TestTransfer(tree, dataset)
    let segment = dataset.segments[0]
    var comparison = try transfer.destination.compare(segment)
    let big = try #require(segment.entry("big"))
    comparison.demand(big, of: segment)
    #expect(try transfer.destination.prepare(segment, comparison).isEmpty)
    try transfer.write(segment, segment.entries[big].extents.lowerBound)
    transfer.failures.append(
      FailedEntry(segment: 0, entry: big, failure: .changed, reason: "it is another now")
    )
    try transfer.seal(segment, comparison.digests)
    _ = try transfer.finish()
    #expect(try tree.paths() == ["big", "other", "small"])
    #expect(try tree.content("big") == before)
  }
}
