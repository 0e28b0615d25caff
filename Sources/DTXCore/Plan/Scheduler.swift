/// Assigns a segment's wanted blocks to lanes: a pure function of what is wanted, the lanes, and
/// the finish times carried over from the segment before.
///
/// Each run goes to the queue that would finish it first (ties to the lower lane); the last eighth
/// goes block by block. A run is at most the total over 16 times the number of connections, so that
/// the blocks at the end can level what the runs left uneven: the plan ends at most one block on
/// the slowest lane after total / sum of rates.
package enum Scheduler {
  /// Plans one segment.
  ///
  /// - Parameters:
  ///   - segment: cut into blocks.
  ///   - wanted: one bit for each extent of the segment.
  ///   - inputs: with at least one lane.
  ///   - carried: when each queue is free, in nanoseconds from the session's first byte.
  ///   - generation: the plan's version; 0 until a lane is lost.
  /// - Returns: the same plan for the same arguments, on every host.
  package static func plan(
    _ segment: Segment,
    wanted: BitSet,
    inputs: PlanInputs,
    carried: [UInt64],
    generation: UInt32 = 0
  ) -> Plan {
    precondition(wanted.count == segment.extents.count, "one bit for each extent")
    let load = BlockLoad(segment: segment, wanted: wanted)
    let queues = inputs.queues
    precondition(carried.count == queues.count, "one finish time for each queue")
    let runs = load.runs(limit: runLimit(total: load.total, inputs: inputs))

    var assignment = Assignment(queues: queues, carried: carried, inputs: inputs)
    let levelled = queues.count > 1 ? load.total - load.total / 8 : load.total
    var placed: UInt64 = 0
    for run in runs {
      if placed >= levelled {
        for block in run.blocks where load.byteCounts[block] > 0 {
          let single = Run(blocks: block..<block + 1, byteCount: load.byteCounts[block])
          assignment.place(single)
        }
      } else {
        assignment.place(run)
      }
      placed += run.byteCount
    }
    return Plan(segment: segment.index, generation: generation, queues: assignment.result())
  }

  /// Bytes of a run, at most.
  private static func runLimit(total: UInt64, inputs: PlanInputs) -> UInt64 {
    let connectionCount = inputs.lanes.reduce(0) { $0 + $1.connectionCount }
    return min(Limits.runByteCount, max(1, total / (16 * UInt64(connectionCount))))
  }
}

/// How much of each block is wanted.
private struct BlockLoad {
  let segment: Segment
  private(set) var byteCounts: [UInt64]
  private(set) var total: UInt64 = 0

  init(segment: Segment, wanted: BitSet) {
    self.segment = segment
    byteCounts = Array(repeating: 0, count: segment.blocks.count)
    for (index, block) in segment.blocks.enumerated() {
      var sum: UInt64 = 0
      for extent in block.extents where wanted[extent] {
        sum += UInt64(segment.extents[extent].byteCount)
      }
      byteCounts[index] = sum
      total += sum
    }
  }

  /// Runs in canonical order; each begins and ends with a wanted block.
  func runs(limit: UInt64) -> [Run] {
    var runs: [Run] = []
    var previousSource: UInt32 = 0
    for (index, byteCount) in byteCounts.enumerated() where byteCount > 0 {
      let source = source(of: index)
      if let last = runs.indices.last, source == previousSource,
        runs[last].byteCount + byteCount <= limit
      {
        runs[last].blocks = runs[last].blocks.lowerBound..<index + 1
        runs[last].byteCount += byteCount
      } else {
        runs.append(Run(blocks: index..<index + 1, byteCount: byteCount))
      }
      previousSource = source
    }
    return runs
  }

  /// What ties blocks into one run: the large file, or the directory of the packed ones.
  private func source(of block: Int) -> UInt32 {
    let first = segment.extents[segment.blocks[block].extents.lowerBound]
    let entry = segment.entries[Int(first.entry)]
    let isPack = UInt64(entry.extentCount) <= UInt64(segment.blocks[block].extentCount)
    let key = isPack ? entry.parent.map { UInt32($0) } ?? UInt32(Int32.max) : first.entry
    return key << 1 | (isPack ? 1 : 0)
  }
}

/// Queues as they fill.
private struct Assignment {
  private let inputs: PlanInputs
  private let queues: [LaneQueue]
  private var planned: [Plan.Queue]
  private var free: [UInt64]

  init(queues: [LaneQueue], carried: [UInt64], inputs: PlanInputs) {
    self.inputs = inputs
    self.queues = queues
    planned = Array(repeating: Plan.Queue(), count: queues.count)
    free = carried
  }

  mutating func place(_ run: Run) {
    var best = 0
    var bestFinish = UInt64.max
    for index in queues.indices {
      let finish = finish(of: run.byteCount, on: index)
      if finish < bestFinish {
        best = index
        bestFinish = finish
      }
    }
    planned[best].runs.append(run)
    planned[best].byteCount += run.byteCount
    free[best] = bestFinish
  }

  func result() -> [Plan.Queue] {
    var result = planned
    for index in queues.indices where queues[index].rate != nil {
      result[index].finish = free[index]
    }
    return result
  }

  private func finish(of byteCount: UInt64, on queue: Int) -> UInt64 {
    guard let rate = queues[queue].rate else { return free[queue] }
    let time = rate.nanoseconds(for: inputs.wireByteCount(byteCount))
    let (sum, overflow) = free[queue].addingReportingOverflow(time)
    return overflow ? .max - 1 : sum
  }
}
