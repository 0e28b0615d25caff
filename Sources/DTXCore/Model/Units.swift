/// A moment on the host's own clock, in nanoseconds; instants never cross hosts.
package struct Instant: Hashable, Comparable, Sendable {
  package var nanoseconds: UInt64

  package init(nanoseconds: UInt64) {
    self.nanoseconds = nanoseconds
  }

  package static let zero = Instant(nanoseconds: 0)

  package static func < (left: Instant, right: Instant) -> Bool {
    left.nanoseconds < right.nanoseconds
  }

  package static func + (instant: Instant, nanoseconds: UInt64) -> Instant {
    Instant(nanoseconds: instant.nanoseconds + nanoseconds)
  }

  /// Nanoseconds since an earlier instant; 0 when it is not earlier.
  package func since(_ earlier: Instant) -> UInt64 {
    nanoseconds > earlier.nanoseconds ? nanoseconds - earlier.nanoseconds : 0
  }
}

/// Nanoseconds in the units that constants are written in.
package enum Duration {
  package static let millisecond: UInt64 = 1_000_000
  package static let second: UInt64 = 1_000_000_000
}

extension UInt64 {
  /// The sum, or the greatest number where it is more: for bytes of the wire and their times, which
  /// grow with an overhead and lengths that a peer chooses.
  func addingClamped(_ other: UInt64) -> UInt64 {
    let (sum, overflow) = addingReportingOverflow(other)
    return overflow ? .max : sum
  }
}

/// What may appear on the wire, headers included, in bits per second.
package struct Rate: Hashable, Comparable, Sendable {
  package var bitsPerSecond: UInt64

  package init(bitsPerSecond: UInt64) {
    self.bitsPerSecond = bitsPerSecond
  }

  package static func < (left: Rate, right: Rate) -> Bool {
    left.bitsPerSecond < right.bitsPerSecond
  }

  /// Time to send `byteCount` bytes at this rate, rounded up, so that no promise is made early.
  package func nanoseconds(for byteCount: UInt64) -> UInt64 {
    precondition(bitsPerSecond > 0, "a rate of zero never ends")
    let product = UInt128(byteCount) * 8 * UInt128(Duration.second)
    let time = (product + UInt128(bitsPerSecond) - 1) / UInt128(bitsPerSecond)
    return UInt64(clamping: time)
  }

  /// Bytes sent in `nanoseconds` at this rate, rounded down, so that no reservation is exceeded.
  package func byteCount(in nanoseconds: UInt64) -> UInt64 {
    let product = UInt128(bitsPerSecond) * UInt128(nanoseconds)
    return UInt64(clamping: product / (8 * UInt128(Duration.second)))
  }

  /// This rate times a fraction, rounded down.
  package func scaled(by numerator: UInt64, over denominator: UInt64) -> Rate {
    precondition(denominator > 0, "a fraction needs a denominator")
    let product = UInt128(bitsPerSecond) * UInt128(numerator) / UInt128(denominator)
    return Rate(bitsPerSecond: UInt64(clamping: product))
  }
}

/// Reads quantities as people write them: decimal and binary prefixes as written.
package enum Quantity {
  /// Bits per second: `10G`, `50Mbit`, `9540k`, `2.5Gbps`, `1Gib`; no unit means bits.
  package static func rate(_ text: String) -> Rate? {
    for suffix in ["bit/s", "bps", "bit", "b/s", "b", ""] where text.hasSuffix(suffix) {
      guard let bits = number(String(text.dropLast(suffix.count))), bits > 0 else { continue }
      return Rate(bitsPerSecond: bits)
    }
    return nil
  }

  /// Bytes: `64MiB`, `72TB`, `4096`, `1.5G`.
  package static func byteCount(_ text: String) -> UInt64? {
    number(text.hasSuffix("B") ? String(text.dropLast()) : text)
  }

  /// Nanoseconds: `90s`, `1.6h`, `30m`, `2d`, `500ms`; no unit means seconds.
  package static func nanoseconds(_ text: String) -> UInt64? {
    let units: [(String, UInt64)] = [
      ("ms", Duration.millisecond), ("s", Duration.second), ("m", 60 * Duration.second),
      ("h", 3600 * Duration.second), ("d", 86_400 * Duration.second), ("", Duration.second),
    ]
    for (suffix, unit) in units where text.hasSuffix(suffix) {
      if let value = decimal(String(text.dropLast(suffix.count)), times: unit) { return value }
    }
    return nil
  }

  /// Digits, perhaps with a fraction, then an SI (`k`, `M`) or binary (`Ki`, `Mi`) prefix.
  private static func number(_ text: String) -> UInt64? {
    var digits = text
    var unit: UInt64 = 1
    let isBinary = digits.hasSuffix("i")
    if isBinary { digits.removeLast() }
    let prefixes: [(String, Int)] = [
      ("k", 1), ("K", 1), ("M", 2), ("G", 3), ("T", 4), ("P", 5), ("E", 6),
    ]
    if let (_, power) = prefixes.first(where: { digits.hasSuffix($0.0) }) {
      digits.removeLast()
      for _ in 0..<power { unit *= isBinary ? 1024 : 1000 }
    } else if isBinary {
      return nil
    }
    return decimal(digits, times: unit)
  }

  /// A decimal number times a unit, exactly; nil when it is no number, or too large.
  private static func decimal(_ text: String, times unit: UInt64) -> UInt64? {
    let parts = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
    guard let whole = parts.first, isDigits(whole), let integer = UInt64(whole) else { return nil }
    let (product, overflow) = integer.multipliedReportingOverflow(by: unit)
    guard !overflow else { return nil }
    guard parts.count == 2 else { return product }
    guard isDigits(parts[1]), parts[1].count <= 12, let fraction = UInt64(parts[1]) else {
      return nil
    }
    var scale: UInt128 = 1
    for _ in 0..<parts[1].count { scale *= 10 }
    let (sum, carry) = product.addingReportingOverflow(
      UInt64(clamping: UInt128(fraction) * UInt128(unit) / scale)
    )
    return carry ? nil : sum
  }

  private static func isDigits(_ text: Substring) -> Bool {
    !text.isEmpty && text.utf8.allSatisfy { $0 >= 0x30 && $0 <= 0x39 }
  }
}
