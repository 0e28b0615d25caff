internal import DTXCore

/// The sender's process: the real session, and what its threads would know.
struct ScenarioSender: Sendable {
  var session: SendSession
  var nextSegment = 0
  var builder: RootBuilder
  /// When this end is to be woken, if that is scheduled.
  var wakeAt: Instant?
  /// What the session is at, and since when.
  var activity = Activity.opening
  var activitySince: Instant
}

// The sender's process and how it performs what its session says.
extension ScenarioRun {
  mutating func beginSender() {
    let configuration = SendSession.Configuration(
      inputs: inputs,
      isInitiator: true,
      isDryRun: false
    )
    sender = ScenarioSender(
      session: SendSession(configuration: configuration, now: now),
      builder: rootBuilder(),
      activitySince: now
    )
  }

  func rootBuilder() -> RootBuilder {
    let header = ManifestHeader(blockByteCount: scenario.blockByteCount, rootAlgorithm: .xxh3)
    return RootBuilder(header: header, hash: .xxh3)
  }

  mutating func tellSender(_ event: SendSession.Event) {
    guard sender != nil else { return }
    sender?.session.handle(event, at: now)
    drainSender()
  }

  mutating func drainSender() {
    while let action = sender?.session.nextAction() { perform(action) }
    guard let activity = sender?.session.activity else { return }
    if sender?.activity != activity { countActivity(until: activity) }
    guard let deadline = sender?.session.nextDeadline else { return }
    if let wakeAt = sender?.wakeAt, wakeAt <= deadline { return }
    sender?.wakeAt = max(now, deadline)
    events.push(.wake(.sender), at: max(now, deadline))
  }

  private mutating func countActivity(until next: Activity) {
    guard let process = sender else { return }
    tally.sender.times[process.activity] += now.since(process.activitySince)
    sender?.activity = next
    sender?.activitySince = now
  }

  private mutating func perform(_ action: SendSession.Action) {
    switch action {
    case .scan:
      scan()
    case .announce(let segment):
      announce(segment)
    case .check:
      preconditionFailure("a scenario compares no digests")
    case .send(let message):
      send(message, to: .receiver)
    case .dial(let id):
      schedule(.dialled(id), after: scenario.path.roundTripNanoseconds)
    case .load(let id, let work):
      load(id, work)
    case .close(let id):
      closeAtSender(id)
    case .seal(let work):
      let part = seal(work)
      _ = sender?.builder.add(part)
      sentSegments[work.segment.index] = nil
    case .sealDataset:
      guard let roots = sender?.builder.finish() else { return }
      schedule(SendSession.Event.sealed(roots), after: 0)
    case .storeManifest:
      let time = about(scenario.receiver.syncNanoseconds)
      schedule(SendSession.Event.stored(EndTotals()), after: time)
    case .stateReceipt:
      schedule(SendSession.Event.stated([]), after: 0)
    case .storeReceipt:
      break
    case .report(let failed):
      store.note("entry \(failed.entry) of segment \(failed.segment): \(failed.reason)")
    case .planned(let plan, _):
      // The last segment's plan ends when all does, unless an earlier run has done some of it.
      if runCount == 1, plan.segment + 1 == sentSegments.count {
        tally.predictedNanoseconds = plan.finish
      }
    case .revised:
      tally.generationCount += 1
    case .pace:
      preconditionFailure("nobody changes a simulated transfer")
    case .finish(let outcome):
      ended(.sender, outcome)
    }
  }

  private mutating func scan() {
    guard let index = sender?.nextSegment, index < sentSegments.count else {
      preconditionFailure("a scan past the last segment")
    }
    sender?.nextSegment += 1
    let segment = scenario.dataset.segment(index, blockByteCount: scenario.blockByteCount)
    sentSegments[index] = segment
    let time = entryNanoseconds(segment.entries.count, scenario.sender)
    schedule(SendSession.Event.scanned(segment), after: time)
  }

  private mutating func announce(_ segment: Segment) {
    segment.announce { send($0, to: .receiver) }
  }

  func seal(_ work: SealWork) -> ManifestSegment {
    ManifestSegment(
      work.segment,
      digests: work.digests,
      excluded: work.excluded,
      blockByteCount: scenario.blockByteCount
    )
  }
}

// What both processes share: the control channel, deadlines and their ends.
extension ScenarioRun {
  mutating func send(_ message: Message, to end: End) {
    guard isChannelOpen else { return }
    switch end {
    case .sender: framesToSender.append(message)
    case .receiver: framesToReceiver.append(message)
    }
    schedule(.frame(end), after: scenario.path.delayNanoseconds)
  }

  mutating func deliverFrame(to end: End) {
    switch end {
    case .sender:
      if let message = framesToSender.popFirst() { tellSender(.message(message)) }
    case .receiver:
      if let message = framesToReceiver.popFirst() { tellReceiver(.message(message)) }
    }
  }

  mutating func hangUp(at end: End) {
    switch end {
    case .sender: tellSender(.peerGone("the control channel ended"))
    case .receiver: tellReceiver(.peerGone("the control channel ended"))
    }
  }

  /// Time for a session to look at its deadlines; nothing where an earlier moment was set since.
  mutating func wake(_ end: End) {
    switch end {
    case .sender:
      guard sender?.wakeAt == now else { return }
      sender?.wakeAt = nil
      tellSender(.deadline)
    case .receiver:
      guard receiver?.wakeAt == now else { return }
      receiver?.wakeAt = nil
      tellReceiver(.deadline)
    }
  }

  /// A session is over: its process exits, and the kernel closes what it had open.
  mutating func ended(_ end: End, _ outcome: SessionOutcome) {
    switch end {
    case .sender: isCompleted.sender = outcome == .completed
    case .receiver: isCompleted.receiver = outcome == .completed
    }
    if case .failed(let failure) = outcome { tally.note(failure) }
    leave(end, isSilent: false)
  }

  /// Takes a process away: by its own end, or with its host.
  mutating func leave(_ end: End, isSilent: Bool) {
    switch end {
    case .sender:
      countActivity(until: .idle)
      if let progress = sender?.session.progress { tally.add(progress) }
      sender = nil
    case .receiver:
      if let progress = receiver?.session.progress { tally.add(progress) }
      receiver = nil
    }
    for index in connections.indices {
      if end == .sender {
        connections[index].isSenderUp = false
      } else {
        connections[index].isReceiverUp = false
      }
      cut(index, after: isSilent ? ScenarioRun.lanePatience : scenario.path.delayNanoseconds)
    }
    if isSilent {
      isChannelOpen = false
    } else if isChannelOpen {
      schedule(.hangUp(end.other), after: scenario.path.delayNanoseconds)
    }
  }
}
