@testable import DTXCore
@testable import DTXEngine
import DTXLinux
import Glibc
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

    /// Takes the files out of the page cache, from which they would be read.
    func evict() throws {
      for path in contents.keys {
        let file = try tree.root.openFile(path, .readWrite)
        try file.sync()
        _ = posix_fadvise(file.raw, 0, 0, POSIX_FADV_DONTNEED)
      }
    }

    /// Whether this process has a file open.
    func isOpen(_ name: String) throws -> Bool {
      let path = tree.path + [0x2F] + Array(name.utf8)
      let descriptors = try Directory.open(Array("/proc/self/fd".utf8))
      return try descriptors.names().contains { item in
        var target = [CChar](repeating: 0, count: 4096)
        let link = "/proc/self/fd/" + String(decoding: item.name, as: UTF8.self)
        let count = readlink(link, &target, target.count)
        return target.prefix(max(count, 0)).elementsEqual(path.map(CChar.init(bitPattern:)))
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
      #expect(unit.parts.isEmpty, "a unit that waits holds files open")
      let isLast = unit.isLast
      reader.give(unit)
      if isLast { return (bytes, ends) }
    }
  }

  private static let methods = [
    StorageMethod(mechanism: .inline, isDirect: false),
    StorageMethod(mechanism: .pool, isDirect: false),
    StorageMethod(mechanism: .pool, isDirect: true),
    StorageMethod(mechanism: .plainRing, isDirect: true),
    StorageMethod(mechanism: .ring, isDirect: true),
  ]

  @Test(arguments: methods)
  func blocksComeWholeAndInOrder(_ method: StorageMethod) throws {
    let source = try Source(
      [("a", 10), ("b", 9_000_001), ("c", 300_000), ("d", 1), ("e", 5_000_000)]
    )
    #expect(source.segment.blocks.count > 4)
    if method.isDirect { try source.evict() }
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
  func whatWasTakenIsTold(_ method: StorageMethod) throws {
    let source = try Source([("a", 9_000_000), ("b", 77)])
    if method.isDirect { try source.evict() }
    let workers = try StorageWorkers(method, connectionCount: 1)
    let reader = try Self.reader(source, method, workers)
    #expect(workers.use == nil)
    source.expectAll(reader)
    for _ in source.segment.blocks { _ = Self.take(reader) }
    workers.finish()
    let expected = StorageUse(
      access: method.isDirect ? .direct : .buffered,
      mechanism: method.mechanism
    )
    #expect(workers.use == expected)
  }

  @Test func withoutARingThePoolReadsAll() throws {
    let method = StorageMethod(mechanism: .ring, isDirect: true)
    let source = try Source([("a", 9_000_000)])
    try source.evict()
    let workers = try StorageWorkers(method, connectionCount: 1) { _ throws(SystemError) in
      throw SystemError(operation: "io_uring_setup", subject: "test", number: EPERM)
    }
    let reader = try Self.reader(source, method, workers)
    source.expectAll(reader)
    for block in source.segment.blocks.indices {
      #expect(Self.take(reader).bytes == source.bytes(of: block))
    }
    workers.finish()
    #expect(workers.use == StorageUse(access: .direct, mechanism: .pool))
  }

  /// The worker that has just read the last unit may still have the right to read.
  @Test(arguments: methods)
  func aReaderAtRestHoldsNoFileOpen(_ method: StorageMethod) throws {
    let source = try Source([("a", 5_000_000)])
    let workers = try StorageWorkers(method, connectionCount: 1)
    defer { workers.finish() }
    let reader = try Self.reader(source, method, workers)
    for _ in 0..<200 {
      reader.expect([source.segment.blocks[0].extents], of: source.scanned)
      #expect(Self.take(reader).bytes.count == source.bytes(of: 0).count)
      reader.rest()
      let deadline = Clock.now() + 30_000_000_000
      while try source.isOpen("a") {
        try #require(Clock.now() < deadline, "the file stays open")
        sched_yield()
      }
    }
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

  /// Lays bytes of a file, or of one that cannot be read.
  private func lay(_ byteCount: Int, _ source: SourceBytes?, in unit: ReadUnit) -> ReadUnit.Part {
    let part = ReadUnit.Part.sample(byteCount, source, at: 0, in: unit)
    _ = unit.lay(part)
    return part
  }

  @Test func recordsLieApartAndBeginOnPages() throws {
    let unit = try ReadUnit(byteCount: 3 * Self.record)
    _ = lay(2 * Self.record + 5, nil, in: unit)
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

  /// What a ring's read came to is told; only what it left out is read by a call.
  @Test func anErrorOfARingIsNotReadOver() throws {
    let tree = try TestTree()
    let content = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 13 >> 4) }
    try tree.write("f", content)
    let name = Array("f".utf8)
    let file = try tree.root.openFile(name, .read)
    let alignment = try #require(DirectAlignment(memory: 512, offset: 512))
    let source = SourceBytes.direct(DirectFile(file: file, alignment: alignment), cached: file)
    for (number, expected) in [(EIO, EntryFailure.unreadable), (EINVAL, nil)] {
      let unit = try ReadUnit(byteCount: 2 * Self.record)
      let error = SystemError(operation: "read", subject: "f", number: number)
      let part = ReadUnit.Part.sample(300_000, source, at: 0, in: unit, direct: .failure(error))
      _ = unit.lay(part)
      #expect(unit.read(part)?.failure == expected)
      let bytes = (0..<unit.recordCount).flatMap { Array(unit.payload($0)) }
      #expect(bytes == (expected == nil ? content : Array(repeating: 0, count: 300_000)))
    }
    let unit = try ReadUnit(byteCount: 2 * Self.record)
    let short = ReadUnit.Part.sample(300_000, source, at: 0, in: unit, direct: .success(4096))
    _ = unit.lay(short)
    #expect(unit.read(short) == nil)
    #expect(Array(unit.payload(0))[4096...].elementsEqual(content[4096..<Self.record]))
  }

  @Test func sealingOneRecordLeavesTheNextAsItWasRead() throws {
    let tree = try TestTree()
    let content = (0..<(2 * Self.record)).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }
    try tree.write("f", content)
    let file = try tree.root.openFile(Array("f".utf8), .read)
    let unit = try ReadUnit(byteCount: 2 * Self.record)
    #expect(unit.read(lay(2 * Self.record, .file(file), in: unit)) == nil)
    let sealer = RecordSealer(cipher: .none, secret: LaneFixtures.directionalSecret())
    _ = sealer.seal(.data, payloadByteCount: Self.record, in: unit.sealable(0))
    #expect(Array(unit.payload(1)) == Array(content[Self.record...]))
    unit.clear()
    #expect(unit.freeByteCount == 2 * Self.record && unit.recordCount == 0)
  }
}

extension ReadUnit.Part {
  /// The next bytes of a unit, the only ones of their extent.
  static func sample(
    _ byteCount: Int,
    _ source: SourceBytes?,
    at offset: UInt64,
    in unit: ReadUnit,
    direct: Result<Int, SystemError>? = nil
  ) -> ReadUnit.Part {
    ReadUnit.Part(
      scanned: ScannedSegment(
        segment: TestDataset([.root()]).segments[0],
        identities: [SourceIdentity(nullFile: 0)]
      ),
      extent: 0,
      source: source,
      failure: nil,
      position: unit.byteCount,
      byteCount: byteCount,
      offset: offset,
      isStart: true,
      isEnd: true,
      direct: direct
    )
  }
}
