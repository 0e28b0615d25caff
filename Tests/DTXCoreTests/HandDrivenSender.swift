import DTXCore

/// A sender's session, driven by hand.
struct HandDrivenSender {
  private(set) var session: SendSession
  private(set) var actions: [SendSession.Action] = []
  var now = Instant.zero

  init(inputs: PlanInputs = SessionFixtures.inputs, comparesDigests: Bool = false) {
    session = SendSession(
      configuration: SendSession.Configuration(
        inputs: inputs,
        isInitiator: false,
        isDryRun: false,
        comparesDigests: comparesDigests
      ),
      now: .zero
    )
    drain()
  }

  mutating func tell(_ event: SendSession.Event) {
    session.handle(event, at: now)
    drain()
  }

  mutating func hear(_ message: Message) {
    tell(.message(message))
  }

  private mutating func drain() {
    while let action = session.nextAction() { actions.append(action) }
  }

  /// Forgets the actions so far and returns them.
  mutating func takeActions() -> [SendSession.Action] {
    defer { actions = [] }
    return actions
  }

  var outcomes: [SessionOutcome] {
    actions.compactMap { action in
      if case .finish(let outcome) = action { outcome } else { nil }
    }
  }

  var answers: [ReceiptAnswer] {
    actions.compactMap { action in
      if case .storeReceipt(let answer) = action { answer } else { nil }
    }
  }

  var sent: [Message] {
    actions.compactMap { action in
      if case .send(let message) = action { message } else { nil }
    }
  }

  var loaded: [BlockReference] {
    actions.compactMap { action in
      if case .load(_, let work) = action { work.reference } else { nil }
    }
  }

  var closed: [ConnectionID] {
    actions.compactMap { action in
      if case .close(let id) = action { id } else { nil }
    }
  }

  var sealed: [SealWork] {
    actions.compactMap { action in
      if case .seal(let work) = action { work } else { nil }
    }
  }

  var violation: String? {
    for case .failed(let failure) in outcomes where failure.kind == .protocolViolation {
      return failure.reason
    }
    return nil
  }

  // MARK: - The way through a transfer

  enum Phase: Int, CaseIterable, Sendable {
    case scanning, comparing, agreeing, moving, received, durable, sealing, comparingRoots, storing
    case stating, attesting, finished, stopping
  }

  static let connection = ConnectionID(lane: 0, number: 1)

  /// A session that has come so far.
  static func at(
    _ phase: Phase,
    with segment: Segment = SessionFixtures.segment()
  ) -> HandDrivenSender {
    var sender = HandDrivenSender()
    if phase == .stopping {
      sender = at(.moving)
      sender.tell(.cancelled)
      return sender
    }
    let steps: [(inout HandDrivenSender) -> Void] = [
      { $0.tell(.scanned(segment)) },
      { for message in SessionFixtures.answer(to: segment) { $0.hear(message) } },
      { sender in
        let digest = SessionFixtures.planDigest(of: segment)
        sender.hear(.planned(segment: 0, generation: 0, digest: digest))
        sender.tell(.connectionUp(connection))
      },
      { $0.move(segment) },
      { sender in
        let blocks = segment.blocks.indices.map { SessionFixtures.block($0) }
        sender.hear(.durable(epoch: 1, blocks: blocks))
      },
      { $0.hear(.committed(segment: 0)) },
      { $0.tell(.sealed(SessionFixtures.roots)) },
      { sender in
        sender.hear(.sealed(SessionFixtures.roots))
        sender.hear(.finished(EndTotals()))
      },
      { $0.tell(.stored(EndTotals())) },
      { $0.tell(.stated([1, 2])) },
      { $0.hear(.endorsed([3])) },
    ]
    for step in steps.prefix(phase.rawValue) { step(&sender) }
    return sender
  }

  /// Sends and confirms all blocks of a segment.
  mutating func move(_ segment: Segment) {
    for index in segment.blocks.indices {
      let block = SessionFixtures.block(index, of: segment.index)
      report(block, segment)
      hear(.received(block))
    }
  }

  mutating func report(
    _ block: BlockReference,
    _ segment: Segment,
    over connection: ConnectionID = HandDrivenSender.connection
  ) {
    let extents = segment.extents[segment.blocks[block.block].extents]
    let outcomes = extents.map { ExtentOutcome.intact(digest(of: $0, in: segment.inventory)) }
    tell(.sent(connection, block, outcomes))
  }
}
