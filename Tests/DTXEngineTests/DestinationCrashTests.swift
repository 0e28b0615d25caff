@testable import DTXCore
@testable import DTXEngine
import DTXLinux
import Testing

/// Runs that end anywhere, one after another, until one comes to its end.
@Suite struct DestinationCrashTests {
  static let dataset = TestDataset(
    [
      .root(), .file("a", 200_000, seed: 2), .directory("d", mode: 0o555), .file("d/1", 10),
      .file("d/2", 140_000, seed: 8), .file("d/3", 0), .symlink("d/l", "a"),
      .file("e", 70_000, seed: 5), .fifo("p"),
      .sparse("s", 400_000, [0..<4096, 200_704..<270_336]),
    ],
    starts: ["d/2", "e"]
  )

  /// A run that ends after some steps; true when it came to its end.
  static func run(_ tree: TestTree, stepCount: Int, seed: UInt64) throws -> Bool {
    var left = stepCount
    func step() -> Bool {
      left -= 1
      return left >= 0
    }
    var order = SplitMix(state: seed)
    var transfer = try TestTransfer(tree, dataset)
    for segment in dataset.segments {
      guard step() else { return false }
      let comparison = try transfer.destination.compare(segment)
      guard step() else { return false }
      #expect(try transfer.destination.prepare(segment, comparison).isEmpty)
      var digests = comparison.digests
      var missing = segment.entries.indices.map { entry in
        segment.entries[entry].extents.count { comparison.wanted[$0] }
      }
      var work = EpochWork(epoch: 1)
      let wanted = segment.extents.indices.filter { comparison.wanted[$0] }
      for extent in wanted.shuffled(using: &order) {
        guard step() else { return false }
        #expect(try transfer.write(segment, extent))
        digests[extent] = dataset.digest(segment, extent)
        let entry = Int(segment.extents[extent].entry)
        if segment.entries[entry].extentCount > 1 {
          work.extents.append(
            EpochWork.ExtentPlace(segment: segment.index, extent: extent, digest: digests[extent])
          )
        }
        missing[entry] -= 1
        if missing[entry] == 0 {
          work.complete.append(EpochWork.EntryPlace(segment: segment.index, entry: entry))
        }
        guard order.next() % 3 == 0 else { continue }
        guard step() else { return false }
        #expect(try transfer.destination.commit(work).failures.isEmpty)
        work = EpochWork(epoch: work.epoch + 1)
      }
      #expect(try transfer.destination.commit(work).failures.isEmpty)
      guard step() else { return false }
      try transfer.seal(segment, digests)
    }
    guard step() else { return false }
    _ = try transfer.destination.finalize()
    guard step() else { return false }
    try transfer.destination.storeManifest()
    return true
  }

  @Test(arguments: 0..<24 as Range<UInt64>)
  func whereverRunsEndTheLastOneLeavesTheDataset(seed: UInt64) throws {
    let tree = try TestTree()
    var order = SplitMix(state: seed)
    var runCount = 0
    while try !Self.run(
      tree,
      stepCount: Int(order.next() % UInt64(8 + 4 * runCount)),
      seed: seed
    ) {
      runCount += 1
    }
    let report = try TreeVerifier.run(directory: tree.path, against: nil) { _ in }
    #expect(report.differing.isEmpty, "seed \(seed)")
    #expect(report.missing.isEmpty, "seed \(seed)")
    #expect(report.extra.isEmpty, "seed \(seed)")
    #expect(report.changedMetadata.allSatisfy { $0.what == "owner" }, "seed \(seed)")
    #expect(report.summary?.entryCount == 10)
    #expect(try tree.content("a") == Sample.file("a", 200_000, seed: 2).content)
    #expect(try tree.content("d/2") == Sample.file("d/2", 140_000, seed: 8).content)
  }
}

/// A generator that gives the same numbers every time.
struct SplitMix: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}
