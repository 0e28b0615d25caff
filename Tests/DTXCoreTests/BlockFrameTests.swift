import DTXCore
import Testing

/// Holds headers and trailers to dtx-protocol(7), "Records" and "Blocks".
@Suite struct BlockFrameTests {
  private static let header = DecoderCheck(
    encode: BlockFrame.encodeHeader,
    decode: BlockFrame.header
  )
  private static let trailer = DecoderCheck(
    encode: BlockFrame.encodeTrailer,
    decode: BlockFrame.trailer
  )

  @Test func theGoldenHeaderHolds() throws {
    let golden = hex(
      """
      03            # segment 3
      ac02          # block 300
      """
    )
    try Self.header.holds(golden, BlockReference(segment: 3, block: 300))
    #expect(Self.header.problem(golden + [0]) == .trailingBytes(1))
  }

  @Test func theGoldenTrailerHolds() throws {
    let golden = hex(
      """
      03                                    # 3 extents
      00                                    # intact
      a0a1a2a3a4a5a6a7a8a9aaabacadaeaf      # digest
      01                                    # unreadable
      09726561643a2045494f                  # "read: EIO"
      02                                    # changed
      11697420626563616d652073686f72746572  # "it became shorter"
      """
    )
    let outcomes: [ExtentOutcome] = [
      .intact(Digest(bytes: 0xa0..<0xb0)), .failed(.unreadable, "read: EIO"),
      .failed(.changed, "it became shorter"),
    ]
    try Self.trailer.holds(golden, outcomes)
    try Self.trailer.holds([0], [])
    #expect(Self.trailer.problem(golden + [0]) == .trailingBytes(1))
  }

  @Test func aHeaderNamesASegmentAndABlockWithinTheLimits() {
    for (segment, block, isTaken) in [
      (1 << 20, 1 << 24, true), ((1 << 20) + 1, 0, false), (0, (1 << 24) + 1, false),
    ] {
      let bytes = written { writer in
        writer.appendVarint(segment)
        writer.appendVarint(block)
      }
      #expect((Self.header.problem(bytes) == nil) == isTaken, "\(segment), \(block)")
    }
  }

  @Test func aReasonHasAtMost255Bytes() {
    for (count, isTaken) in [(0, true), (255, true), (256, false)] {
      let bytes = written { writer in
        writer.appendRaw([1, 2])
        writer.appendCounted(letters(count))
      }
      #expect((Self.trailer.problem(bytes) == nil) == isTaken, "\(count) bytes")
    }
  }

  @Test(arguments: [
    ("01 03 00", "the state unwritable, which is the receiver's"),
    ("01 04 00", "the state conflict, which is the receiver's"),
    ("01 ff 00", "a state that is not defined"),
    ("01 01 01 ff", "a reason that is no UTF-8"),
    ("02 01 00", "one extent of two"),
    ("ffffffffffffffff7f 01 00", "2^63 extents"),
    ("8100 01 00", "a count in more bytes than needed"),
  ])
  func whatNoTrailerMayBeIsRefused(form: String, what: String) {
    #expect(Self.trailer.problem(hex(form)) != nil, "\(what)")
  }

  @Test func theLongestTrailerFitsARecord() throws {
    for reason in [String(repeating: "a", count: 1000), endlessCharacter, "a" + endlessCharacter] {
      let outcomes = Array(
        repeating: ExtentOutcome.failed(.unreadable, reason),
        count: Limits.blockExtentCount
      )
      let bytes = BlockFrame.encodeTrailer(outcomes)
      #expect(bytes.count <= Limits.recordByteCount)
      let decoded = try BlockFrame.trailer(bytes)
      #expect(decoded.count == Limits.blockExtentCount)
    }
  }

  @Test func aReasonIsCutBetweenCharacters() throws {
    let reason = String(repeating: "a", count: 47) + "é"
    let decoded = try BlockFrame.trailer(BlockFrame.encodeTrailer([.failed(.changed, reason)]))
    #expect(decoded == [.failed(.changed, String(repeating: "a", count: 47))])
  }
}
