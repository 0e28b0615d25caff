import DTXCore
import Testing

@Suite struct QuantityTests {
  @Test(
    arguments: [
      ("10G", 10_000_000_000), ("50Mbit", 50_000_000), ("9540k", 9_540_000),
      ("2.5Gbps", 2_500_000_000), ("1Gib", 1 << 30), ("1Gi", 1 << 30), ("800", 800),
      ("1Gbit/s", 1_000_000_000), ("7b/s", 7), ("7b", 7), ("100.5M", 100_500_000),
      ("0.001k", 1), ("18446744073709551615", .max),
    ] as [(String, UInt64)]
  )
  func ratesAreBitsPerSecond(text: String, bits: UInt64) {
    #expect(Quantity.rate(text) == Rate(bitsPerSecond: bits))
  }

  @Test(arguments: [
    "", "0", "0G", "-1G", "+1G", "G", "1 G", " 1G", "1GB", "1e9", "1,5G", "1.G", ".5G", "1..5G",
    "18446744073709551616", "19E", "16Ei", "1i", "bit", "1.2.3k", "٣G", "1Gbits", "0x10", "0.1",
  ])
  func whatIsNoRateIsRefused(text: String) {
    #expect(Quantity.rate(text) == nil)
  }

  @Test(
    arguments: [
      ("64MiB", 64 << 20), ("72TB", 72_000_000_000_000), ("4096", 4096), ("1.5G", 1_500_000_000),
      ("0", 0), ("10kB", 10_000), ("10KB", 10_000), ("1KiB", 1024), ("15EiB", 15 << 60),
      ("18E", 18_000_000_000_000_000_000), ("0.5KiB", 512), ("1.9999B", 1),
      ("0.000000000001T", 1),
    ] as [(String, UInt64)]
  )
  func lengthsAreBytes(text: String, bytes: UInt64) {
    #expect(Quantity.byteCount(text) == bytes)
  }

  @Test(arguments: [
    "", "B", "MiB", "-4", "1.5.5G", "16EiB", "18.5E", "1GiBB", "1ki b", "1Mib", "1 B",
    "0.1234567890123T",
  ])
  func whatIsNoLengthIsRefused(text: String) {
    #expect(Quantity.byteCount(text) == nil)
  }

  @Test(
    arguments: [
      ("90s", 90_000_000_000), ("1.6h", 5_760_000_000_000), ("30m", 1_800_000_000_000),
      ("2d", 172_800_000_000_000), ("500ms", 500_000_000), ("3", 3_000_000_000),
      ("0.5", 500_000_000),
      ("0s", 0),
    ] as [(String, UInt64)]
  )
  func timesAreNanoseconds(text: String, nanoseconds: UInt64) {
    #expect(Quantity.nanoseconds(text) == nanoseconds)
  }

  @Test(arguments: ["", "s", "ms", "1h30m", "-1s", "1w", "1 s", "300000d", "1e3s"])
  func whatIsNoTimeIsRefused(text: String) {
    #expect(Quantity.nanoseconds(text) == nil)
  }
}
