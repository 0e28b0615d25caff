import DTXCore
import Testing

@testable import DTXEngine

/// Holds compressed records to dtx-protocol(7), "Records".
///
/// The frames were written by hand from RFC 8878: what a compressor makes of the same bytes differs
/// from one release of it to the next.
@Suite struct RecordCompressorTests {
  private static let text: [UInt8] = Array("the first record".utf8)

  /// 16 bytes; a frame of one raw block.
  private static let golden = [UInt8](
    hex: """
      10000000
      28b52ffd 20 10 810000 746865206669727374207265636f7264
      """
  )

  private static let maximum = RecordLayout.maximumPayloadByteCount

  /// What a receiver makes of an authentic payload.
  private func restored(_ payload: [UInt8]) throws -> [UInt8] {
    let decompressor = RecordDecompressor()
    let place = try decompressor.place(payload.count)
    place.copyBytes(from: payload)
    let received = UnsafeRawBufferPointer(rebasing: place[..<payload.count])
    let byteCount = try RecordDecompressor.byteCount(of: received)
    // Bytes behind the piece must stay as they are.
    var room = [UInt8](repeating: 0xA5, count: byteCount + 64)
    try room.withUnsafeMutableBytes { room in
      let piece = UnsafeMutableRawBufferPointer(rebasing: room[..<byteCount])
      try decompressor.decompress(received, into: piece)
    }
    #expect(room[byteCount...].allSatisfy { $0 == 0xA5 })
    return Array(room[..<byteCount])
  }

  private func compressed(_ piece: [UInt8], level: Int = 1) throws -> [UInt8]? {
    let compressor = try RecordCompressor(level: level)
    return piece.withUnsafeBytes { piece in
      compressor.compress(piece).map { byteCount in
        let start = RecordLayout.headerByteCount
        return Array(compressor.record[start..<start + byteCount])
      }
    }
  }

  /// 16-bit samples of which four bits change.
  private static func samples(_ byteCount: Int) -> [UInt8] {
    var state: UInt64 = 7
    return (0..<byteCount).map { index in
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return index.isMultiple(of: 2) ? UInt8(state >> 60) : 0
    }
  }

  @Test func theGoldenRecordIsTheDocumentedOne() throws {
    #expect(RecordType.compressedData.rawValue == 6)
    #expect(try restored(Self.golden) == Self.text)
    let repeated = [UInt8](hex: "08000000 28b52ffd 20 08 430000 61")
    #expect(try restored(repeated) == [UInt8](repeating: 0x61, count: 8))
    // The most that a record may stand for, in two blocks of 128 KiB.
    let long = [UInt8](hex: "00000400 28b52ffd a0 00000400 020010 61 030010 62")
    let half = Self.maximum / 2
    #expect(
      try restored(long)
        == [UInt8](repeating: 0x61, count: half) + [UInt8](repeating: 0x62, count: half)
    )
  }

  @Test func aTruncatedPayloadIsRefused() {
    for byteCount in 0..<Self.golden.count {
      #expect(throws: CompressionFault.self, "\(byteCount) bytes") {
        try restored(Array(Self.golden[..<byteCount]))
      }
    }
  }

  @Test func aLieAboutTheLengthIsRefused() {
    let maximum = UInt32(Self.maximum)
    let lies = Array(0...64) + [255, 256, maximum - 1, maximum, maximum + 1, 1 << 31, .max]
    for length in lies where length != 16 {
      let bytes = (0..<4).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) }
      let fault: CompressionFault =
        (1...maximum).contains(length)
        ? .frame : .byteCount(found: Int(length), allowed: Self.maximum)
      #expect(throws: fault, "\(length)") { try restored(bytes + Self.golden[4...]) }
    }
  }

  @Test func whatIsNotOneFrameIsRefused() {
    let frame = Array(Self.golden[4...])
    let strange: [(String, [UInt8])] = [
      ("a byte behind the frame", Self.golden + [0]),
      ("two frames", [UInt8](hex: "20000000") + frame + frame),
      ("a skippable frame", [UInt8](hex: "01000000 502a4d18 01000000 61")),
      (
        "a skippable frame before one", Self.golden[..<4] + [UInt8](hex: "502a4d1800000000") + frame
      ),
      ("a dictionary", [UInt8](hex: "10000000 28b52ffd 21 07 10 810000") + Self.text),
      ("no magic", [UInt8](hex: "10000000 00000000") + Self.text),
      // 4 GiB and a bit in 64 KiB of blocks that repeat a byte.
      (
        "a bomb",
        [UInt8](hex: "00000400 28b52ffd 00 70")
          + Array(repeating: [UInt8](hex: "020010 00"), count: 32_000).joined()
          + [UInt8](hex: "030010 00")
      ),
    ]
    for (what, payload) in strange {
      #expect(throws: CompressionFault.frame, "\(what)") { try restored(payload) }
    }
  }

  /// Only a peer that has the keys could send these: the receiver may take them, but not trap.
  @Test func anyBitFlippedDoesNoHarm() throws {
    let payload = try #require(try compressed(Self.samples(600)))
    for payload in [Self.golden, payload] {
      for bit in 0..<payload.count * 8 {
        let byteCount = try? restored(payload.flipping(bit: bit)).count
        #expect(byteCount.map { (1...Self.maximum).contains($0) } ?? true, "bit \(bit)")
      }
    }
  }

  @Test(arguments: [1, 3, 19])
  func piecesOfAllLengthsComeBackAsTheyWere(_ level: Int) throws {
    for byteCount in [256, 257, 4095, 65_537, Self.maximum - 1, Self.maximum] {
      let piece = Self.samples(byteCount)
      let payload = try #require(try compressed(piece, level: level), "\(byteCount) bytes")
      #expect(payload.count < byteCount - byteCount / 32)
      #expect(try restored(payload) == piece)
    }
  }

  @Test func whatDoesNotShrinkGoesAsItIs() throws {
    let chance = (0..<UInt64(Self.maximum)).map { index in
      var mixed = index &* 0x9e37_79b9_7f4a_7c15
      mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
      return UInt8(truncatingIfNeeded: mixed ^ (mixed >> 27))
    }
    for byteCount in [0, 1, 255, 256, 4096, Self.maximum] {
      #expect(try compressed(Array(chance[..<byteCount])) == nil, "\(byteCount) bytes")
    }
    // Nor does what has nothing to lose.
    #expect(try compressed([UInt8](repeating: 0, count: 255)) == nil)
  }

  @Test func aCompressorServesPieceAfterPiece() throws {
    let compressor = try RecordCompressor(level: 1)
    let decompressor = RecordDecompressor()
    for round in 0..<64 {
      let piece = Self.samples(1000 + round * 4001)
      let byteCount = try #require(piece.withUnsafeBytes { compressor.compress($0) })
      let start = RecordLayout.headerByteCount
      let place = try decompressor.place(byteCount)
      place.copyMemory(
        from: UnsafeRawBufferPointer(rebasing: compressor.record[start..<start + byteCount])
      )
      let payload = UnsafeRawBufferPointer(rebasing: place[..<byteCount])
      var room = [UInt8](repeating: 0, count: try RecordDecompressor.byteCount(of: payload))
      try room.withUnsafeMutableBytes { try decompressor.decompress(payload, into: $0) }
      #expect(room == piece, "round \(round)")
    }
  }

  @Test(arguments: Cipher.allCases)
  func damageToACompressedRecordIsFoundBeforeItIsDecompressed(_ cipher: Cipher) throws {
    let secret = LaneFixtures.directionalSecret()
    let record = RecordSealer(cipher: cipher, secret: secret).record(.compressedData, Self.golden)
    let whole = try RecordOpener(cipher: cipher, secret: secret).plain(record)
    #expect(whole == PlainRecord(type: .compressedData, payload: Self.golden))
    for bit in 0..<record.count * 8 {
      #expect(throws: RecordError.self, "bit \(bit)") {
        try RecordOpener(cipher: cipher, secret: secret).plain(record.flipping(bit: bit))
      }
    }
  }
}
