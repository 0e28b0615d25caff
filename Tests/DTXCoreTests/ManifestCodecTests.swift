import DTXCore
import Testing

@Suite struct ManifestCodecTests {
  /// What `Vectors.manifest` says.
  static func sample() -> Manifest {
    let header = ManifestHeader(blockByteCount: 65536, rootAlgorithm: .sha256)
    return Manifest(header: header, segments: segments(), hash: SHA256.rootHash)
  }

  /// The same with roots that are quickly computed.
  private static func quickSample(_ hash: RootHash = .xxh3) -> (Manifest, [UInt8]) {
    let header = ManifestHeader(blockByteCount: 65536, rootAlgorithm: .xxh3)
    let manifest = Manifest(header: header, segments: segments(), hash: hash)
    return (manifest, manifest.encoded(hash: hash))
  }

  private static func segments() -> [ManifestSegment] {
    let modified: Int64 = 1_700_000_000_000_000_000
    func entry(_ kind: EntryKind, _ parent: Int?, _ mode: UInt16, _ byteCount: UInt64 = 0) -> Entry
    {
      Entry(
        kind: kind,
        parent: parent,
        mode: mode,
        userID: 1000,
        groupID: 100,
        modified: modified,
        byteCount: byteCount
      )
    }
    var first = Inventory()
    first.append(entry(.directory, nil, 0o755), name: [])
    var file = entry(.regular, 0, 0o644, 100_000)
    file.modified += 123_456_789
    first.append(file, name: "a.fits".utf8, attributes: [.sourceIdentity(77)])
    first.append(entry(.directory, 0, 0o2750), name: "d".utf8)
    first.append(Entry(kind: .fifo, parent: 2, mode: 0o600, modified: -1), name: "fifo".utf8)

    var second = Inventory()
    for (parent, name) in [(nil, ""), (0, "d")] as [(Int?, String)] {
      var context = entry(.directory, parent, 0o755)
      context.isContext = true
      second.append(context, name: name.utf8)
    }
    let target = Attribute.linkTarget(Array("../a.fits".utf8))
    second.append(entry(.symlink, 1, 0o777), name: "link".utf8, attributes: [target])
    let ranges = Attribute.dataRanges([4096..<8192, 131_072..<200_000])
    second.append(
      entry(.regular, 1, 0o444, 200_000),
      name: "sparse".utf8,
      attributes: [ranges, .sourceIdentity(78)]
    )

    let invented = (1...4).map { high in
      Digest(bytes: (0..<16).map { UInt8(16 * high + $0) })
    }
    let digests = [[invented[0], .zero], Array(invented[1...])]
    return [first, second].enumerated().map { index, inventory in
      Segment(
        index: index,
        isLast: index == 1,
        inventory: inventory,
        blockByteCount: 65536
      )
      .committed(digests: digests[index], blockByteCount: 65536)
    }
  }

  private func problem(_ bytes: [UInt8], _ hash: RootHash = .xxh3) -> FormatError? {
    formatError { () throws(FormatError) in _ = try Manifest(decoding: bytes, hash: hash) }
  }

  @Test func theGoldenBytesHold() throws {
    let manifest = Self.sample()
    #expect(manifest.encoded(hash: SHA256.rootHash) == Vectors.manifest)
    let decoded = try Manifest(decoding: Vectors.manifest, hash: SHA256.rootHash)
    #expect(decoded.header == manifest.header)
    #expect(decoded.summary == manifest.summary)
    #expect(decoded.summary.entryCount == 6)
    #expect(decoded.summary.fileCount == 2)
    #expect(decoded.summary.byteCount == 300_000)
    #expect(decoded.summary.dataByteCount == 173_024)
    #expect(decoded.summary.unreadByteCount == 34464)
    for (left, right) in zip(decoded.segments, manifest.segments) {
      #expect(lines(left.inventory) == lines(right.inventory))
      #expect(left.digests == right.digests)
      #expect(left.segment.blocks == right.segment.blocks)
    }
    #expect(decoded.encoded(hash: SHA256.rootHash) == Vectors.manifest)
  }

  @Test(arguments: [
    ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    (
      "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
    ),
  ])
  func theVectorsHashIsSHA256(text: String, expected: String) {
    #expect(Digest(bytes: SHA256.hash(Array(text.utf8))).hex(32) == expected)
  }

  @Test func everyTruncationIsRefused() {
    let (_, bytes) = Self.quickSample()
    #expect(problem(bytes) == nil)
    for count in 0..<bytes.count {
      #expect(problem(Array(bytes.prefix(count))) != nil, "\(count) bytes")
    }
    #expect(problem(bytes + [0])?.problem == .trailingBytes(1))
  }

  @Test func everyTurnedBitIsNoticed() {
    let (_, bytes) = Self.quickSample()
    for (bit, flipped) in bitFlips(of: bytes) {
      #expect(problem(flipped) != nil, "bit \(bit)")
    }
  }

  /// With roots that fit anything, only the structure stands between the bytes and their meaning.
  @Test func whatIsTakenIsCanonicalWhateverTheRoots() throws {
    let blind = RootHash(algorithm: .xxh3) { _ in Digest(words: (1, 2, 0, 0)) }
    let (_, bytes) = Self.quickSample(blind)
    var takenCount = 0
    func check(_ changed: [UInt8], _ what: String) {
      guard let manifest = try? Manifest(decoding: changed, hash: blind) else { return }
      takenCount += 1
      #expect(manifest.encoded(hash: blind) == changed, "\(what)")
    }
    for (bit, flipped) in bitFlips(of: bytes) { check(flipped, "bit \(bit)") }
    for offset in bytes.indices {
      for value in [0, 1, 0x7f, 0x80, 0xff] as [UInt8] {
        var changed = bytes
        changed[offset] = value
        check(changed, "\(value) at byte \(offset)")
      }
    }
    for seed in 0..<2000 as Range<UInt64> {
      var numbers = SeededNumbers(seed: seed)
      var changed = bytes
      for _ in 0...numbers.below(4) {
        changed[numbers.below(changed.count)] = UInt8(truncatingIfNeeded: numbers.next())
      }
      check(changed, "seed \(seed)")
    }
    #expect(takenCount > 1000)
  }

  @Test(arguments: 0..<60 as Range<UInt64>)
  func anyTreeComesBackInSegmentsOfAnyLength(seed: UInt64) throws {
    var numbers = SeededNumbers(seed: seed)
    let tree = Tree.random(seed: seed, count: 60, blockByteCount: 1000)
    let header = ManifestHeader(blockByteCount: 1000, rootAlgorithm: .xxh3)
    var segments: [ManifestSegment] = []
    var start = 0
    while start < tree.nodes.count {
      let end = min(tree.nodes.count, start + 1 + numbers.below(20))
      let segment = Segment(
        index: segments.count,
        isLast: end == tree.nodes.count,
        inventory: tree.inventory(start..<end),
        blockByteCount: 1000
      )
      segments.append(segment.committed(blockByteCount: 1000))
      start = end
    }
    let manifest = Manifest(header: header, segments: segments, hash: .xxh3)
    let bytes = manifest.encoded(hash: .xxh3)
    let decoded = try Manifest(decoding: bytes, hash: .xxh3)
    #expect(decoded.summary == manifest.summary, "seed \(seed)")
    #expect(decoded.encoded(hash: .xxh3) == bytes, "seed \(seed)")
    #expect(decoded.summary.entryCount == UInt64(tree.nodes.count))
    let found = decoded.segments.map { lines($0.inventory) }
    #expect(found == segments.map { lines($0.inventory) }, "seed \(seed)")
  }

  @Test func theHeaderIsRead() {
    let header = ManifestHeader(blockByteCount: 1 << 24, rootAlgorithm: .sha256)
    let bytes = header.encoded
    #expect(bytes == hex("4454584d414e4631 0100 01 02 00000000 0000000100000000"))
    func problem(_ change: (inout [UInt8]) -> Void) -> FormatError? {
      var changed = bytes
      change(&changed)
      return formatError { () throws(FormatError) in _ = try ManifestHeader(decoding: changed) }
    }
    #expect(problem { _ in } == nil)
    #expect(problem { $0[0] = 0 }?.field == "magic")
    #expect(
      problem { $0[8] = 2 }
        == FormatError(
          offset: 8,
          field: "version",
          problem: .unexpected(found: 2)
        )
    )
    #expect(problem { $0[10] = 2 }?.field == "extent algorithm")
    #expect(problem { $0[11] = 3 }?.field == "root algorithm")
    #expect(problem { $0[15] = 1 }?.field == "zero")
    #expect(problem { $0[19] = 0 }?.problem == .unexpected(found: 0))
    #expect(problem { $0[19] = 0x40 } == nil)
    #expect(problem { $0[19] = 0x41 }?.field == "block length")
    #expect(problem { $0.append(0) }?.problem == .trailingBytes(1))
    #expect(problem { $0.removeLast() }?.problem == .truncated)
  }

  @Test func rootsOfAnotherAlgorithmAreRefused() {
    let error = problem(Vectors.manifest, .xxh3)
    #expect(error?.field == "root algorithm")
    #expect(error?.problem == .unexpected(found: 2))
  }

  @Test func sectionLengthsAreBound() throws {
    for (length, isTaken) in [
      (0, true), (ManifestCodec.sectionByteCountMaximum, true),
      (ManifestCodec.sectionByteCountMaximum + 1, false), (.max, false),
    ] as [(UInt64, Bool)] {
      var writer = ByteWriter()
      writer.appendRaw([1, 0, 0, 0])
      writer.append(UInt32(0))
      writer.append(length)
      let header = ManifestHeader(blockByteCount: 1000, rootAlgorithm: .xxh3)
      var reader = try ManifestReader(header: header.encoded, hash: .xxh3)
      let error = formatError { () throws(FormatError) in
        let found = try reader.readSectionHeader(writer.bytes)
        #expect(UInt64(found) == length)
      }
      #expect((error == nil) == isTaken, "\(length) bytes")
      if !isTaken { #expect(error?.offset == 24 + 8) }
    }
  }

  @Test func sectionsComeInTheirOrder() throws {
    let header = ManifestHeader(blockByteCount: 65536, rootAlgorithm: .xxh3)
    let (manifest, bytes) = Self.quickSample()
    var reader = try ManifestReader(header: header.encoded, hash: .xxh3)
    let early = formatError { () throws(FormatError) in _ = try reader.readSection([]) }
    #expect(early?.problem == .invalid("bytes without a section header"))

    // The second segment where the first is due.
    let first = 24 + 16 + Int(bytes[32]) + 256 * Int(bytes[33])
    let second = formatError { () throws(FormatError) in
      _ = try reader.readSectionHeader(Array(bytes[first..<first + 16]))
    }
    #expect(second?.field == "section index")
    #expect(second?.offset == 24 + 4)

    let byteCount = try reader.readSectionHeader(Array(bytes[24..<40]))
    #expect(byteCount == first - 40)
    let twice = formatError { () throws(FormatError) in
      _ = try reader.readSectionHeader(Array(bytes[24..<40]))
    }
    #expect(twice?.problem == .invalid("a section where none is due"))
    let section = try reader.readSection(Array(bytes[40..<first]))
    guard case .segment(let part, _) = section else {
      Issue.record("the first section is a segment")
      return
    }
    #expect(part.digests == manifest.segments[0].digests)
    #expect(reader.offset == first)
  }

  @Test func aManifestWithoutAnythingIsOne() throws {
    let header = ManifestHeader(blockByteCount: 65536, rootAlgorithm: .xxh3)
    let empty = Segment(index: 0, isLast: true, inventory: Inventory(), blockByteCount: 65536)
      .committed(blockByteCount: 65536)
    for segments in [[], [empty]] {
      let manifest = Manifest(header: header, segments: segments, hash: .xxh3)
      let decoded = try Manifest(decoding: manifest.encoded(hash: .xxh3), hash: .xxh3)
      #expect(decoded.summary == manifest.summary)
      #expect(decoded.summary.entryCount == 0)
    }
  }

  @Test func segmentsFollowOneAnotherInCanonicalOrder() {
    let header = ManifestHeader(blockByteCount: 1000, rootAlgorithm: .xxh3)
    func manifest(_ names: [String]) -> [UInt8] {
      let segments = names.enumerated().map { index, name in
        var tree = Tree()
        tree.add(name, byteCount: 10)
        return Segment(
          index: index,
          isLast: false,
          inventory: tree.inventory(),
          blockByteCount: 1000
        )
        .committed(blockByteCount: 1000)
      }
      return Manifest(header: header, segments: segments, hash: .xxh3).encoded(hash: .xxh3)
    }
    #expect(problem(manifest(["a", "b", "c"])) == nil)
    for names in [["b", "a"], ["a", "a"], ["a", "c", "b"]] {
      #expect(problem(manifest(names))?.problem == .invalid("a segment out of canonical order"))
    }
  }
}
