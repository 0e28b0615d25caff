@testable import DTXCore
@testable import DTXEngine
import DTXLinux
import Testing

@Suite struct ManifestFileTests {
  @Test func sha256IsThatOfTheStandard() {
    // FIPS 180-4's example of one block.
    #expect(
      RootHash.sha256.hash(Array("abc".utf8)).hex(32)
        == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    )
  }

  static func create(_ tree: TestTree, output: [UInt8]? = nil) throws -> ManifestSummary {
    try ManifestCreation.run(
      directory: tree.path,
      blockByteCount: TestDataset.blockByteCount,
      filters: [],
      output: output
    ) { _ in }
  }

  @Test func aTreesManifestIsTheOneThatATransferSeals() throws {
    let tree = try TestTree()
    // Where the file system ends a hole is where its blocks do.
    let samples = DestinationTransferTests.samples.filter { $0.path != Array("sparse".utf8) }
    let sparse = Sample.sparse("sparse", 300_000, [0..<4096, 131_072..<139_264])
    var transfer = try TestTransfer(tree, TestDataset(samples + [sparse]))
    let (roots, _) = try transfer.run()
    let output = try TestTree()
    let summary = try Self.create(tree, output: output.path("m"))
    #expect(summary.roots.content == roots.content)
    #expect(summary.unreadByteCount == 0)
    var file = try ManifestFile.open(output.path("m"))
    #expect(file.summary == nil)
    #expect(file.header.blockByteCount == TestDataset.blockByteCount)
    while let part = try file.nextSegment() {
      #expect(part.entry(at: Array("d/e/deep".utf8)) != nil)
    }
    #expect(file.summary == summary)
    #expect(try file.nextSegment() == nil)
  }

  @Test func aManifestInTheTreeServesTheNextTransfer() throws {
    let tree = try TestTree()
    let dataset = TestDataset([.root(), .file("f", 150_000), .file("g", 10)])
    for path in ["f", "g"] {
      let sample = path == "f" ? Sample.file("f", 150_000) : Sample.file("g", 10)
      try tree.write(path, sample.content, modified: Sample.time)
    }
    _ = try Self.create(tree)
    let transfer = try TestTransfer(tree, dataset)
    defer { transfer.destination.close() }
    let comparison = try transfer.destination.compare(dataset.segments[0])
    #expect(comparison.wanted.isEmpty)
    #expect(!comparison.digests.contains(.zero))
  }

  @Test func aFileWithMoreHolesThanItsEntryHasRoomForIsTakenAllTheSame() throws {
    let tree = try TestTree()
    try tree.write("f", [])
    let file = try tree.root.openFile(Array("f".utf8), .readWrite)
    // Two bytes for each gap and each range: more than an attribute holds.
    for index in 0..<UInt64(Limits.attributeByteCount / 4 + 1) {
      try file.write([1], at: index * 8192)
    }
    try file.close()
    let output = try TestTree()
    #expect(try Self.create(tree, output: output.path("m")).unreadByteCount == 0)
    var manifest = try ManifestFile.open(output.path("m"))
    let part = try #require(try manifest.nextSegment())
    #expect(part.entry(at: Array("f".utf8)) != nil)
  }

  @Test func damageIsNamed() throws {
    let tree = try TestTree()
    try tree.write("f", [1, 2, 3])
    let output = try TestTree()
    _ = try Self.create(tree, output: output.path("m"))
    let byteCount = try #require(try output.status("m")).byteCount
    func kinds(_ path: [UInt8]) -> TransferError.Kind? {
      do throws(TransferError) {
        var file = try ManifestFile.open(path)
        while try file.nextSegment() != nil {}
        return nil
      } catch {
        return error.kind
      }
    }
    #expect(kinds(output.path("m")) == nil)
    for offset in 0..<byteCount {
      try output.flip(Array("m".utf8), at: offset)
      #expect(kinds(output.path("m")) == .integrity, "offset \(offset)")
      try output.flip(Array("m".utf8), at: offset)
    }
    let file = try output.root.openFile(Array("m".utf8), .readWrite)
    try file.write([0], at: byteCount)
    #expect(kinds(output.path("m")) == .integrity)
    for length in stride(from: byteCount - 1, to: 0, by: -7) {
      try file.setByteCount(length)
      #expect(kinds(output.path("m")) == .integrity, "length \(length)")
    }
    #expect(kinds(output.path("none")) == .failed)
    #expect(kinds(output.path) == .failed, "a tree without a manifest")
  }

  @Test func aFileThatCannotBeReadIsLeftOutAndNamed() throws {
    let tree = try TestTree()
    try tree.write("f", [1, 2, 3])
    try tree.write("g", [1, 2, 3])
    let dataset = try SourceDataset.open([tree.path + [0x2F]])
    let scanner = Scanner(
      dataset: dataset,
      filter: Filter([]),
      blockByteCount: TestDataset.blockByteCount
    ) { _ in }
    let scanned = try scanner.nextSegment()
    try tree.write("g", [4, 5, 6])
    let events = Mailbox<TransferEvent>()
    let reading = SegmentReading(dataset, scanned, readBefore: 0) { events.send($0) }
    reading.run()
    let (digests, excluded) = reading.results()
    #expect(excluded.population == 1)
    #expect(digests.map { $0 == .zero } == [false, true])
    let failed = events.drain().compactMap { event -> FailedPath? in
      guard case .failed(let path) = event else { return nil }
      return path
    }
    #expect(failed.map(\.path) == [Array("g".utf8)])
    #expect(failed.map(\.failure) == [.changed])
  }
}
