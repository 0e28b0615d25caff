@testable import DTXCore
@testable import DTXEngine
import DTXLinux
import Testing

@Suite struct BlockWriterTests {
  private static let blockByteCount: UInt64 = 1 << 20

  /// Three blocks of one file, the last of odd length, and one of small files.
  private static let samples: [Sample] = [
    .root(), .file("big", 2_300_123, seed: 9), .directory("d"),
    .file("d/a", 10), .file("d/b", 4096), .file("d/c", 70_001),
  ]

  /// A destination that waits for blocks, and what becomes of them.
  private final class Site {
    let tree: TestTree
    let dataset = TestDataset(samples, blockByteCount: blockByteCount)
    var transfer: TestTransfer
    let surroundings: BlockWriter.Surroundings
    let outcomes = Guarded<[Int: BlockWriter.Outcome]>([:])

    var segment: Segment { dataset.segments[0] }

    init(_ storage: StorageMode) throws {
      tree = try TestTree()
      let options = DestinationOptions(blockByteCount: blockByteCount, storage: storage)
      transfer = try TestTransfer(tree, dataset, options: options)
      let table = ReceivingTable()
      surroundings = try BlockWriter.Surroundings(
        transfer.destination,
        table,
        ActivityLedger(),
        connectionCount: 2
      )
      let comparison = try transfer.compareAndPrepare(dataset.segments[0])
      table.admit(dataset.segments[0], wanted: comparison.wanted)
    }

    func writer(of block: Int) throws -> BlockWriter {
      let reference = BlockReference(segment: 0, block: block)
      guard case .take(let segment, let extents) = surroundings.table.claim(reference) else {
        throw SystemError(operation: "claim", subject: "\(block)", number: 0)
      }
      let outcomes = outcomes
      return BlockWriter(reference, segment, Array(extents.joined()), surroundings) { _, outcome in
        outcomes.withLockAndSignal { $0[block] = outcome }
      }
    }

    /// Hands over all bytes of a block in pieces of some length; returns its true outcomes.
    func feed(_ writer: BlockWriter, pieceByteCount: Int = 99_999) -> [ExtentOutcome] {
      var unit = surroundings.units.take(WriteUnitPool.Share())
      var sent: [ExtentOutcome] = []
      for (place, extent) in writer.extents.enumerated() {
        let bytes = dataset.bytes(segment, extent)
        sent.append(.intact(dataset.digest(segment, extent)))
        for start in stride(from: 0, to: bytes.count, by: pieceByteCount) {
          let piece = bytes[start..<min(start + pieceByteCount, bytes.count)]
          if piece.count > unit.freeByteCount {
            writer.write(unit)
            unit = surroundings.units.take(WriteUnitPool.Share())
          }
          unit.place(piece.count).copyBytes(from: piece)
          let isLast = piece.endIndex == bytes.count
          unit.keep(
            piece.count,
            of: place,
            at: UInt64(start),
            digest: isLast ? dataset.digest(segment, extent) : nil
          )
        }
      }
      writer.write(unit)
      return sent
    }

    func outcome(of block: Int) -> BlockWriter.Outcome? {
      outcomes.wait(until: { $0[block] })
    }

    deinit { surroundings.workers.finish() }
  }

  @Test(arguments: StorageMode.allCases)
  func blocksComeToLieWhereTheyBelong(_ storage: StorageMode) throws {
    let site = try Site(storage)
    let segment = site.segment
    var digests = Array(repeating: Digest.zero, count: segment.extents.count)
    var work = EpochWork(epoch: 1)
    for block in segment.blocks.indices.reversed() {
      let writer = try site.writer(of: block)
      let sent = site.feed(writer)
      writer.end(sent: sent, byteCount: 7)
      guard case .arrived(let outcomes) = site.outcome(of: block) else {
        Issue.record("block \(block) did not arrive")
        return
      }
      #expect(outcomes == sent)
      #expect(writer.arrivedByteCount == 7)
      for (extent, outcome) in zip(writer.extents, outcomes) {
        guard case .intact(let digest) = outcome else { continue }
        digests[extent] = digest
        guard segment.entries[Int(segment.extents[extent].entry)].extentCount > 1 else { continue }
        work.extents.append(EpochWork.ExtentPlace(segment: 0, extent: extent, digest: digest))
      }
    }
    for entry in segment.entries.indices where segment.entries[entry].kind == .regular {
      work.complete.append(EpochWork.EntryPlace(segment: 0, entry: entry))
    }
    #expect(try site.transfer.destination.commit(work).isEmpty)
    try site.transfer.seal(segment, digests)
    _ = try site.transfer.finish()
    for sample in Self.samples where sample.entry.kind == .regular {
      #expect(try site.tree.content(sample.path) == sample.content)
    }
  }

  @Test func aBlockThatIsNotWhatWasSentMayComeAgain() throws {
    let site = try Site(.automatic)
    let writer = try site.writer(of: 0)
    _ = site.feed(writer)
    writer.end(sent: [.intact(.zero)], byteCount: 0)
    guard case .arrived([.damaged]) = site.outcome(of: 0) else {
      Issue.record("damage was not seen")
      return
    }
    _ = try site.writer(of: 0)
  }

  @Test func aBlockThatIsGivenUpMayComeAgainAndLeavesNothingOfASmallFile() throws {
    let site = try Site(.automatic)
    let last = site.segment.blocks.count - 1
    let writer = try site.writer(of: last)
    let unit = site.surroundings.units.take(WriteUnitPool.Share())
    unit.place(3).copyBytes(from: [1, 2, 3])
    unit.keep(3, of: 0, at: 0, digest: nil)
    writer.write(unit)
    writer.abandon(byteCount: 3)
    guard case .abandoned = site.outcome(of: last) else {
      Issue.record("the block was not given up")
      return
    }
    #expect(try site.tree.paths().allSatisfy { !$0.hasPrefix("d/") })
    _ = try site.writer(of: last)
  }

  @Test func aBlockWhoseStorageHangsHoldsUpNoOther() throws {
    let site = try Site(.automatic)
    try #require(!site.surroundings.workers.isInline, "temporary files lie in memory here")
    let isReleased = Guarded(false)
    site.surroundings.workers.run { _ = isReleased.wait(until: { $0 ? true : nil }) as Bool? }
    for block in site.segment.blocks.indices {
      let writer = try site.writer(of: block)
      writer.end(sent: site.feed(writer), byteCount: 0)
    }
    for block in site.segment.blocks.indices {
      guard case .arrived = site.outcome(of: block) else {
        Issue.record("block \(block) did not arrive")
        continue
      }
    }
    isReleased.withLockAndSignal { $0 = true }
  }

  @Test func unitsComeBackWhateverBecomesOfTheirBlock() throws {
    let site = try Site(.automatic)
    for round in 0..<20 {
      let writer = try site.writer(of: round % 2)
      _ = site.feed(writer, pieceByteCount: 200_000)
      // Were units lost, one of the next rounds would wait for ever.
      writer.abandon(byteCount: 0)
      _ = site.outcome(of: round % 2)
      site.outcomes.withLock { $0 = [:] }
    }
    #expect(site.surroundings.units.freeCount == 8)
  }
}
