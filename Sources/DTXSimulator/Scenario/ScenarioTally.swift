internal import DTXCore

/// What is counted while a scenario runs.
struct ScenarioTally: Sendable {
  var eventCount: UInt64 = 0
  /// Blocks that arrived whole, over all runs.
  var arrivedByteCount: UInt64 = 0
  var predictedNanoseconds: UInt64?
  /// Times that the plan was made anew.
  var generationCount = 0
  /// As each end would count itself: what limited the transfer is judged by the product's own rule.
  var sender = EndTotals()
  var receiver = EndTotals()
  private var laneByteCounts: [UInt64]
  private var resentByteCount: UInt64 = 0
  private var sentByteCount: UInt64 = 0
  private var resumedByteCount: UInt64 = 0
  private var damagedBlockCount = 0
  private var lostConnectionCount = 0
  private var failures: [String] = []

  init(laneCount: Int) {
    laneByteCounts = Array(repeating: 0, count: laneCount)
  }

  /// A block has left the sender, whose thread was busy with it for so long.
  mutating func countSent(
    _ byteCount: UInt64,
    lane: Int,
    in nanoseconds: UInt64,
    _ scenario: Scenario
  ) {
    let encoding = scenario.sender.encodingNanoseconds(for: byteCount)
    let copying = scenario.sender.copyNanoseconds(for: byteCount)
    sender.times[.encoding] += encoding
    sender.times[.sending] += copying
    sender.times[.blocked] += nanoseconds - min(nanoseconds, encoding + copying)
    sender.processorNanoseconds += encoding + copying
    laneByteCounts[lane] += byteCount
    sentByteCount += byteCount
  }

  /// A block is written, by a thread that was free since then.
  mutating func countReceived(
    _ delivery: ScenarioDelivery,
    since free: Instant,
    until now: Instant,
    _ scenario: Scenario
  ) {
    let byteCount = delivery.work.byteCount
    let decoding = scenario.receiver.encodingNanoseconds(for: byteCount)
    let copying = scenario.receiver.copyNanoseconds(for: byteCount)
    let began = max(free, delivery.began)
    let writing = now.since(max(began, delivery.arrived))
    let whole = now.since(began)
    receiver.times[.decoding] += decoding
    receiver.times[.receiving] += copying
    receiver.times[.writing] += writing
    receiver.times[.awaiting] += whole - min(whole, writing + decoding + copying)
    receiver.processorNanoseconds += decoding + copying
  }

  mutating func add(_ progress: SendProgress) {
    resentByteCount += progress.resentByteCount
    lostConnectionCount += progress.lostConnectionCount
  }

  mutating func add(_ progress: ReceiveProgress) {
    resumedByteCount += progress.resumedByteCount
    damagedBlockCount += progress.damagedBlockCount
  }

  mutating func note(_ failure: SessionFailure) {
    if !failures.contains(failure.reason) { failures.append(failure.reason) }
  }

  func fill(_ outcome: inout ScenarioOutcome) {
    outcome.eventCount = eventCount
    outcome.generationCount = generationCount
    outcome.predictedNanoseconds = predictedNanoseconds
    outcome.sentByteCount = sentByteCount
    outcome.resumedByteCount = resumedByteCount
    outcome.damagedBlockCount = damagedBlockCount
    outcome.lostConnectionCount = lostConnectionCount
    outcome.failures = failures
    outcome.epochCount = receiver.epochCount
    outcome.limitation = limitation(outcome)
  }

  private func limitation(_ outcome: ScenarioOutcome) -> Limitation? {
    var there = sender
    var here = receiver
    there.processorCount = outcome.scenario.sender.coreCount
    here.processorCount = outcome.scenario.receiver.coreCount
    var evidence = Limitation.Evidence(sender: there, receiver: here)
    let paced = zip(outcome.scenario.lanes, laneByteCounts).compactMap { lane, byteCount in
      lane.rate.map { $0.nanoseconds(for: byteCount) }
    }
    if paced.count == outcome.scenario.lanes.count { evidence.pacedNanoseconds = paced.max() }
    return Limitation(evidence)
  }
}
