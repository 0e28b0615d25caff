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
  ///   - generation: what each of their queues is planned with, and when it is free.
  /// - Returns: the same plan for the same arguments, on every host.
  package static func plan(
    _ segment: Segment,
    wanted: BitSet,
    inputs: PlanInputs,
    generation: Generation
  ) -> Plan {
    precondition(wanted.count == segment.extents.count, "one bit for each extent")
    precondition(generation.queues.count == inputs.queues.count, "one for each queue")
    let load = BlockLoad(segment: segment, wanted: wanted)
    let runs = load.runs(limit: runLimit(total: load.total, inputs: inputs))

    var assignment = Assignment(generation, inputs: inputs)
    let isShared = generation.queues.count > 1
    let levelled = isShared ? load.total - load.total / 8 : load.total
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
    return Plan(
      segment: segment.index,
      generation: generation.number,
      queues: assignment.takeQueues()
    )
  }

  /// Bytes of a run, at most.
  static func runLimit(total: UInt64, inputs: PlanInputs) -> UInt64 {
    let connectionCount = inputs.lanes.reduce(0) { $0 + $1.connectionCount }
    return min(Limits.runByteCount, max(1, total / (16 * UInt64(connectionCount))))
  }
}

/// How much of each block is wanted.
struct BlockLoad {
  let segment: Segment
  /// One for each block; 0 for a block that is not to be planned.
  private(set) var byteCounts: [UInt64]
  private(set) var total: UInt64 = 0
  /// Blocks that are wanted and do not count: no run passes over them, since they have a queue.
  private var taken: BitSet

  /// - Parameters:
  ///   - segment: cut into blocks.
  ///   - wanted: one bit for each extent.
  ///   - blocks: one bit for each block that counts; nil when all do.
  init(segment: Segment, wanted: BitSet, blocks: BitSet? = nil) {
    self.segment = segment
    byteCounts = Array(repeating: 0, count: segment.blocks.count)
    taken = BitSet(count: segment.blocks.count)
    for (index, block) in segment.blocks.enumerated() {
      var sum: UInt64 = 0
      for extent in block.extents where wanted[extent] {
        sum += UInt64(segment.extents[extent].byteCount)
      }
      guard blocks?[index] != false else {
        taken[index] = sum > 0
        continue
      }
      byteCounts[index] = sum
      total += sum
    }
  }

  /// Takes a block out.
  mutating func remove(_ block: Int) {
    total -= byteCounts[block]
    byteCounts[block] = 0
  }

  /// Runs in canonical order; each begins and ends with a wanted block.
  ///
  /// - Parameters:
  ///   - limit: bytes of a run, at most, unless one block has more.
  ///   - owners: each block's queue, where a run must stay on one.
  /// - Returns: all blocks that count, each in one run.
  func runs(limit: UInt64, owners: [UInt8]? = nil) -> [Run] {
    var runs: [Run] = []
    var previousSource: UInt32?
    for (index, byteCount) in byteCounts.enumerated() {
      guard byteCount > 0 else {
        if taken[index] { previousSource = nil }
        continue
      }
      let source = source(of: index)
      if let last = runs.indices.last, source == previousSource,
        runs[last].byteCount + byteCount <= limit,
        owners.map({ $0[runs[last].blocks.lowerBound] == $0[index] }) ?? true
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
struct Assignment {
  private let inputs: PlanInputs
  private var queues: [Generation.Queue]
  private var planned: [Plan.Queue]

  init(_ generation: Generation, inputs: PlanInputs) {
    self.inputs = inputs
    queues = generation.queues
    planned = generation.queues.map { Plan.Queue(rate: $0.rate) }
  }

  /// Gives a run to the queue that finishes it first; ties to the lower one.
  mutating func place(_ run: Run) {
    place(run, on: queues.earliest(for: inputs.wireByteCount(run.byteCount)).queue)
  }

  mutating func place(_ run: Run, on queue: Int) {
    planned[queue].runs.append(run)
    planned[queue].byteCount += run.byteCount
    queues[queue].free = queues[queue].finish(of: inputs.wireByteCount(run.byteCount))
  }

  /// What was placed since the last time, with the queues' finish times.
  mutating func takeQueues() -> [Plan.Queue] {
    var result = planned
    for index in queues.indices where queues[index].rate != nil {
      result[index].finish = queues[index].free
    }
    planned = queues.map { Plan.Queue(rate: $0.rate) }
    return result
  }
}

extension [Generation.Queue] {
  /// The queue that would finish so many bytes of the wire first, and when; ties go to the lower
  /// one.
  func earliest(for wireByteCount: UInt64) -> (queue: Int, finish: UInt64) {
    var best = (queue: 0, finish: UInt64.max)
    for index in indices {
      let finish = self[index].finish(of: wireByteCount)
      if finish < best.finish { best = (index, finish) }
    }
    return best
  }
}
