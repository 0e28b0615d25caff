/// What is left of a planned segment when a new generation begins.
package struct Remainder: Sendable {
  package var segment: Segment
  /// One bit for each extent that the receiver lacked in the beginning.
  package var wanted: BitSet
  /// One bit for each block that no connection has taken yet.
  package var blocks: BitSet
  /// The queue of each block so far.
  package var owners: [UInt8]

  package init(segment: Segment, wanted: BitSet, blocks: BitSet, owners: [UInt8]) {
    precondition(blocks.count == segment.blocks.count, "one bit for each block")
    precondition(owners.count == segment.blocks.count, "one queue for each block")
    self.segment = segment
    self.wanted = wanted
    self.blocks = blocks
    self.owners = owners
  }
}

extension Scheduler {
  /// Plans what is left for a new generation: a pure function of what is left, whose it was, and
  /// the generation.
  ///
  /// As little as possible moves: each queue keeps the blocks that it can send before all could be
  /// done at once, in canonical order. The rest, and all of a queue that is not open, go in runs to
  /// the queue that finishes them first, block by block where a run would end later than that. So
  /// the end is at most one block on the slowest open queue after that level.
  ///
  /// - Parameters:
  ///   - remainders: ascending by segment.
  ///   - inputs: of the session, with rates.
  ///   - generation: with an open queue; when each is free counts what connections have taken.
  /// - Returns: a plan for each remainder, of its blocks alone.
  package static func replan(
    _ remainders: [Remainder],
    inputs: PlanInputs,
    generation: Generation
  ) -> [Plan] {
    let loads = remainders.map {
      BlockLoad(segment: $0.segment, wanted: $0.wanted, blocks: $0.blocks)
    }
    let total = loads.reduce(0) { $0 + $1.total }
    let limit = runLimit(total: total, inputs: inputs)
    let moved = redistribute(remainders, loads, limit, inputs, generation)

    var assignment = Assignment(generation, inputs: inputs)
    return remainders.indices.map { index in
      for run in loads[index].runs(limit: limit, owners: moved[index]) {
        assignment.place(run, on: Int(moved[index][run.blocks.lowerBound]))
      }
      return Plan(
        segment: remainders[index].segment.index,
        generation: generation.number,
        queues: assignment.takeQueues()
      )
    }
  }

  /// The queue of each block that is left, in each segment.
  private static func redistribute(
    _ remainders: [Remainder],
    _ loads: [BlockLoad],
    _ limit: UInt64,
    _ inputs: PlanInputs,
    _ generation: Generation
  ) -> [[UInt8]] {
    var levelling = Levelling(loads, inputs, generation)
    var owners = remainders.map { $0.owners }
    var shed = loads
    for (index, load) in loads.enumerated() {
      for (block, byteCount) in load.byteCounts.enumerated() where byteCount > 0 {
        if levelling.keep(byteCount, on: Int(owners[index][block])) { shed[index].remove(block) }
      }
    }
    for (index, load) in shed.enumerated() {
      for run in load.runs(limit: limit) {
        if let queue = levelling.takeWhole(run.byteCount) {
          for block in run.blocks where load.byteCounts[block] > 0 { owners[index][block] = queue }
        } else {
          for block in run.blocks where load.byteCounts[block] > 0 {
            owners[index][block] = levelling.take(load.byteCounts[block])
          }
        }
      }
    }
    return owners
  }
}

/// Queues as they fill up to the level at which all would be done at once.
private struct Levelling {
  private let inputs: PlanInputs
  private let level: UInt64
  private var queues: [Generation.Queue]
  /// Queues that have given a block away, and with it all that come behind.
  private var isShedding: [Bool]

  init(_ loads: [BlockLoad], _ inputs: PlanInputs, _ generation: Generation) {
    self.inputs = inputs
    queues = generation.queues
    isShedding = generation.queues.map { !$0.isOpen }
    var wire: UInt64 = 0
    for load in loads {
      for byteCount in load.byteCounts where byteCount > 0 {
        wire = wire.addingClamped(inputs.wireByteCount(byteCount))
      }
    }
    level = generation.level(wireByteCount: wire) ?? .max
  }

  /// Leaves a block where it is, if it is done there in time.
  mutating func keep(_ byteCount: UInt64, on queue: Int) -> Bool {
    guard !isShedding[queue] else { return false }
    let finish = queues[queue].finish(of: inputs.wireByteCount(byteCount))
    guard finish <= level else {
      isShedding[queue] = true
      return false
    }
    queues[queue].free = finish
    return true
  }

  /// The queue that finishes a run first; nil when that is too late.
  mutating func takeWhole(_ byteCount: UInt64) -> UInt8? {
    let (queue, finish) = earliest(byteCount)
    guard finish <= level else { return nil }
    queues[queue].free = finish
    return UInt8(queue)
  }

  /// The queue that finishes a block first.
  mutating func take(_ byteCount: UInt64) -> UInt8 {
    let (queue, finish) = earliest(byteCount)
    queues[queue].free = finish
    return UInt8(queue)
  }

  private func earliest(_ byteCount: UInt64) -> (queue: Int, finish: UInt64) {
    queues.earliest(for: inputs.wireByteCount(byteCount))
  }
}
