@testable import DTXCore
@testable import DTXEngine
import DTXLinux
import Testing

@Suite struct BlockReaderTests {
  private static let blockByteCount: UInt64 = 4 << 20

  /// A scanned tree, and the bytes that its files had.
  private final class Source {
    let tree: TestTree
    let dataset: SourceDataset
    let scanned: ScannedSegment
    private let contents: [[UInt8]: [UInt8]]

    init(_ files: [(name: String, byteCount: Int)]) throws {
      tree = try TestTree()
      var contents: [[UInt8]: [UInt8]] = [:]
      for (index, file) in files.enumerated() {
        // A length that no page, record or block is a multiple of.
        let pattern = (0..<65_537).map { UInt8(truncatingIfNeeded: $0 >> 8 ^ $0 &* 7 ^ index) }
        var content: [UInt8] = []
        while content.count < file.byteCount { content += pattern }
        content.removeLast(content.count - file.byteCount)
        try tree.write(file.name, content)
        contents[Array(file.name.utf8)] = content
      }
      self.contents = contents
      dataset = try SourceDataset.open([tree.path + [0x2F]])
      let scanner = Scanner(
        dataset: dataset,
        filter: Filter([]),
        blockByteCount: blockByteCount,
        report: { _ in }
      )
      scanned = try scanner.nextSegment()
    }

    var segment: Segment { scanned.segment }

    /// What a block's bytes should be.
    func bytes(of block: Int) -> [UInt8] {
      segment.blocks[block].extents.flatMap { index in
        let extent = segment.extents[index]
        let path = segment.inventory.path(of: Int(extent.entry))
        return Array((contents[path] ?? [])[Int(extent.offset)..<Int(extent.end)])
      }
    }

    func expectAll(_ reader: BlockReader) {
      for block in segment.blocks { reader.expect([block.extents], of: scanned) }
    }
  }

  private static func reader(
    _ source: Source,
    _ method: StorageMethod,
    _ workers: StorageWorkers
  ) throws -> BlockReader {
    try BlockReader(
      dataset: source.dataset,
      workers: workers,
      method: method,
      shape: UnitShape(connectionCount: 60)
    )
  }

  /// Takes a block's units and gives them back.
  private static func take(
    _ reader: BlockReader
  ) -> (bytes: [UInt8], ends: [ReadUnit.Piece]) {
    var bytes: [UInt8] = []
    var ends: [ReadUnit.Piece] = []
    while true {
      let unit = reader.next()
      for record in 0..<unit.recordCount { bytes.append(contentsOf: unit.payload(record)) }
      ends += unit.pieces.filter(\.isEnd)
      let isLast = unit.isLast
      reader.give(unit)
      if isLast { return (bytes, ends) }
    }
  }

  private static let methods = [
    StorageMethod(isInline: true, isDirect: false),
    StorageMethod(isInline: false, isDirect: false),
    StorageMethod(isInline: false, isDirect: true),
  ]

  @Test(arguments: methods)
  func blocksComeWholeAndInOrder(_ method: StorageMethod) throws {
    let source = try Source(
      [("a", 10), ("b", 9_000_001), ("c", 300_000), ("d", 1), ("e", 5_000_000)]
    )
    #expect(source.segment.blocks.count > 4)
    let workers = try StorageWorkers(method, connectionCount: 1)
    defer { workers.finish() }
    let reader = try Self.reader(source, method, workers)
    source.expectAll(reader)
    for (index, block) in source.segment.blocks.enumerated() {
      let (bytes, ends) = Self.take(reader)
      #expect(bytes == source.bytes(of: index), "block \(index)")
      #expect(ends.count == block.extents.count)
      #expect(ends.allSatisfy { $0.failure == nil })
    }
    // With nothing expected it lets go of the source, and can be asked again.
    reader.rest()
    reader.expect([source.segment.blocks[1].extents], of: source.scanned)
    #expect(Self.take(reader).bytes == source.bytes(of: 1))
  }

  @Test(arguments: methods)
  func whatIsNotAsItWasComesAsZerosWithTheReason(_ method: StorageMethod) throws {
    let source = try Source([("a", 10), ("b", 9_000_001), ("c", 20)])
    try source.tree.root.unlink(Array("a".utf8))
    let file = try source.tree.root.openFile(Array("b".utf8), .readWrite)
    try file.setByteCount(5_000_000)
    let workers = try StorageWorkers(method, connectionCount: 1)
    defer { workers.finish() }
    let reader = try Self.reader(source, method, workers)
    source.expectAll(reader)
    var failures: [String: EntryFailure] = [:]
    for (index, block) in source.segment.blocks.enumerated() {
      let (bytes, ends) = Self.take(reader)
      #expect(bytes.count == source.bytes(of: index).count)
      for (extent, end) in zip(block.extents, ends) {
        let path = source.segment.inventory.path(of: Int(source.segment.extents[extent].entry))
        if let failure = end.failure { failures[printable(path)] = failure.failure }
      }
    }
    #expect(failures == ["a": .changed, "b": .changed])
  }

  @Test func aReaderWaitsForItsUnits() throws {
    let method = Self.methods[1]
    let source = try Source([("a", 20_000_000)])
    let workers = try StorageWorkers(method, connectionCount: 1)
    defer { workers.finish() }
    let reader = try Self.reader(source, method, workers)
    source.expectAll(reader)
    // It reads on only as units come back: a lane that is slow holds no worker.
    let units = (0..<UnitShape.countPerConnection).map { _ in reader.next() }
    let done = Guarded(false)
    workers.run { done.withLockAndSignal { $0 = true } }
    #expect(done.wait(until: { $0 ? true : nil }) as Bool? == true)
    for unit in units { reader.give(unit) }
    _ = reader.next()
  }
}

@Suite struct ReadUnitTests {
  private static let record = RecordLayout.maximumPayloadByteCount

  @Test func recordsLieApartAndBeginOnPages() throws {
    let unit = try ReadUnit(byteCount: 3 * Self.record)
    #expect(unit.read(2 * Self.record + 5, from: nil, at: 0) == nil)
    #expect(unit.recordCount == 3 && unit.freeByteCount == Self.record - 5)
    for record in 0..<3 {
      let payload = unit.payload(record)
      #expect(payload.count == (record < 2 ? Self.record : 5))
      #expect(Int(bitPattern: payload.baseAddress).isMultiple(of: 4096))
      let sealable = unit.sealable(record)
      #expect(sealable.count == RecordLayout.byteCount(payloadByteCount: payload.count))
      let start = UnsafeRawPointer(sealable.baseAddress)
      #expect(start.map { $0 + RecordLayout.headerByteCount } == payload.baseAddress)
    }
  }

  @Test func sealingOneRecordLeavesTheNextAsItWasRead() throws {
    let tree = try TestTree()
    let content = (0..<(2 * Self.record)).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }
    try tree.write("f", content)
    let file = try tree.root.openFile(Array("f".utf8), .read)
    let unit = try ReadUnit(byteCount: 2 * Self.record)
    #expect(unit.read(2 * Self.record, from: .file(file), at: 0) == nil)
    let sealer = RecordSealer(cipher: .none, secret: LaneFixtures.directionalSecret())
    _ = sealer.seal(.data, payloadByteCount: Self.record, in: unit.sealable(0))
    #expect(Array(unit.payload(1)) == Array(content[Self.record...]))
    unit.clear()
    #expect(unit.freeByteCount == 2 * Self.record && unit.recordCount == 0)
  }
}
