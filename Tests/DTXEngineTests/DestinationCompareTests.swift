@testable import DTXCore
@testable import DTXEngine
import DTXLinux
import Testing

@Suite struct DestinationCompareTests {
  @Test func eachEntryIsDecidedByWhatIsThere() throws {
    let tree = try TestTree()
    try tree.write("same", Sample.file("same", 10).content, modified: Sample.time)
    try tree.write("shorter", [1], modified: Sample.time)
    try tree.write("older", Sample.file("older", 10).content, modified: 1)
    try tree.write("mode", Sample.file("mode", 10).content, mode: 0o600, modified: Sample.time)
    try tree.makeDirectory("kept")
    let dataset = TestDataset([
      .root(), .file("same", 10), .file("shorter", 10), .file("older", 10), .file("mode", 10),
      .file("new", 10), .directory("kept"), .file("kept/new", 10), .directory("made"),
      .file("made/new", 10),
    ])
    let segment = dataset.segments[0]
    var transfer = try TestTransfer(tree, dataset)
    let comparison = try transfer.destination.compare(segment)
    let wanted = segment.extents.indices.filter { comparison.wanted[$0] }.map {
      printable(segment.inventory.path(of: Int(segment.extents[$0].entry)))
    }
    #expect(wanted.sorted() == ["kept/new", "made/new", "new", "older", "shorter"])
    #expect(comparison.refusals.isEmpty)
    #expect(comparison.digests.allSatisfy { $0 == .zero })
    #expect(try tree.status("made") == nil, "a comparison changes nothing")
    try transfer.run()
    #expect(try tree.status("mode")?.mode == 0o644)
    #expect(try tree.content("older") == Sample.file("older", 10).content)
  }

  @Test func aLinkInTheMiddleIsNeverFollowed() throws {
    let tree = try TestTree()
    let outside = try TestTree()
    try outside.makeDirectory("d")
    try outside.write("d/old", [1])
    try tree.root.makeSymlink(Array("d".utf8), target: outside.path("d"))
    var transfer = try TestTransfer(
      tree,
      TestDataset([
        .root(), .file("a", 5), .directory("d"), .file("d/f", 5), .directory("d/e"),
        .file("d/e/g", 5), .symlink("d/l", "x"), .fifo("d/p"),
      ])
    )
    try transfer.run()
    #expect(transfer.failedPaths() == ["d", "d/e", "d/e/g", "d/f", "d/l", "d/p"])
    #expect(transfer.failures.allSatisfy { $0.failure == .conflict })
    #expect(try outside.paths() == ["d", "d/old"])
    #expect(try tree.content("a").count == 5)
  }

  @Test func aLinkThatIsPlantedAfterTheComparisonIsNotFollowedEither() throws {
    let tree = try TestTree()
    let outside = try TestTree()
    try tree.makeDirectory("d")
    let dataset = TestDataset([
      .root(), .directory("d"), .file("d/f", 5), .symlink("d/l", "x"), .file("d/none", 0),
    ])
    let segment = dataset.segments[0]
    var transfer = try TestTransfer(tree, dataset)
    let comparison = try transfer.destination.compare(segment)
    try tree.root.removeDirectory(Array("d".utf8))
    try tree.root.makeSymlink(Array("d".utf8), target: outside.path)
    // The directory that was compared is still open, so this may fail or go to a removed one.
    transfer.failures += try transfer.destination.prepare(segment, comparison)
    _ = try transfer.move(segment, wanted: comparison.wanted, known: comparison.digests)
    #expect(try outside.paths() == [])
    #expect(transfer.failedPaths().contains("d/f"))
  }

  @Test func aLinkInAFilesPlaceIsAConflict() throws {
    let tree = try TestTree()
    let outside = try TestTree()
    try outside.write("victim", [1, 2, 3])
    try tree.root.makeSymlink(Array("f".utf8), target: outside.path("victim"))
    try tree.root.makeSymlink(Array("g".utf8), target: outside.path("new"))
    // And under the name that the file is staged under.
    let staged = StagedName(key: StagedName.key(topNames: [[]]))
    for name in ["h", "big"] {
      try tree.root.makeSymlink(
        staged.name(for: Array(name.utf8)[...]),
        target: outside.path("victim")
      )
    }
    var transfer = try TestTransfer(
      tree,
      TestDataset([.root(), .file("f", 5), .file("g", 5), .file("h", 5), .file("big", 150_000)])
    )
    try transfer.run()
    #expect(transfer.failedPaths() == ["f", "g"])
    #expect(try outside.content("victim") == [1, 2, 3])
    #expect(try outside.paths() == ["victim"])
    #expect(try tree.content("h").count == 5)
    #expect(try tree.content("big").count == 150_000)
  }

  @Test func aHardLinkUnderAStagedNameIsNotWrittenThrough() throws {
    let tree = try TestTree()
    try tree.write("victim", [1, 2, 3])
    let staged = StagedName(key: StagedName.key(topNames: [[]]))
    try tree.root.makeHardLink(
      staged.name(for: Array("h".utf8)[...]),
      to: Array("victim".utf8)
    )
    var transfer = try TestTransfer(tree, TestDataset([.root(), .file("h", 5)]))
    try transfer.run()
    #expect(try tree.content("victim") == [1, 2, 3])
    #expect(try tree.status("victim")?.linkCount == 1)
  }

  @Test func otherKindsAreConflicts() throws {
    let tree = try TestTree()
    try tree.makeDirectory("file")
    try tree.write("directory", [1])
    try tree.write("link", [2])
    try tree.root.makeNode(Array("plain".utf8), kind: .fifo, permissions: 0o600)
    var transfer = try TestTransfer(
      tree,
      TestDataset([
        .root(), .file("file", 5), .directory("directory"), .file("directory/f", 5),
        .symlink("link", "x"), .file("plain", 5), .file("fine", 5),
      ])
    )
    let (_, failures) = try transfer.run()
    #expect(failures.isEmpty)
    #expect(transfer.failedPaths() == ["directory", "directory/f", "file", "link", "plain"])
    #expect(transfer.failures.allSatisfy { $0.failure == .conflict })
    #expect(try tree.content("link") == [2])
    #expect(try tree.status("fine")?.byteCount == 5)
    var manifest = try ManifestFile.open(tree.path)
    let part = try #require(try manifest.nextSegment())
    #expect(part.entryCount == 2)
  }

  @Test func aRefusedDirectoryIsRefusedAgainInTheNextSegment() throws {
    let tree = try TestTree()
    try tree.write("d", [1])
    var transfer = try TestTransfer(
      tree,
      TestDataset([.root(), .directory("d"), .file("d/1", 5), .file("d/2", 5)], starts: ["d/2"])
    )
    try transfer.run()
    #expect(transfer.failedPaths() == ["d", "d/1", "d", "d/2"])
  }

  @Test func ourOwnNamesAreNoEntrysNames() throws {
    let tree = try TestTree()
    let key = StagedName.key(topNames: [[]])
    var transfer = try TestTransfer(
      tree,
      TestDataset([
        .root(), .directory(".dtx"), .file(".dtx/\(key)", 5), .file(".f.dtx-\(key)", 5),
        .directory("sub"), .file("sub/.dtx", 5), .file(".f.dtx-0123456789abcdef", 5),
      ])
    )
    try transfer.run()
    #expect(transfer.failedPaths() == [".dtx", ".dtx/\(key)", ".f.dtx-\(key)"])
  }

  @Test func onlyAnnouncedNamesAreTaken() throws {
    let tree = try TestTree()
    var transfer = try TestTransfer(
      tree,
      TestDataset([.file("asked", 5), .file("unasked", 5)]),
      topNames: [Array("asked".utf8)]
    )
    try transfer.run()
    #expect(transfer.failedPaths() == ["unasked"])
    #expect(try tree.paths() == ["asked"])
  }

  @Test func aDryRunCreatesNothing() throws {
    let tree = try TestTree()
    let options = DestinationOptions(blockByteCount: TestDataset.blockByteCount, isDryRun: true)
    let dataset = TestDataset([.root(), .file("f", 5)])
    let missing = try Destination.open(
      root: tree.path("none/at/all"),
      topNames: [[]],
      session: 1,
      options: options
    )
    #expect(try missing.compare(dataset.segments[0]).wanted.population == 1)
    missing.close()
    let present = try Destination.open(
      root: tree.path,
      topNames: [[]],
      session: 1,
      options: options
    )
    #expect(try present.compare(dataset.segments[0]).wanted.population == 1)
    present.close()
    #expect(try tree.root.names().isEmpty)
  }

  @Test func comparingDigestsReadsWhatIsKept() throws {
    let tree = try TestTree()
    let sample = Sample.file("f", 150_000)
    try tree.write("f", sample.content, modified: Sample.time)
    try tree.write("s", Array(repeating: 7, count: 100_000), modified: Sample.time)
    let dataset = TestDataset([.root(), sample, .sparse("s", 100_000, [0..<4096])])
    let options = DestinationOptions(
      comparesDigests: true,
      blockByteCount: TestDataset.blockByteCount
    )
    let transfer = try TestTransfer(tree, dataset, options: options)
    defer { transfer.destination.close() }
    let segment = dataset.segments[0]
    let comparison = try transfer.destination.compare(segment)
    let file = try #require(segment.entry("f"))
    for extent in segment.entries[file].extents {
      #expect(comparison.digests[extent] == dataset.digest(segment, extent))
      #expect(!comparison.wanted[extent])
    }
    #expect(comparison.readByteCount == 150_000 + 4096)
    let sparse = try #require(segment.entry("s"))
    #expect(segment.entries[sparse].extents.allSatisfy { comparison.wanted[$0] })
  }

  @Test func aComparisonCanBeCancelled() throws {
    let tree = try TestTree()
    let dataset = TestDataset([.root(), .file("f", 5)])
    let transfer = try TestTransfer(tree, dataset)
    defer { transfer.destination.close() }
    transfer.destination.cancel()
    #expect {
      _ = try transfer.destination.compare(dataset.segments[0])
    } throws: {
      ($0 as? TransferError)?.kind == .interrupted
    }
  }
}
