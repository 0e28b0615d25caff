import Testing

@testable import dtx

@Suite struct FigureTests {
  @Test(arguments: [
    (0, "0 B"), (999, "999 B"), (1000, "1.00 kB"), (1999, "1.99 kB"), (12_345, "12.3 kB"),
    (999_999, "999 kB"), (16_777_216, "16.7 MB"), (72_000_000_000_000, "72.0 TB"),
    (UInt64.max, "18.4 EB"),
  ])
  func bytesAreCutToThreeDigits(_ count: UInt64, _ text: String) {
    #expect(Figure.bytes(count) == text)
  }

  @Test(arguments: [
    (0, "0 B"), (1000, "1,000 B"), (65_536, "64 KiB"), (3 << 30, "3 GiB"), (1 << 63, "8 EiB"),
  ])
  func binarySizesAreExact(_ count: UInt64, _ text: String) {
    #expect(Figure.binary(count) == text)
  }

  @Test func tenthsAreCutOff() {
    #expect(Figure.tenths(1999, of: 2000) == "99.9 %")
    #expect(Figure.tenths(0, of: 0) == "100.0 %")
    #expect(Figure.milliseconds(11_050_000) == "11.0 ms")
  }

  @Test func ratesAreInBits() {
    #expect(Figure.rate(9_416_000_000) == "9.41 Gb/s")
    #expect(Figure.rate(100_000_000_000) == "100 Gb/s")
    #expect(Figure.rate(0) == "0 b/s")
  }

  @Test(arguments: [
    (0, "0.00 s"), (420_000_000, "0.42 s"), (9_999_999_999, "9.99 s"), (12_345_000_000, "12.3 s"),
    (60_000_000_000, "1 min 00 s"), (245_000_000_000, "4 min 05 s"),
    (5_760_000_000_000, "1 h 36 min"), (2_516_400_000_000_000, "29 d 3 h"),
  ])
  func durationsNameTheirUnits(_ nanoseconds: UInt64, _ text: String) {
    #expect(Figure.duration(nanoseconds) == text)
  }

  @Test func countsAreGroupedAndAgree() {
    #expect(Figure.count(1, "file") == "1 file")
    #expect(Figure.count(0, "file") == "0 files")
    #expect(Figure.count(36_000, "file") == "36,000 files")
    #expect(Figure.count(1_234_567, "entry", "entries") == "1,234,567 entries")
    #expect(Figure.grouped(-1234) == "-1,234")
    #expect(Figure.grouped(-123) == "-123")
  }

  @Test func perCentAreRoundedDown() {
    #expect(Figure.percent(999, of: 1000) == 99)
    #expect(Figure.percent(0, of: 0) == 100)
    #expect(Figure.percent(UInt64.max, of: UInt64.max) == 100)
  }

  @Test(arguments: [
    (0, "1970-01-01T00:00:00.000000000Z"), (-1, "1969-12-31T23:59:59.999999999Z"),
    (951_827_696_000_000_005, "2000-02-29T12:34:56.000000005Z"),
    (1_709_210_096_123_456_789, "2024-02-29T12:34:56.123456789Z"),
    (4_107_542_399_000_000_000, "2100-02-28T23:59:59.000000000Z"),
    (4_107_542_400_000_000_000, "2100-03-01T00:00:00.000000000Z"),
    (Int64.max, "2262-04-11T23:47:16.854775807Z"), (Int64.min, "1677-09-21T00:12:43.145224192Z"),
  ])
  func instantsAreExactToTheNanosecond(_ nanoseconds: Int64, _ text: String) {
    #expect(WallTime.text(nanoseconds) == text)
  }
}
