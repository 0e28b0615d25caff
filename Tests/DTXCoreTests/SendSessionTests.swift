import DTXCore
import Testing

@Suite struct SendSessionTests {
  private let segment = SessionFixtures.segment()

  @Test("a transfer goes its way to the end")
  func completes() {
    let sender = HandDrivenSender.at(.finished)
    #expect(sender.outcomes == [.completed])
    #expect(sender.sent.last == .finished(EndTotals()))
    #expect(sender.sealed.map { $0.digests } == [segment.inventedDigests])
    #expect(sender.session.nextDeadline == nil)
  }

  @Test("no message in any phase is a trap", arguments: HandDrivenSender.Phase.allCases)
  func survivesEveryMessage(phase: HandDrivenSender.Phase) {
    let start = HandDrivenSender.at(phase)
    for first in SessionFixtures.messages {
      var once = start
      once.hear(first)
      if SessionFixtures.isFromSender(first), phase != .finished, phase != .stopping {
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
    "a violation is named, and told to the receiver",
    arguments: [
      Message.durable(epoch: 1, blocks: [SessionFixtures.block(0)]),
      .received(SessionFixtures.block(9)), .damaged(SessionFixtures.block(9)),
      .committed(segment: 0), .sealed(SessionFixtures.roots), .finished(EndTotals()),
      .comparisonEnd(segment: 0), .planned(segment: 7, generation: 0, digest: .zero),
    ]
  )
  func namesViolations(message: Message) {
    var sender = HandDrivenSender.at(.moving)
    _ = sender.takeActions()
    sender.hear(message)
    #expect(sender.violation?.hasPrefix("the receiver sent ") == true)
    guard case .stop(.protocolViolation, _) = sender.sent.last else {
      Issue.record("the receiver was not told")
      return
    }
  }

  @Test("the last blocks wait for a connection that is not up yet")
  func sharesTheLastBlocks() {
    var tree = Tree()
    tree.add("two blocks", byteCount: 1500)
    let segment = Segment(
      index: 0,
      isLast: true,
      inventory: tree.inventory(),
      blockByteCount: SessionFixtures.blockByteCount
    )
    var sender = HandDrivenSender.at(.moving, with: segment)
    #expect(sender.loaded == [SessionFixtures.block(0)])
    sender.tell(.connectionUp(ConnectionID(lane: 0, number: 2)))
    #expect(sender.loaded == [SessionFixtures.block(0), SessionFixtures.block(1)])
  }

  @Test("another plan is a disagreement")
  func refusesOtherPlan() {
    var sender = HandDrivenSender.at(.agreeing)
    sender.hear(.planned(segment: 0, generation: 0, digest: .zero))
    guard case .failed(let failure) = sender.outcomes.first else {
      Issue.record("the session goes on")
      return
    }
    #expect(failure.kind == .integrity)
  }

  @Test("a block of a broken connection goes again only when the receiver lets it go")
  func waitsForFence() {
    var sender = HandDrivenSender.at(.moving)
    let other = ConnectionID(lane: 0, number: 2)
    let loaded = sender.loaded
    #expect(!loaded.isEmpty)
    sender.tell(.connectionUp(other))
    _ = sender.takeActions()
    sender.tell(.connectionLost(HandDrivenSender.connection, reason: "reset"))
    #expect(sender.sent == [.fence(HandDrivenSender.connection)])
    #expect(sender.loaded.allSatisfy { !loaded.contains($0) })
    sender.hear(.received(loaded[0]))
    sender.hear(.fenced(HandDrivenSender.connection))
    // The other connection has enough to do until its own block is sent.
    sender.report(SessionFixtures.block(2), segment, over: other)
    #expect(sender.loaded == [loaded[1]])
  }

  @Test("a longer transfer may meet more damage", arguments: [0, 1, 72] as [UInt64])
  func longerTransfersMayMeetMoreDamage(_ tebibytes: UInt64) {
    let allowed = Limits.damagedBlockCount(receivedByteCount: tebibytes << 40)
    #expect(allowed == 8 + Int(tebibytes))
    let last = Limits.damagedBlockCount(receivedByteCount: (tebibytes + 1) << 40 - 1)
    #expect(last == allowed)
  }

  @Test("a damaged block goes again, but not for ever")
  func resendsDamaged() {
    let segment = SessionFixtures.shortSegment()
    var sender = HandDrivenSender.at(.moving, with: segment)
    for _ in 0..<Limits.damagedBlockCount(receivedByteCount: 0) {
      _ = sender.takeActions()
      sender.report(SessionFixtures.block(0), segment)
      sender.hear(.damaged(SessionFixtures.block(0)))
      #expect(sender.loaded == [SessionFixtures.block(0)])
    }
    sender.report(SessionFixtures.block(0), segment)
    sender.hear(.damaged(SessionFixtures.block(0)))
    guard case .failed(let failure) = sender.outcomes.first else {
      Issue.record("the session goes on")
      return
    }
    #expect(failure.kind == .integrity)
  }

  @Test("what counts is the copy that the receiver has, not one that was lost")
  func countsDeliveredCopy() {
    let segment = SessionFixtures.shortSegment()
    var sender = HandDrivenSender.at(.moving, with: segment)
    let failed = ExtentOutcome.failed(.unreadable, "EIO")
    sender.tell(.sent(HandDrivenSender.connection, SessionFixtures.block(0), [failed]))
    sender.hear(.damaged(SessionFixtures.block(0)))
    sender.move(segment)
    sender.hear(
      .durable(epoch: 1, blocks: segment.blocks.indices.map { SessionFixtures.block($0) })
    )
    sender.hear(.committed(segment: 0))
    #expect(sender.sealed.map { $0.digests } == [segment.inventedDigests])
    #expect(sender.sealed.map { $0.excluded.isEmpty } == [true])
  }

  @Test("the receiver's word may overtake this end's own threads, up to the last")
  func toleratesLateReports() {
    var sender = HandDrivenSender.at(.moving)
    let blocks = segment.blocks.indices.map { SessionFixtures.block($0) }
    for block in blocks.dropLast() {
      sender.report(block, segment)
      sender.hear(.received(block))
    }
    sender.hear(.received(blocks[3]))
    sender.hear(.durable(epoch: 1, blocks: blocks))
    sender.hear(.committed(segment: 0))
    sender.hear(.sealed(SessionFixtures.roots))
    #expect(sender.outcomes.isEmpty)
    #expect(sender.sealed.isEmpty)
    // The connection may be gone by then.
    sender.hear(.fenced(HandDrivenSender.connection))
    sender.report(blocks[3], segment)
    #expect(sender.sealed.map { $0.digests } == [segment.inventedDigests])
    sender.tell(.sealed(SessionFixtures.roots))
    sender.hear(.finished(EndTotals()))
    sender.tell(.stored(EndTotals()))
    sender.tell(.stated([]))
    sender.hear(.declined("no"))
    #expect(sender.outcomes == [.completed])
  }

  @Test("a later segment may be committed while an earlier one waits for a report")
  func commitsBehindLateReports() {
    let lane = Lane(contract: .reserved, rate: Rate(bitsPerSecond: 8_000_000), connectionCount: 1)
    var sender = HandDrivenSender(inputs: PlanInputs(lanes: [lane]))
    let segments = [SessionFixtures.segment(0, isLast: false), SessionFixtures.segment(1)]
    for segment in segments { sender.tell(.scanned(segment)) }
    for segment in segments {
      for message in SessionFixtures.answer(to: segment) { sender.hear(message) }
    }
    for case .plan(let number, _, let digest) in sender.sent {
      sender.hear(.planned(segment: number, generation: 0, digest: digest))
    }
    sender.tell(.connectionUp(HandDrivenSender.connection))
    let late = SessionFixtures.block(0, of: 0)
    for segment in segments {
      let blocks = segment.blocks.indices.map { SessionFixtures.block($0, of: segment.index) }
      for block in blocks {
        if block != late { sender.report(block, segment) }
        sender.hear(.received(block))
      }
      sender.hear(.durable(epoch: 1, blocks: blocks))
      sender.hear(.committed(segment: segment.index))
    }
    #expect(sender.outcomes.isEmpty)
    #expect(sender.sealed.isEmpty)
    sender.report(late, segments[0])
    #expect(sender.sealed.map { $0.segment.index } == [0, 1])
  }

  @Test("segments are planned in their order, whichever was checked first")
  func plansInOrder() {
    var sender = HandDrivenSender(comparesDigests: true)
    let segments = [SessionFixtures.segment(0, isLast: false), SessionFixtures.segment(1)]
    for segment in segments { sender.tell(.scanned(segment)) }
    for segment in segments {
      for message in SessionFixtures.answer(to: segment) { sender.hear(message) }
    }
    sender.tell(.checked(segment: 1, differing: []))
    sender.tell(.checked(segment: 0, differing: []))
    var planned: [Int] = []
    for case .plan(let number, _, _) in sender.sent { planned.append(number) }
    #expect(planned == [0, 1])
  }

  @Test("a cancel ends both ends, whatever was on its way")
  func stopsInPeace() {
    for phase in HandDrivenSender.Phase.allCases where phase != .finished {
      for message in [Message.sealed(SessionFixtures.roots), .committed(segment: 0)] {
        var sender = HandDrivenSender.at(phase)
        sender.tell(.cancelled)
        sender.hear(message)
        sender.hear(.stop(.interrupted, ""))
        #expect(sender.outcomes == [.interrupted], "\(phase)")
      }
      var alone = HandDrivenSender.at(phase)
      alone.tell(.cancelled)
      alone.now = Instant(nanoseconds: 11 * Duration.second)
      alone.tell(.deadline)
      #expect(alone.outcomes == [.interrupted], "\(phase)")
    }
  }

  @Test("a receiver that is done may go before this end has stored its manifest")
  func storesAlone() {
    var sender = HandDrivenSender.at(.storing)
    sender.tell(.peerGone("the control channel ended"))
    sender.now = Instant(nanoseconds: 100 * Duration.second)
    sender.tell(.deadline)
    #expect(sender.outcomes.isEmpty)
    sender.tell(.stored(EndTotals()))
    sender.tell(.stated([]))
    #expect(sender.outcomes == [.completed])
    #expect(sender.answers == [.missing("the control channel ended")])
  }

  @Test("a receipt is kept whatever the receiver makes of it, and however it goes")
  func keepsReceipts() {
    let ways: [(SendSession.Event, ReceiptAnswer)] = [
      (.message(.endorsed([7])), .endorsed([7])),
      (.message(.declined("the plan")), .declined("the plan")),
      (.peerGone("closed"), .missing("closed")),
    ]
    for (event, answer) in ways {
      var sender = HandDrivenSender.at(.attesting)
      #expect(sender.sent.last == .receipt([1, 2]))
      sender.tell(event)
      #expect(sender.answers == [answer])
      #expect(sender.outcomes == [.completed])
    }
    var silent = HandDrivenSender.at(.attesting)
    silent.now = Instant(nanoseconds: 60 * Duration.second)
    silent.tell(.deadline)
    #expect(silent.outcomes == [.completed])
  }

  @Test("silence has an end: of the receiver, and of all lanes")
  func losesPatience() {
    var silent = HandDrivenSender.at(.moving)
    silent.now = Instant(nanoseconds: 60 * Duration.second)
    silent.tell(.deadline)
    #expect(kind(of: silent) == .peerGone)

    var unconnected = HandDrivenSender.at(.agreeing)
    wait(60, &unconnected)
    #expect(kind(of: unconnected) == .noLane)

    var blocked = HandDrivenSender.at(.moving)
    blocked.tell(.connectionLost(HandDrivenSender.connection, reason: "reset"))
    blocked.hear(.fenced(HandDrivenSender.connection))
    wait(60, &blocked)
    #expect(kind(of: blocked) == .noLane)
  }

  @Test("whole blocks are counted for the connection that carried them, while it is open")
  func countsConfirmedBytes() {
    let segment = SessionFixtures.segment()
    var sender = HandDrivenSender.at(.moving, with: segment)
    let connection = HandDrivenSender.connection
    #expect(sender.session.confirmedByteCounts.map(\.byteCount) == [0])
    sender.report(SessionFixtures.block(0), segment)
    #expect(sender.session.confirmedByteCounts.map(\.byteCount) == [0])
    sender.hear(.received(SessionFixtures.block(0)))
    sender.report(SessionFixtures.block(1), segment)
    sender.hear(.damaged(SessionFixtures.block(1)))
    #expect(sender.session.confirmedByteCounts.map(\.byteCount) == [2000])
    sender.tell(.connectionLost(connection, reason: "reset"))
    #expect(sender.session.confirmedByteCounts.isEmpty)
  }

  @Test("what the receiver calls changed comes with the plan")
  func keepsTheListOfChanges() throws {
    let segment = SessionFixtures.segment()
    var sender = HandDrivenSender.at(.comparing, with: segment)
    sender.hear(.changed(segment: 0, entries: [1]))
    for message in SessionFixtures.answer(to: segment) { sender.hear(message) }
    let listed = sender.actions.compactMap { action in
      if case .planned(_, let comparison) = action { comparison } else { nil as Comparison? }
    }
    let changed = try #require(listed.first?.changed)
    #expect(changed.runs(in: 0..<2) == [1..<2])
    #expect(listed.first?.changes(0, of: segment) == true, "its data is wanted")
    sender.hear(.changed(segment: 0, entries: [0]))
    #expect(sender.violation != nil, "the comparison is over")
  }

  @Test(
    "an entry is called changed once, and entries in their order, over all messages",
    arguments: [
      ([[0, 1]], true), ([[0], [1]], true), ([[], [1], []], true),
      ([[0, 0]], false), ([[1, 0]], false), ([[0], [0]], false), ([[1], [0]], false),
    ] as [([[Int]], Bool)]
  )
  func takesEachChangeOnce(changes: [[Int]], isTaken: Bool) {
    var sender = HandDrivenSender.at(.comparing)
    for entries in changes { sender.hear(.changed(segment: 0, entries: entries)) }
    #expect((sender.violation == nil) == isTaken)
  }

  @Test("a connection that is reported up again is the one that is there")
  func takesAConnectionOnce() {
    let connection = HandDrivenSender.connection
    var sender = HandDrivenSender.at(.moving)
    let loaded = sender.loaded
    sender.tell(.connectionUp(connection))
    #expect(sender.loaded == loaded)
    sender.move(segment)
    #expect(sender.loaded == segment.blocks.indices.map { SessionFixtures.block($0) })
    #expect(sender.session.confirmedByteCounts.map(\.id) == [connection])
    sender.tell(.connectionLost(connection, reason: "reset"))
    sender.tell(.connectionUp(connection))
    #expect(sender.session.confirmedByteCounts.isEmpty, "it waits for its fence")
    #expect(sender.outcomes.isEmpty)
  }

  /// Lets time pass with a receiver that is alive.
  private func wait(_ seconds: UInt64, _ sender: inout HandDrivenSender) {
    for second in 1...seconds {
      sender.now = Instant(nanoseconds: second * Duration.second)
      sender.hear(.heartbeat)
    }
  }

  private func kind(of sender: HandDrivenSender) -> SessionFailure.Kind? {
    if case .failed(let failure) = sender.outcomes.first { return failure.kind }
    return nil
  }
}
