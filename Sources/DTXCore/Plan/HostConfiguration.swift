/// What a configuration file says of the host: dtx-config(5).
package struct HostConfiguration: Equatable, Sendable {
  /// The rate that the lanes of all transfers on the host may have together; nil for no limit.
  package var capacity: Rate?
  /// Whether lanes without a rate are refused where there is a capacity.
  package var isStrict = false
  /// Where transfers note their shares; nil for the usual place.
  package var capacityDirectory: String?

  package init() {}

  /// Reads a file's text: TOML without tables.
  ///
  /// - Parameter text: of the whole file.
  /// - Throws: what is wrong, with its line and key.
  package init(_ text: String) throws(LaneTextError) {
    var seen: [String] = []
    let lines = text.split(omittingEmptySubsequences: false) { $0 == "\n" || $0 == "\r\n" }
    for (index, line) in lines.enumerated() {
      guard line.first(where: { $0 != " " && $0 != "\t" }) != "[" else {
        throw LaneTextError(line: index + 1, "there are no tables here")
      }
      var reader = LaneFileLine(line, number: index + 1)
      guard case .field(let field) = try reader.read() else { continue }
      guard !seen.contains(field.key) else {
        throw LaneTextError(line: field.line, key: field.key, "it is said twice")
      }
      seen.append(field.key)
      try take(field)
    }
  }

  private mutating func take(_ field: LaneField) throws(LaneTextError) {
    switch (field.key, field.value) {
    case ("capacity", .text(let text)):
      guard let rate = Quantity.rate(text) else {
        throw LaneTextError(line: field.line, key: field.key, "a rate is such as \"100G\"")
      }
      capacity = rate
    case ("capacity-strict", .flag(let flag)):
      isStrict = flag
    case ("capacity-directory", .text(let text)):
      guard text.hasPrefix("/") else {
        throw LaneTextError(line: field.line, key: field.key, "a directory begins with a slash")
      }
      capacityDirectory = text
    case ("capacity", _), ("capacity-directory", _):
      throw LaneTextError(line: field.line, key: field.key, "its value is a string")
    case ("capacity-strict", _):
      throw LaneTextError(line: field.line, key: field.key, "its value is true or false")
    default:
      throw LaneTextError(
        line: field.line,
        "there is no key '\(field.key)', but capacity, capacity-strict, capacity-directory"
      )
    }
  }

  /// What holds where two files speak of one host: the smaller capacity, the stricter rule, and the
  /// directory of the one that comes first.
  ///
  /// So a user's own file can narrow what the host's allows, and never widen it.
  package func narrowed(by other: HostConfiguration) -> HostConfiguration {
    var narrowed = self
    narrowed.narrow(to: other.capacity)
    narrowed.isStrict = isStrict || other.isStrict
    narrowed.capacityDirectory = capacityDirectory ?? other.capacityDirectory
    return narrowed
  }

  /// Takes a capacity over where it is the smaller one.
  package mutating func narrow(to other: Rate?) {
    guard let other else { return }
    capacity = capacity.map { min($0, other) } ?? other
  }
}

/// A transfer's share of its host's capacity, as others read it.
package struct CapacityClaim: Equatable, Sendable {
  package var process: Int32
  /// Of its lanes together.
  package var rate: Rate
  /// Nanoseconds since 1970.
  package var since: Int64

  package init(process: Int32, rate: Rate, since: Int64) {
    self.process = process
    self.rate = rate
    self.since = since
  }

  /// The line that a holder's file has.
  package var line: String {
    "pid=\(process) rate=\(rate.bitsPerSecond) since=\(since)\n"
  }

  /// Reads such a line; nil for another one.
  package init?(_ line: String) {
    guard line.hasSuffix("\n") else { return nil }
    let parts = line.dropLast().split(separator: " ", omittingEmptySubsequences: false)
    guard parts.count == 3, parts[0].hasPrefix("pid="), parts[1].hasPrefix("rate="),
      parts[2].hasPrefix("since="), let process = Int32(parts[0].dropFirst(4)),
      let rate = UInt64(parts[1].dropFirst(5)), let since = Int64(parts[2].dropFirst(6))
    else { return nil }
    self.init(process: process, rate: Rate(bitsPerSecond: rate), since: since)
  }

  /// What of a capacity nobody holds.
  package static func free(of capacity: Rate, besides claims: [CapacityClaim]) -> Rate {
    var free = capacity.bitsPerSecond
    for claim in claims { free -= min(free, claim.rate.bitsPerSecond) }
    return Rate(bitsPerSecond: free)
  }
}
