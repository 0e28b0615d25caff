/// Figures as people read them, in decimal units and without floating point.
///
/// Three digits are shown, and what follows is cut off, so that no figure claims more than was done.
enum Figure {
  /// `512 B`, `12.3 GB`: 1 kB is 1000 bytes.
  static func bytes(_ count: UInt64) -> String {
    scaled(count, "B", thousands: ["kB", "MB", "GB", "TB", "PB", "EB"])
  }

  /// `9.41 Gb/s`: 1 kb/s is 1000 bits per second.
  static func rate(_ bitsPerSecond: UInt64) -> String {
    scaled(bitsPerSecond, "b/s", thousands: ["kb/s", "Mb/s", "Gb/s", "Tb/s", "Pb/s", "Eb/s"])
  }

  /// `0.42 s`, `12.3 s`, `4 min 05 s`, `1 h 36 min`, `29 d 3 h`.
  static func duration(_ nanoseconds: UInt64) -> String {
    let seconds = nanoseconds / 1_000_000_000
    switch seconds {
    case 0..<10:
      return "\(seconds).\(padded(nanoseconds % 1_000_000_000 / 10_000_000)) s"
    case 10..<60: return "\(seconds).\(nanoseconds % 1_000_000_000 / 100_000_000) s"
    case 60..<3600: return "\(seconds / 60) min \(padded(seconds % 60)) s"
    case 3600..<86_400: return "\(seconds / 3600) h \(padded(seconds % 3600 / 60)) min"
    default: return "\(seconds / 86_400) d \(seconds % 86_400 / 3600) h"
    }
  }

  /// `1 file`, `36,000 files`.
  static func count(_ number: some BinaryInteger, _ noun: String, _ plural: String? = nil) -> String
  {
    "\(grouped(number)) \(number == 1 ? noun : plural ?? noun + "s")"
  }

  /// A whole number of per cent, rounded down; 100 of nothing.
  static func percent(_ part: UInt64, of whole: UInt64) -> UInt64 {
    guard whole > 0 else { return 100 }
    return UInt64(clamping: UInt128(part) * 100 / UInt128(whole))
  }

  /// `64 MiB`, `65,537 B`: in the largest binary unit that divides it.
  static func binary(_ count: UInt64) -> String {
    let units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"]
    let power = count == 0 ? 0 : min(count.trailingZeroBitCount / 10, units.count - 1)
    return "\(grouped(count >> UInt64(10 * power))) \(units[power])"
  }

  /// `99.9 %`, rounded down; `100.0 %` of nothing.
  static func tenths(_ part: UInt64, of whole: UInt64) -> String {
    let tenths = whole == 0 ? 1000 : UInt64(clamping: UInt128(part) * 1000 / UInt128(whole))
    return "\(tenths / 10).\(tenths % 10) %"
  }

  /// `12.0 ms`, to a tenth.
  static func milliseconds(_ nanoseconds: UInt64) -> String {
    "\(grouped(nanoseconds / 1_000_000)).\(nanoseconds % 1_000_000 / 100_000) ms"
  }

  /// A number with a comma before every third digit from the right.
  static func grouped(_ number: some BinaryInteger) -> String {
    let digits = Array(String(number))
    var text = ""
    for (index, digit) in digits.enumerated() {
      if index > 0, (digits.count - index).isMultiple(of: 3), text != "-" { text.append(",") }
      text.append(digit)
    }
    return text
  }

  private static func scaled(_ value: UInt64, _ unit: String, thousands: [String]) -> String {
    var divisor: UInt64 = 1
    var name = unit
    for larger in thousands {
      guard value / divisor >= 1000 else { break }
      divisor *= 1000
      name = larger
    }
    let whole = value / divisor
    if divisor == 1 || whole >= 100 { return "\(whole) \(name)" }
    // The rest is below 10^18, so that a hundredfold of it still fits 128 bits.
    let hundredths = UInt64(clamping: UInt128(value % divisor) * 100 / UInt128(divisor))
    if whole >= 10 { return "\(whole).\(hundredths / 10) \(name)" }
    return "\(whole).\(padded(hundredths)) \(name)"
  }

  private static func padded(_ number: UInt64) -> String {
    number < 10 ? "0\(number)" : "\(number)"
  }
}
