import DTXCore
import Testing

@Suite struct AttributeCodecTests {
  private static let all: [Attribute] = [
    .linkTarget(Array("../x".utf8)), .dataRanges([0..<5, 4096..<4097]),
    .sourceIdentity(0x0102_0304_0506_0708),
  ]

  private static let golden = hex(
    """
    03                # three attributes
    03 04 2e2e2f78    # link target, critical: "../x"
    05 06             # data ranges, critical
    02                #   two of them
    00 05             #   gap 0, data 5
    fb1f 01           #   gap 4091, data 1
    40 08             # source identity, not critical
    0807060504030201
    """
  )

  private func decode(_ bytes: [UInt8]) throws(FormatError) -> [Attribute] {
    var reader = ByteReader(bytes)
    let list = try AttributeCodec.decode(&reader)
    try reader.finish("attributes")
    return list
  }

  private func problem(_ bytes: [UInt8]) -> FormatError? {
    formatError { () throws(FormatError) in _ = try decode(bytes) }
  }

  @Test func theGoldenBytesHold() throws {
    #expect(AttributeCodec.encode(Self.all) == Self.golden)
    #expect(try decode(Self.golden) == Self.all)
    #expect(AttributeCodec.encode([]) == [0])
    #expect(try decode([0]) == [])
  }

  @Test func everyTruncationIsRefused() {
    for count in 0..<Self.golden.count {
      #expect(problem(Array(Self.golden.prefix(count))) != nil, "\(count) bytes")
    }
  }

  @Test func aTurnedBitIsRefusedOrMeansSomethingElse() throws {
    for (bit, bytes) in bitFlips(of: Self.golden) {
      var reader = ByteReader(bytes)
      guard let list = try? AttributeCodec.decode(&reader), reader.isAtEnd else { continue }
      #expect(list != Self.all, "bit \(bit)")
    }
  }

  @Test func typesAscend() {
    let error = problem(hex("02 40 08 0000000000000000 03 01 78"))
    #expect(error?.problem == .invalid("types do not ascend"))
    #expect(problem(hex("02 03 01 78 03 01 78"))?.problem == .invalid("types do not ascend"))
  }

  @Test func anUnknownTypeIsRefusedWhenItIsCriticalAndElseLeftOut() throws {
    #expect(problem(hex("01 15 01 ff"))?.problem == .invalid("critical type 10 is unknown"))
    #expect(try decode(hex("02 03 01 78 14 01 ff")) == [.linkTarget([0x78])])
    #expect(try decode(hex("01 fe03 00")) == [])
    #expect(problem(hex("01 8004 00"))?.problem == .tooLarge(found: 512, allowed: 511))
  }

  @Test func criticalityIsPartOfTheType() {
    let text = FormatError.Problem.invalid("type 1 has the other criticality")
    #expect(problem(hex("01 02 01 78"))?.problem == text)
  }

  @Test func aListHasAtMost64() throws {
    var writer = ByteWriter()
    writer.appendVarint(Limits.attributeCount)
    for type in 0..<Limits.attributeCount {
      writer.appendVarint((type + 100) * 2)
      writer.appendVarint(0)
    }
    #expect(try decode(writer.bytes) == [])
    #expect(problem([65])?.problem == .tooLarge(found: 65, allowed: 64))
  }

  @Test func targetsAreNeitherEmptyNorLongNorHoldNUL() throws {
    let longest = Attribute.linkTarget(Array(repeating: 0x78, count: Limits.pathByteCount))
    #expect(try decode(AttributeCodec.encode([longest])) == [longest])
    let long = Array(repeating: UInt8(0x78), count: Limits.pathByteCount + 1)
    for target in [[], [0x78, 0], long] as [[UInt8]] {
      #expect(problem(AttributeCodec.encode([.linkTarget(target)])) != nil)
    }
  }

  @Test func anAttributeHasAtMost128KiB() {
    var writer = ByteWriter()
    writer.append(UInt8(1))
    writer.appendVarint(100 * 2)
    writer.appendVarint(Limits.attributeByteCount + 1)
    let limit = UInt64(Limits.attributeByteCount)
    #expect(problem(writer.bytes)?.problem == .tooLarge(found: limit + 1, allowed: limit))
  }

  @Test func rangesAscendApartAndAreNotEmpty() throws {
    let end = UInt64(Int64.max)
    for ranges in [[], [0..<1], [5..<6, 7..<8], [0..<end], [end - 1..<end]] as [[Range<UInt64>]] {
      let list = [Attribute.dataRanges(ranges)]
      #expect(try decode(AttributeCodec.encode(list)) == list)
    }
    for form in [
      "01 05 03 01 00 00",  // An empty range.
      "01 05 05 02 00 01 00 01",  // Two that touch.
      "01 05 0b 01 01 ffffffffffffffff7f",  // An end past 2^63 - 1.
      "01 05 01 01",  // A count of what is not there.
      "01 05 04 01 00 01 00",  // A byte too many.
    ] {
      #expect(problem(hex(form)) != nil, "\(form)")
    }
  }

  @Test func anErrorsOffsetCountsFromTheFirstByte() {
    // The ranges begin at byte 5; the range that is wrong ends at byte 8.
    let error = problem(hex("02 03 01 78 05 03 01 00 00"))
    #expect(error?.offset == 9)
    #expect(error?.field == "data range")
  }

  @Test(arguments: [0, 1, 5, 1000])
  func rangesAreJoinedOverTheSmallestGapsUntilTheyFit(_ excess: Int) throws {
    // Every third gap is small, and some of the same size compete for the limit.
    var ranges: [Range<UInt64>] = []
    var position: UInt64 = 1 << 60
    for index in 0..<AttributeCodec.dataRangeCountMaximum + excess {
      ranges.append(position..<position + 1)
      position += index % 3 == 0 ? UInt64(2 + index % 64) : 1_000_000
    }
    let fitting = AttributeCodec.fitting(ranges)
    #expect(fitting.count <= AttributeCodec.dataRangeCountMaximum)
    if excess == 0 { #expect(fitting == ranges) }
    // All that was data still is, and all large holes are still holes.
    #expect(fitting.first?.lowerBound == ranges.first?.lowerBound)
    #expect(fitting.last?.upperBound == ranges.last?.upperBound)
    let large = { (ranges: [Range<UInt64>]) in
      zip(ranges, ranges.dropFirst()).filter { $1.lowerBound - $0.upperBound > 64 }.map(
        \.1.lowerBound
      )
    }
    #expect(large(fitting) == large(ranges))
    let attributes = [Attribute.dataRanges(fitting)]
    #expect(try decode(AttributeCodec.encode(attributes)) == attributes)
  }
}
