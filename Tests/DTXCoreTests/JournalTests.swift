import DTXCore
import Testing

@Suite struct JournalTests {
  private static let session: UInt64 = 0x1122_3344_5566_7788

  private static let identity = FileIdentity(
    path: Array("run/a.fits".utf8),
    byteCount: 100_000,
    modified: 1_600_000_000_123_456_789,
    sourceIdentity: 0xfeed_face_cafe_beef
  )

  /// What `Vectors.journal` says.
  static let records: [JournalRecord] = {
    let first = Digest(words: (0x0001_0203_0405_0607, 0x0809_0a0b_0c0d_0e0f, 0, 0))
    let second = Digest(words: (0xf0f1_f2f3_f4f5_f6f7, 0xf8f9_fafb_fcfd_feff, 0, 0))
    let bodies: [(UInt32, JournalRecord.Body)] = [
      (0, .opened(blockByteCount: 65536, wallTime: 1_700_000_000_000_000_000)),
      (1, .durable(identity, DurableExtent(offset: 0, byteCount: 65536, digest: first))),
      (2, .durable(identity, DurableExtent(offset: 65536, byteCount: 34464, digest: second))),
      (2, .published(path: identity.path)),
      (3, .discarded(path: Array("run/b.fits".utf8))),
      (4, .owned(token: 7)),
    ]
    return bodies.enumerated().map { sequence, part in
      JournalRecord(epoch: part.0, sequence: UInt64(sequence), session: session, body: part.1)
    }
  }()

  /// Bytes with the checksum that a record of them has.
  private func sealed(_ bytes: [UInt8]) -> [UInt8] {
    bytes + Digest.xxh3(of: bytes).bytes(8)
  }

  private func problem(_ bytes: [UInt8]) -> FormatError? {
    formatError { () throws(FormatError) in
      var reader = ByteReader(bytes)
      _ = try JournalCodec.decode(&reader)
    }
  }

  @Test func theGoldenBytesHold() throws {
    var bytes = JournalCodec.fileHeader
    for record in Self.records { bytes += JournalCodec.encode(record) }
    #expect(bytes == Vectors.journal)
    var reader = ByteReader(Vectors.journal)
    _ = try reader.raw("header", byteCount: 16)
    for record in Self.records {
      let found = try JournalCodec.decode(&reader)
      #expect(found == record)
    }
    #expect(reader.isAtEnd)
  }

  @Test func everyTruncationOfARecordIsRefused() {
    for record in Self.records {
      let bytes = JournalCodec.encode(record)
      for count in 0..<bytes.count {
        #expect(problem(Array(bytes.prefix(count)))?.problem == .truncated, "\(count) bytes")
      }
    }
  }

  @Test func everyTurnedBitOfARecordIsNoticed() {
    for record in Self.records {
      for (bit, bytes) in bitFlips(of: JournalCodec.encode(record)) {
        #expect(problem(bytes) != nil, "bit \(bit)")
      }
    }
  }

  @Test func lengthsAreBound() {
    func withLength(_ length: UInt32, byteCount: Int) -> [UInt8] {
      var writer = ByteWriter()
      writer.append(length)
      writer.appendRaw(Array(repeating: UInt8(0), count: byteCount))
      return writer.bytes
    }
    let most = UInt32(Limits.journalRecordByteCount)
    #expect(
      problem(withLength(0, byteCount: 100))?.problem
        == .invalid("zeros where a record would begin")
    )
    #expect(
      problem(withLength(28, byteCount: 100))?.problem
        == .invalid("28 bytes are too few for a record")
    )
    #expect(problem(withLength(29, byteCount: 29))?.field == "record checksum")
    #expect(problem(withLength(most, byteCount: Int(most)))?.field == "record checksum")
    #expect(problem(withLength(most, byteCount: Int(most) - 1))?.problem == .truncated)
    #expect(
      problem(withLength(most + 1, byteCount: Int(most) + 1))?.problem
        == .tooLarge(found: UInt64(most) + 1, allowed: UInt64(most))
    )
    #expect(
      problem(withLength(.max, byteCount: 100))?.problem
        == .tooLarge(found: UInt64(UInt32.max), allowed: UInt64(most))
    )
  }

  @Test func theLongestPathFits() throws {
    let name = Array(repeating: UInt8(ascii: "n"), count: 255) + [UInt8(ascii: "/")]
    let path = Array(repeatElement(name, count: 16).joined().dropLast())
    #expect(path.count == Limits.pathByteCount)
    let identity = FileIdentity(
      path: path,
      byteCount: UInt64(Int64.max),
      modified: .min,
      sourceIdentity: .max
    )
    let extent = DurableExtent(
      offset: UInt64(Int64.max) - UInt64(UInt32.max),
      byteCount: .max,
      digest: .zero
    )
    let record = JournalRecord(
      epoch: .max,
      sequence: .max,
      session: .max,
      body: .durable(identity, extent)
    )
    let bytes = JournalCodec.encode(record)
    #expect(bytes.count <= 4 + Limits.journalRecordByteCount)
    var reader = ByteReader(bytes)
    let found = try JournalCodec.decode(&reader)
    #expect(found == record)
  }

  @Test func aRecordOfAnotherVersionIsNamed() {
    // 45 bytes as of "opened", with a type that is not defined.
    let prefix = Array(JournalCodec.encode(Self.records[0]).dropLast(8))
    var unknown = prefix
    unknown[4] = 6
    #expect(
      problem(sealed(unknown))
        == FormatError(
          offset: 4,
          field: "record type",
          problem: .unexpected(found: 6)
        )
    )
    var long = prefix + [0]
    long[0] += 1
    #expect(
      problem(sealed(long))
        == FormatError(
          offset: 41,
          field: "record",
          problem: .trailingBytes(1)
        )
    )
    var short = Array(prefix.dropLast())
    short[0] -= 1
    #expect(problem(sealed(short))?.field == "wall time")
  }

  @Test(arguments: [
    "", "/a", "a/", "a//b", ".", "..", "a/..", "../a", "a/./b", "a\0b",
    String(repeating: "n", count: 256),
  ])
  func pathsStayBelowTheRoot(path: String) {
    #expect(JournalRecord.Body.published(path: Array(path.utf8)).problem != nil)
    var writer = ByteWriter()
    writer.append(UInt32(29 + 1 + (path.utf8.count > 127 ? 1 : 0) + path.utf8.count))
    writer.append(UInt8(4))
    writer.append(UInt32(0))
    writer.append(UInt64(0))
    writer.append(UInt64(0))
    writer.appendCounted(path)
    #expect(problem(sealed(writer.bytes))?.field == "record")
  }

  @Test func pathsThatOnlyLookWrongAreTaken() {
    for path in ["...", ".a", "a..", "a/..b", " ", "\u{1}\u{ff}"] {
      #expect(JournalRecord.Body.discarded(path: Array(path.utf8)).problem == nil, "\(path)")
    }
  }

  @Test func anExtentLiesWithinItsFile() {
    let path = Array("a".utf8)
    for (length, offset, count, isTaken) in [
      (10, 0, 10, true), (10, 9, 1, true), (10, 0, 11, false), (10, 10, 1, false),
      (10, 0, 0, false), (UInt64(Int64.max), .max, .max, false),
      (UInt64(Int64.max) + 1, 0, 1, false),
    ] as [(UInt64, UInt64, UInt32, Bool)] {
      let identity = FileIdentity(path: path, byteCount: length, modified: 0, sourceIdentity: 0)
      let extent = DurableExtent(offset: offset, byteCount: count, digest: .zero)
      let body = JournalRecord.Body.durable(identity, extent)
      #expect((body.problem == nil) == isTaken, "\(offset)+\(count) of \(length)")
    }
  }

  @Test func aBlockHasALength() {
    for (count, isTaken) in [
      (0, false), (1, true), (Limits.maximumBlockByteCount, true),
      (Limits.maximumBlockByteCount + 1, false),
    ] {
      let body = JournalRecord.Body.opened(blockByteCount: count, wallTime: 0)
      #expect((body.problem == nil) == isTaken, "\(count) bytes")
    }
  }
}
