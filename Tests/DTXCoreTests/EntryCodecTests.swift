import DTXCore
import Testing

@Suite struct EntryCodecTests {
  private static let golden = hex(
    """
    00                # file
    02                # parent: entry 1
    05 612e646174     # name "a.dat"
    a403              # mode 0644
    e807              # user 1000
    64                # group 100
    00002a36fe9c9717  # modified 1700000000 s
    808001            # length 16384
    01                # one attribute
    40 08             # source identity, not critical
    0100000000000000
    """
  )

  private static let goldenInManifest = golden.dropLast(11) + [0]

  private func sample() -> Inventory {
    var inventory = Inventory()
    inventory.append(Entry(kind: .directory, parent: nil, mode: 0o755, modified: 0), name: [])
    inventory.append(
      Entry(kind: .directory, parent: 0, mode: 0o755, modified: 0),
      name: "d".utf8
    )
    let entry = Entry(
      kind: .regular,
      parent: 1,
      mode: 0o644,
      userID: 1000,
      groupID: 100,
      modified: 1_700_000_000_000_000_000,
      byteCount: 16384
    )
    inventory.append(entry, name: "a.dat".utf8, attributes: [.sourceIdentity(1)])
    return inventory
  }

  private func problem(_ bytes: [UInt8]) -> FormatError? {
    formatError { () throws(FormatError) in
      var reader = ByteReader(bytes)
      _ = try EntryCodec.decode(&reader)
      try reader.finish("entry")
    }
  }

  @Test func theGoldenBytesHold() throws {
    let inventory = sample()
    var writer = ByteWriter()
    EntryCodec.encode(2, of: inventory, for: .transfer, into: &writer)
    #expect(writer.bytes == Self.golden)
    writer = ByteWriter()
    EntryCodec.encode(2, of: inventory, for: .manifest, into: &writer)
    #expect(writer.bytes == Array(Self.goldenInManifest))

    var reader = ByteReader(Self.golden)
    let decoded = try EntryCodec.decode(&reader)
    #expect(reader.isAtEnd)
    #expect(decoded.name.elementsEqual("a.dat".utf8))
    #expect(decoded.attributes == [.sourceIdentity(1)])
    #expect(decoded.entry.parent == 1)
    #expect(decoded.entry.kind == .regular)
    #expect(decoded.entry.mode == 0o644)
    #expect(decoded.entry.userID == 1000)
    #expect(decoded.entry.groupID == 100)
    #expect(decoded.entry.modified == 1_700_000_000_000_000_000)
    #expect(decoded.entry.byteCount == 16384)
  }

  @Test func everyTruncationIsRefused() {
    for count in 0..<Self.golden.count {
      #expect(problem(Array(Self.golden.prefix(count)))?.problem == .truncated, "\(count) bytes")
    }
  }

  @Test func aTurnedBitNeverTrapsNorReadsAsTheSame() throws {
    for (bit, bytes) in bitFlips(of: Self.golden) {
      var reader = ByteReader(bytes)
      guard let decoded = try? EntryCodec.decode(&reader), reader.isAtEnd else { continue }
      var inventory = sample()
      var entry = decoded.entry
      if let parent = entry.parent, parent >= 2 { entry.parent = nil }
      inventory.append(entry, name: decoded.name, attributes: decoded.attributes)
      var writer = ByteWriter()
      EntryCodec.encode(3, of: inventory, for: .transfer, into: &writer)
      #expect(writer.bytes != Self.golden, "bit \(bit)")
    }
  }

  @Test(arguments: [
    ("04 00 01 61 00 00 00 0000000000000000 00 00", "an unknown kind"),
    ("80 00 01 61 00 00 00 0000000000000000 00 00", "a context that is a file"),
    ("00 00 03 612f62 00 00 00 0000000000000000 00 00", "a name with /"),
    ("00 00 02 6100 00 00 00 0000000000000000 00 00", "a name with NUL"),
    ("00 00 01 2e 00 00 00 0000000000000000 00 00", "the name ."),
    ("00 00 02 2e2e 00 00 00 0000000000000000 00 00", "the name .."),
    ("00 00 01 61 8020 00 00 0000000000000000 00 00", "a mode past 07777"),
    ("00 00 01 61 00 8080808010 00 0000000000000000 00 00", "a user past 32 bits"),
    ("01 00 01 61 00 00 00 0000000000000000 01 00", "a directory with a length"),
    ("02 00 01 61 00 00 00 0000000000000000 00 00", "a symlink without a target"),
    ("00 00 01 61 00 00 00 0000000000000000 00 01 03 01 78", "a file with a target"),
    ("00 00 01 61 00 00 00 0000000000000000 04 01 05 03 01 00 05", "data past the end"),
    ("01 00 01 61 00 00 00 0000000000000000 00 01 05 01 00", "data ranges of a directory"),
    ("00 00 01 61 00 00 00 0000000000000000 80808080808080808001 00", "a length past 2^63 - 1"),
  ])
  func whatNoEntryMayBeIsRefused(form: String, what: String) {
    #expect(problem(hex(form)) != nil, "\(what)")
  }

  @Test func namesHaveAtMost255Bytes() {
    for (count, isTaken) in [(0, true), (1, true), (255, true), (256, false)] {
      var writer = ByteWriter()
      writer.appendRaw([0, 0])
      writer.appendCounted(Array(repeating: UInt8(0x61), count: count))
      writer.appendRaw(Array(repeating: UInt8(0), count: 13))
      #expect((problem(writer.bytes) == nil) == isTaken, "\(count) bytes")
    }
  }

  @Test func aParentIsAnIndexOfASegment() {
    let most = Limits.segmentEntryCount + Limits.pathByteCount
    for (parent, isTaken) in [(0, true), (most, true), (most + 1, false)] {
      var writer = ByteWriter()
      writer.append(UInt8(0))
      writer.appendVarint(parent)
      writer.appendRaw([1, 0x61])
      writer.appendRaw(Array(repeating: UInt8(0), count: 13))
      #expect((problem(writer.bytes) == nil) == isTaken, "parent \(parent)")
    }
  }
}
