internal import DTXCore

/// A sender's session between a receiver that says anything and an end that does its work.
struct SendScript {
  private static let blockByteCount: UInt64 = 1000
  private static let segmentCount = 4

  private var choices: Choices
  private let inputs: PlanInputs
  /// Whether this end opens the connections, and none comes but those.
  private let dials: Bool
  private var session: SendSession
  private var now = Instant.zero
  /// What this end's threads have yet to report.
  private var reports: [SendSession.Event] = []
  private var segments: [Int: Segment] = [:]
  /// What was announced of each segment last.
  private var plans: [Int: (generation: UInt32, digest: Digest)] = [:]
  private var nextSegment = 0
  private var end = SessionEnd()
  /// The latest connection of each lane: numbers only rise.
  private var latest: [Int: UInt32] = [:]

  init(_ bytes: [UInt8]) {
    var choices = Choices(bytes)
    inputs = choices.inputs()
    dials = choices.flag()
    session = SendSession(
      configuration: SendSession.Configuration(
        inputs: inputs,
        isInitiator: dials,
        isDryRun: choices.below(8) == 0,
        comparesDigests: choices.flag()
      ),
      now: .zero
    )
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
      if case .inventoryEnd = message {
        try Decoder.demand(end.isReached, "it goes on after a sender's message")
      }
      if count > 1, !end.isReached {
        let held = Decoder.heldCount(session, without: ["segments"])
        try Decoder.demand(held <= Decoder.heldCount, "it holds \(held) after \(message)")
      }
    }
  }

  private mutating func handle(_ event: SendSession.Event) throws(Violation) {
    session.handle(event, at: now)
    try perform()
    _ = session.nextDeadline
    _ = session.activity
    _ = session.lanesWithWork
  }

  // MARK: - What happens

  private mutating func nextEvent() -> SendSession.Event {
    switch choices.below(8) {
    case 0, 1, 2, 3:
      guard !reports.isEmpty else { return .message(nextMessage()) }
      return reports.remove(at: choices.below(reports.count))
    case 4:
      let connection = choices.connection()
      let isNew = !dials && connection.number > latest[connection.lane] ?? 0
      guard choices.below(4) > 0, isNew else {
        return .connectionLost(connection, reason: "lost")
      }
      latest[connection.lane] = connection.number
      return .connectionUp(connection)
    default:
      return .message(nextMessage())
    }
  }

  private mutating func nextMessage() -> Message {
    let segment = choices.index(3, largest: 1 << 20)
    switch choices.below(16) {
    case 0, 1:
      return .comparison(segment: segment, page: page(of: segment))
    case 2, 3:
      return .comparisonEnd(segment: segment)
    case 4:
      let largest = Limits.segmentEntryCount + Limits.pathByteCount
      let entry = choices.index(4, largest: largest)
      if choices.flag() { return .changed(segment: segment, entries: [entry]) }
      let failed = FailedEntry(segment: segment, entry: entry, failure: .unwritable, reason: "")
      return .refused(failed)
    case 5, 6:
      let plan = plans[segment] ?? (0, choices.digest())
      return .planned(segment: segment, generation: plan.generation, digest: plan.digest)
    case 7, 8:
      return .received(choices.block())
    case 9:
      return .damaged(choices.block())
    case 10, 11:
      return .durable(epoch: 1, blocks: [choices.block()])
    case 12:
      return choices.flag() ? .fenced(choices.connection()) : .committed(segment: segment)
    case 13:
      return .adjust(adjustment())
    case 14:
      return choices.flag()
        ? .sealed(Roots(content: .zero, full: .zero)) : .finished(EndTotals())
    default:
      switch choices.below(4) {
      case 0: return .endorsed([1])
      case 1: return .inventoryEnd(segment: segment, isLast: true)
      default: return .heartbeat
      }
    }
  }

  private mutating func adjustment() -> Adjustment {
    switch choices.below(4) {
    case 0: .pause
    case 1: .resume
    case let extraCount:
      // As many as there are lanes, or one more.
      .rates(
        (0..<inputs.lanes.count + extraCount - 2).map { _ in
          Rate(bitsPerSecond: [0, 2, 1_000_000, Limits.laneBitsPerSecond][choices.below(4)])
        }
      )
    }
  }

  private mutating func page(of number: Int) -> [UInt8] {
    guard choices.below(8) > 0, let segment = segments[number] else { return [200, 200] }
    var comparison = Comparison(extentCount: segment.extents.count)
    for extent in segment.extents.indices {
      comparison.wanted[extent] = choices.below(4) > 0
      if !comparison.wanted[extent] { comparison.digests[extent] = choices.digest() }
    }
    return ComparisonCodec.encode(comparison).first ?? []
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

  private mutating func perform(_ action: SendSession.Action) throws(Violation) {
    switch action {
    case .send(let message): try end.see(message: message, outcome: nil)
    case .finish(let outcome): try end.see(message: nil, outcome: outcome)
    default: try end.see(message: nil, outcome: nil)
    }
    switch action {
    case .scan:
      let segment = Segment(
        index: nextSegment,
        isLast: nextSegment == SendScript.segmentCount - 1 || choices.below(4) == 0,
        inventory: choices.inventory(segment: nextSegment),
        blockByteCount: SendScript.blockByteCount
      )
      nextSegment += 1
      segments[segment.index] = segment
      reports.append(.scanned(segment))
    case .check(let segment, _):
      reports.append(.checked(segment: segment.index, differing: []))
    case .load(let id, let work):
      try load(id, work)
    case .send(.plan(let segment, let generation, let digest)):
      plans[segment] = (generation, digest)
    case .pace(let rates):
      let laneCount = inputs.lanes.count
      try Decoder.demand(rates.count == laneCount, "\(rates.count) rates of \(laneCount) lanes")
    case .report(let failed):
      let entryCount = segments[failed.segment]?.entries.count ?? 0
      try Decoder.demand(failed.entry < entryCount, "entry \(failed.entry) of \(entryCount)")
    case .seal(let work):
      try Decoder.demand(work.digests.count == work.segment.extents.count, "other digests")
    case .sealDataset:
      reports.append(.sealed(Roots(content: .zero, full: .zero)))
    case .storeManifest:
      reports.append(.stored(EndTotals()))
    case .stateReceipt:
      reports.append(.stated([1]))
    case .dial(let id):
      reports.append(choices.below(4) == 0 ? .connectionLost(id, reason: "no") : .connectionUp(id))
    case .close(let id):
      reports.append(.connectionLost(id, reason: "closed"))
    case .announce, .send, .storeReceipt, .planned, .revised, .finish:
      break
    }
  }

  private mutating func load(_ id: ConnectionID, _ work: BlockWork) throws(Violation) {
    let segment = segments[work.reference.segment]
    let count = segment?.extents.count ?? 0
    try Decoder.demand(work.extents.allSatisfy { $0.upperBound <= count }, "\(work) of \(count)")
    let extentCount = work.extents.reduce(0) { $0 + $1.count }
    let outcomes = choices.outcomes(extentCount, mayBeDamaged: false)
    reports.append(.sent(id, work.reference, outcomes))
  }
}
