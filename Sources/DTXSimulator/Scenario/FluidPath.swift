internal import DTXCore

/// What each connection of each lane carries at one moment: bytes flow, no packet is looked at.
///
/// A reserved lane has its rate: that is the network's contract. The others share what is left with
/// the competitors, each connection the same, none more than it can take (max-min fairness).
struct FluidPath {
  private let path: ScenarioPath
  private let inputs: PlanInputs
  private let competitors: [ScenarioCompetitor]
  /// What a connection can take besides its lane's rate: loss, buffers and processors.
  private let ownLimit: Rate

  private struct Sharer {
    /// The lane's index; nil for a competitor.
    var lane: Int?
    var flowCount: UInt64
    /// Of each flow, in wire bits a second.
    var limit: UInt64
  }

  init(_ scenario: Scenario, _ inputs: PlanInputs) {
    path = scenario.path
    self.inputs = inputs
    competitors = scenario.competitors
    let connectionCount = inputs.lanes.reduce(UInt64(0)) { $0 + UInt64($1.connectionCount) }
    let limits = [
      PathModel.lossLimit(path),
      PathModel.bufferLimit(scenario.sender.bufferByteCount, path),
      PathModel.bufferLimit(scenario.receiver.bufferByteCount, path),
      FluidPath.processorLimit(scenario.sender, connectionCount),
      FluidPath.processorLimit(scenario.receiver, connectionCount),
    ]
    ownLimit = limits.compactMap { $0 }.min() ?? Rate(bitsPerSecond: .max)
  }

  /// Payload of one connection of each lane, in bits a second; 0 where a lane is down.
  func rates(at now: Instant, isDown: [Bool]) -> [Rate] {
    var left = path.totalRate.bitsPerSecond
    var sharers: [Sharer] = []
    var wire = [UInt64](repeating: 0, count: inputs.lanes.count)
    for (index, lane) in inputs.lanes.enumerated() {
      let flowCount = UInt64(lane.connectionCount)
      let limit = min(lane.rate.map { $0.bitsPerSecond / flowCount } ?? .max, ownWireLimit)
      if lane.contract == .reserved {
        left -= min(left, lane.rate?.bitsPerSecond ?? 0)
        if !isDown[index] { wire[index] = limit }
      } else if !isDown[index] {
        sharers.append(Sharer(lane: index, flowCount: flowCount, limit: limit))
      }
    }
    for competitor in competitors where isActive(competitor, at: now) {
      let flowCount = UInt64(competitor.flowCount)
      let limit = competitor.rate.map { $0.bitsPerSecond / flowCount } ?? .max
      sharers.append(Sharer(lane: nil, flowCount: flowCount, limit: limit))
    }
    sharers.sort { $0.limit < $1.limit }
    var flowCount = sharers.reduce(UInt64(0)) { $0 + $1.flowCount }
    for sharer in sharers {
      let share = min(sharer.limit, left / flowCount)
      left -= share * sharer.flowCount
      flowCount -= sharer.flowCount
      if let lane = sharer.lane { wire[lane] = share }
    }
    return wire.map {
      Rate(bitsPerSecond: $0)
        .scaled(by: inputs.overheadDenominator, over: inputs.overheadNumerator)
    }
  }

  /// When competitors come and go.
  var moments: [Instant] {
    competitors.flatMap { [$0.fromNanoseconds] + ($0.untilNanoseconds.map { [$0] } ?? []) }
      .map { Instant(nanoseconds: $0) }
  }

  private func isActive(_ competitor: ScenarioCompetitor, at now: Instant) -> Bool {
    guard now.nanoseconds >= competitor.fromNanoseconds else { return false }
    return competitor.untilNanoseconds.map { now.nanoseconds < $0 } ?? true
  }

  /// The limit of a connection's own, headers included.
  private var ownWireLimit: UInt64 {
    let scaled = UInt128(ownLimit.bitsPerSecond) * UInt128(inputs.overheadNumerator)
    return UInt64(clamping: scaled / UInt128(inputs.overheadDenominator))
  }

  /// What one connection's thread carries: a core, or its share of them.
  private static func processorLimit(_ host: ScenarioHost, _ threadCount: UInt64) -> Rate {
    let core = Rate(bitsPerSecond: max(1, host.coreSpeed * 8))
    return threadCount > host.coreCount ? core.scaled(by: host.coreCount, over: threadCount) : core
  }
}
