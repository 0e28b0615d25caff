internal import DTXCore

/// A receiver's session between a sender that says anything and an end that does its work.
struct ReceiveScript {
  private static let blockByteCount: UInt64 = 1000

  private var choices: Choices
  private let inputs: PlanInputs
  /// Whether this end opens the connections, and none comes but those.
  private let dials: Bool
  private var session: ReceiveSession
  private var now = Instant.zero
  /// What this end's threads have yet to report.
  private var reports: [ReceiveSession.Event] = []
  private var segments: [Int: Segment] = [:]
  private var wanted: [Int: BitSet] = [:]
  private var owners: [Int: [UInt8]] = [:]
  /// What the session plans with, as far as it said.
  private var generation: Generation
  private var announced: Generation
  private var left: [(segment: Int, blocks: BitSet)] = []
  private var nextSegment = 0
  private var end = SessionEnd()
  /// The latest connection of each lane: numbers only rise.
  private var latest: [Int: UInt32] = [:]

  init(_ bytes: [UInt8]) {
    var choices = Choices(bytes)
    inputs = choices.inputs()
    dials = choices.flag()
    session = ReceiveSession(
      configuration: ReceiveSession.Configuration(
        inputs: inputs,
        isInitiator: dials,
        isDryRun: choices.below(8) == 0,
        blockByteCount: ReceiveScript.blockByteCount,
        comparesDigests: choices.flag()
      ),
      now: .zero
    )
    generation = Generation(inputs)
    announced = generation
    self.choices = choices
  }

  mutating func run() throws(Violation) {
    try perform()
    for _ in 0..<Decoder.eventCount where !choices.isSpent {
      now = now + choices.nanoseconds()
      let event = nextEvent()
      guard case .message(let said) = event else {
        try handle(event)
        continue
      }
      guard let message = Decoder.arriving(said) else { continue }
      let count = choices.below(32) == 31 ? Decoder.repetitionCount : 1
      for _ in 0..<count where !end.isReached { try handle(.message(message)) }
      if case .received = message {
        // One that stops, by itself or because it was told, looks at nothing any more.
        let isOver = end.isReached || Decoder.caseName(of: "phase", in: session) == "stopping"
        try Decoder.demand(isOver, "it goes on after a receiver's message")
      }
      let openCount = Decoder.count(of: "segments", in: session)
      try Decoder.demand(openCount <= Limits.openSegmentCount, "\(openCount) open segments")
      if count > 1, !end.isReached {
        let held = Decoder.heldCount(session, without: ["segments", "arriving"])
        try Decoder.demand(held <= Decoder.heldCount, "it holds \(held) after \(message)")
      }
    }
  }

  private mutating func handle(_ event: ReceiveSession.Event) throws(Violation) {
    session.handle(event, at: now)
    try perform()
    _ = session.nextDeadline
  }

  // MARK: - What happens

  private mutating func nextEvent() -> ReceiveSession.Event {
    switch choices.below(8) {
    case 0, 1, 2:
      guard !reports.isEmpty else { return .message(nextMessage()) }
      return reports.remove(at: choices.below(reports.count))
    case 3:
      let connection = choices.connection()
      let isNew = !dials && connection.number > latest[connection.lane] ?? 0
      guard choices.below(4) > 0, isNew else {
        return .connectionLost(connection, reason: "lost")
      }
      latest[connection.lane] = connection.number
      return .connectionUp(connection)
    case 4:
      let block = choices.block()
      let count = extentCount(of: block)
      return .received(
        choices.connection(),
        block,
        choices.outcomes(count, mayBeDamaged: true)
      )
    default:
      return .message(nextMessage())
    }
  }

  private func extentCount(of block: BlockReference) -> Int {
    guard let segment = segments[block.segment], let wanted = wanted[block.segment],
      block.block < segment.blocks.count
    else { return 1 }
    return segment.blocks[block.block].extents.count { wanted[$0] }
  }

  private mutating func nextMessage() -> Message {
    let segment = choices.index(3, largest: 1 << 20)
    switch choices.below(16) {
    case 0:
      return .inventory(segment: nextSegment, page: page())
    case 1:
      defer { nextSegment += 1 }
      return .inventoryEnd(segment: nextSegment, isLast: choices.below(4) == 0)
    case 2:
      return .inventory(segment: segment, page: page())
    case 3:
      let largest = Limits.segmentEntryCount + Limits.pathByteCount
      return .demand(segment: segment, entries: [choices.index(4, largest: largest)])
    case 4, 5, 6:
      return .plan(
        segment: segment,
        generation: announced.number,
        digest: planDigest(of: segment) ?? choices.digest()
      )
    case 7:
      announced = choices.generation(after: generation)
      left = []
      let count = choices.below(Limits.openSegmentCount + 1)
      return .revise(announced, segmentCount: count, isAsked: choices.flag())
    case 8, 9:
      let runs = choices.runs()
      note(runs, of: segment)
      return .remaining(segment: segment, blocks: runs)
    case 10:
      return .fence(choices.connection())
    case 11:
      return .sealed(ReceiveScript.roots)
    case 12:
      return .receipt([1, 2, 3])
    case 13:
      return .finished(EndTotals())
    case 14:
      return .omitted(path: [0x61], failure: .unreadable, reason: "")
    default:
      return choices.below(4) == 0
        ? .stop(.interrupted, "") : .received(choices.block())
    }
  }

  private static let roots = Roots(content: .zero, full: .zero)

  private mutating func page() -> [UInt8] {
    let inventory = choices.inventory(segment: nextSegment)
    var writer = ByteWriter()
    for index in inventory.entries.indices {
      EntryCodec.encode(index, of: inventory, for: .transfer, into: &writer)
    }
    return writer.bytes
  }

  private mutating func note(_ runs: [Range<Int>], of number: Int) {
    guard let segment = segments[number] else { return }
    var blocks = left.last.flatMap { $0.segment == number ? $0.blocks : nil }
    if blocks == nil { left.append((number, BitSet(count: segment.blocks.count))) }
    blocks = left[left.count - 1].blocks
    for run in runs {
      for block in run where block < segment.blocks.count { blocks?[block] = true }
    }
    if let blocks { left[left.count - 1].blocks = blocks }
  }

  /// The digest that the session computes too, where it would plan.
  private func planDigest(of number: Int) -> Digest? {
    guard let segment = segments[number], let wanted = wanted[number] else { return nil }
    guard announced != generation else {
      let plan = Scheduler.plan(segment, wanted: wanted, inputs: inputs, generation: generation)
      return plan.digest(with: inputs)
    }
    guard announced.queues.count == generation.queues.count,
      announced.queues.contains(where: { $0.isOpen })
    else { return nil }
    let remainders = left.compactMap { left -> Remainder? in
      guard let segment = segments[left.segment], let wanted = self.wanted[left.segment],
        let owners = owners[left.segment]
      else { return nil }
      return Remainder(segment: segment, wanted: wanted, blocks: left.blocks, owners: owners)
    }
    let plans = Scheduler.replan(remainders, inputs: inputs, generation: announced)
    return plans.first { $0.segment == number }?.digest(with: inputs)
  }

  // MARK: - What the session wants

  private mutating func perform() throws(Violation) {
    var count = 0
    while let action = session.nextAction() {
      count += 1
      try Decoder.demand(count <= Decoder.actionCount, "\(count) actions after one event")
      try perform(action)
    }
  }

  private mutating func perform(_ action: ReceiveSession.Action) throws(Violation) {
    switch action {
    case .send(let message): try end.see(message: message, outcome: nil)
    case .finish(let outcome): try end.see(message: nil, outcome: outcome)
    default: try end.see(message: nil, outcome: nil)
    }
    switch action {
    case .compare(let segment):
      segments[segment.index] = segment
      try Decoder.demand(segments.count <= Decoder.eventCount, "\(segments.count) segments")
      var comparison = Comparison(extentCount: segment.extents.count)
      for extent in segment.extents.indices { comparison.wanted[extent] = choices.below(4) > 0 }
      wanted[segment.index] = comparison.wanted
      reports.append(.compared(segment: segment.index, comparison))
    case .prepare(let segment, let comparison):
      wanted[segment.index] = comparison.wanted
      reports.append(.prepared(segment: segment.index, []))
    case .planned(let plan, let comparison):
      wanted[plan.segment] = comparison.wanted
      generation.advance(behind: plan)
      announced = generation
      try assign(plan)
    case .revised(let revision):
      generation = revision.to
      for plan in revision.plans {
        generation.advance(behind: plan)
        try assign(plan)
      }
      announced = generation
    case .commit(let work):
      try check(work)
      reports.append(.committed(epoch: work.epoch, []))
    case .report(let failed):
      let entryCount = segments[failed.segment]?.entries.count ?? 0
      try Decoder.demand(failed.entry < entryCount, "entry \(failed.entry) of \(entryCount)")
    case .seal(let work):
      try Decoder.demand(work.digests.count == work.segment.extents.count, "other digests")
    case .finalize:
      reports.append(.finalized(ReceiveScript.roots))
    case .storeManifest:
      reports.append(.stored(EndTotals()))
    case .endorse:
      reports.append(.endorsed(.declined("no")))
    case .dial(let id):
      reports.append(.connectionUp(id))
    case .close(let id):
      reports.append(.connectionLost(id, reason: "closed"))
    case .send, .pause, .resume, .reportOmission, .finish:
      break
    }
  }

  private mutating func assign(_ plan: Plan) throws(Violation) {
    guard let segment = segments[plan.segment] else { throw Violation("a plan of nothing") }
    for queue in plan.queues {
      for run in queue.runs {
        let isInside = run.blocks.upperBound <= segment.blocks.count
        try Decoder.demand(isInside, "blocks \(run.blocks) of \(segment.blocks.count)")
      }
    }
    var assigned = owners[plan.segment] ?? Array(repeating: 0, count: segment.blocks.count)
    plan.assign(&assigned)
    owners[plan.segment] = assigned
  }

  private func check(_ work: EpochWork) throws(Violation) {
    for block in work.blocks {
      let count = segments[block.segment]?.blocks.count ?? 0
      try Decoder.demand(block.block < count, "block \(block.block) of \(count)")
    }
    for place in work.extents {
      let count = segments[place.segment]?.extents.count ?? 0
      try Decoder.demand(place.extent < count, "extent \(place.extent) of \(count)")
      let isWanted = wanted[place.segment]?[place.extent] == true
      try Decoder.demand(isWanted, "extent \(place.extent), which nobody wanted")
    }
    for place in work.complete {
      let count = segments[place.segment]?.entries.count ?? 0
      try Decoder.demand(place.entry < count, "entry \(place.entry) of \(count)")
    }
  }
}
