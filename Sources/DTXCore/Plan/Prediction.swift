/// What the plans of a dataset say of its lanes before a byte moves: bytes, start and finish of
/// each, and the end of the whole.
///
/// A fold over the segments' plans, in their order, in integers. Blocks go to a queue's connections
/// as the sender hands them out: the next one to whichever is free first. All times are in
/// nanoseconds from the beginning of the session.
package struct Prediction: Equatable, Sendable {
  /// Segments of the usual size that a connection begins with: RFC 6928.
  private static let initialWindow: UInt64 = 10 * SegmentShape.usual.segmentByteCount
  /// A lane's first byte is due after so many round trips: one to connect, one to prove both ends,
  /// one to agree on the first plan.
  private static let openingRoundTrips: UInt64 = 3
  /// What follows the last byte: its acknowledgement with the epoch's, the roots, the receipt and the
  /// end.
  private static let closingRoundTrips: UInt64 = 3
  /// Commits after the last byte: the epoch that it is in, behind the one before.
  private static let closingCommits: UInt64 = 2

  package let inputs: PlanInputs
  private let queues: [LaneQueue]
  /// Connections in the order of their lanes.
  private var connections: [ConnectionLoad]
  private var blockCounts: [Int]

  /// Begins with no block; nil where a lane has no rate, for then nothing can be said.
  ///
  /// - Parameter inputs: of all plans to come.
  package init?(_ inputs: PlanInputs) {
    self.inputs = inputs
    queues = inputs.queues
    connections = []
    blockCounts = inputs.lanes.map { _ in 0 }
    for (index, lane) in inputs.lanes.enumerated() {
      guard let rate = lane.rate else { return nil }
      let share = Rate(bitsPerSecond: rate.bitsPerSecond / UInt64(lane.connectionCount))
      guard share.bitsPerSecond > 0 else { return nil }
      for _ in 0..<lane.connectionCount {
        connections.append(ConnectionLoad(lane: index, rate: share))
      }
    }
  }

  /// Takes the next segment's plan.
  ///
  /// - Parameters:
  ///   - plan: made with the same inputs.
  ///   - segment: that it is of.
  ///   - wanted: one bit for each extent of the segment.
  package mutating func add(_ plan: Plan, of segment: Segment, wanted: BitSet) {
    precondition(plan.queues.count == queues.count, "a plan of other lanes")
    for (queue, planned) in zip(queues, plan.queues) {
      let sharers = connections.indices.filter { queue.lanes.contains(connections[$0].lane) }
      for run in planned.runs {
        for block in segment.blocks[run.blocks] { place(block, of: segment, wanted, on: sharers) }
      }
    }
  }

  private mutating func place(
    _ block: Block,
    of segment: Segment,
    _ wanted: BitSet,
    on sharers: [Int]
  ) {
    var byteCount: UInt64 = 0
    for extent in block.extents where wanted[extent] {
      byteCount += UInt64(segment.extents[extent].byteCount)
    }
    if byteCount > 0 { place(byteCount, on: sharers) }
  }

  private mutating func place(_ byteCount: UInt64, on sharers: [Int]) {
    var first = sharers[0]
    for other in sharers.dropFirst() where connections[other].free < connections[first].free {
      first = other
    }
    let wire = inputs.wireByteCount(byteCount)
    connections[first].byteCount += byteCount
    connections[first].wireByteCount = connections[first].wireByteCount.addingClamped(wire)
    let time = connections[first].rate.nanoseconds(for: wire)
    connections[first].free = connections[first].free.addingClamped(time)
    blockCounts[connections[first].lane] += 1
  }

  // MARK: - What it says

  /// Payload of all lanes.
  package var byteCount: UInt64 { connections.reduce(0) { $0 + $1.byteCount } }

  /// Blocks of all lanes.
  package var blockCount: Int { blockCounts.reduce(0, +) }

  /// When all is durable and both ends are done.
  package var finish: UInt64 { finish(scaledBy: 1, over: 1) }

  /// What each lane is to do, in their order.
  package var lanes: [LanePrediction] {
    inputs.lanes.indices.map { index in
      let loads = connections.filter { $0.lane == index }
      let finishes = loads.map { finish(of: $0, scaledBy: 1, over: 1) }
      return LanePrediction(
        byteCount: loads.reduce(0) { $0 + $1.byteCount },
        wireByteCount: loads.reduce(0) { $0.addingClamped($1.wireByteCount) },
        blockCount: blockCounts[index],
        start: opening,
        finish: finishes.max() ?? opening
      )
    }
  }

  /// When all is done if every lane had so many times its rate.
  ///
  /// The lanes' shares stay as they are: a plan does not change with the rates' unit.
  ///
  /// - Parameters:
  ///   - numerator: of the factor.
  ///   - denominator: of the factor, above 0.
  /// - Returns: nanoseconds from the session's beginning; the greatest number for never.
  package func finish(scaledBy numerator: UInt64, over denominator: UInt64) -> UInt64 {
    var latest = opening
    for load in connections {
      latest = max(latest, finish(of: load, scaledBy: numerator, over: denominator))
    }
    return latest.addingClamped(closing)
  }

  /// The least rate of all lanes together that is done in time, to four digits.
  ///
  /// - Parameters:
  ///   - limit: in nanoseconds from the session's beginning.
  ///   - contract: what the user calls the rate of all lanes together now.
  /// - Returns: nil where no rate would do.
  package func rate(meeting limit: UInt64, from contract: Rate) -> Rate? {
    let greatest = Limits.laneBitsPerSecond
    guard meets(limit, greatest, contract) else { return nil }
    var low: UInt64 = 0
    var high = greatest
    while high - low > 1 {
      let middle = low + (high - low) / 2
      if meets(limit, middle, contract) { high = middle } else { low = middle }
    }
    return Rate(bitsPerSecond: Prediction.roundedUp(high))
  }

  private func meets(_ limit: UInt64, _ rate: UInt64, _ contract: Rate) -> Bool {
    finish(scaledBy: rate, over: contract.bitsPerSecond) <= limit
  }

  // MARK: - Times

  private var opening: UInt64 { Prediction.openingRoundTrips * inputs.roundTripNanoseconds }

  private var closing: UInt64 {
    Prediction.closingRoundTrips * inputs.roundTripNanoseconds
      + Prediction.closingCommits * inputs.commitNanoseconds
  }

  /// When the last byte of a connection has arrived.
  private func finish(
    of load: ConnectionLoad,
    scaledBy numerator: UInt64,
    over denominator: UInt64
  ) -> UInt64 {
    guard load.wireByteCount > 0 else { return opening }
    let rate = load.rate.scaled(by: numerator, over: denominator)
    guard rate.bitsPerSecond > 0 else { return .max }
    let ramp = ramp(to: rate, of: load.wireByteCount)
    let before = opening + ramp + inputs.roundTripNanoseconds / 2
    return before.addingClamped(rate.nanoseconds(for: load.wireByteCount))
  }

  /// What slow start costs.
  ///
  /// A round trip for each doubling of the window, less what it carries meanwhile, which is about a
  /// window; and a window of all there is need not grow.
  private func ramp(to rate: Rate, of byteCount: UInt64) -> UInt64 {
    let target = min(byteCount, rate.byteCount(in: inputs.roundTripNanoseconds))
    var window = Prediction.initialWindow
    var doublings: UInt64 = 0
    while window < target, doublings < 63 {
      window *= 2
      doublings += 1
    }
    return doublings > 1 ? (doublings - 1) * inputs.roundTripNanoseconds : 0
  }

  /// The next number of four digits and zeros.
  private static func roundedUp(_ number: UInt64) -> UInt64 {
    var unit: UInt64 = 1
    while number / unit >= 10_000 { unit *= 10 }
    return (number + unit - 1) / unit * unit
  }
}

/// What one lane is to do.
package struct LanePrediction: Equatable, Sendable {
  /// Payload.
  package var byteCount: UInt64
  /// The same with all headers; the greatest number where it is more.
  package var wireByteCount: UInt64
  package var blockCount: Int
  /// When its first byte may leave.
  package var start: UInt64
  /// When its last byte has arrived.
  package var finish: UInt64

  package init(
    byteCount: UInt64,
    wireByteCount: UInt64,
    blockCount: Int,
    start: UInt64,
    finish: UInt64
  ) {
    self.byteCount = byteCount
    self.wireByteCount = wireByteCount
    self.blockCount = blockCount
    self.start = start
    self.finish = finish
  }
}

/// What one connection is to carry.
private struct ConnectionLoad: Equatable, Sendable {
  let lane: Int
  let rate: Rate
  var byteCount: UInt64 = 0
  var wireByteCount: UInt64 = 0
  /// When it is free, on a clock that begins with the first byte.
  var free: UInt64 = 0

  init(lane: Int, rate: Rate) {
    self.lane = lane
    self.rate = rate
  }
}
