/// Numbers as the table prints them.
package enum Quantity {
  /// Bytes in the largest binary unit that leaves no remainder: `64 MiB`.
  package static func binary(_ byteCount: Int) -> String {
    for (shift, unit) in [(30, "GiB"), (20, "MiB"), (10, "KiB")]
    where byteCount >= 1 << shift && byteCount % (1 << shift) == 0 {
      return "\(byteCount >> shift) \(unit)"
    }
    return "\(byteCount) B"
  }

  /// A number with this many digits behind its point.
  package static func fixed(_ value: Double, _ digits: Int) -> String {
    guard value.isFinite else { return "-" }
    let scale = (0..<digits).reduce(1) { product, _ in product * 10 }
    let units = Int((abs(value) * Double(scale)).rounded())
    let sign = value < 0 && units > 0 ? "-" : ""
    guard digits > 0 else { return "\(sign)\(units)" }
    return "\(sign)\(units / scale).\(padded(units % scale, digits))"
  }

  /// With zeros in front.
  package static func padded(_ value: Int, _ width: Int) -> String {
    let text = String(value)
    return String(repeating: "0", count: max(0, width - text.count)) + text
  }
}
