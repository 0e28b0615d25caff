@testable import DTXCore
import DTXEngine
import DTXLinux

/// Does what the session does, step by step.
struct TestTransfer {
  let destination: Destination
  let dataset: TestDataset
  var comparisons: [Comparison] = []
  var failures: [FailedEntry] = []
  var epoch: UInt32 = 1

  init(_ destination: Destination, _ dataset: TestDataset) {
    self.destination = destination
    self.dataset = dataset
  }

  init(
    _ tree: TestTree,
    _ dataset: TestDataset,
    topNames: [[UInt8]] = [[]],
    options: DestinationOptions = DestinationOptions(blockByteCount: TestDataset.blockByteCount)
  ) throws {
    let destination = try Destination.open(
      root: tree.path,
      topNames: topNames,
      session: 5,
      options: options
    )
    self.init(destination, dataset)
  }

  /// Runs everything to its end.
  @discardableResult
  mutating func run() throws -> (Roots, [FailedPath]) {
    for segment in dataset.segments {
      let comparison = try compareAndPrepare(segment)
      let digests = try move(segment, wanted: comparison.wanted, known: comparison.digests)
      try seal(segment, digests)
    }
    return try finish()
  }

  @discardableResult
  mutating func compareAndPrepare(_ segment: Segment) throws -> Comparison {
    let comparison = try destination.compare(segment)
    comparisons.append(comparison)
    failures += comparison.refusals
    failures += try destination.prepare(segment, comparison)
    return comparison
  }

  /// Writes and commits wanted extents in one epoch; returns the digests of all.
  mutating func move(
    _ segment: Segment,
    wanted: BitSet,
    known: [Digest]
  ) throws -> [Digest] {
    var digests = known
    var work = EpochWork(epoch: epoch)
    epoch += 1
    var missing = Set<Int>()
    for extent in segment.extents.indices where wanted[extent] {
      let entry = Int(segment.extents[extent].entry)
      guard try write(segment, extent) else { continue }
      digests[extent] = dataset.digest(segment, extent)
      missing.insert(entry)
      if segment.entries[entry].extentCount > 1 {
        work.extents.append(
          EpochWork.ExtentPlace(segment: segment.index, extent: extent, digest: digests[extent])
        )
      }
    }
    for entry in missing.sorted() where !isFailed(segment, entry) {
      work.complete.append(EpochWork.EntryPlace(segment: segment.index, entry: entry))
    }
    failures += try destination.commit(work).failures
    return digests
  }

  /// Stages one extent; false when its entry has failed.
  @discardableResult
  mutating func write(_ segment: Segment, _ extent: Int) throws -> Bool {
    switch destination.stage(segment, extent: extent) {
    case .failed(let failure, let reason):
      fail(segment, extent, failure, reason)
      return false
    case .discarded:
      return true
    case .file(let staged):
      try TestTransfer.write(dataset.bytes(segment, extent), staged, segment.extents[extent].offset)
      let problem = destination.finish(staged, segment: segment, extent: extent, isIntact: true)
      guard let (failure, reason) = problem else { return true }
      fail(segment, extent, failure, reason)
      return false
    }
  }

  static func write(_ bytes: [UInt8], _ staged: Destination.StagedFile, _ offset: UInt64) throws {
    try bytes.withUnsafeBytes { buffer in
      let half = buffer.count / 2
      // Out of order, as pieces of a record may be.
      try staged.write(UnsafeRawBufferPointer(rebasing: buffer[half...]), at: offset + UInt64(half))
      try staged.write(UnsafeRawBufferPointer(rebasing: buffer[..<half]), at: offset)
    }
  }

  mutating func seal(_ segment: Segment, _ digests: [Digest]) throws {
    var excluded = BitSet(count: segment.entries.count)
    for failure in failures where failure.segment == segment.index {
      excluded[failure.entry] = true
    }
    try destination.seal(
      SealWork(segment: segment, digests: digests, excluded: excluded)
    )
  }

  mutating func finish() throws -> (Roots, [FailedPath]) {
    let result = try destination.finalize()
    try destination.storeManifest()
    destination.close()
    return result
  }

  func failedPaths() -> [String] {
    failures.map { failure in
      printable(dataset.segments[failure.segment].inventory.path(of: failure.entry))
    }
  }

  func isFailed(_ segment: Segment, _ entry: Int) -> Bool {
    failures.contains { $0.segment == segment.index && $0.entry == entry }
  }

  private mutating func fail(
    _ segment: Segment,
    _ extent: Int,
    _ failure: EntryFailure,
    _ reason: String
  ) {
    let entry = Int(segment.extents[extent].entry)
    guard !isFailed(segment, entry) else { return }
    failures.append(
      FailedEntry(segment: segment.index, entry: entry, failure: failure, reason: reason)
    )
  }
}

extension Segment {
  /// The index of the entry with a path.
  func entry(_ path: String) -> Int? {
    entries.indices.first { inventory.path(of: $0) == Array(path.utf8) }
  }
}
