import DTXCore
import DTXSimulator
import Testing

/// Whole transfers in virtual time, on small copies of what the built-in scenarios describe.
@Suite struct ScenarioRunTests {
  @Test("a reserved lane is filled to the ceiling, and never beyond", arguments: [1, 2])
  func fillsItsLanes(laneCount: Int) throws {
    let outcome = try Small.run(Small.telescope(laneCount: laneCount))
    #expect(outcome.isSound)
    #expect(outcome.runCount == 1)
    #expect(outcome.resentByteCount == 0)
    let least = outcome.rateCeiling.nanoseconds(for: outcome.durableByteCount)
    #expect(outcome.elapsedNanoseconds > least)
    // Start, round trips, the last commit and the end, which no dataset makes longer.
    #expect(outcome.elapsedNanoseconds < least + least / 200 + 3 * Duration.second)
    #expect(outcome.limitation?.shares.first?.cause == .rate)
  }

  @Test("what is simulated takes as long as the plan said, within 2 %", arguments: [1, 2, 3])
  func agreesWithThePlan(laneCount: Int) throws {
    let outcome = try Small.run(Small.telescope(laneCount: laneCount))
    let predicted = try #require(outcome.predictedNanoseconds)
    let moving = outcome.elapsedNanoseconds - outcome.scenario.startNanoseconds
    #expect(moving > predicted)
    #expect(moving < predicted + predicted / 50 + Duration.second)
  }

  @Test("the same seed gives the same answer, another one an answer as sound")
  func isTheSameEveryTime() throws {
    var scenario = try Small.telescope(laneCount: 2)
    scenario.faults = StandardFault.allCases.map { $0.fault(in: scenario) }
    let first = Small.run(scenario)
    #expect(first == Small.run(scenario))
    scenario.seed += 1
    let other = Small.run(scenario)
    #expect(first.isSound && other.isSound)
    #expect(first.elapsedNanoseconds != other.elapsedNanoseconds)
  }

  @Test("after each fault all is durable, and little went twice", arguments: StandardFault.allCases)
  func survives(_ fault: StandardFault) throws {
    for laneCount in [1, 2] {
      var scenario = try Small.telescope(laneCount: laneCount)
      let quiet = Small.run(scenario)
      scenario.faults = [fault.fault(in: scenario)]
      let outcome = Small.run(scenario)
      #expect(outcome.isSound, "\(String(describing: outcome.problem))")
      // Two epochs, and what the windows held at each break.
      let epochs = 2 * outcome.rateCeiling.byteCount(in: Limits.epochNanoseconds)
      let connections = scenario.lanes.reduce(0) { $0 + $1.connectionCount }
      let windows = UInt64(connections) * (4 * scenario.blockByteCount + (64 << 20))
      #expect(outcome.resentByteCount <= epochs + windows)
      #expect(outcome.elapsedNanoseconds >= quiet.elapsedNanoseconds)
      switch fault {
      case .laneCut where laneCount > 1:
        // The other lane takes over what the plan gave to this one.
        #expect(outcome.runCount == 1)
        #expect(outcome.generationCount > 0)
        #expect(outcome.elapsedNanoseconds < 2 * quiet.elapsedNanoseconds + 40 * Duration.second)
      case .laneCut, .powerLoss:
        #expect(outcome.elapsedNanoseconds > quiet.elapsedNanoseconds + 590 * Duration.second)
        #expect(outcome.runCount > 1)
        #expect(outcome.resumedByteCount > 0)
      case .slowDisk:
        #expect(outcome.limitation?.shares.first?.cause == .receiverWrite)
        #expect(outcome.resentByteCount == 0)
      case .corruptBlock:
        #expect(outcome.damagedBlockCount == 1)
        #expect(outcome.resentByteCount == scenario.blockByteCount)
        #expect(outcome.runCount == 1)
      }
    }
  }

  @Test("a cut that is shorter than TCP's patience breaks nothing")
  func outlastsAShortCut() throws {
    var scenario = try Small.telescope(laneCount: 1)
    let quiet = Small.run(scenario)
    let length = 5 * Duration.second
    scenario.faults = [ScenarioFault(.laneCut(lane: nil), at: .share(30_000_000), for: length)]
    let outcome = Small.run(scenario)
    #expect(outcome.isSound)
    #expect(outcome.runCount == 1)
    #expect(outcome.lostConnectionCount == 0)
    #expect(outcome.resentByteCount == 0)
    let late = outcome.elapsedNanoseconds - quiet.elapsedNanoseconds
    #expect(late > length - Duration.second && late < length + Duration.second)
  }

  @Test("power that is lost again and again costs time, never a file")
  func survivesManyLosses() throws {
    var scenario = try Small.telescope(laneCount: 1)
    scenario.faults = (1...9).map { tenth in
      let moment = FaultMoment.share(UInt64(tenth) * 10_000_000)
      return ScenarioFault(.powerLoss, at: moment, for: Duration.second)
    }
    let outcome = Small.run(scenario)
    #expect(outcome.isSound)
    #expect(outcome.runCount == 10)
  }

  @Test("a competitor takes from the best-effort lane, and nothing from the reserved one")
  func keepsReservations() throws {
    let quiet = try Small.run(Small.shared(hasCompetitor: false))
    let crowded = try Small.run(Small.shared(hasCompetitor: true))
    #expect(quiet.isSound && crowded.isSound)
    // Alone 8 Gb/s are carried. A hundred flows leave 5 and a hundred-and-first of the other 5.
    let before = quiet.goodput.bitsPerSecond
    #expect(before > 7_000_000_000)
    #expect(crowded.goodput.bitsPerSecond < before * 7 / 10)
    var reserved = try Small.shared(hasCompetitor: true)
    reserved.lanes.removeLast()
    let alone = Small.run(reserved)
    #expect(alone.goodput.bitsPerSecond > 4_500_000_000)
  }

  @Test("flows that loss holds down add up")
  func addsFlowsUp() throws {
    let built = try #require(BuiltInScenario.named("public-internet")).scenario()
    var scenario = built
    scenario.dataset = ScenarioDataset(byteCount: 24_000_000_000, fileCount: 12)
    let rates = scenario.variants.map {
      Small.run($0.applied(to: scenario)).goodput.bitsPerSecond
    }
    #expect(rates.count == 2)
    // 699 days for 72 TB are 9.54 Mb/s.
    #expect((9_440_000...9_640_000).contains(rates[0]))
    #expect((7_800...8_050).contains(rates[1] * 1000 / rates[0]))
  }

  @Test("processors that cannot keep up are named")
  func namesTheProcessor() throws {
    var scenario = try Small.telescope(laneCount: 1)
    scenario.sender.coreCount = 2
    let outcome = Small.run(scenario)
    #expect(outcome.isSound)
    #expect(outcome.limitation?.shares.first?.cause == .senderProcessor)
  }

  @Test("a source that reads slowly is named")
  func namesTheSource() throws {
    var scenario = try Small.telescope(laneCount: 1)
    scenario.sender.readSpeed = 2_000_000_000
    let outcome = Small.run(scenario)
    #expect(outcome.isSound)
    #expect(outcome.limitation?.shares.first?.cause == .sourceRead)
    #expect(outcome.goodput.bitsPerSecond < 16_000_000_000)
  }

  @Test("small files share blocks, empty ones need none", arguments: [(1000, 700), (5, 9), (1, 1)])
  func movesSmallFiles(byteCount: UInt64, fileCount: Int) throws {
    var scenario = try Small.telescope(laneCount: 1)
    scenario.dataset = ScenarioDataset(byteCount: byteCount, fileCount: fileCount)
    let outcome = Small.run(scenario)
    #expect(outcome.isSound)
    #expect(outcome.durableFileCount == fileCount)
  }

  @Test func aDatasetIsCutWholly() {
    for (byteCount, fileCount) in [(UInt64(7_000_000), 3), (10, 20), (2_200_000_000_000, 1100)] {
      let dataset = ScenarioDataset(byteCount: byteCount, fileCount: fileCount)
      var sum: UInt64 = 0
      var blockCount = 0
      var files = 0
      for index in 0..<dataset.segmentCount {
        let segment = dataset.segment(index, blockByteCount: 1 << 30)
        sum += segment.dataByteCount
        blockCount += segment.blocks.count
        files += dataset.files(ofSegment: index).count
        #expect(segment.isLast == (index + 1 == dataset.segmentCount))
      }
      #expect(sum == byteCount)
      #expect(files == fileCount)
      #expect(dataset.blockCount(blockByteCount: 1 << 30) == blockCount)
    }
  }
}

/// Scenarios that take no time to speak of.
private enum Small {
  static func run(_ scenario: Scenario) -> ScenarioOutcome {
    var run = ScenarioRun(scenario)
    return run.run()
  }

  /// A three-hundredth of what the built-in scenario moves, over the same path.
  static func telescope(laneCount: Int) throws -> Scenario {
    var scenario = try #require(BuiltInScenario.named("fast-72tb")).scenario()
    scenario.dataset = ScenarioDataset(byteCount: 240_000_000_000, fileCount: 120)
    let rate = Rate(bitsPerSecond: 100_000_000_000 / UInt64(laneCount))
    scenario.lanes = (0..<laneCount).map { _ in
      Lane(contract: .reserved, rate: rate, connectionCount: Lane.connectionCount(for: rate))
    }
    return scenario
  }

  /// A reserved lane of 5 Gb/s beside a best-effort one of 4 on a path of 10.
  static func shared(hasCompetitor: Bool) throws -> Scenario {
    var text = """
      [dataset]
      bytes = "20GB"
      files = 40
      [path]
      rate = "10G"
      mtu = 9000
      [[lane]]
      rate = "5G"
      reserved = true
      [[lane]]
      rate = "4G"
      """
    if hasCompetitor { text += "\n[[competitor]]\nflows = 100\nfrom = \"2s\"" }
    return try Scenario(parsing: text)
  }
}
