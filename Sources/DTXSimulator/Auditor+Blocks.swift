internal import DTXCore

// Where blocks went, and how fast.
extension Auditor {
  /// Evidence against `Invariant.conserved`.
  package func conserved() -> String? {
    var run = -1
    var arrived: [BlockReference] = []
    var acknowledged: [BlockReference] = []
    var openByteCount: UInt64 = 0
    for observation in record.observations {
      switch observation {
      case .began(let number):
        run = number
        arrived = []
        acknowledged = []
        openByteCount = 0
      case .planned(.receiver, let plan):
        openByteCount += plan.byteCount
      case .received(let block, _):
        if arrived.contains(block) { return "\(block) arrived twice in run \(run)" }
        arrived.append(block)
      case .damaged(let block, _):
        arrived.removeAll { $0 == block }
      case .acknowledged(let block, let byteCount, _):
        if acknowledged.contains(block) { return "\(block) acknowledged twice in run \(run)" }
        acknowledged.append(block)
        openByteCount -= min(openByteCount, byteCount)
      case .ended(.receiver, .completed):
        guard openByteCount > 0, !record.runs[run].isDryRun else { continue }
        return "\(openByteCount) bytes were never acknowledged in run \(run)"
      default:
        break
      }
    }
    return record.isFinished ? TreeAudit(record).problem : nil
  }

  /// Evidence against `Invariant.pinned`.
  package func pinned() -> String? {
    let queues = world.inputs.queues
    var owners: [[Int?]] = []
    for observation in record.observations {
      switch observation {
      case .began:
        owners = []
      case .planned(.sender, let plan):
        // A plan depends on the ones before it: out of turn it would depend on the disk's speed.
        guard plan.segment == owners.count else {
          return "segment \(plan.segment) was planned as number \(owners.count)"
        }
        owners.append([])
        PlanAudit.assign(plan, &owners[plan.segment])
      case .revised(.sender, let revision):
        for plan in revision.plans { PlanAudit.assign(plan, &owners[plan.segment]) }
      case .transmitted(let connection, let block, _, _, _):
        guard owners.indices.contains(block.segment),
          owners[block.segment].indices.contains(block.block),
          let queue = owners[block.segment][block.block]
        else { return "\(block) is in no plan" }
        guard queues[queue].lanes.contains(connection.lane) else {
          return "\(block) of lanes \(queues[queue].lanes) went over lane \(connection.lane)"
        }
      default:
        break
      }
    }
    return nil
  }

  /// Evidence against `Invariant.reserved`.
  package func reserved() -> String? {
    for (lane, contract) in world.inputs.lanes.enumerated() {
      guard let rate = contract.rate else { continue }
      if let evidence = LaneAudit(lane: lane, rate: rate, record).evidence { return evidence }
    }
    return nil
  }

  /// Evidence against `Invariant.singleWriter`.
  package func singleWriter() -> String? {
    var writing: [(ConnectionID, BlockReference)] = []
    for observation in record.observations {
      switch observation {
      case .began:
        writing = []
      case .crashed(.receiver), .ended(.receiver, _):
        writing = []
      case .writeBegan(let connection, let block):
        if let other = writing.first(where: { $0.1 == block }) {
          return "\(block) is written from \(connection) and from \(other.0)"
        }
        writing.append((connection, block))
      case .writeEnded(let connection, let block):
        writing.removeAll { $0.0 == connection && $0.1 == block }
      default:
        break
      }
    }
    return nil
  }
}

private enum PlanAudit {
  /// Notes the queue of each block of a plan.
  static func assign(_ plan: Plan, _ owners: inout [Int?]) {
    for (queue, planned) in plan.queues.enumerated() {
      for block in planned.runs.flatMap({ Array($0.blocks) }) {
        while owners.count <= block { owners.append(nil) }
        owners[block] = queue
      }
    }
  }
}

/// One lane's bytes over time, as a sum of spans of constant speed.
private struct LaneAudit {
  /// What shows that the lane carried too much; nil when nothing does.
  private(set) var evidence: String?

  private struct Span {
    var from: UInt64
    var to: UInt64
    var byteCount: UInt64

    /// Bytes up to a moment, rounded down.
    func byteCount(until moment: UInt64) -> UInt64 {
      if moment <= from { return 0 }
      if moment >= to { return byteCount }
      let part = UInt128(byteCount) * UInt128(moment - from) / UInt128(to - from)
      return UInt64(clamping: part)
    }
  }

  /// Walks through the moments at which the speed changes.
  ///
  /// Bytes minus rate times time is highest and lowest at such moments alone: the steepest rise
  /// between any two is the burst.
  init(lane: Int, rate: Rate, _ record: SimulationRecord) {
    var spans: [Span] = []
    for case .transmitted(let connection, _, let from, let to, let byteCount) in record.observations
    where connection.lane == lane {
      spans.append(Span(from: from.nanoseconds, to: to.nanoseconds, byteCount: byteCount))
    }
    let moments = spans.flatMap { [$0.from, $0.to] }.sorted()
    var lowest = Int64.max
    for moment in moments {
      let carried = spans.reduce(UInt64(0)) { $0 + $1.byteCount(until: moment) }
      let excess = Int64(carried) - Int64(rate.byteCount(in: moment))
      lowest = min(lowest, excess)
      // Each span rounds down at both of its ends.
      guard excess - lowest <= Int64(Limits.recordByteCount / 1024 + spans.count) else {
        let name = "lane \(lane) of \(rate.bitsPerSecond) bit/s"
        evidence = "\(name) was \(excess - lowest) bytes ahead of its rate at \(moment) ns"
        return
      }
    }
  }
}
