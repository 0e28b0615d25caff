import DTXCore
import DTXSimulator
import Testing

/// Each invariant must fail where its bug is planted: an auditor that finds nothing proves nothing.
@Suite struct AuditorTests {
  @Test(
    "a planted bug is found by the invariant that is there for it",
    arguments: [
      (Sabotage.forgetsWrite, Invariant.conserved),
      (.inventsAcknowledgement, .conserved),
      (.trustsBytes, .conserved),
      (.trustsMedium, .conserved),
      (.wanders, .pinned),
      (.exceedsRate, .reserved),
      (.acknowledgesBeforeSync, .durableBeforeAcknowledged),
      (.lyingJournalSync, .durableBeforeAcknowledged),
      (.lyingJournalSync, .journalPrefix),
      (.publishesEarly, .wholeFiles),
      (.silentLoss, .bounded),
      (.ignoresPause, .resendBounded),
      (.keepsStaged, .noOrphan),
      (.forgetsJournal, .acknowledgedStays),
    ]
  )
  func findsPlantedBug(sabotage: Sabotage, invariant: Invariant) {
    for seed in UInt64(0)..<400 {
      var world = World.drawn(seed: seed)
      let faults = FaultPlan.drawn(for: world, stepCount: Trial.run(world).stepCount)
      world.sabotage = sabotage
      let findings = Auditor(Trial.run(world, faults)).findings()
      if findings.contains(where: { $0.invariant == invariant }) { return }
    }
    Issue.record("no seed shows it")
  }

  @Test("a thread that writes on after its fence is a second writer")
  func findsSecondWriter() {
    var world = Trial.smallWorld()
    // A write takes longer than sending the block again.
    world.diskRate = Rate(bitsPerSecond: 100_000)
    world.inputs.lanes[0].connectionCount = 2
    let evidence = firstEvidence(in: world, .fencesEarly) { $0.singleWriter() }
    #expect(evidence != nil)
    #expect(firstEvidence(in: world, nil) { $0.singleWriter() } == nil)
  }

  @Test("a violation that a session reports is a finding")
  func findsDishonesty() {
    var record = Trial.run(Trial.smallWorld())
    #expect(Auditor(record).honest() == nil)
    record.runs[0].sender = .failed(SessionFailure(.protocolViolation, "planted"))
    #expect(Auditor(record).honest() != nil)
  }

  @Test("a choice from outside the seed makes two runs differ")
  func findsUnseededChoice() {
    var world = World.drawn(seed: 3)
    world.jitterNanoseconds = Duration.millisecond
    let first = Trial.run(world)
    #expect(Auditor(first).seedIdentical(to: Trial.run(world)) == nil)
    world.sabotage = .unseeded(1)
    #expect(Auditor(first).seedIdentical(to: Trial.run(world)) != nil)
  }

  @Test("bytes that nobody checks make another tree")
  func findsOtherTree() {
    var world = Trial.smallWorld()
    let quiet = Trial.run(world)
    world.sabotage = .trustsBytes
    let faults = FaultPlan([FaultPlan.Placed(step: 0, fault: .corruption(lane: 0))])
    #expect(Auditor(Trial.run(world, faults)).faultInvariant(to: quiet) != nil)
  }

  private func firstEvidence(
    in world: World,
    _ sabotage: Sabotage?,
    _ check: (Auditor) -> String?
  ) -> String? {
    var sabotaged = world
    sabotaged.sabotage = sabotage
    for step in 0..<Trial.run(world).stepCount {
      let cut = FaultPlan.Placed(step: step, fault: .cut(lane: 0, isSilent: false))
      if let evidence = check(Auditor(Trial.run(sabotaged, FaultPlan([cut])))) { return evidence }
    }
    return nil
  }
}
