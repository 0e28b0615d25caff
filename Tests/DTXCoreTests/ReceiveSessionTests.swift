import DTXCore
import Testing

@Suite struct ReceiveSessionTests {
  private let segment = SessionFixtures.segment()

  @Test("a transfer goes its way to the end")
  func completes() {
    let receiver = HandDrivenReceiver.at(.finished)
    #expect(receiver.outcomes == [.completed])
    let words: [Message] = [
      .committed(segment: 0), .sealed(SessionFixtures.roots), .finished(EndTotals()),
    ]
    #expect(Array(receiver.sent.suffix(3)) == words)
    #expect(receiver.commits.map { $0.complete.count } == [2])
    // The small file has one extent: it is published, and its journal says nothing.
    #expect(receiver.commits.map { $0.extents.count } == [3])
    #expect(receiver.session.nextDeadline == nil)
  }

  @Test("no message in any phase is a trap", arguments: HandDrivenReceiver.Phase.allCases)
  func survivesEveryMessage(phase: HandDrivenReceiver.Phase) {
    let start = HandDrivenReceiver.at(phase)
    for first in SessionFixtures.messages {
      var once = start
      once.hear(first)
      if SessionFixtures.isFromReceiver(first), phase != .finished, phase != .stopping {
        #expect(once.violation != nil, "\(first)")
      }
      for second in SessionFixtures.messages {
        var twice = once
        twice.hear(second)
        #expect(twice.outcomes.count <= 1, "\(first), then \(second)")
        guard twice.outcomes.count == 1 else { continue }
        let count = twice.actions.count
        twice.hear(.heartbeat)
        twice.tell(.peerGone("later"))
        #expect(twice.actions.count == count, "a session spoke after its end")
      }
    }
  }

  @Test(
    "a violation is named, and told to the sender",
    arguments: [
      Message.inventory(segment: 3, page: []), .inventoryEnd(segment: 0, isLast: true),
      .plan(segment: 0, generation: 0, digest: .zero), .sealed(SessionFixtures.roots),
      .finished(EndTotals()), .demand(segment: 0, entries: [0]), .committed(segment: 0),
    ]
  )
  func namesViolations(message: Message) {
    var receiver = HandDrivenReceiver.at(.open)
    _ = receiver.takeActions()
    receiver.hear(message)
    #expect(receiver.violation?.hasPrefix("the sender sent ") == true)
    guard case .stop(.protocolViolation, _) = receiver.sent.last else {
      Issue.record("the sender was not told")
      return
    }
  }

  @Test("segments without a single page are bounded like any others")
  func boundsOpenSegments() {
    var receiver = HandDrivenReceiver()
    for number in 0..<Limits.openSegmentCount {
      receiver.hear(.inventoryEnd(segment: number, isLast: false))
      #expect(receiver.outcomes.isEmpty)
    }
    receiver.hear(.inventoryEnd(segment: Limits.openSegmentCount, isLast: false))
    #expect(receiver.violation != nil)
  }

  @Test("no path comes in two segments", arguments: [0, 1, 2])
  func demandsOrderAcrossSegments(repeated: Int) {
    var receiver = HandDrivenReceiver()
    let first = SessionFixtures.segment(1, isLast: false)
    for message in SessionFixtures.announcement(of: first) { receiver.hear(message.renumbered(0)) }
    #expect(receiver.outcomes.isEmpty)
    let next = SessionFixtures.segment(repeated)
    for message in SessionFixtures.announcement(of: next) { receiver.hear(message.renumbered(1)) }
    #expect((receiver.violation == nil) == (repeated == 2))
  }

  @Test("a sender that asked hears of what changes before the comparison ends")
  func tellsChanges() {
    var receiver = HandDrivenReceiver.at(.comparing)
    var comparison = SessionFixtures.comparison(of: segment)
    comparison.changed = BitSet(count: segment.entries.count, filled: true)
    _ = receiver.takeActions()
    receiver.tell(.compared(segment: 0, comparison))
    let words: [Message] = [.changed(segment: 0, entries: [0, 1]), .comparisonEnd(segment: 0)]
    #expect(Array(receiver.sent.suffix(2)) == words)
  }

  @Test(
    "a file is demanded once, and files in their order, over all messages",
    arguments: [
      ([[0, 1]], true), ([[0], [1]], true), ([[], [1], []], true),
      ([[0, 0]], false), ([[1, 0]], false), ([[0], [0]], false), ([[1], [0]], false),
    ] as [([[Int]], Bool)]
  )
  func takesEachDemandOnce(demands: [[Int]], isTaken: Bool) {
    var receiver = HandDrivenReceiver.at(.agreeing, comparesDigests: true)
    for entries in demands { receiver.hear(.demand(segment: 0, entries: entries)) }
    #expect((receiver.violation == nil) == isTaken)
  }

  @Test("nothing is acknowledged before its epoch is committed")
  func acknowledgesAfterCommit() {
    var receiver = HandDrivenReceiver.at(.open)
    receiver.take(segment)
    func acknowledged(_ receiver: HandDrivenReceiver) -> [BlockReference] {
      receiver.sent.flatMap { message in
        if case .durable(_, let blocks) = message { blocks } else { [BlockReference]() }
      }
    }
    #expect(receiver.commits.count == 1)
    #expect(acknowledged(receiver).isEmpty)
    receiver.tell(.committed(epoch: 1, []))
    #expect(acknowledged(receiver) == segment.blocks.indices.map { SessionFixtures.block($0) })
  }

  @Test("a full epoch behind one that syncs makes the lanes pause")
  func pausesAtTwoEpochs() {
    var receiver = HandDrivenReceiver.at(.open)
    receiver.take(0, of: segment)
    receiver.now = Instant(nanoseconds: Limits.epochNanoseconds)
    receiver.tell(.deadline)
    #expect(receiver.commits.map { $0.blocks.count } == [1])
    receiver.take(1, of: segment)
    receiver.now = Instant(nanoseconds: 3 * Limits.epochNanoseconds)
    receiver.tell(.deadline)
    #expect(receiver.commits.count == 1)
    #expect(count(in: receiver) { if case .pause = $0 { true } else { false } } == 1)
    receiver.tell(.committed(epoch: 1, []))
    #expect(receiver.commits.map { $0.blocks.count } == [1, 1])
    #expect(count(in: receiver) { if case .resume = $0 { true } else { false } } == 1)
  }

  @Test("every fence is answered, also for a connection that was never up here, or is gone")
  func answersEveryFence() {
    var receiver = HandDrivenReceiver.at(.open)
    let unknown = ConnectionID(lane: 0, number: 7)
    for connection in [unknown, HandDrivenReceiver.connection, HandDrivenReceiver.connection] {
      _ = receiver.takeActions()
      receiver.hear(.fence(connection))
      #expect(receiver.closed == [connection])
      #expect(receiver.sent.isEmpty)
      receiver.tell(.connectionLost(connection, reason: "closed"))
      #expect(receiver.sent == [.fenced(connection)])
    }
  }

  @Test("what comes behind a connection's end is not taken")
  func ignoresLateBlocks() {
    var receiver = HandDrivenReceiver.at(.open)
    receiver.tell(.connectionLost(HandDrivenReceiver.connection, reason: "reset"))
    _ = receiver.takeActions()
    receiver.take(0, of: segment)
    #expect(receiver.sent.isEmpty)
    receiver.tell(.connectionUp(ConnectionID(lane: 0, number: 2)))
    receiver.take(0, of: segment, over: ConnectionID(lane: 0, number: 2))
    #expect(receiver.sent == [.received(SessionFixtures.block(0))])
  }

  @Test("a damaged block is forgotten, a second copy is drained")
  func forgetsDamaged() {
    var receiver = HandDrivenReceiver.at(.open)
    _ = receiver.takeActions()
    let block = SessionFixtures.block(0)
    receiver.tell(.received(HandDrivenReceiver.connection, block, [.damaged]))
    receiver.take(0, of: segment)
    receiver.take(0, of: segment)
    #expect(receiver.sent == [.damaged(block), .received(block)])
  }

  @Test("segments open in their order, whichever was prepared first")
  func opensInOrder() {
    var receiver = HandDrivenReceiver()
    let segments = [SessionFixtures.segment(0, isLast: false), SessionFixtures.segment(1)]
    var sender = HandDrivenSender()
    for segment in segments {
      sender.tell(.scanned(segment))
      for message in SessionFixtures.announcement(of: segment) { receiver.hear(message) }
      receiver.tell(.compared(segment: segment.index, SessionFixtures.comparison(of: segment)))
    }
    for message in receiver.sent { sender.hear(message) }
    for case .plan(let number, let generation, let digest) in sender.sent {
      receiver.hear(.plan(segment: number, generation: generation, digest: digest))
    }
    receiver.tell(.prepared(segment: 1, []))
    receiver.tell(.prepared(segment: 0, []))
    var opened: [Int] = []
    for case .planned(let number, _, _) in receiver.sent { opened.append(number) }
    #expect(opened == [0, 1])
  }

  @Test("an entry that fails is told once, and left out")
  func refusesOnce() throws {
    var receiver = HandDrivenReceiver.at(.open)
    let failed = FailedEntry(segment: 0, entry: 0, failure: .unwritable, reason: "EACCES")
    let outcome = ExtentOutcome.failed(.unwritable, "EACCES")
    _ = receiver.takeActions()
    for index in 0..<3 {
      receiver.tell(
        .received(HandDrivenReceiver.connection, SessionFixtures.block(index), [outcome])
      )
    }
    receiver.take(3, of: segment)
    #expect(receiver.sent.filter { $0 == .refused(failed) }.count == 1)
    receiver.tell(.committed(epoch: 1, []))
    for case .seal(let work) in receiver.actions {
      #expect(work.excluded[0] && !work.excluded[1])
    }
    #expect(receiver.sent.last == .committed(segment: 0))
  }

  @Test("a stop makes durable what is here, and sleeps meanwhile")
  func stopsInPeace() throws {
    for reason in [Optional<StopReason>.none, .interrupted] {
      var receiver = HandDrivenReceiver.at(.open)
      receiver.take(0, of: segment)
      receiver.now = Instant(nanoseconds: 70 * Duration.second)
      _ = receiver.takeActions()
      if let reason { receiver.hear(.stop(reason, "")) } else { receiver.tell(.cancelled) }
      #expect(receiver.commits.count == 1)
      let deadline = try #require(receiver.session.nextDeadline)
      #expect(deadline > receiver.now)
      receiver.tell(.committed(epoch: 1, []))
      #expect(receiver.outcomes == [.interrupted])
      #expect(receiver.sent.last == .stop(.interrupted, ""))
    }
  }

  @Test("a sender that does not know why is told")
  func tellsReasons() {
    var receiver = HandDrivenReceiver.at(.agreeing)
    for second in UInt64(1)...60 {
      receiver.now = Instant(nanoseconds: second * Duration.second)
      receiver.hear(.heartbeat)
    }
    guard case .failed(let failure) = receiver.outcomes.first,
      case .stop(.failed, let text) = receiver.sent.last
    else {
      Issue.record("\(receiver.outcomes)")
      return
    }
    #expect(failure.kind == .noLane)
    #expect(text == failure.reason)
  }

  @Test("a sender that goes silent or away leaves what is durable, and no noise")
  func survivesLostSender() {
    for isSilent in [true, false] {
      var receiver = HandDrivenReceiver.at(.open)
      receiver.take(0, of: segment)
      _ = receiver.takeActions()
      if isSilent {
        receiver.now = Instant(nanoseconds: 60 * Duration.second)
        receiver.tell(.deadline)
      } else {
        receiver.tell(.peerGone("the control channel ended"))
      }
      #expect(receiver.commits.count == 1)
      receiver.tell(.committed(epoch: 1, []))
      guard case .failed(let failure) = receiver.outcomes.first else {
        Issue.record("the session goes on")
        continue
      }
      #expect(failure.kind == .peerGone)
      #expect(receiver.outcomes.count == 1)
      #expect(
        !receiver.sent.contains { message in
          if case .stop = message { true } else { false }
        }
      )
    }
  }

  @Test("when all is done here, the sender's end is no failure")
  func endsWithoutSender() {
    for event in [ReceiveSession.Event.peerGone("closed"), .cancelled] {
      var receiver = HandDrivenReceiver.at(.done)
      receiver.tell(event)
      #expect(receiver.outcomes == [.completed])
    }
  }

  @Test("one receipt is endorsed, and only when all is done")
  func endorsesOnce() {
    for phase in HandDrivenReceiver.Phase.allCases where phase.rawValue < 10 {
      var early = HandDrivenReceiver.at(phase)
      early.hear(.receipt([1]))
      #expect(early.violation != nil, "\(phase)")
    }
    var receiver = HandDrivenReceiver.at(.done)
    receiver.hear(.receipt([1]))
    #expect(count(in: receiver) { if case .endorse([1]) = $0 { true } else { false } } == 1)
    receiver.tell(.endorsed(.declined("the plan")))
    #expect(receiver.sent.last == .declined("the plan"))
    var greedy = receiver
    greedy.hear(.receipt([1]))
    #expect(greedy.violation != nil)
    receiver.hear(.finished(EndTotals()))
    #expect(receiver.outcomes == [.completed])
  }

  private func count(
    in receiver: HandDrivenReceiver,
    _ isMeant: (ReceiveSession.Action) -> Bool
  ) -> Int {
    receiver.actions.filter(isMeant).count
  }
}

extension Message {
  /// The same words about another segment.
  fileprivate func renumbered(_ number: Int) -> Message {
    switch self {
    case .inventory(_, let page): .inventory(segment: number, page: page)
    case .inventoryEnd(_, let isLast): .inventoryEnd(segment: number, isLast: isLast)
    default: self
    }
  }
}
