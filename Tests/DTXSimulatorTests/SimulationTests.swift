import DTXCore
import DTXSimulator
import Glibc
import Testing

/// The product's own sessions, scheduler and journal in worlds drawn by lot.
@Suite struct SimulationTests {
  @Test("every seed keeps every invariant, without faults and with them", arguments: Seeds.asked)
  func keepsInvariants(seed: UInt64) {
    let world = World.drawn(seed: seed)
    let quiet = Trial.run(world)
    Trial.expectNothing(in: quiet, seed: seed)

    let faults = FaultPlan.drawn(for: world, stepCount: quiet.stepCount)
    let faulty = Trial.run(world, faults)
    Trial.expectNothing(in: faulty, seed: seed)

    // The same destination, and from the first the source as it was in the end.
    var settled = world
    settled.tree = faulty.source
    settled.changes = []
    let difference = Auditor(faulty).faultInvariant(to: Trial.run(settled))
    #expect(difference == nil, "\(Seeds.replay(seed))")

    let again = Auditor(faulty).seedIdentical(to: Trial.run(world, faults))
    #expect(again == nil, "\(Seeds.replay(seed))")
  }

  @Test("a crash of either end before any event is survived", arguments: End.allCases)
  func survivesCrashAnywhere(end: End) {
    let world = Trial.smallWorld()
    let quiet = Trial.run(world)
    #expect(Auditor(quiet).findings().isEmpty)
    for step in 0..<quiet.stepCount {
      for losesPower in [false, true] {
        let fault = Fault.crash(end, losesPower: losesPower)
        let record = Trial.run(world, FaultPlan([FaultPlan.Placed(step: step, fault: fault)]))
        let findings = Auditor(record).findings()
        #expect(findings.isEmpty, "\(fault) before event \(step)")
        #expect(Auditor(record).faultInvariant(to: quiet) == nil, "\(fault) before event \(step)")
      }
    }
  }

  @Test("a cancel at either end before any event ends both, and the next run goes on")
  func survivesCancelAnywhere() throws {
    let world = Trial.smallWorld()
    let quiet = Trial.run(world)
    for end in End.allCases {
      for step in 0..<quiet.stepCount {
        let plan = FaultPlan([FaultPlan.Placed(step: step, fault: .cancel(end))])
        let record = Trial.run(world, plan)
        #expect(Auditor(record).findings().isEmpty, "cancelled before event \(step)")
        let first = try #require(record.runs.first)
        for outcome in [first.sender, first.receiver] {
          let isExpected = outcome == .interrupted || outcome == .completed
          #expect(
            isExpected,
            "\(end) cancelled before event \(step): \(String(describing: outcome))"
          )
        }
      }
    }
  }

  @Test("a lane cut before any event is survived in the same run")
  func survivesCutAnywhere() {
    let world = Trial.smallWorld()
    let quiet = Trial.run(world)
    for step in 0..<quiet.stepCount {
      let plan = FaultPlan([
        FaultPlan.Placed(step: step, fault: .cut(lane: step % 2, isSilent: false))
      ])
      let record = Trial.run(world, plan)
      #expect(Auditor(record).findings().isEmpty, "cut before event \(step)")
      #expect(record.runs.count == 1, "cut before event \(step)")
      #expect(Auditor(record).faultInvariant(to: quiet) == nil, "cut before event \(step)")
    }
  }

  @Test("a lane that is down for a while gives its blocks away, and takes its part when it is back")
  func revisesThePlan() throws {
    for isSenderInitiator in [true, false] {
      var world = Trial.smallWorld()
      world.isSenderInitiator = isSenderInitiator
      // A minute and more, so that a lane is missed.
      for lane in world.inputs.lanes.indices {
        world.inputs.lanes[lane].rate = Rate(bitsPerSecond: UInt64(lane + 2) * 1000)
      }
      let quiet = Trial.run(world)
      #expect(!quiet.hasRevisions)
      for step in stride(from: 0, to: quiet.stepCount, by: 3) {
        let fault = Fault.down(lane: step % 2, nanoseconds: 30 * Duration.second)
        let record = Trial.run(world, FaultPlan([FaultPlan.Placed(step: step, fault: fault)]))
        #expect(Auditor(record).findings().isEmpty, "down before event \(step)")
        #expect(record.runs.count == 1, "down before event \(step)")
        #expect(Auditor(record).faultInvariant(to: quiet) == nil, "down before event \(step)")
        for case .revised(.receiver, let revision) in record.observations {
          let said = record.observations.contains { observation in
            if case .revised(.sender, revision) = observation { true } else { false }
          }
          #expect(said, "the ends began different generations, down before event \(step)")
        }
      }
      let early = FaultPlan([
        FaultPlan.Placed(
          step: quiet.stepCount / 3,
          fault: .down(lane: 0, nanoseconds: 30 * Duration.second)
        )
      ])
      #expect(Trial.run(world, early).hasRevisions)
    }
  }

  @Test("without faults, reserved lanes finish when the plan said")
  func finishesOnTime() throws {
    var world = Trial.smallWorld()
    world.jitterNanoseconds = 0
    let record = Trial.run(world)
    var predicted: UInt64 = 0
    for case .planned(.sender, let plan) in record.observations {
      predicted = max(predicted, try #require(plan.finish))
    }
    var first = UInt64.max
    var last: UInt64 = 0
    for case .transmitted(_, _, let from, let to, _) in record.observations {
      first = min(first, from.nanoseconds)
      last = max(last, to.nanoseconds)
    }
    // A connection waits for the window, hence for the path, a few times.
    #expect(last - first < predicted + predicted / 10 + 20 * world.delayNanoseconds)
  }
}

extension SimulationRecord {
  fileprivate var hasRevisions: Bool {
    observations.contains { if case .revised = $0 { true } else { false } }
  }
}

/// Which seeds are run: those that the environment names.
enum Seeds {
  static let asked: [UInt64] = {
    let start = number("DTX_SEED_START") ?? 0
    let count = number("DTX_SEED_COUNT") ?? 64
    return (0..<count).map { start &+ $0 }
  }()

  /// The command that runs one seed again.
  static func replay(_ seed: UInt64) -> String {
    "seed \(seed): DTX_SEED_START=\(seed) DTX_SEED_COUNT=1 swift test --filter SimulationTests"
  }

  private static func number(_ name: String) -> UInt64? {
    guard let text = unsafe getenv(name) else { return nil }
    return UInt64(unsafe String(cString: text))
  }
}

/// What the tests of this target have in common.
enum Trial {
  static func run(_ world: World, _ faults: FaultPlan = .none) -> SimulationRecord {
    var simulation = Simulation(world: world, faults: faults)
    return simulation.run()
  }

  static func expectNothing(in record: SimulationRecord, seed: UInt64) {
    let findings = Auditor(record).findings()
    #expect(findings.isEmpty, "\(Seeds.replay(seed))")
  }

  /// Two reserved lanes, three segments, a packed directory, a file of several blocks, one with
  /// holes, an empty one and a symlink: small enough to fail at every event in turn.
  static func smallWorld() -> World {
    let time: Int64 = 1_710_000_000_000_000_000
    let block: UInt64 = 16 << 10
    var tree = SimulatedTree(hasRoot: true)
    func file(_ name: String, _ byteCount: UInt64, _ content: UInt64) {
      let entry = SourceEntry(
        kind: .regular,
        mode: 0o644,
        modified: time + Int64(content),
        byteCount: byteCount,
        content: content
      )
      tree.add(Array(name.utf8), entry)
    }
    tree.add(Array("small".utf8), SourceEntry(kind: .directory, mode: 0o750, modified: time))
    for index in 0..<4 { file("small/\(index)", 3000, UInt64(10 + index)) }
    file("large", block * 4 + 7, 2)
    file("empty", 0, 3)
    tree.add(
      Array("sparse".utf8),
      SourceEntry(
        kind: .regular,
        mode: 0o600,
        modified: time,
        byteCount: block * 8,
        dataRanges: [100..<5000, block * 3..<block * 4 + 1],
        content: 4
      )
    )
    tree.add(
      Array("link".utf8),
      SourceEntry(kind: .symlink, mode: 0o777, modified: time, linkTarget: Array("large".utf8))
    )
    let lanes = [3, 2].map { megabits in
      Lane(
        contract: .reserved,
        rate: Rate(bitsPerSecond: megabits * 1_000_000),
        connectionCount: 1
      )
    }
    var world = World(seed: 1, inputs: PlanInputs(lanes: lanes), tree: tree)
    world.blockByteCount = block
    world.segmentEntryCount = 4
    world.pageEntryCount = 3
    world.jitterNanoseconds = Duration.millisecond
    return world
  }
}
