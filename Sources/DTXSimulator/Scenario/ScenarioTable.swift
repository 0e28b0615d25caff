internal import DTXCore

/// One table's entries as they are asked for: what nobody asked for is an error.
struct ScenarioTable {
  let name: String
  let line: Int
  private var left: [ScenarioText.Entry]
  private var asked: [String] = []

  init(_ table: ScenarioText.Table) {
    name = table.isRepeated ? "[[\(table.name)]]" : "[\(table.name)]"
    line = table.line
    left = table.entries
  }

  // MARK: - Values

  mutating func text(_ key: String) throws(ScenarioError) -> String? {
    guard let entry = take(key) else { return nil }
    guard case .text(let text) = entry.value else {
      throw ScenarioError(line: entry.line, "'\(key)' stands in quotes")
    }
    return text
  }

  mutating func flag(_ key: String) throws(ScenarioError) -> Bool? {
    guard let entry = take(key) else { return nil }
    guard case .flag(let flag) = entry.value else {
      throw ScenarioError(line: entry.line, "'\(key)' is true or false")
    }
    return flag
  }

  /// A whole number within limits.
  mutating func number(
    _ key: String,
    in range: ClosedRange<UInt64>
  ) throws(ScenarioError) -> UInt64? {
    guard let entry = take(key) else { return nil }
    guard case .integer(let number) = entry.value else {
      throw ScenarioError(line: entry.line, "'\(key)' is a whole number, without quotes")
    }
    return try checked(number, entry, range, "\(range.lowerBound) to \(range.upperBound)")
  }

  mutating func count(_ key: String, in range: ClosedRange<UInt64>) throws(ScenarioError) -> Int? {
    try number(key, in: range).map { Int($0) }
  }

  /// Bits per second on the wire.
  mutating func rate(_ key: String) throws(ScenarioError) -> Rate? {
    let rate = try quantity(key, "a rate, such as \"10G\"") { Quantity.rate($0) }
    guard let (rate, entry) = rate else { return nil }
    let most = Limits.laneBitsPerSecond
    _ = try checked(rate.bitsPerSecond, entry, 1...most, "at most \(most) bits per second")
    return rate
  }

  mutating func byteCount(
    _ key: String,
    in range: ClosedRange<UInt64>
  ) throws(ScenarioError) -> UInt64? {
    let size = try quantity(key, "a size, such as \"64MiB\"") { Quantity.byteCount($0) }
    guard let (size, entry) = size else { return nil }
    let limits = "\(range.lowerBound) to \(range.upperBound) bytes"
    return try checked(size, entry, range, limits)
  }

  /// Bytes per second.
  mutating func speed(_ key: String) throws(ScenarioError) -> UInt64? {
    let speed = try quantity(key, "a speed in bytes, such as \"3GB/s\"") { text in
      text.hasSuffix("/s") ? Quantity.byteCount(String(text.dropLast(2))) : nil
    }
    guard let (speed, entry) = speed else { return nil }
    return try checked(speed, entry, 1...(1 << 50), "at least 1 B/s and at most 1 PiB/s")
  }

  /// Nanoseconds, up to a hundred years.
  mutating func duration(_ key: String) throws(ScenarioError) -> UInt64? {
    let time = try quantity(key, "a time, such as \"12ms\" or \"10m\"", ScenarioTable.nanoseconds)
    guard let (time, entry) = time else { return nil }
    return try checked(time, entry, 0...ScenarioTable.longest, "at most 36525 days")
  }

  /// Millionths of a per cent.
  mutating func share(
    _ key: String,
    in percents: ClosedRange<UInt64>
  ) throws(ScenarioError) -> UInt64? {
    let share = try quantity(key, "a share, such as \"96%\"", ScenarioTable.share)
    guard let (share, entry) = share else { return nil }
    let range = percents.lowerBound * 1_000_000...percents.upperBound * 1_000_000
    let limits = "\(percents.lowerBound) to \(percents.upperBound) per cent"
    return try checked(share, entry, range, limits)
  }

  mutating func moment(_ key: String) throws(ScenarioError) -> FaultMoment? {
    let what = "a time, such as \"48m\", or a share of the bytes, such as \"50%\""
    let moment = try quantity(key, what) { text -> FaultMoment? in
      if let share = ScenarioTable.share(text), share < 100_000_000 { return .share(share) }
      guard let time = ScenarioTable.nanoseconds(text), time <= ScenarioTable.longest else {
        return nil
      }
      return .nanoseconds(time)
    }
    return moment?.value
  }

  /// The value of a key that must be there.
  func required<Value>(_ key: String, _ value: Value?) throws(ScenarioError) -> Value {
    guard let value else { throw ScenarioError(line: line, "\(name) has no '\(key)'") }
    return value
  }

  /// Nothing more is asked for.
  func finish() throws(ScenarioError) {
    guard let strange = left.first else { return }
    let place = name == "[]" ? "before the first table" : "in \(name)"
    let known = asked.joined(separator: ", ")
    throw ScenarioError(
      line: strange.line,
      "there is no '\(strange.key)' \(place); there are \(known)"
    )
  }

  // MARK: - Parts

  private static let longest = 36_525 * 86_400 * Duration.second

  private static func nanoseconds(_ text: String) -> UInt64? {
    text.last.map { !$0.isNumber } ?? false ? Quantity.nanoseconds(text) : nil
  }

  /// A per cent as the size that so many millionths of it are.
  private static func share(_ text: String) -> UInt64? {
    guard text.hasSuffix("%"), let last = text.dropLast().last, last.isNumber else { return nil }
    return Quantity.byteCount(String(text.dropLast()) + "M")
  }

  private mutating func take(_ key: String) -> ScenarioText.Entry? {
    asked.append(key)
    guard let index = left.firstIndex(where: { $0.key == key }) else { return nil }
    return left.remove(at: index)
  }

  private mutating func quantity<Value>(
    _ key: String,
    _ what: String,
    _ read: (String) -> Value?
  ) throws(ScenarioError) -> (value: Value, entry: ScenarioText.Entry)? {
    guard let entry = take(key) else { return nil }
    guard case .text(let text) = entry.value, let value = read(text) else {
      throw ScenarioError(line: entry.line, "'\(key)' is \(what), in quotes")
    }
    return (value, entry)
  }

  private func checked(
    _ value: UInt64,
    _ entry: ScenarioText.Entry,
    _ range: ClosedRange<UInt64>,
    _ limits: String
  ) throws(ScenarioError) -> UInt64 {
    guard range.contains(value) else {
      throw ScenarioError(line: entry.line, "'\(entry.key)' is \(limits)")
    }
    return value
  }
}
