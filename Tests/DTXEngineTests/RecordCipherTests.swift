import DTXCore
import Testing

@testable import DTXEngine

@Suite struct RecordCipherTests {
  private static let text: [UInt8] = Array("the first record".utf8)

  private func pair(
    _ cipher: Cipher = .aes256GCM,
    limit: KeyLimit = .standard
  ) -> (RecordSealer, RecordOpener) {
    let secret = LaneFixtures.directionalSecret()
    return (
      RecordSealer(cipher: cipher, secret: secret, limit: limit),
      RecordOpener(cipher: cipher, secret: secret, limit: limit)
    )
  }

  @Test(arguments: Cipher.allCases)
  func recordsOfAllLengthsComeBackAsTheyWere(_ cipher: Cipher) throws {
    let (sealer, opener) = pair(cipher)
    let maximum = RecordLayout.maximumPayloadByteCount
    let byteCounts = [0, 1, 15, 16, 17, 255, 4096, 65_537, maximum - 1, maximum, 0]
    for (index, byteCount) in byteCounts.enumerated() {
      let payload = (0..<byteCount).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ index) }
      let type = RecordType.allCases[index % RecordType.allCases.count]
      let record = sealer.record(type, payload)
      #expect(record.count == 16 + (byteCount + 16 + 15) / 16 * 16)
      #expect(try opener.plain(record) == PlainRecord(type: type, payload: payload))
    }
  }

  @Test func aPayloadIsNotToBeSeen() {
    let (sealer, _) = pair()
    let record = sealer.record(.data, [UInt8](repeating: 0, count: 4096))
    #expect(Set(record[16...]).count > 200)
  }

  /// The vectors come from another implementation, Python's package "cryptography".
  ///
  ///     S = HKDF(SHA256, 32, salt=bytes(range(64, 128)),
  ///              info=b"dtx lane" + struct.pack("<HIB", 7, 0x01020304, 0)).derive(bytes(range(32)))
  ///     def record(S, counter, type, payload):
  ///       header = struct.pack("<BxxxI8x", type, len(payload))
  ///       nonce = HKDFExpand(SHA256, 4, b"dtx record salt").derive(S) + struct.pack(">Q", counter)
  ///       key = HKDFExpand(SHA256, 32, b"dtx record key").derive(S)
  ///       record = header + AESGCM(key).encrypt(nonce, payload, header)
  ///       return record + bytes(-len(record) % 16)
  ///
  /// The first two are record(S, 0, ...) and record(S, 1, ...); for the others S is replaced by
  /// HKDFExpand(SHA256, 32, b"dtx rekey").derive(S) once and twice, and the counter is 0.
  @Test func theKeyScheduleIsTheDocumentedOne() throws {
    let source = LaneKeys.Source(
      secret: LaneFixtures.secret,
      nonces: Array(0x40..<0x80),
      identity: LaneFixtures.identity
    )
    let directions: [(LaneDirection, String)] = [
      (
        .initiatorToResponder,
        "a9118b8c74607d6f6b3cf41a4c07d4d63df592f5fc4f2b4ede44830b44aa1d8e"
      ),
      (
        .responderToInitiator,
        "1559c43fdd8e299f5077189c207afa1ffb6f139323dff71133cc5935729fc5dc"
      ),
    ]
    for (direction, hex) in directions {
      let secret = LaneKeys.directionalSecret(source, direction)
      #expect(secret.withUnsafeBytes { Array($0) } == Array(hex: hex))
    }

    let secret = LaneKeys.directionalSecret(source, .initiatorToResponder)
    let sealer = RecordSealer(
      cipher: .aes256GCM,
      secret: secret,
      limit: KeyLimit(byteCount: 31, recordCount: 2)
    )
    let records: [(RecordType, [UInt8], String)] = [
      (
        .data, Self.text,
        """
        02000000100000000000000000000000
        fa39b8560ed1c387e12b690493493b80 d8dae0d3d07b7105d7711e7abf3545aa
        """
      ),
      (.keepAlive, [], "05000000000000000000000000000000 0acec4ac3888ad2f85b7555c468a9534"),
      (
        .data, Self.text,
        """
        02000000100000000000000000000000
        1aa4330f197f9881f7a8f54a41a48ebf d7a1ed4225392f31e180bdc9c9f0ed85
        """
      ),
    ]
    for (type, payload, hex) in records {
      #expect(sealer.record(type, payload) == Array(hex: hex))
    }
    // 16 bytes more would exceed 31; an empty record still fits and fills the count.
    #expect(sealer.rekeyCount == 1)
    _ = sealer.record(.keepAlive, [])
    let last = sealer.record(.end, [])
    #expect(
      last == Array(hex: "04000000000000000000000000000000 67f6b542b894502eb3f6887724abf4b6")
    )
    #expect(sealer.rekeyCount == 2)
  }

  /// By the same means: record(S, 0, 2, b"dtx").
  @Test func aRecordIsPaddedToWhatItsLengthIsAMultipleOf() throws {
    let vector = Array<UInt8>(
      hex: """
        02000000030000000000000000000000
        ea25a577a94fdbf77afdb099e547757fd390ee00000000000000000000000000
        """
    )
    let source = LaneKeys.Source(
      secret: LaneFixtures.secret,
      nonces: Array(0x40..<0x80),
      identity: LaneFixtures.identity
    )
    let secret = LaneKeys.directionalSecret(source, .initiatorToResponder)
    let sealer = RecordSealer(cipher: .aes256GCM, secret: secret)
    #expect(sealer.record(.data, Array("dtx".utf8)) == vector)
    for place in 35..<48 {
      let opener = RecordOpener(cipher: .aes256GCM, secret: secret)
      #expect(throws: RecordError.reservedBytes) {
        try opener.plain(vector.flipping(bit: 8 * place))
      }
    }
  }

  /// Computed by XXH3_128bits of libxxhash over the first 32 bytes, of a data record 16.
  @Test func theChecksumIsTheDocumentedOne() {
    let (sealer, _) = pair(.none)
    let trailer = """
      03000000100000000000000000000000
      746865206669727374207265636f7264 5de15fb1c1b6c8721b22bc6857cb7b12
      """
    #expect(sealer.record(.trailer, Self.text) == Array(hex: trailer))
    let data = """
      02000000100000000000000000000000
      746865206669727374207265636f7264 f8b9aeb4e8e924496036973ce17540aa
      """
    #expect(sealer.record(.data, Self.text) == Array(hex: data))
  }

  @Test(arguments: Cipher.allCases)
  func aRecordWithAnyBitFlippedIsRefused(_ cipher: Cipher) throws {
    // Without a cipher a data record's payload is the extents' digests' to find.
    let type: RecordType = cipher == .none ? .trailer : .data
    let record = pair(cipher).0.record(type, Self.text)
    #expect(try pair(cipher).1.plain(record).payload == Self.text)
    for bit in 0..<record.count * 8 {
      let (_, opener) = pair(cipher)
      #expect(throws: RecordError.self, "bit \(bit)") {
        try opener.plain(record.flipping(bit: bit))
      }
    }
  }

  @Test func withoutACipherADataRecordIsHeldToItsHeaderAlone() throws {
    let record = pair(.none).0.record(.data, Self.text)
    for bit in 0..<record.count * 8 {
      let found = try? pair(.none).1.plain(record.flipping(bit: bit))
      let isPayload = (16 * 8..<32 * 8).contains(bit)
      #expect((found != nil) == isPayload, "bit \(bit)")
    }
  }

  @Test(arguments: Cipher.allCases)
  func aTruncatedRecordIsRefused(_ cipher: Cipher) {
    let record = pair(cipher).0.record(.data, Self.text)
    for byteCount in 1..<record.count - 1 {
      let (_, opener) = pair(cipher)
      // The stream goes on with other bytes, zeros here.
      #expect(throws: RecordError.self, "\(byteCount) bytes") {
        try opener.plain(Array(record[..<byteCount]) + [0])
      }
    }
  }

  @Test func aRefusedPayloadIsGone() {
    let (sealer, opener) = pair()
    var record = sealer.record(.data, Self.text).flipping(bit: 300)
    #expect(throws: RecordError.unauthentic) { _ = try opener.plain(&record) }
    #expect(record[16..<32].allSatisfy { $0 == 0 })
  }

  @Test func headersThatNoSealerWritesAreRefused() {
    let maximum = RecordLayout.maximumPayloadByteCount
    func header(_ type: UInt8, _ reserved: [UInt8], _ byteCount: UInt32) -> [UInt8] {
      [type] + reserved + (0..<4).map { UInt8(truncatingIfNeeded: byteCount >> (8 * $0)) }
    }
    let cases: [([UInt8], RecordError)] = [
      (header(0, [0, 0, 0], 0), .unknownType(0)),
      (header(7, [0, 0, 0], 0), .unknownType(7)),
      (header(255, [0, 0, 0], 0), .unknownType(255)),
      (header(2, [1, 0, 0], 0), .reservedBytes),
      (header(2, [0, 1, 0], 0), .reservedBytes),
      (header(2, [0, 0, 128], 0), .reservedBytes),
      (header(2, [0, 0, 0], 0) + [0, 0, 0, 0, 0, 0, 0, 1], .reservedBytes),
      (header(2, [0, 0, 0], UInt32(maximum) + 1), .tooLong(found: maximum + 1, allowed: maximum)),
      (header(2, [0, 0, 0], .max), .tooLong(found: Int(UInt32.max), allowed: maximum)),
    ]
    for (bytes, error) in cases {
      let (_, opener) = pair()
      #expect(throws: error) { try opener.plain(bytes) }
      #expect(throws: RecordError.refusedBefore) { try opener.plain(bytes) }
    }
  }

  @Test func theLongestHeaderIsAccepted() throws {
    let (_, opener) = pair()
    let header: [UInt8] = [2, 0, 0, 0, 0, 0, 4, 0] + [UInt8](repeating: 0, count: 8)
    let parsed = try header.withUnsafeBytes { try opener.header($0) }
    #expect(parsed.0 == .data)
    #expect(parsed.payloadByteCount == 256 << 10)
  }

  @Test func aReplayedRecordIsRefused() throws {
    let (sealer, opener) = pair()
    let first = sealer.record(.data, Self.text)
    let second = sealer.record(.data, Self.text)
    #expect(first != second)
    _ = try opener.plain(first)
    #expect(throws: RecordError.unauthentic) { try opener.plain(first) }
    // One refusal is the end: the record that would have been right does not help any more.
    #expect(throws: RecordError.refusedBefore) { try opener.plain(second) }
  }

  @Test func aRecordOutOfItsPlaceIsRefused() {
    let (sealer, opener) = pair()
    _ = sealer.record(.data, Self.text)
    let second = sealer.record(.data, Self.text)
    #expect(throws: RecordError.unauthentic) { try opener.plain(second) }
  }

  @Test func aRecordOfAnotherDirectionIsRefused() {
    let record = pair().0.record(.data, Self.text)
    let opener = RecordOpener(cipher: .aes256GCM, secret: LaneFixtures.directionalSecret(2))
    #expect(throws: RecordError.unauthentic) { try opener.plain(record) }
  }

  @Test(arguments: [UInt64(1), 2, 3])
  func bothEndsStepThroughManyKeysTogether(_ seed: UInt64) throws {
    let limit = KeyLimit(byteCount: 1000, recordCount: 40)
    let (sealer, opener) = pair(limit: limit)
    var state = seed
    for index in 0..<2000 {
      // Knuth's MMIX generator: any lengths will do, but the same ones each time.
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      let range = index % 100 < 50 ? 300 : 3
      let payload = [UInt8](repeating: UInt8(index & 255), count: Int(state >> 33) % range)
      let plain = try opener.plain(sealer.record(.data, payload))
      #expect(plain.payload == payload, "seed \(seed), record \(index)")
      #expect(sealer.rekeyCount == opener.rekeyCount, "seed \(seed), record \(index)")
    }
    #expect(sealer.rekeyCount > 100)
  }

  @Test func aKeyServesExactlyItsLimit() {
    let (byBytes, _) = pair(limit: KeyLimit(byteCount: 32, recordCount: 100))
    let steps = [16, 16, 0, 1, 31, 1, 40, 40].map { byteCount in
      _ = byBytes.record(.data, [UInt8](repeating: 0, count: byteCount))
      return byBytes.rekeyCount
    }
    // 16 + 16 fill it, and a record without bytes still fits; 1 + 31 fill the next; a record that
    // no key could hold gets one to itself.
    #expect(steps == [0, 0, 0, 1, 1, 2, 3, 4])

    let (byCount, _) = pair(limit: KeyLimit(byteCount: 1000, recordCount: 2))
    let counted = (0..<5).map { _ in
      _ = byCount.record(.keepAlive, [])
      return byCount.rekeyCount
    }
    #expect(counted == [0, 0, 1, 1, 2])
  }

  @Test func noTwoRecordsShareKeyAndNonce() {
    // One key and nonce would make the same bytes of the same payload.
    let (sealer, _) = pair(limit: KeyLimit(byteCount: 64 * 100, recordCount: 1000))
    let payload = [UInt8](repeating: 0, count: 64)
    let records = Set((0..<1000).map { _ in sealer.record(.data, payload) })
    #expect(records.count == 1000)
    #expect(sealer.rekeyCount == 9)
  }

  @Test func theCounterIsNotShortened() {
    let nonce = RecordNonce(salt: UInt32(bigEndian: 0xA1A2_A3A4), counter: 0x0102_0304_0506_0708)
    let expected = Array<UInt8>(hex: "a1a2a3a4 0102030405060708")
    #expect(nonce.withUnsafeBytes { Array($0) } == expected)
  }

  @Test func anUnusedKeyIsNotSteppedOver() {
    let (sealer, _) = pair(limit: KeyLimit(byteCount: 1, recordCount: 1))
    _ = sealer.record(.data, Self.text)
    #expect(sealer.rekeyCount == 0)
  }

  @Test func endsThatRekeyAtDifferentPlacesPartThere() throws {
    let secret = LaneFixtures.directionalSecret()
    let sealer = RecordSealer(
      cipher: .aes256GCM,
      secret: secret,
      limit: KeyLimit(byteCount: 32, recordCount: 9)
    )
    let opener = RecordOpener(
      cipher: .aes256GCM,
      secret: secret,
      limit: KeyLimit(byteCount: 48, recordCount: 9)
    )
    for _ in 0..<2 { _ = try opener.plain(sealer.record(.data, Self.text)) }
    let third = sealer.record(.data, Self.text)
    #expect(throws: RecordError.unauthentic) { try opener.plain(third) }
  }

  @Test func theLimitStaysWithinTheStandards() {
    let limit = KeyLimit.standard
    // NIST SP 800-38D, section 8.3, and 2^32 blocks of 16 bytes.
    #expect(limit.recordCount < 1 << 32)
    #expect(limit.byteCount / 16 == 1 << 32)
    // NIST SP 800-38D, section 5.2.1.1: a single message has at most 2^36 - 32 bytes.
    #expect(RecordLayout.maximumPayloadByteCount <= (1 << 36) - 32)
  }

  @Test func whatLiesBehindARecordIsNotTouched() throws {
    let (sealer, opener) = pair()
    var bytes = [UInt8](repeating: 0xA5, count: 16 + 16 + 16 + 16)
    let byteCount = bytes.withUnsafeMutableBytes {
      sealer.seal(.data, payloadByteCount: 16, in: $0)
    }
    #expect(byteCount == 48)
    #expect(bytes[48...].allSatisfy { $0 == 0xA5 })
    _ = try opener.plain(&bytes)
    #expect(bytes[16..<32].allSatisfy { $0 == 0xA5 })
    #expect(bytes[48...].allSatisfy { $0 == 0xA5 })
  }

  @Test func sealingMoreThanTheMaximumEndsTheProgram() async {
    await #expect(processExitsWith: .failure) {
      let sealer = RecordSealer(cipher: .none, secret: LaneFixtures.directionalSecret())
      _ = sealer.record(.data, [UInt8](repeating: 0, count: Limits.recordByteCount + 1))
    }
  }

  @Test func aWipedArrayIsZeros() {
    var bytes: [UInt8] = Array(1...32)
    let secret = SessionSecret(wiping: &bytes)
    #expect(bytes == [UInt8](repeating: 0, count: 32))
    #expect(secret.withUnsafeBytes { Array($0) } == Array(1...32))
  }

  @Test func freshSecretsDiffer() {
    let first = SessionSecret().withUnsafeBytes { Array($0) }
    #expect(first.count == SessionSecret.byteCount)
    #expect(first != SessionSecret().withUnsafeBytes { Array($0) })
  }
}
