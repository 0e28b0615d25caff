internal import Foundation

/// A whole comparison, as `--json` writes it.
package struct Report: Codable, Sendable {
  package var machine: Machine
  /// A line for each tool, as it names itself.
  package var tools: [String]
  /// What could not take part, and why.
  package var absent: [String]
  package var roundCount: Int
  package var scale: Double
  package var seed: UInt64
  package var races: [RaceResult] = []

  package init(
    machine: Machine,
    tools: [String],
    absent: [String],
    roundCount: Int,
    scale: Double,
    seed: UInt64
  ) {
    self.machine = machine
    self.tools = tools
    self.absent = absent
    self.roundCount = roundCount
    self.scale = scale
    self.seed = seed
  }

  package func write(to path: String) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    try encoder.encode(self).write(to: URL(fileURLWithPath: path))
  }
}

extension Report {
  /// What stands above the tables.
  package var heading: String {
    let missing = absent.isEmpty ? [] : ["not taking part:"] + absent.map { "  \($0)" }
    let lines =
      [machine.summary] + tools + missing
      + ["scale \(scale), seed \(seed), medians of \(roundCount) rounds behind a warm-up"]
    return lines.joined(separator: "\n")
  }
}
