import DTXCore
import Testing

@Suite struct PredictionTests {
  static let blockByteCount: UInt64 = 1000

  static func segment(_ byteCounts: [UInt64], _ index: Int = 0, isLast: Bool = true) -> Segment {
    var tree = Tree()
    for (file, byteCount) in byteCounts.enumerated() {
      tree.add("f\(file)", byteCount: byteCount)
    }
    return Segment(
      index: index,
      isLast: isLast,
      inventory: tree.inventory(),
      blockByteCount: blockByteCount
    )
  }

  static func inputs(
    _ rates: [UInt64],
    _ contract: LaneContract = .reserved,
    connectionCount: Int = 1,
    roundTrip: UInt64 = 0,
    commit: UInt64 = 0
  ) -> PlanInputs {
    PlanInputs(
      lanes: rates.map { rate in
        Lane(
          contract: contract,
          rate: Rate(bitsPerSecond: rate),
          connectionCount: connectionCount
        )
      },
      roundTripNanoseconds: roundTrip,
      commitNanoseconds: commit,
      overheadNumerator: 21,
      overheadDenominator: 20
    )
  }

  static func predict(_ segments: [Segment], _ inputs: PlanInputs) throws -> Prediction {
    var prediction = try #require(Prediction(inputs))
    var generation = Generation(inputs)
    for segment in segments {
      let wanted = BitSet(count: segment.extents.count, filled: true)
      let plan = Scheduler.plan(segment, wanted: wanted, inputs: inputs, generation: generation)
      generation.advance(behind: plan)
      prediction.add(plan, of: segment, wanted: wanted)
    }
    return prediction
  }

  @Test func oneConnectionTakesItsBytesAtItsRate() throws {
    // 21,000 bytes on the wire at 8,000 bytes a second.
    let prediction = try PredictionTests.predict(
      [PredictionTests.segment([20_000])],
      PredictionTests.inputs([64_000], roundTrip: 10_000_000, commit: 40_000_000)
    )
    let lane = try #require(prediction.lanes.first)
    #expect(lane.byteCount == 20_000)
    #expect(lane.wireByteCount == 21_000)
    #expect(lane.blockCount == 20)
    #expect(lane.start == 30_000_000)
    #expect(lane.finish == 30_000_000 + 5_000_000 + 2_625_000_000)
    #expect(prediction.finish == lane.finish + 30_000_000 + 80_000_000)
  }

  @Test func slowStartCostsARoundTripForEachDoublingButOne() throws {
    // 10 segments of 1448 bytes double three times on the way to 100,000 in flight.
    let roundTrip: UInt64 = 100_000_000
    let rate: UInt64 = 8_000_000
    let segments = [PredictionTests.segment([1_000_000])]
    let far = try PredictionTests.predict(
      segments,
      PredictionTests.inputs([rate], roundTrip: roundTrip)
    )
    let moving = Rate(bitsPerSecond: rate).nanoseconds(for: 1_050_000)
    #expect(far.finish == 3 * roundTrip + 2 * roundTrip + roundTrip / 2 + moving + 3 * roundTrip)
  }

  @Test func aSegmentBehindAnotherGoesOnWhereThatOneEnds() throws {
    let inputs = PredictionTests.inputs([80_000, 40_000])
    let one = PredictionTests.segment([50_000], 0, isLast: false)
    let two = PredictionTests.segment([70_000], 1)
    let both = try PredictionTests.predict([one, two], inputs)
    #expect(both.byteCount == 120_000)
    #expect(both.blockCount == 120)
    let alone = try PredictionTests.predict([one], inputs)
    #expect(alone.finish < both.finish)
    let ideal = Rate(bitsPerSecond: 120_000).nanoseconds(for: 126_000)
    let block = Rate(bitsPerSecond: 40_000).nanoseconds(for: 1050)
    #expect((ideal...ideal + 2 * block).contains(both.finish))
  }

  @Test(arguments: [LaneContract.reserved, .bestEffort], [1, 3])
  func nothingIsLostAndTheEndIsNearTheIdeal(
    _ contract: LaneContract,
    _ connectionCount: Int
  ) throws {
    for rates in [[80_000], [80_000, 80_000], [80_000, 240_000, 77_777]] as [[UInt64]] {
      for files in [[1], [999, 1, 5000], [200_000, 300, 300, 17_500, 999]] as [[UInt64]] {
        let inputs = PredictionTests.inputs(rates, contract, connectionCount: connectionCount)
        let prediction = try PredictionTests.predict([PredictionTests.segment(files)], inputs)
        let total = files.reduce(0, +)
        #expect(prediction.lanes.reduce(0) { $0 + $1.byteCount } == total)
        let sum = Rate(bitsPerSecond: rates.reduce(0, +))
        let ideal = sum.nanoseconds(for: inputs.wireByteCount(total))
        let slowest = Rate(bitsPerSecond: (rates.min() ?? 1) / UInt64(connectionCount))
        let slack = 3 * slowest.nanoseconds(for: 1050)
        #expect(prediction.finish <= ideal + slack, "\(files) over \(rates)")
        #expect(prediction.finish + 1000 >= ideal)
      }
    }
  }

  @Test func nothingWantedTakesOnlyTheOpeningAndTheEnd() throws {
    let segment = PredictionTests.segment([5000])
    let inputs = PredictionTests.inputs([8000], roundTrip: 1000)
    var prediction = try #require(Prediction(inputs))
    let wanted = BitSet(count: segment.extents.count)
    let plan = Scheduler.plan(
      segment,
      wanted: wanted,
      inputs: inputs,
      generation: Generation(inputs)
    )
    prediction.add(plan, of: segment, wanted: wanted)
    #expect(prediction.byteCount == 0)
    #expect(prediction.blockCount == 0)
    #expect(prediction.finish == 6000)
  }

  @Test func whatNeverEndsIsNoTrap() throws {
    let null = try #require(NullDataset(byteCount: 2 << 40))
    let segments = [0, 1].map { null.segment($0, blockByteCount: 1 << 30) }
    let inputs = PredictionTests.inputs([1], roundTrip: 1_000_000_000, commit: 1_000_000_000)
    let prediction = try PredictionTests.predict(segments, inputs)
    #expect(prediction.finish == .max)
  }

  /// A request's overhead is below 100; a greater one takes few blocks to sums that would else take
  /// 2^27 of the largest.
  @Test(arguments: 0..<32 as Range<UInt64>)
  func aSumThatNoNumberHoldsIsTheGreatest(_ seed: UInt64) throws {
    var numbers = SeededNumbers(seed: seed)
    let overheads: [UInt64] = [1, 100, 1 << 50, 1 << 54, .max]
    let rates: [UInt64] = [64, 1_000_000, Limits.laneBitsPerSecond]
    var inputs = PredictionTests.inputs(
      (0...numbers.below(3)).map { _ in rates[numbers.below(3)] },
      numbers.below(2) == 0 ? .reserved : .bestEffort,
      connectionCount: 1 + numbers.below(2) * 63,
      roundTrip: UInt64(numbers.below(2)) * (3600 * Duration.second - 1),
      commit: UInt64(numbers.below(2)) * (3600 * Duration.second - 1)
    )
    inputs.overheadNumerator = overheads[numbers.below(5)]
    inputs.overheadDenominator = 1
    let segments = (0..<3).map { index in
      PredictionTests.segment((0...numbers.below(4)).map { _ in 1 << numbers.below(16) }, index)
    }
    let prediction = try PredictionTests.predict(segments, inputs)
    let byteCounts = segments.flatMap { segment in
      segment.extents.map { UInt64($0.byteCount) }
    }
    #expect(prediction.byteCount == byteCounts.reduce(0, +), "seed \(seed)")
    let wire = prediction.lanes.reduce(UInt128(0)) { $0 + UInt128($1.wireByteCount) }
    let whole = byteCounts.reduce(UInt128(0)) { $0 + UInt128(inputs.wireByteCount($1)) }
    let isExact = whole <= UInt128(UInt64.max)
    #expect(isExact ? wire == whole : wire >= UInt128(UInt64.max), "seed \(seed)")
    #expect(prediction.lanes.allSatisfy { $0.finish <= prediction.finish }, "seed \(seed)")
  }

  @Test func lanesWithoutARateSayNothing() {
    let lane = Lane(contract: .bestEffort, rate: nil, connectionCount: 1)
    #expect(Prediction(PlanInputs(lanes: [lane])) == nil)
  }

  @Test(arguments: [1, 2, 5, 9, 10, 30, 100] as [UInt64])
  func theRateThatIsSaidToMeetItDoesAndOnePercentLessDoesNot(_ tenths: UInt64) throws {
    let segments = [
      PredictionTests.segment([2_000_000, 500, 500, 77_000], 0, isLast: false),
      PredictionTests.segment([1_500_000, 90_000], 1),
    ]
    for rates in [[80_000], [80_000, 240_000], [50_000, 60_000, 70_000]] as [[UInt64]] {
      for contract in [LaneContract.reserved, .bestEffort] {
        let inputs = PredictionTests.inputs(rates, contract, roundTrip: 1_000_000)
        let prediction = try PredictionTests.predict(segments, inputs)
        let limit = prediction.finish / 10 * tenths
        let sum = Rate(bitsPerSecond: rates.reduce(0, +))
        let needed = try #require(prediction.rate(meeting: limit, from: sum))
        // As a user would go on: lanes of the new rate, planned anew.
        #expect(try finish(segments, inputs, needed, over: sum) <= limit, "\(rates) \(needed)")
        let less = needed.scaled(by: 99, over: 100)
        #expect(try finish(segments, inputs, less, over: sum) > limit, "\(rates) \(needed)")
      }
    }
  }

  @Test func whatRoundTripsAloneTakeNoRateMeets() throws {
    let inputs = PredictionTests.inputs([80_000], roundTrip: 50_000_000)
    let prediction = try PredictionTests.predict([PredictionTests.segment([100])], inputs)
    #expect(prediction.rate(meeting: 250_000_000, from: Rate(bitsPerSecond: 80_000)) == nil)
    #expect(prediction.rate(meeting: 350_000_000, from: Rate(bitsPerSecond: 80_000)) != nil)
  }

  private func finish(
    _ segments: [Segment],
    _ inputs: PlanInputs,
    _ rate: Rate,
    over sum: Rate
  ) throws -> UInt64 {
    var inputs = inputs
    for index in inputs.lanes.indices {
      inputs.lanes[index].rate = inputs.lanes[index].rate?
        .scaled(by: rate.bitsPerSecond, over: sum.bitsPerSecond)
    }
    return try PredictionTests.predict(segments, inputs).finish
  }
}
