// Generations: the sender announces them; this end plans the same, and says so.
extension ReceiveSession {
  /// A new generation begins.
  mutating func revised(_ next: Generation, segmentCount: Int, isAsked: Bool) {
    guard phase == .moving, !configuration.isDryRun, revision == nil,
      segmentCount <= segments.count
    else { return violation("a generation out of turn") }
    if let problem = generation.problem(with: next) {
      return violation("a generation that cannot be: \(problem)")
    }
    revision = ArrivingRevision(to: next, segmentCount: segmentCount, isAsked: isAsked)
    completeRevision()
  }

  /// What is left of a segment, or a part of it.
  mutating func remains(_ number: Int, _ blocks: [Range<Int>]) {
    guard let index = index(ofSegment: number), segments[index].isPlanned, !blocks.isEmpty,
      revision?.begin(number, blockCount: segments[index].states.count) == true
    else { return violation("what is left of segment \(number), out of turn") }
    for run in blocks {
      // Some may be here already: what stays in its queue goes on while this is on its way.
      guard run.upperBound <= segments[index].states.count,
        segments[index].states[run].allSatisfy({ $0 != .unwanted }),
        revision?.add(run) == true
      else { return violation("blocks that are left of segment \(number), but are not") }
    }
  }

  /// The plan of a segment in the generation that arrives.
  mutating func revisedPlan(_ number: Int, _ generation: UInt32, _ theirs: Digest) {
    guard var arriving = revision, generation == arriving.to.number,
      arriving.isComplete
    else { return violation("a plan of segment \(number), which is not being planned") }
    if arriving.plans == nil { arriving.plans = replan(arriving) }
    // A segment may be done by now of which something was said to be left: it has no plan.
    guard let plan = arriving.plans?.dropFirst(arriving.agreedCount).first, plan.segment == number,
      let index = index(ofSegment: number)
    else { return violation("a plan of segment \(number) out of turn") }
    let mine = plan.digest(with: configuration.inputs)
    guard mine == theirs else {
      let reason = "the ends computed different plans for segment \(number)"
      return fail(SessionFailure(.integrity, reason))
    }
    arriving.movedByteCount += segments[index].revise(plan)
    segments[index].agreement = PlanAgreement(generation: generation, digest: mine)
    if segments[index].phase == .open {
      emit(.send(.planned(segment: number, generation: generation, digest: mine)))
    }
    arriving.agreedCount += 1
    revision = arriving
    completeRevision()
  }

  private func replan(_ arriving: ArrivingRevision) -> [Plan] {
    let remainders = arriving.remainders.compactMap { left -> Remainder? in
      guard let index = index(ofSegment: left.segment) else { return nil }
      return Remainder(
        segment: segments[index].segment,
        wanted: segments[index].comparison.wanted,
        blocks: left.blocks,
        owners: segments[index].owners
      )
    }
    return Scheduler.replan(
      remainders,
      inputs: configuration.inputs,
      generation: arriving.to
    )
  }

  /// Takes the generation over once all of its plans are agreed on.
  private mutating func completeRevision() {
    guard let arrived = revision, arrived.agreedCount == arrived.segmentCount else { return }
    let before = generation
    generation = arrived.to
    for plan in arrived.plans ?? [] { generation.advance(behind: plan) }
    revision = nil
    emit(
      .revised(
        Revision(
          from: before,
          to: arrived.to,
          plans: arrived.plans ?? [],
          movedByteCount: arrived.movedByteCount,
          isAsked: arrived.isAsked
        )
      )
    )
  }
}

/// A generation at the receiver, until all of its plans are agreed on.
struct ArrivingRevision: Sendable {
  let to: Generation
  /// Segments of which something is left.
  let segmentCount: Int
  let isAsked: Bool
  private(set) var remainders: [(segment: Int, blocks: BitSet)] = []
  private var latestEnd = 0
  /// Made when the first of the sender's arrives.
  var plans: [Plan]?
  var agreedCount = 0
  var movedByteCount: UInt64 = 0

  init(to next: Generation, segmentCount: Int, isAsked: Bool) {
    to = next
    self.segmentCount = segmentCount
    self.isAsked = isAsked
  }

  /// Whether all that is left has been told.
  var isComplete: Bool { remainders.count == segmentCount && agreedCount < segmentCount }

  /// Goes on with a segment, or begins with the next one.
  ///
  /// - Returns: false for one that is out of turn.
  mutating func begin(_ segment: Int, blockCount: Int) -> Bool {
    guard plans == nil else { return false }
    if let last = remainders.last {
      if last.segment == segment { return true }
      guard segment > last.segment else { return false }
    }
    guard remainders.count < segmentCount else { return false }
    remainders.append((segment, BitSet(count: blockCount)))
    latestEnd = 0
    return true
  }

  /// Adds blocks to the segment that was begun last.
  ///
  /// - Returns: false for blocks that do not come after those before.
  mutating func add(_ run: Range<Int>) -> Bool {
    guard run.lowerBound >= latestEnd else { return false }
    for block in run { remainders[remainders.count - 1].blocks[block] = true }
    latestEnd = run.upperBound
    return true
  }
}
