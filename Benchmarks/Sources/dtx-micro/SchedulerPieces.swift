internal import DTXCore

/// The scheduler, for few blocks and for a million: a block's cost must be the same.
enum SchedulerPieces {
  static func measure(with stopwatch: inout Stopwatch) {
    for count in [1000, 1_000_000] {
      let segment = SampleSegments.largeFile(blockCount: count)
      let wanted = BitSet(count: segment.extents.count, filled: true)
      let generation = Generation(SampleSegments.inputs)
      stopwatch.time("scheduler, \(count) blocks", per: "block", count) {
        let plan = Scheduler.plan(
          segment,
          wanted: wanted,
          inputs: SampleSegments.inputs,
          generation: generation
        )
        return plan.queues.reduce(0) { $0 &* 31 &+ UInt64($1.runs.count) &+ $1.byteCount }
      }
    }
  }
}
