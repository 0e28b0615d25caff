@testable import DTXCore
@testable import DTXEngine
import DTXLinux
import Glibc
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
    let ring: ConnectionRing
    let share = WriteUnitPool.Share()
    let outcomes = Guarded<[Int: BlockWriter.Outcome]>([:])

    var segment: Segment { dataset.segments[0] }

    init(_ method: StorageMethod, refusesRing: Bool = false) throws {
      tree = try TestTree()
      var options = DestinationOptions(blockByteCount: blockByteCount)
      options.method = method
      transfer = try TestTransfer(tree, dataset, options: options)
      let table = ReceivingTable()
      var surroundings = try BlockWriter.Surroundings(
        transfer.destination,
        table,
        ActivityLedger(),
        connectionCount: 2
      )
      if refusesRing {
        surroundings.workers.finish()
        surroundings.workers = try StorageWorkers(method, connectionCount: 2, ringMaker: noRing)
      }
      self.surroundings = surroundings
      ring = ConnectionRing(surroundings.workers)
      let comparison = try transfer.compareAndPrepare(dataset.segments[0])
      table.admit(dataset.segments[0], wanted: comparison.wanted)
    }

    func writer(of block: Int) throws -> BlockWriter {
      let reference = BlockReference(segment: 0, block: block)
      guard case .take(let segment, let extents) = surroundings.table.claim(reference) else {
        throw SystemError(operation: "claim", subject: "\(block)", number: 0)
      }
      let outcomes = outcomes
      return BlockWriter(
        reference,
        segment,
        Array(extents.joined()),
        surroundings,
        ring: ring
      ) { _, outcome in
        outcomes.withLockAndSignal { $0[block] = outcome }
      }
    }

    /// Hands over all bytes of a block in pieces of some length, in units that are full or of one
    /// piece; returns its true outcomes.
    func feed(
      _ writer: BlockWriter,
      pieceByteCount: Int = 99_999,
      fillsUnits: Bool = true
    ) -> [ExtentOutcome] {
      var unit = surroundings.units.take(share)
      var sent: [ExtentOutcome] = []
      for (place, extent) in writer.extents.enumerated() {
        let bytes = dataset.bytes(segment, extent)
        sent.append(.intact(dataset.digest(segment, extent)))
        for start in stride(from: 0, to: bytes.count, by: pieceByteCount) {
          let piece = bytes[start..<min(start + pieceByteCount, bytes.count)]
          if piece.count > unit.freeByteCount || !fillsUnits && !unit.pieces.isEmpty {
            writer.write(unit)
            unit = surroundings.units.take(share)
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

    /// What became of the files, once nothing is under way any more.
    func finish() -> StorageUse? {
      ring.finish()
      return surroundings.workers.use
    }

    deinit {
      ring.finish()
      surroundings.workers.finish()
    }
  }

  /// What a kernel without io_uring says.
  private static let noRing: StorageWorkers.RingMaker = { _ throws(SystemError) in
    throw SystemError(operation: "io_uring_setup", subject: "test", number: ENOSYS)
  }

  private static let methods = [
    StorageMethod(mechanism: .inline, isDirect: false),
    StorageMethod(mechanism: .pool, isDirect: false),
    StorageMethod(mechanism: .pool, isDirect: true),
    StorageMethod(mechanism: .plainRing, isDirect: true),
    StorageMethod(mechanism: .ring, isDirect: true),
    // There is nothing for the ring then.
    StorageMethod(mechanism: .ring, isDirect: false),
  ]

  /// Those that go past the page cache, by each mechanism.
  private static let direct = Array(methods[2...4])

  @Test(arguments: methods)
  func blocksComeToLieWhereTheyBelong(_ method: StorageMethod) throws {
    try expectAllIsWritten(try Site(method)) { $0.feed($1) }
  }

  /// Whole pages, odd lengths, and lengths of which the next piece begins within a page: what goes
  /// through the cache and what goes past it meet in every way.
  @Test(arguments: direct, [262_144, 65_536, 102_400, 99_999, 4097, 12_800])
  func unitsOfABlockAreWrittenSideBySide(_ method: StorageMethod, _ pieceByteCount: Int) throws {
    try expectAllIsWritten(try Site(method)) {
      $0.feed($1, pieceByteCount: pieceByteCount, fillsUnits: false)
    }
  }

  @Test(arguments: direct)
  func whatWasTakenIsTold(_ method: StorageMethod) throws {
    let site = try Site(method)
    try expectAllIsWritten(site) { $0.feed($1, pieceByteCount: 65_536) }
    #expect(site.finish() == StorageUse(access: .direct, mechanism: method.mechanism))
  }

  @Test func withoutARingThePoolWritesAll() throws {
    let site = try Site(Self.methods[4], refusesRing: true)
    try expectAllIsWritten(site) { $0.feed($1, pieceByteCount: 65_536, fillsUnits: false) }
    #expect(site.finish() == StorageUse(access: .direct, mechanism: .pool))
  }

  private func expectAllIsWritten(
    _ site: Site,
    feed: (Site, BlockWriter) -> [ExtentOutcome]
  ) throws {
    let segment = site.segment
    var digests = Array(repeating: Digest.zero, count: segment.extents.count)
    var work = EpochWork(epoch: 1)
    for block in segment.blocks.indices.reversed() {
      let writer = try site.writer(of: block)
      let sent = feed(site, writer)
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
    #expect(try site.transfer.destination.commit(work).failures.isEmpty)
    try site.transfer.seal(segment, digests)
    _ = try site.transfer.finish()
    for sample in Self.samples where sample.entry.kind == .regular {
      #expect(try site.tree.content(sample.path) == sample.content)
    }
    #expect(site.surroundings.units.freeCount == 8)
  }

  /// The staged file's second descriptor is one that takes no write; what its ring says is told,
  /// and nothing is written another way.
  @Test(arguments: direct)
  func aWriteThatFailsFailsItsFileAndNoOther(_ method: StorageMethod) throws {
    let site = try Site(method)
    let destination = site.transfer.destination
    let entry = Int(site.segment.extents[site.segment.blocks[0].extents.lowerBound].entry)
    let key = StagedTable.Key(segment: 0, entry: entry)
    let place = destination.place(of: 0)
    let shared = try destination.acquireStaged(entry, place, creates: true)
    let identity = StagedIdentity(try shared.file.status())
    destination.stagedFiles.remove(key)
    let reading = try File.open(shared.file.path, .read, direct: true)
    let alignment = try #require(DirectAlignment(memory: 512, offset: 512))
    let broken = SharedFile(shared.file, direct: DirectFile(file: reading, alignment: alignment))
    _ = try destination.stagedFiles.acquire(key) { _ in (broken, identity) }
    let writer = try site.writer(of: 0)
    let sent = site.feed(writer, pieceByteCount: 131_072, fillsUnits: false)
    writer.end(sent: sent, byteCount: 0)
    guard case .arrived(let outcomes) = site.outcome(of: 0),
      case .failed(.unwritable, let reason) = outcomes[0]
    else {
      Issue.record("the failure was not seen")
      return
    }
    #expect(outcomes.count == 1 && reason.contains("EBADF"), "\(reason)")
    #expect(site.surroundings.units.freeCount == 8)
    #expect(try shared.file.read(byteCount: 1 << 20, at: 0).allSatisfy { $0 == 0 })
    // The file was let go of once for each time that it was taken.
    destination.stagedFiles.release(key)
    let last = site.segment.blocks.count - 1
    let other = try site.writer(of: last)
    other.end(sent: site.feed(other), byteCount: 0)
    guard case .arrived(let small) = site.outcome(of: last) else {
      Issue.record("the small files did not arrive")
      return
    }
    #expect(small.allSatisfy { if case .intact = $0 { true } else { false } })
  }

  /// A full device ends the transfer, whoever writes to it.
  @Test(arguments: direct)
  func aFullDeviceIsRefused(_ method: StorageMethod) throws {
    let site = try Site(method)
    let destination = site.transfer.destination
    let entry = Int(site.segment.extents[site.segment.blocks[0].extents.lowerBound].entry)
    let full = try File.open(Array("/dev/full".utf8), .readWrite)
    let alignment = try #require(DirectAlignment(memory: 512, offset: 512))
    let shared = SharedFile(full, direct: DirectFile(file: full, alignment: alignment))
    let identity = StagedIdentity(try full.status())
    let key = StagedTable.Key(segment: 0, entry: entry)
    _ = try destination.stagedFiles.acquire(key) { _ in (shared, identity) }
    let writer = try site.writer(of: 0)
    writer.end(sent: site.feed(writer, pieceByteCount: 131_072, fillsUnits: false), byteCount: 0)
    guard case .refused(let reason) = site.outcome(of: 0) else {
      Issue.record("the full device was not seen")
      return
    }
    #expect(reason.contains("ENOSPC"))
    #expect(site.surroundings.units.freeCount == 8)
  }

  @Test(arguments: direct)
  func aBlockThatIsNotWhatWasSentMayComeAgain(_ method: StorageMethod) throws {
    let site = try Site(method)
    let writer = try site.writer(of: 0)
    _ = site.feed(writer)
    writer.end(sent: [.intact(.zero)], byteCount: 0)
    guard case .arrived([.damaged]) = site.outcome(of: 0) else {
      Issue.record("damage was not seen")
      return
    }
    _ = try site.writer(of: 0)
  }

  @Test(arguments: direct)
  func aBlockThatIsGivenUpMayComeAgainAndLeavesNothingOfASmallFile(
    _ method: StorageMethod
  ) throws {
    let site = try Site(method)
    let last = site.segment.blocks.count - 1
    let writer = try site.writer(of: last)
    let unit = site.surroundings.units.take(site.share)
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

  @Test(arguments: direct)
  func aBlockWhoseStorageHangsHoldsUpNoOther(_ method: StorageMethod) throws {
    let site = try Site(method)
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

  @Test(arguments: direct, [99_999, 131_072])
  func unitsComeBackWhateverBecomesOfTheirBlock(
    _ method: StorageMethod,
    _ pieceByteCount: Int
  ) throws {
    let site = try Site(method)
    for round in 0..<20 {
      let writer = try site.writer(of: round % 2)
      _ = site.feed(writer, pieceByteCount: pieceByteCount, fillsUnits: false)
      // Were units lost, one of the next rounds would wait for ever.
      writer.abandon(byteCount: 0)
      _ = site.outcome(of: round % 2)
      site.outcomes.withLock { $0 = [:] }
    }
    #expect(site.surroundings.units.freeCount == 8)
  }
}
