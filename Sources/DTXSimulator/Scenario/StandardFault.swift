internal import DTXCore

/// Faults that may be added to any scenario by their names.
package enum StandardFault: String, Sendable, CaseIterable {
  case laneCut = "lane-cut"
  case powerLoss = "power-loss"
  case slowDisk = "slow-disk"
  case corruptBlock = "corrupt-block"

  /// What it does, as a phrase.
  package var summary: String {
    switch self {
    case .laneCut: "the first lane is cut for 10 minutes when half has arrived"
    case .powerLoss: "the receiver is without power for 10 minutes when half has arrived"
    case .slowDisk: "the receiver's disks write 80 % of what the path carries"
    case .corruptBlock: "a block arrives with other bytes when half has arrived"
    }
  }

  /// The fault in a scenario.
  ///
  /// - Parameter scenario: whose path says what a slow disk is.
  /// - Returns: the fault, with its moment.
  package func fault(in scenario: Scenario) -> ScenarioFault {
    let half = FaultMoment.share(50_000_000)
    let tenMinutes = 600 * Duration.second
    switch self {
    case .laneCut: return ScenarioFault(.laneCut(lane: 0), at: half, for: tenMinutes)
    case .powerLoss: return ScenarioFault(.powerLoss, at: half, for: tenMinutes)
    case .slowDisk:
      let ceiling = PathModel.ceiling(of: scenario.path.totalRate, scenario.path)
      let speed = max(1, ceiling.scaled(by: 80, over: 100).bitsPerSecond / 8)
      return ScenarioFault(.slowDisk(bytesPerSecond: speed), at: .nanoseconds(0))
    case .corruptBlock: return ScenarioFault(.corruptBlocks(count: 1), at: half)
    }
  }
}
