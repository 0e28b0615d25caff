import DTXCore

/// A receiver's session, driven by hand.
struct HandDrivenReceiver {
  private(set) var session: ReceiveSession
  private(set) var actions: [ReceiveSession.Action] = []
  var now = Instant.zero

  init(
    inputs: PlanInputs = SessionFixtures.inputs,
    blockByteCount: UInt64 = SessionFixtures.blockByteCount,
    comparesDigests: Bool = false
  ) {
    session = ReceiveSession(
      configuration: ReceiveSession.Configuration(
        inputs: inputs,
        isInitiator: false,
        isDryRun: false,
        blockByteCount: blockByteCount,
        comparesDigests: comparesDigests
      ),
      now: .zero
    )
    drain()
  }

  mutating func tell(_ event: ReceiveSession.Event) {
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
  mutating func takeActions() -> [ReceiveSession.Action] {
    defer { actions = [] }
    return actions
  }

  var outcomes: [SessionOutcome] {
    actions.compactMap { action in
      if case .finish(let outcome) = action { outcome } else { nil }
    }
  }

  var sent: [Message] {
    actions.compactMap { action in
      if case .send(let message) = action { message } else { nil }
    }
  }

  var closed: [ConnectionID] {
    actions.compactMap { action in
      if case .close(let connection) = action { connection } else { nil }
    }
  }

  var commits: [EpochWork] {
    actions.compactMap { action in
      if case .commit(let work) = action { work } else { nil }
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
    case beginning, arriving, comparing, agreeing, preparing, open, syncing, finalizing
    case comparingRoots, storing, done, finished, stopping
  }

  static let connection = ConnectionID(lane: 0, number: 1)

  /// A session that has come so far.
  static func at(_ phase: Phase, comparesDigests: Bool = false) -> HandDrivenReceiver {
    var receiver = HandDrivenReceiver(comparesDigests: comparesDigests)
    let segment = SessionFixtures.segment()
    if phase == .stopping {
      receiver = at(.syncing)
      receiver.tell(.cancelled)
      return receiver
    }
    let steps: [(inout HandDrivenReceiver) -> Void] = [
      { $0.hear(SessionFixtures.announcement(of: segment)[0]) },
      { $0.hear(SessionFixtures.announcement(of: segment)[1]) },
      { receiver in
        let comparison = SessionFixtures.comparison(of: segment)
        receiver.tell(.compared(segment: 0, comparison))
      },
      { receiver in
        let digest = SessionFixtures.planDigest(of: segment)
        receiver.hear(.plan(segment: 0, generation: 0, digest: digest))
      },
      { receiver in
        receiver.tell(.prepared(segment: 0, []))
        receiver.tell(.connectionUp(connection))
      },
      { $0.take(segment) },
      { $0.tell(.committed(epoch: 1, [])) },
      { $0.tell(.finalized(SessionFixtures.roots)) },
      { $0.hear(.sealed(SessionFixtures.roots)) },
      { $0.tell(.stored(EndTotals())) },
      { $0.hear(.finished(EndTotals())) },
    ]
    for step in steps.prefix(phase.rawValue) { step(&receiver) }
    return receiver
  }

  /// Lets all blocks of a segment arrive.
  mutating func take(_ segment: Segment) {
    for index in segment.blocks.indices { take(index, of: segment) }
  }

  mutating func take(
    _ index: Int,
    of segment: Segment,
    over connection: ConnectionID = HandDrivenReceiver.connection
  ) {
    let extents = segment.extents[segment.blocks[index].extents]
    let outcomes = extents.map { ExtentOutcome.intact(digest(of: $0, in: segment.inventory)) }
    tell(.received(connection, SessionFixtures.block(index, of: segment.index), outcomes))
  }
}
