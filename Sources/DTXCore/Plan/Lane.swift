/// What a lane promises.
package enum LaneContract: UInt8, Sendable {
  /// The user declared that the network keeps this lane's rate. Blocks are pinned to it.
  case reserved = 1
  /// The lane takes what it gets, and shares its queue with the others of its kind.
  case bestEffort = 2
}

/// A lane as both ends know it: a value that the plan's digest covers.
package struct Lane: Equatable, Sendable {
  package var contract: LaneContract
  /// What may appear on the wire; nil for a lane that nobody rated.
  package var rate: Rate?
  /// TCP connections that share the lane's queue and its rate.
  package var connectionCount: Int
  /// For people; may be empty.
  package var name: String

  package init(
    contract: LaneContract,
    rate: Rate?,
    connectionCount: Int,
    name: String = ""
  ) {
    self.contract = contract
    self.rate = rate
    self.connectionCount = connectionCount
    self.name = name
  }

  /// Connections for a rate: one for each 5 Gb/s begun, since at a loss of 1e-6 and 12 ms one
  /// CUBIC flow averages 7 Gb/s, and one core seals and sends a few.
  package static func connectionCount(for rate: Rate?) -> Int {
    guard let rate else { return 1 }
    let share: UInt64 = 5_000_000_000
    let count = max(1, rate.bitsPerSecond / share + (rate.bitsPerSecond % share == 0 ? 0 : 1))
    return Int(min(count, UInt64(Limits.connectionCount)))
  }

  /// N lanes that share one rate, the remainder to the lowest.
  package static func split(_ rate: Rate?, over count: Int) -> [Lane] {
    precondition(count > 0, "a transfer has at least one lane")
    guard let rate else {
      return Array(
        repeating: Lane(contract: .bestEffort, rate: nil, connectionCount: 1),
        count: count
      )
    }
    let share = rate.bitsPerSecond / UInt64(count)
    let remainder = Int(rate.bitsPerSecond % UInt64(count))
    return (0..<count).map { index in
      let part = Rate(bitsPerSecond: share + (index < remainder ? 1 : 0))
      return Lane(
        contract: .bestEffort,
        rate: part,
        connectionCount: connectionCount(for: part)
      )
    }
  }

  /// What is wrong with a set of lanes; nil when it can be planned.
  package static func problem(in lanes: [Lane]) -> String? {
    if lanes.isEmpty { return "a transfer needs at least one lane" }
    if lanes.count > Limits.laneCount { return "at most \(Limits.laneCount) lanes" }
    if lanes.reduce(0, { $0 + $1.connectionCount }) > Limits.sessionConnectionCount {
      return "more than \(Limits.sessionConnectionCount) connections in all"
    }
    let pool = lanes.filter { $0.contract == .bestEffort }
    let hasReserved = pool.count < lanes.count
    let unrated = pool.filter { $0.rate == nil }
    if hasReserved, !unrated.isEmpty { return "a lane without a rate beside a reserved one" }
    if !unrated.isEmpty, unrated.count < pool.count {
      return "some lanes with a rate, some without"
    }
    for lane in lanes {
      if lane.contract == .reserved, lane.rate == nil { return "a reserved lane without a rate" }
      if let rate = lane.rate, rate.bitsPerSecond > Limits.laneBitsPerSecond {
        return "a rate above \(Limits.laneBitsPerSecond) bits per second"
      }
      if let rate = lane.rate, rate.bitsPerSecond < UInt64(lane.connectionCount) {
        return "a rate below one bit per second and connection"
      }
      if lane.connectionCount < 1 || lane.connectionCount > Limits.connectionCount {
        return "a lane has 1 to \(Limits.connectionCount) connections"
      }
    }
    return nil
  }
}

/// The integers that a plan is computed from, besides what is wanted.
///
/// The initiator sends them and both ends use them; nobody measures its own.
package struct PlanInputs: Equatable, Sendable {
  package var lanes: [Lane]
  /// Round-trip time of the path.
  package var roundTripNanoseconds: UInt64
  /// What one commit of an epoch takes at the receiver.
  package var commitNanoseconds: UInt64
  /// Wire bytes for each `overheadDenominator` bytes of payload: TCP/IP and Ethernet headers,
  /// records' headers and tags.
  package var overheadNumerator: UInt64
  package var overheadDenominator: UInt64

  package init(
    lanes: [Lane],
    roundTripNanoseconds: UInt64 = 0,
    commitNanoseconds: UInt64 = 0,
    overheadNumerator: UInt64 = 1,
    overheadDenominator: UInt64 = 1
  ) {
    self.lanes = lanes
    self.roundTripNanoseconds = roundTripNanoseconds
    self.commitNanoseconds = commitNanoseconds
    self.overheadNumerator = overheadNumerator
    self.overheadDenominator = overheadDenominator
  }

  /// The queues that blocks are planned onto: one for each reserved lane, one for the pool of the
  /// others.
  ///
  /// Ordered by their lowest lane.
  package var queues: [LaneQueue] {
    var queues: [LaneQueue] = []
    var pool: [Int] = []
    for (index, lane) in lanes.enumerated() {
      switch lane.contract {
      case .reserved: queues.append(LaneQueue(lanes: [index], rate: lane.rate))
      case .bestEffort: pool.append(index)
      }
    }
    if !pool.isEmpty {
      let isRated = pool.allSatisfy { lanes[$0].rate != nil }
      let sum = pool.reduce(UInt64(0)) { $0 + (lanes[$1].rate?.bitsPerSecond ?? 0) }
      queues.append(LaneQueue(lanes: pool, rate: isRated ? Rate(bitsPerSecond: sum) : nil))
    }
    return queues.sorted { $0.lanes[0] < $1.lanes[0] }
  }

  /// Bytes on the wire for so many bytes of payload, rounded up.
  package func wireByteCount(_ payload: UInt64) -> UInt64 {
    let product = UInt128(payload) * UInt128(overheadNumerator)
    let divisor = UInt128(overheadDenominator)
    return UInt64(clamping: (product + divisor - 1) / divisor)
  }
}

/// Lanes that take their work from one queue.
package struct LaneQueue: Equatable, Sendable {
  /// Ascending lane indices.
  package var lanes: [Int]
  /// Their sum; nil when nobody rated them.
  package var rate: Rate?
}
