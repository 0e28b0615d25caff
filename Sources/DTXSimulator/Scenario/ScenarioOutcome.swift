package import DTXCore

/// How a simulated transfer went.
package struct ScenarioOutcome: Equatable, Sendable {
  package let scenario: Scenario
  package var isCompleted = false
  /// From the command to its last exit, in virtual time.
  package var elapsedNanoseconds: UInt64 = 0
  /// When the plan said that the last byte would be there; nil without rates.
  package var predictedNanoseconds: UInt64?
  /// Files under their names, and their bytes.
  package var durableFileCount = 0
  package var durableByteCount: UInt64 = 0
  /// Payload that left the sender.
  package var sentByteCount: UInt64 = 0
  /// What later runs found in unfinished files and did not send again.
  package var resumedByteCount: UInt64 = 0
  package var damagedBlockCount = 0
  package var lostConnectionCount = 0
  package var epochCount: UInt64 = 0
  /// Times that the plan was made anew, over all runs.
  package var generationCount = 0
  /// Times that the command was run.
  package var runCount = 0
  package var eventCount: UInt64 = 0
  /// Why runs failed, each reason once.
  package var failures: [String] = []
  /// What must never happen, and did.
  package var problem: String?
  package var limitation: Limitation?

  init(scenario: Scenario) {
    self.scenario = scenario
  }

  /// Payload that went more than once.
  package var resentByteCount: UInt64 {
    sentByteCount - min(sentByteCount, durableByteCount)
  }

  /// Payload that became durable, over the time.
  package var goodput: Rate {
    let bits = UInt128(durableByteCount) * 8 * UInt128(Duration.second)
    return Rate(bitsPerSecond: UInt64(clamping: bits / UInt128(max(elapsedNanoseconds, 1))))
  }

  /// The most payload that fits the path.
  package var pathCeiling: Rate {
    PathModel.ceiling(of: scenario.path.totalRate, scenario.path)
  }

  /// The most payload that fits the lanes' rates, or the path where nobody rated them.
  package var rateCeiling: Rate {
    var sum: UInt64 = 0
    for lane in scenario.lanes {
      guard let rate = lane.rate else { return pathCeiling }
      sum += rate.bitsPerSecond
    }
    let total = scenario.path.totalRate.bitsPerSecond
    return PathModel.ceiling(of: Rate(bitsPerSecond: min(sum, total)), scenario.path)
  }

  /// Whether all is there that should be.
  package var isSound: Bool {
    isCompleted && problem == nil && durableFileCount == scenario.dataset.fileCount
      && durableByteCount == scenario.dataset.byteCount
  }
}
