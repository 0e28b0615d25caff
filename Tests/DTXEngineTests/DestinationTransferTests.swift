@testable import DTXCore
@testable import DTXEngine
import DTXLinux
import Testing

@Suite struct DestinationTransferTests {
  static let samples: [Sample] = [
    .root(mode: 0o750, modified: 1_400_000_000_000_000_001),
    .file("a", 10), .file("big", 200_000, seed: 3, mode: 0o400),
    .directory("d", mode: 0o555, modified: 1_300_000_000_000_000_002),
    .file("d/x", 70_000, mode: 0o755), .file("d/empty", 0), .directory("d/e"),
    .file("d/e/deep", 5, modified: -1), .symlink("d/link", "../no/such"), .fifo("pipe"),
    .sparse("sparse", 300_000, [0..<4096, 131_072..<140_000]),
    .sparse("hole", 1_000_000, []),
  ]

  @Test func aWholeDatasetArrivesAsItIs() throws {
    let tree = try TestTree()
    let dataset = TestDataset(Self.samples)
    var transfer = try TestTransfer(tree, dataset)
    let (roots, failures) = try transfer.run()
    #expect(transfer.failures.isEmpty)
    #expect(failures.isEmpty)
    for sample in Self.samples {
      let path = String(decoding: sample.path, as: UTF8.self)
      let status = try #require(try tree.root.statusIfPresent(of: sample.path), "\(path)")
      #expect(EntryKind(status.kind) == sample.entry.kind, "\(path)")
      #expect(status.modified == sample.entry.modified, "\(path)")
      if sample.entry.kind != .symlink { #expect(status.mode == sample.entry.mode, "\(path)") }
      guard sample.entry.kind == .regular else { continue }
      #expect(status.byteCount == sample.entry.byteCount, "\(path)")
      #expect(try tree.content(sample.path) == sample.content, "\(path)")
    }
    #expect(try tree.root.readSymlink(Array("d/link".utf8)) == Array("../no/such".utf8))
    #expect(try tree.paths().count == Self.samples.count - 1)

    let part = ManifestSegment(
      dataset.segments[0],
      digests: dataset.segments[0].extents.indices.map { dataset.digest(dataset.segments[0], $0) },
      excluded: BitSet(count: dataset.segments[0].entries.count),
      blockByteCount: TestDataset.blockByteCount
    )
    let header = ManifestHeader(
      blockByteCount: TestDataset.blockByteCount,
      rootAlgorithm: .sha256
    )
    let manifest = Manifest(header: header, segments: [part], hash: .sha256)
    #expect(manifest.summary.roots == roots)
    #expect(
      try tree.content(".dtx/\(transfer.destination.key)/manifest")
        == manifest.encoded(hash: .sha256)
    )
  }

  @Test func holesStayHoles() throws {
    let tree = try TestTree()
    let ranges: [Range<UInt64>] = [4096..<8192, 10_485_760..<10_489_856]
    var transfer = try TestTransfer(
      tree,
      TestDataset([.root(), .sparse("s", 20_000_000, ranges), .sparse("p", 60_000, [0..<4096])])
    )
    try transfer.run()
    let status = try #require(try tree.status("s"))
    #expect(status.byteCount == 20_000_000)
    #expect(status.blockByteCount < 1_000_000)
    let file = try tree.root.openFile(Array("s".utf8), .read)
    #expect(try file.dataRanges(upTo: 20_000_000) == ranges)
    #expect(try #require(try tree.status("p")).blockByteCount < 60_000)
  }

  @Test func aSecondRunMovesNothingAndKnowsAllDigests() throws {
    let tree = try TestTree()
    let dataset = TestDataset(Self.samples)
    var first = try TestTransfer(tree, dataset)
    let (roots, _) = try first.run()
    var second = try TestTransfer(tree, dataset)
    let (again, _) = try second.run()
    #expect(second.comparisons[0].wanted.isEmpty)
    #expect(
      second.comparisons[0].digests
        == first.dataset.segments[0].extents.indices.map {
          dataset.digest(dataset.segments[0], $0)
        }
    )
    #expect(second.comparisons[0].readByteCount == 0)
    #expect(roots == again)
  }

  @Test func aTouchedFileIsUnreadAndOthersAreCarried() throws {
    let tree = try TestTree()
    let dataset = TestDataset([.root(), .file("a", 10), .file("b", 20), .file("c", 30)])
    var first = try TestTransfer(tree, dataset)
    try first.run()
    // The same time and length, another ctime.
    try tree.write("b", Array(repeating: 0, count: 20), modified: Sample.time)
    let second = try TestTransfer(tree, dataset)
    defer { second.destination.close() }
    let comparison = try second.destination.compare(dataset.segments[0])
    #expect(comparison.wanted.isEmpty)
    #expect(comparison.digests.map { $0 == .zero } == [false, true, false])
  }

  @Test func digestsOfAnotherBlockLengthAreNotCarriedForFilesThatAreCutOtherwise() throws {
    let tree = try TestTree()
    let samples: [Sample] = [.root(), .file("large", 200_000), .file("small", 10)]
    var first = try TestTransfer(tree, TestDataset(samples))
    try first.run()
    let blockByteCount: UInt64 = 128 << 10
    let dataset = TestDataset(samples, blockByteCount: blockByteCount)
    let second = try TestTransfer(
      tree,
      dataset,
      options: DestinationOptions(blockByteCount: blockByteCount)
    )
    defer { second.destination.close() }
    let comparison = try second.destination.compare(dataset.segments[0])
    #expect(comparison.wanted.isEmpty)
    #expect(comparison.digests.map { $0 == .zero } == [true, true, false])
  }

  @Test func segmentsShareDirectoriesAndManifest() throws {
    let tree = try TestTree()
    let samples: [Sample] = [
      .root(modified: 11), .directory("a", modified: 12), .file("a/1", 100),
      .directory("a/b", modified: 13), .file("a/b/2", 100), .file("a/b/3", 90_000),
      .directory("c", modified: 14), .file("c/4", 100),
    ]
    let dataset = TestDataset(samples, starts: ["a/b/3", "c/4"])
    #expect(dataset.segments.count == 3)
    var transfer = try TestTransfer(tree, dataset)
    // All segments are prepared before the first is sealed, as the session may do.
    var digests: [[Digest]] = []
    var comparisons: [Comparison] = []
    for segment in dataset.segments {
      comparisons.append(try transfer.destination.compare(segment))
    }
    for (segment, comparison) in zip(dataset.segments, comparisons) {
      #expect(try transfer.destination.prepare(segment, comparison).isEmpty)
    }
    for (segment, comparison) in zip(dataset.segments, comparisons) {
      digests.append(
        try transfer.move(segment, wanted: comparison.wanted, known: comparison.digests)
      )
    }
    for (segment, known) in zip(dataset.segments, digests) { try transfer.seal(segment, known) }
    _ = try transfer.finish()
    #expect(transfer.failures.isEmpty)
    for sample in samples {
      #expect(try tree.root.status(of: sample.path).modified == sample.entry.modified)
    }
    var manifest = try ManifestFile.open(tree.path)
    var count = 0
    while try manifest.nextSegment() != nil { count += 1 }
    #expect(count == 3)
    #expect(manifest.summary?.entryCount == UInt64(samples.count))
    #expect(manifest.summary?.unreadByteCount == 0)

    var second = try TestTransfer(tree, dataset)
    try second.run()
    #expect(second.comparisons.allSatisfy { $0.wanted.isEmpty && !$0.digests.contains(.zero) })
  }

  @Test func severalSourcesGoBesideWhatIsThere() throws {
    let tree = try TestTree()
    try tree.write("other", [1])
    let dataset = TestDataset([.directory("d"), .file("d/f", 9), .file("g", 8)])
    var transfer = try TestTransfer(
      tree,
      dataset,
      topNames: [Array("d".utf8), Array("g".utf8)]
    )
    try transfer.run()
    #expect(transfer.failures.isEmpty)
    #expect(try tree.paths() == ["d", "d/f", "g", "other"])
  }

  @Test func onlyNamesThatWereAnnouncedAreTaken() throws {
    let tree = try TestTree()
    let names = ["a", "b", "b.", "ba", "c", "d", "e"]
    var transfer = try TestTransfer(
      tree,
      TestDataset(names.map { .file($0, 5) }),
      topNames: ["b", "ba", "d"].map { Array($0.utf8) }
    )
    try transfer.run()
    #expect(transfer.failedPaths() == ["a", "b.", "c", "e"])
    #expect(try tree.paths() == ["b", "ba", "d"])
  }

  @Test func theRootIsMadeWithItsParents() throws {
    let tree = try TestTree()
    let dataset = TestDataset([.root(mode: 0o711), .file("f", 9)])
    let destination = try Destination.open(
      root: tree.path("new/./deep/"),
      topNames: [[]],
      session: 1,
      options: DestinationOptions(blockByteCount: TestDataset.blockByteCount)
    )
    var transfer = TestTransfer(destination, dataset)
    try transfer.run()
    #expect(try tree.paths().filter { !$0.contains(".dtx") } == ["new", "new/deep", "new/deep/f"])
    #expect(try tree.status("new/deep")?.mode == 0o711)
    #expect(try tree.status("new/deep")?.modified == Sample.time)
  }

  @Test func theRootMayBeALink() throws {
    let tree = try TestTree()
    try tree.makeDirectory("real")
    try tree.root.makeSymlink(Array("link".utf8), target: Array("real".utf8))
    let destination = try Destination.open(
      root: tree.path("link"),
      topNames: [[]],
      session: 1,
      options: DestinationOptions(blockByteCount: TestDataset.blockByteCount)
    )
    var transfer = TestTransfer(destination, TestDataset([.root(), .file("f", 9)]))
    try transfer.run()
    #expect(try tree.status("real/f")?.byteCount == 9)
  }

  @Test func anyNameIsMoved() throws {
    let tree = try TestTree()
    let names: [[UInt8]] = [
      Array("new\nline".utf8), [0xFF, 0xFE, 0x80], Array(repeating: 0x61, count: 255),
      Array(repeating: 0x62, count: 240), Array("-rf *".utf8), Array("0123456789abcdef".utf8),
    ]
    var transfer = try TestTransfer(
      tree,
      TestDataset([.root()] + names.enumerated().map { .file($1, 70_000 + $0) })
    )
    try transfer.run()
    #expect(transfer.failures.isEmpty)
    for (index, name) in names.enumerated() {
      #expect(try tree.root.status(of: name).byteCount == UInt64(70_000 + index))
    }
    #expect(try tree.paths().count == names.count)
  }

  @Test func setIDBitsComeOnlyWithTheOwner() throws {
    let tree = try TestTree()
    let dataset = TestDataset([.root(), .directory("d", mode: 0o3775), .file("f", 9, mode: 0o6755)])
    var transfer = try TestTransfer(tree, dataset)
    try transfer.run()
    #expect(transfer.failures.isEmpty)
    #expect(try tree.status("f")?.mode == 0o755)
    #expect(try tree.status("d")?.mode == 0o3775)
    var owning = try TestTransfer(
      tree,
      dataset,
      options: DestinationOptions(preservesOwner: true, blockByteCount: TestDataset.blockByteCount)
    )
    try owning.run()
    #expect(owning.failures.isEmpty)
    #expect(try tree.status("f")?.mode == 0o6755)
  }

  @Test func stateElsewhereLeavesNothingInTheTree() throws {
    let tree = try TestTree()
    let state = try TestTree()
    let options = DestinationOptions(
      blockByteCount: TestDataset.blockByteCount,
      stateDirectory: state.path("states")
    )
    let dataset = TestDataset([.root(), .file("f", 9)])
    var transfer = try TestTransfer(tree, dataset, options: options)
    try transfer.run()
    #expect(try tree.root.names().map(\.name) == [Array("f".utf8)])
    #expect(try tree.root.status(of: []).modified == Sample.time)
    var second = try TestTransfer(tree, dataset, options: options)
    try second.run()
    #expect(!second.comparisons[0].digests.contains(.zero))
    // Another destination with the same names has a state of its own.
    let other = try TestTree()
    var third = try TestTransfer(other, dataset, options: options)
    try third.run()
    #expect(third.comparisons[0].wanted.population == 1)
    #expect(try state.root.openDirectory(Array("states".utf8)).names().count == 2)
  }

  @Test func aReadOnlyDirectoryTakesNewFilesAndIsReadOnlyAgain() throws {
    let tree = try TestTree()
    let old: [Sample] = [.root(mode: 0o555), .directory("d", mode: 0o555), .file("d/1", 9)]
    var first = try TestTransfer(tree, TestDataset(old))
    try first.run()
    let new: [Sample] = [.file("d/2", 9, mode: 0), .directory("d/e", mode: 0o500), .file("f", 9)]
    var second = try TestTransfer(tree, TestDataset(old + new))
    try second.run()
    #expect(second.failures.isEmpty)
    #expect(try tree.status("d")?.mode == 0o555)
    #expect(try tree.status("d")?.modified == Sample.time)
    #expect(try tree.status("d/e")?.mode == 0o500)
    #expect(try tree.status("d/2")?.mode == 0)
    // As this test's user must be able to remove them.
    try tree.root.setMode(of: Array("d".utf8), 0o700)
    try tree.root.setMode(of: [], 0o700)
  }
}
