import DTXCore
import Testing

@Suite struct SchedulerTests {
  private static let block: UInt64 = 1000

  private func segment(_ byteCounts: [UInt64]) -> Segment {
    var tree = Tree()
    for (index, byteCount) in byteCounts.enumerated() {
      tree.add("f\(index)", byteCount: byteCount)
    }
    return Segment(
      index: 0,
      isLast: true,
      inventory: tree.inventory(),
      blockByteCount: SchedulerTests.block
    )
  }

  private func inputs(
    _ rates: [UInt64],
    _ contract: LaneContract = .reserved,
    connectionCount: Int = 1
  ) -> PlanInputs {
    PlanInputs(
      lanes: rates.map { rate in
        Lane(
          contract: contract,
          rate: Rate(bitsPerSecond: rate),
          connectionCount: connectionCount
        )
      }
    )
  }

  private func plan(
    _ segment: Segment,
    _ inputs: PlanInputs,
    wanted: BitSet? = nil,
    carried: [UInt64] = []
  ) -> Plan {
    var generation = Generation(inputs)
    for (queue, free) in carried.enumerated() { generation.queues[queue].free = free }
    return Scheduler.plan(
      segment,
      wanted: wanted ?? BitSet(count: segment.extents.count, filled: true),
      inputs: inputs,
      generation: generation
    )
  }

  private func blocks(of plan: Plan) -> [Int] {
    plan.queues.flatMap { queue in queue.runs.flatMap { Array($0.blocks) } }
  }

  @Test("a plan is what it was: the golden one")
  func matchesGolden() {
    let segment = segment([200_000, 300, 300, 17_500, 999])
    let plan = plan(segment, inputs([8_000_000, 4_000_000]))
    let text = plan.queues.map { queue in
      let runs = queue.runs.map { "\($0.blocks.lowerBound)-\($0.blocks.upperBound - 1)" }
      return "\(runs.joined(separator: " ")) = \(queue.byteCount) by \(queue.finish ?? 0)"
    }
    #expect(text == SchedulerTests.golden)
  }

  /// Two thirds go to the lane that is twice as fast, in runs; the last eighth goes block by block.
  private static let golden = [
    "0-5 6-11 18-23 24-29 36-41 42-47 54-59 60-65 72-77 78-83 90-95 96-101 108-113 114-119 "
      + "126-131 132-137 144-149 150-155 162-167 168-173 180-185 186-191 198-198 199-199 201-201 "
      + "203-203 204-204 206-206 207-207 209-209 210-210 212-212 213-213 215-215 216-216 218-218 "
      + "219-219 = 146499 by 146499000",
    "12-17 30-35 48-53 66-71 84-89 102-107 120-125 138-143 156-161 174-179 192-192 193-193 "
      + "194-194 195-195 196-196 197-197 200-200 202-202 205-205 208-208 211-211 214-214 217-217 "
      + "= 72600 by 145200000",
  ]

  @Test("in every small world each block has one place, and the end is where it should be")
  func coversSmallWorlds() {
    let sizes: [UInt64] = [0, 1, 1000, 3500]
    let rateSets: [[UInt64]] = [[8000], [8000, 8000], [8000, 80_000], [1, 1_000_000, 77_777]]
    for rates in rateSets {
      for connectionCount in 1...2 where rates[0] > 1 || connectionCount == 1 {
        let inputs = inputs(rates, connectionCount: connectionCount)
        for world in 0..<256 {
          let files = (0..<4).map { sizes[(world >> (2 * $0)) & 3] }
          check(segment(files), inputs, "\(files) over \(rates)")
        }
      }
    }
  }

  @Test("large files end on time too, though runs are assigned", arguments: UInt64(0)..<40)
  func endsOnTime(seed: UInt64) {
    var numbers = SeededNumbers(seed: seed)
    let files = (0..<1 + numbers.below(12)).map { _ in UInt64(numbers.below(400_000)) }
    let rates = (0..<1 + numbers.below(6)).map { _ in UInt64(1000 + numbers.below(9_000_000)) }
    check(segment(files), inputs(rates), "\(files) over \(rates)")
  }

  private func check(_ segment: Segment, _ inputs: PlanInputs, _ world: String) {
    let plan = plan(segment, inputs)
    #expect(blocks(of: plan).sorted() == Array(segment.blocks.indices), "\(world)")
    #expect(plan.byteCount == segment.dataByteCount, "\(world)")
    guard let finish = plan.finish else {
      Issue.record("a rated plan without an end: \(world)")
      return
    }
    let rates = inputs.lanes.compactMap { $0.rate }
    let sum = Rate(bitsPerSecond: rates.reduce(0) { $0 + $1.bitsPerSecond })
    guard let slowest = rates.min() else { return }
    let largest = segment.blocks.map { $0.byteCount }.max() ?? 0
    // Each placement rounds its time up by less than a nanosecond.
    let ideal = sum.nanoseconds(for: segment.dataByteCount)
    let bound = ideal + slowest.nanoseconds(for: largest) + UInt64(segment.blocks.count)
    #expect(finish <= bound, "\(world)")
  }

  @Test("only what is wanted is planned")
  func plansWantedAlone() {
    let segment = segment([5500, 100, 100])
    for number in 0..<1 << segment.extents.count {
      var wanted = BitSet(count: segment.extents.count)
      for extent in segment.extents.indices { wanted[extent] = number >> extent & 1 == 1 }
      let plan = plan(segment, inputs([8000, 8000]), wanted: wanted)
      for run in plan.queues.flatMap({ $0.runs }) {
        for end in [run.blocks.lowerBound, run.blocks.upperBound - 1] {
          #expect(segment.blocks[end].extents.contains { wanted[$0] })
        }
      }
      let byteCount = segment.extents.indices.reduce(UInt64(0)) {
        $0 + (wanted[$1] ? UInt64(segment.extents[$1].byteCount) : 0)
      }
      #expect(plan.byteCount == byteCount)
    }
  }

  @Test("a lane that is busy with the segment before gets less of this one")
  func respectsCarriedTimes() throws {
    let segment = segment([100_000])
    let inputs = inputs([8_000_000, 8_000_000])
    let plan = plan(segment, inputs, carried: [20_000_000, 0])
    let finishes = try plan.queues.map { try #require($0.finish) }
    #expect(plan.queues[0].byteCount == 40_000)
    #expect(plan.queues[1].byteCount == 60_000)
    #expect(finishes == [60_000_000, 60_000_000])
  }

  @Test("lanes that nobody rated share one queue, and promise no time")
  func sharesUnratedLanes() {
    let lane = Lane(contract: .bestEffort, rate: nil, connectionCount: 1)
    let inputs = PlanInputs(lanes: [lane, lane])
    let plan = plan(segment([5000, 10]), inputs)
    #expect(plan.queues.count == 1)
    #expect(plan.finish == nil)
    #expect(blocks(of: plan) == [0, 1, 2, 3, 4, 5])
  }

  @Test("the digest covers the inputs as well as the assignment")
  func digestsInputs() {
    let segment = segment([5000])
    let first = inputs([8000])
    var second = first
    second.roundTripNanoseconds = 1
    let plan = plan(segment, first)
    #expect(plan.digest(with: first) == self.plan(segment, first).digest(with: first))
    #expect(plan.digest(with: first) != plan.digest(with: second))
  }
}
