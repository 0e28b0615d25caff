import DTXCore
import Testing

@Suite struct InventoryDecoderTests {
  private func decoded(
    _ name: String,
    _ kind: EntryKind = .regular,
    parent: Int? = nil,
    isContext: Bool = false,
    byteCount: UInt64 = 0,
    attributes: [Attribute] = []
  ) -> DecodedEntry {
    let entry = Entry(
      kind: kind,
      parent: parent,
      isContext: isContext,
      mode: 0o644,
      modified: 0,
      byteCount: byteCount
    )
    var inventory = Inventory()
    inventory.append(entry, name: name.utf8, attributes: attributes)
    var writer = ByteWriter()
    EntryCodec.encode(0, of: inventory, for: .transfer, into: &writer)
    var reader = ByteReader(writer.bytes)
    guard let decoded = try? EntryCodec.decode(&reader) else {
      preconditionFailure("the entry \(name) cannot be decoded")
    }
    return decoded
  }

  /// The first problem that a list of entries meets.
  private func problem(
    _ entries: [DecodedEntry],
    isFirstSegment: Bool = true,
    blockByteCount: UInt64 = 65536
  ) -> String? {
    var decoder = InventoryDecoder(
      isFirstSegment: isFirstSegment,
      blockByteCount: blockByteCount
    )
    for entry in entries {
      if let problem = decoder.place(entry) { return problem }
    }
    return nil
  }

  @Test(arguments: 0..<40 as Range<UInt64>)
  func whatWasWrittenInPagesIsReadBack(seed: UInt64) throws {
    let inventory = Tree.random(seed: seed, count: 60, blockByteCount: 1000).inventory()
    var decoder = InventoryDecoder(isFirstSegment: true, blockByteCount: 1000)
    var writer = ByteWriter()
    for index in inventory.entries.indices {
      EntryCodec.encode(index, of: inventory, for: .transfer, into: &writer)
      if index % 7 == 6 {
        try decoder.add(page: writer.bytes[...])
        writer = ByteWriter()
      }
    }
    try decoder.add(page: writer.bytes[...])
    let result = decoder.finish()
    #expect(lines(result) == lines(inventory), "seed \(seed)")
    #expect(result.byteCount == inventory.byteCount)
  }

  @Test func orderIsDemanded() {
    #expect(problem([decoded("a"), decoded("b")]) == nil)
    #expect(problem([decoded("b"), decoded("a")]) == "entries out of canonical order")
    #expect(problem([decoded("a"), decoded("a")]) == "entries out of canonical order")
    // The directory "a" with all below it comes before "a.b", though "." sorts below "/".
    let tree = [
      decoded("a", .directory), decoded("x", parent: 0), decoded("a.b", .directory),
      decoded("y", parent: 2),
    ]
    #expect(problem(tree) == nil)
  }

  @Test func aParentIsADirectoryThatIsStillOpen() {
    let text = "a parent that is no open directory"
    #expect(problem([decoded("a"), decoded("x", parent: 0)]) == text)
    #expect(problem([decoded("a", .directory), decoded("x", parent: 1)]) == text)
    let closed = [decoded("a", .directory), decoded("b"), decoded("x", parent: 0)]
    #expect(problem(closed) == text)
  }

  @Test func theRootIsFirstAndAllElseIsBelowIt() {
    let root = decoded("", .directory)
    #expect(problem([root, decoded("a", parent: 0)]) == nil)
    #expect(problem([decoded("")]) == "an empty name")
    #expect(problem([decoded("a", .directory), decoded("", .directory)]) == "an empty name")
    #expect(problem([root, decoded("", .directory, parent: 0)]) == "an empty name")
    // The path of an entry beside the root would be that of one below it.
    let twice = [root, decoded("a", parent: 0), decoded("a")]
    #expect(problem(twice) == "an entry beside the root")
  }

  @Test func contextsComeFirstAndNotInTheFirstSegment() {
    let root = decoded("", .directory, isContext: true)
    let directory = decoded("d", .directory, parent: 0, isContext: true)
    let file = decoded("x", parent: 1)
    #expect(problem([root, directory, file], isFirstSegment: false) == nil)
    #expect(problem([root]) == "a context in the first segment")
    #expect(
      problem(
        [
          decoded("a", .directory),
          decoded("b", .directory, isContext: true),
        ],
        isFirstSegment: false
      ) == "a context behind an entry"
    )
  }

  @Test func aPathHasAtMost4095Bytes() {
    // 15 directories of 255 bytes with their slashes are 3840 bytes; 255 are left.
    for (hasRoot, count, isTaken) in [
      (true, 255, true), (true, 256, false), (false, 255, true), (false, 256, false),
    ] {
      var list: [DecodedEntry] = hasRoot ? [decoded("", .directory)] : []
      for level in 0..<15 {
        let name = String(repeating: "d", count: level == 0 ? 254 : 255)
        list.append(decoded(name, .directory, parent: list.isEmpty ? nil : list.count - 1))
      }
      list.append(decoded("e", .directory, parent: list.count - 1))
      // 255 + 14 * 256 + 2 = 3841 bytes so far.
      let name = String(repeating: "f", count: count - 1)
      list.append(decoded(name, parent: list.count - 1))
      #expect((problem(list) == nil) == isTaken, "root \(hasRoot), \(count - 1) bytes")
    }
  }

  @Test func lengthsThatNoSumCanHoldAreRefused() {
    let hollow = ["a", "b", "c"].map {
      decoded($0, byteCount: UInt64(Int64.max), attributes: [.dataRanges([])])
    }
    #expect(problem(Array(hollow.prefix(2))) == nil)
    #expect(problem(hollow) == "lengths that no sum can hold")
  }

  @Test func extentsAreCountedBeforeAnythingIsCut() {
    let block: UInt64 = 65536
    let most = UInt64(Limits.segmentExtentCount - 1) * block
    #expect(problem([decoded("a", byteCount: most)], blockByteCount: block) == nil)
    let text = "too many extents in one segment"
    #expect(problem([decoded("a", byteCount: most + block)], blockByteCount: block) == text)
    let end = UInt64(Int64.max)
    let sparse = decoded("a", byteCount: end, attributes: [.dataRanges([0..<1, 2..<end])])
    #expect(problem([sparse], blockByteCount: 1) == text)
  }

  @Test func attributesAreBoundTogether() {
    let target = Attribute.linkTarget(Array(repeating: 0x78, count: 92))
    let links = ["a", "b", "c"].map { decoded($0, .symlink, attributes: [target]) }
    for (maximum, count) in [(99, 0), (100, 1), (299, 2), (300, 3)] {
      var decoder = InventoryDecoder(
        isFirstSegment: true,
        blockByteCount: 65536,
        attributeByteCountMaximum: maximum
      )
      let problems = links.map { decoder.place($0) }
      #expect(problems.firstIndex { $0 != nil } ?? 3 == count, "at most \(maximum) bytes")
    }
    // An offset into them is 32 bits wide.
    #expect(Limits.segmentAttributeByteCount < Int(UInt32.max))
  }

  @Test func nothingIsKeptOfAPageButWhatTheEntriesSay() {
    var decoder = InventoryDecoder(isFirstSegment: true, blockByteCount: 65536)
    var pages = (0..<20).map { [UInt8](repeating: UInt8(ascii: "a") + $0, count: 1000) }
    for level in pages.indices {
      var directory = decoded("d", .directory, parent: level == 0 ? nil : level - 1)
      directory.name = pages[level][0..<1]
      #expect(decoder.place(directory) == nil)
    }
    let places = pages.map(address)
    // Bytes that another holds too are copied before they change.
    for level in pages.indices { pages[level][0] = 0 }
    #expect(pages.map(address) == places)
    #expect(decoder.finish().path(of: 19).count == 39)
  }

  private func address(_ bytes: [UInt8]) -> UnsafePointer<UInt8>? {
    bytes.withUnsafeBufferPointer { $0.baseAddress }
  }

  @Test func anErrorInAPageSaysWhereTheEntryEnds() {
    var inventory = Inventory()
    for name in ["b", "a"] {
      inventory.append(Entry(kind: .fifo, parent: nil, mode: 0, modified: 0), name: name.utf8)
    }
    var writer = ByteWriter()
    for index in 0..<2 {
      EntryCodec.encode(index, of: inventory, for: .transfer, into: &writer)
    }
    var decoder = InventoryDecoder(isFirstSegment: true, blockByteCount: 65536)
    let error = formatError { () throws(FormatError) in
      try decoder.add(page: writer.bytes[...])
    }
    #expect(error?.problem == .invalid("entries out of canonical order"))
  }

  @Test func precedesComparesComponentByComponent() {
    var paths: [[UInt8]] = [[]]
    let alphabet: [UInt8] = [0x01, UInt8(ascii: "."), UInt8(ascii: "/"), UInt8(ascii: "a"), 0xff]
    for _ in 0..<4 {
      paths += paths.flatMap { path in alphabet.map { path + [$0] } }
    }
    func isPath(_ path: [UInt8]) -> Bool {
      path.isEmpty
        || path.split(separator: 0x2f, omittingEmptySubsequences: false).allSatisfy { !$0.isEmpty }
    }
    var seen: [[UInt8]] = []
    for path in paths where isPath(path) && !seen.contains(path) { seen.append(path) }
    for left in seen {
      let leftNames = left.split(separator: 0x2f).map { Array($0) }
      for right in seen {
        let rightNames = right.split(separator: 0x2f).map { Array($0) }
        let expected = leftNames.lexicographicallyPrecedes(rightNames) {
          $0.lexicographicallyPrecedes($1)
        }
        if Inventory.precedes(left, right) != expected {
          Issue.record("\(left) and \(right)")
        }
      }
    }
  }
}
