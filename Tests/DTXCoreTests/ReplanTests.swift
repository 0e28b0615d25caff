import DTXCore
import Testing

@Suite struct ReplanTests {
  private static let block: UInt64 = 1000

  private func segment(_ byteCounts: [UInt64], index: Int = 0) -> Segment {
    var tree = Tree()
    for (number, byteCount) in byteCounts.enumerated() {
      tree.add("f\(number)", byteCount: byteCount)
    }
    return Segment(
      index: index,
      isLast: true,
      inventory: tree.inventory(),
      blockByteCount: ReplanTests.block
    )
  }

  private func inputs(_ rates: [UInt64]) -> PlanInputs {
    PlanInputs(
      lanes: rates.map { rate in
        Lane(contract: .reserved, rate: Rate(bitsPerSecond: rate), connectionCount: 1)
      }
    )
  }

  private func generation(_ rates: [UInt64], free: [UInt64] = []) -> Generation {
    let queues = rates.enumerated().map { index, rate in
      Generation.Queue(
        rate: Rate(bitsPerSecond: rate),
        free: free.indices.contains(index) ? free[index] : 0
      )
    }
    return Generation(number: 1, queues: queues)
  }

  private func remainder(
    _ segment: Segment,
    owners: [UInt8],
    without taken: [Int] = []
  ) -> Remainder {
    var blocks = BitSet(count: segment.blocks.count, filled: true)
    for block in taken { blocks[block] = false }
    return Remainder(
      segment: segment,
      wanted: BitSet(count: segment.extents.count, filled: true),
      blocks: blocks,
      owners: owners
    )
  }

  /// What the first plan gives each block.
  private func owners(_ segment: Segment, _ inputs: PlanInputs) -> [UInt8] {
    var owners = [UInt8](repeating: 0, count: segment.blocks.count)
    Scheduler.plan(
      segment,
      wanted: BitSet(count: segment.extents.count, filled: true),
      inputs: inputs,
      generation: Generation(inputs)
    ).assign(&owners)
    return owners
  }

  @Test("in every small world each block that is left has one place, and the end is in bounds")
  func coversSmallWorlds() {
    let sizes: [UInt64] = [0, 10, 1000, 3500]
    let rates: [UInt64] = [8000, 24_000, 80_000]
    // Each lane keeps its rate, loses half of it, or is gone.
    for change in 0..<26 {
      let changed = (0..<3).map { lane -> UInt64 in
        switch (change / [1, 3, 9][lane]) % 3 {
        case 0: rates[lane]
        case 1: rates[lane] / 2
        default: 0
        }
      }
      for world in 0..<64 {
        let files = (0..<3).map { sizes[(world >> (2 * $0)) & 3] }
        let segment = segment(files)
        for taken in [[], [0], Array(0..<segment.blocks.count / 2)] {
          guard taken.allSatisfy({ $0 < segment.blocks.count }) else { continue }
          let remainder = remainder(
            segment,
            owners: owners(segment, inputs(rates)),
            without: taken
          )
          check([remainder], inputs(rates), generation(changed), "\(files) at \(changed)")
        }
      }
    }
  }

  @Test("large worlds keep to the bound too", arguments: UInt64(0)..<60)
  func endsInBounds(seed: UInt64) {
    var numbers = SeededNumbers(seed: seed)
    let laneCount = 1 + numbers.below(6)
    let rates = (0..<laneCount).map { _ in UInt64(1000 + numbers.below(9_000_000)) }
    var changed = rates.map { rate -> UInt64 in
      numbers.below(3) == 0 ? 0 : rate / UInt64(1 + numbers.below(3))
    }
    if !changed.contains(where: { $0 > 0 }) { changed[0] = rates[0] }
    let free = rates.map { _ in UInt64(numbers.below(2_000_000_000)) }
    let remainders = (0..<1 + numbers.below(3)).map { index in
      let files = (0..<1 + numbers.below(8)).map { _ in UInt64(numbers.below(200_000)) }
      let segment = segment(files, index: index)
      let taken = segment.blocks.indices.filter { _ in numbers.below(4) == 0 }
      return remainder(segment, owners: owners(segment, inputs(rates)), without: taken)
    }
    check(remainders, inputs(rates), generation(changed, free: free), "seed \(seed)")
  }

  private func check(
    _ remainders: [Remainder],
    _ inputs: PlanInputs,
    _ generation: Generation,
    _ world: String
  ) {
    let plans = Scheduler.replan(remainders, inputs: inputs, generation: generation)
    #expect(plans == Scheduler.replan(remainders, inputs: inputs, generation: generation))
    var wire: UInt64 = 0
    var largest: UInt64 = 0
    var count: UInt64 = 0
    for (plan, remainder) in zip(plans, remainders) {
      let placed = plan.queues.flatMap { $0.runs.flatMap { Array($0.blocks) } }
      let left = remainder.segment.blocks.indices.filter {
        remainder.blocks[$0] && remainder.segment.blocks[$0].byteCount > 0
      }
      #expect(placed.sorted() == left, "\(world)")
      for (queue, planned) in plan.queues.enumerated() {
        let blocks = planned.runs.flatMap { Array($0.blocks) }
        #expect(blocks == blocks.sorted(), "a queue goes through a segment in order: \(world)")
        if !generation.queues[queue].isOpen { #expect(planned.runs.isEmpty, "\(world)") }
      }
      for block in left {
        wire += remainder.segment.blocks[block].byteCount
        largest = max(largest, remainder.segment.blocks[block].byteCount)
        count += 1
      }
    }
    let open = generation.queues.filter { $0.isOpen }
    guard wire > 0, let slowest = open.compactMap({ $0.rate }).min(),
      let level = generation.level(wireByteCount: wire)
    else { return }
    var finish: UInt64 = 0
    for plan in plans {
      for queue in plan.queues where queue.byteCount > 0 { finish = max(finish, queue.finish ?? 0) }
    }
    // Each placement rounds its time up by less than a nanosecond.
    #expect(finish <= level + slowest.nanoseconds(for: largest) + count, "\(world)")
  }

  @Test("the level is where water would stand")
  func levels() {
    let one = generation([8000])
    #expect(one.level(wireByteCount: 1000) == 1_000_000_000)
    let two = generation([8000, 24_000], free: [0, 1_000_000_000])
    // The first alone until the second is free.
    #expect(two.level(wireByteCount: 500) == 500_000_000)
    #expect(two.level(wireByteCount: 1000) == 1_000_000_000)
    #expect(two.level(wireByteCount: 5000) == 2_000_000_000)
    #expect(generation([0, 8000]).level(wireByteCount: 1000) == 1_000_000_000)
    #expect(generation([0, 0]).level(wireByteCount: 1) == nil)
    // The largest that a peer may announce.
    let huge = Generation(
      number: 1,
      queues: Array(
        repeating: Generation.Queue(
          rate: Rate(bitsPerSecond: 1 << 63),
          free: Limits.planNanoseconds
        ),
        count: Limits.laneCount
      )
    )
    #expect(huge.level(wireByteCount: .max).map { $0 >= Limits.planNanoseconds } == true)
  }

  @Test("what still fits stays where it is")
  func leavesBalanceAlone() {
    let rates: [UInt64] = [8_000_000, 4_000_000]
    let segment = segment([200_000, 300, 17_500])
    let before = owners(segment, inputs(rates))
    let plans = Scheduler.replan(
      [remainder(segment, owners: before)],
      inputs: inputs(rates),
      generation: generation(rates)
    )
    var after = before
    plans[0].assign(&after)
    let movedCount = zip(before, after).count { $0 != $1 }
    #expect(movedCount <= 1, "what does not fit below the level is one block of each queue at most")
  }

  @Test("only a lost lane's blocks move when the others have their hands full")
  func movesLostBlocks() {
    let rates: [UInt64] = [8_000_000, 8_000_000, 8_000_000]
    let segment = segment([300_000])
    let before = owners(segment, inputs(rates))
    let plans = Scheduler.replan(
      [remainder(segment, owners: before)],
      inputs: inputs(rates),
      generation: generation([8_000_000, 0, 8_000_000])
    )
    var after = before
    plans[0].assign(&after)
    for block in before.indices {
      if before[block] == 1 {
        #expect(after[block] != 1)
      } else {
        #expect(after[block] == before[block])
      }
    }
  }

  @Test("no run passes over a block that is on its way")
  func breaksRunsAtTakenBlocks() {
    let segment = segment([100_000])
    let owners = [UInt8](repeating: 0, count: segment.blocks.count)
    let plans = Scheduler.replan(
      [remainder(segment, owners: owners, without: [3, 7, 8])],
      inputs: inputs([8_000_000]),
      generation: generation([8_000_000])
    )
    let blocks = plans[0].queues[0].runs.flatMap { Array($0.blocks) }
    #expect(blocks == segment.blocks.indices.filter { ![3, 7, 8].contains($0) })
  }

  @Test("the digest covers the generation's rates")
  func digestsRates() {
    let segment = segment([5000])
    let left = [remainder(segment, owners: owners(segment, inputs([8000, 8000])))]
    let inputs = inputs([8000, 8000])
    let changes: [[UInt64]] = [[8000, 8000], [8000, 7999]]
    let digests = changes.map { rates in
      let plans = Scheduler.replan(left, inputs: inputs, generation: generation(rates))
      return plans[0].digest(with: inputs)
    }
    #expect(digests[0] != digests[1])
  }

  @Test("a generation that cannot follow is named")
  func namesImpossibleGenerations() {
    let first = Generation(inputs([8000, 8000]))
    var next = generation([8000, 0])
    #expect(first.problem(with: next) == nil)
    next.number = 2
    #expect(first.problem(with: next) == "generation 2 after 0")
    #expect(first.problem(with: generation([0, 0])) == "no queue that takes blocks")
    #expect(first.problem(with: generation([8000])) == "1 queues")
  }
}
