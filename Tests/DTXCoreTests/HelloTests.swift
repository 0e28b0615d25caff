import DTXCore
import Testing

/// Holds the greeting to dtx-protocol(7), "Hello".
@Suite struct HelloTests {
  private static let golden = hex(
    """
    6474780163746c0a      # magic
    1600                  # 22 bytes follow
    0100                  # lowest version 1
    0200                  # highest version 2
    0100000000000080      # features 0 and 63
    0964747820302e312e30  # "dtx 0.1.0"
    """
  )
  private static let value = Hello(
    lowestVersion: 1,
    highestVersion: 2,
    features: 1 << 63 | 1,
    implementation: "dtx 0.1.0"
  )
  private static let body = Array(golden.dropFirst(10))

  private static func problem(_ body: [UInt8]) -> FormatError.Problem? {
    formatError { () throws(FormatError) in _ = try Hello(decoding: body) }?.problem
  }

  @Test func theGoldenBytesHold() throws {
    #expect(Self.value.encoded() == Self.golden)
    #expect(Self.golden.starts(with: Hello.magic))
    let decoded = try Hello(decoding: Self.body)
    #expect(decoded == Self.value)
  }

  @Test func whatALaterVersionAddsIsPassedOver() throws {
    let decoded = try Hello(decoding: Self.body + letters(1000))
    #expect(decoded == Self.value)
  }

  @Test func everyTruncationIsRefused() {
    for count in Self.body.indices {
      #expect(Self.problem(Array(Self.body.prefix(count))) == .truncated, "\(count) bytes")
    }
  }

  @Test func aTurnedBitNeverReadsAsTheSame() {
    for (bit, bytes) in bitFlips(of: Self.body) {
      let decoded = try? Hello(decoding: bytes)
      #expect(decoded != Self.value, "bit \(bit)")
    }
  }

  @Test func noBytesTrap() {
    for seed in 0..<2000 {
      var numbers = SeededNumbers(seed: UInt64(seed))
      let count = numbers.below(40)
      let bytes = (0..<count).map { _ in UInt8(truncatingIfNeeded: numbers.next()) }
      _ = try? Hello(decoding: bytes)
    }
  }

  @Test func theProgramsNameHasAtMost255Bytes() {
    for (count, isTaken) in [(0, true), (255, true), (256, false)] {
      let hello = Hello(implementation: String(repeating: "a", count: count))
      let problem = Self.problem(Array(hello.encoded().dropFirst(10)))
      #expect((problem == nil) == isTaken, "\(count) bytes")
    }
  }

  @Test func theLowestVersionIsNotAboveTheHighest() {
    let hello = Hello(lowestVersion: 3, highestVersion: 2, implementation: "")
    #expect(Self.problem(Array(hello.encoded().dropFirst(10))) != nil)
  }

  @Test(
    arguments: [
      (1...1, 1...1, 1), (1...2, 2...3, 2), (1...5, 2...3, 3), (1...1, 2...2, nil),
      (4...9, 1...3, nil),
    ] as [(ClosedRange<UInt16>, ClosedRange<UInt16>, UInt16?)]
  )
  func theHighestCommonVersionCounts(
    left: ClosedRange<UInt16>,
    right: ClosedRange<UInt16>,
    common: UInt16?
  ) {
    let hellos = [left, right].map { versions in
      Hello(
        lowestVersion: versions.lowerBound,
        highestVersion: versions.upperBound,
        implementation: ""
      )
    }
    #expect(Hello.commonVersion(hellos[0], hellos[1]) == common)
    #expect(Hello.commonVersion(hellos[1], hellos[0]) == common)
  }
}
