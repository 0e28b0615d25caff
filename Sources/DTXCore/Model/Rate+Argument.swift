extension Rate {
  /// The rate as an argument, exact, so that what is printed can be typed: `125.4G`, `9540k`, `800`.
  package var argument: String {
    let units: [(String, UInt64, Int)] = [
      ("P", 1_000_000_000_000_000, 15), ("T", 1_000_000_000_000, 12), ("G", 1_000_000_000, 9),
      ("M", 1_000_000, 6), ("k", 1000, 3),
    ]
    guard let (prefix, unit, digitCount) = units.first(where: { bitsPerSecond >= $0.1 }) else {
      return String(bitsPerSecond)
    }
    let rest = String(bitsPerSecond % unit)
    var fraction = String(repeating: "0", count: digitCount - rest.count) + rest
    while fraction.hasSuffix("0") { fraction.removeLast() }
    return "\(bitsPerSecond / unit)\(fraction.isEmpty ? "" : "." + fraction)\(prefix)"
  }
}
