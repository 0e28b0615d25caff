internal import DTXCore

/// The receiver's process: the real session, and what its threads would know.
struct ScenarioReceiver: Sendable {
  var session: ReceiveSession
  /// What the journal said when this process began.
  var replay: JournalReplay
  var builder: RootBuilder
  /// The connection whose block the session is told of: its word goes back to the same.
  var reporting = 0
  var pausedSince: Instant?
  var commit: EpochWork?
  var commitNanoseconds: UInt64 = 0
  var wakeAt: Instant?
}

// The receiver's process and how it performs what its session says.
extension ScenarioRun {
  mutating func beginReceiver() {
    let replay = store.open(session: random.next())
    let configuration = ReceiveSession.Configuration(
      inputs: inputs,
      isInitiator: false,
      isDryRun: false,
      blockByteCount: scenario.blockByteCount
    )
    receiver = ScenarioReceiver(
      session: ReceiveSession(configuration: configuration, now: now),
      replay: replay,
      builder: rootBuilder()
    )
  }

  mutating func tellReceiver(_ event: ReceiveSession.Event) {
    guard receiver != nil else { return }
    receiver?.session.handle(event, at: now)
    drainReceiver()
  }

  mutating func drainReceiver() {
    while let action = receiver?.session.nextAction() { perform(action) }
    guard let deadline = receiver?.session.nextDeadline else { return }
    if let wakeAt = receiver?.wakeAt, wakeAt <= deadline { return }
    receiver?.wakeAt = max(now, deadline)
    events.push(.wake(.receiver), at: max(now, deadline))
  }

  private mutating func perform(_ action: ReceiveSession.Action) {
    switch action {
    case .send(let message):
      answer(message)
    case .dial:
      preconditionFailure("the sender dials")
    case .close(let id):
      closeAtReceiver(id)
    case .compare(let segment):
      compare(segment)
    case .prepare(let segment, _):
      prepare(segment)
    case .commit(let work):
      beginCommit(work)
    case .pause:
      receiver?.pausedSince = now
    case .resume:
      resume()
    case .seal(let work):
      let part = seal(work)
      _ = receiver?.builder.add(part)
      receivedSegments[work.segment.index] = nil
    case .finalize:
      guard let roots = receiver?.builder.finish() else { return }
      schedule(
        ReceiveSession.Event.finalized(roots),
        after: about(scenario.receiver.syncNanoseconds)
      )
    case .storeManifest:
      let time = about(scenario.receiver.syncNanoseconds)
      schedule(ReceiveSession.Event.stored(EndTotals()), after: time)
    case .endorse:
      schedule(ReceiveSession.Event.endorsed(.endorsed([])), after: 0)
    case .report(let failed):
      store.note("entry \(failed.entry) of segment \(failed.segment): \(failed.reason)")
    case .reportOmission:
      preconditionFailure("a scenario's scan omits nothing")
    case .planned, .revised:
      break
    case .finish(let outcome):
      ended(.receiver, outcome)
    }
  }

  /// Sends a message; the word on a block travels with the name of its connection.
  private mutating func answer(_ message: Message) {
    guard isChannelOpen, let connection = receiver?.reporting else { return }
    switch message {
    case .received(let block):
      let event = ScenarioEvent.confirmed(connection, block, isIntact: true)
      schedule(event, after: scenario.path.delayNanoseconds)
    case .damaged(let block):
      let event = ScenarioEvent.confirmed(connection, block, isIntact: false)
      schedule(event, after: scenario.path.delayNanoseconds)
    default:
      send(message, to: .sender)
    }
  }

  // MARK: - Before the first block of a segment

  private mutating func compare(_ segment: Segment) {
    receivedSegments[segment.index] = segment
    var comparison = Comparison(extentCount: segment.extents.count)
    let rules = Comparator.Rules(comparesDigests: false, preservesOwner: false)
    for (index, entry) in segment.entries.enumerated() where entry.kind == .regular {
      guard let file = scenario.dataset.file(ofEntry: index, inSegment: segment.index) else {
        continue
      }
      let decision = Comparator.decide(
        entry,
        linkTarget: [],
        existing: store.isPublished(file) ? existing(entry) : nil,
        rules: rules
      )
      guard decision == .create else { continue }
      resume(file, entry, of: segment, into: &comparison)
    }
    let reading = ScenarioHost.nanoseconds(
      for: comparison.readByteCount,
      at: scenario.receiver.readSpeed
    )
    let time = entryNanoseconds(segment.entries.count, scenario.receiver) + reading
    schedule(ReceiveSession.Event.compared(segment: segment.index, comparison), after: time)
  }

  private func existing(_ entry: Entry) -> ExistingEntry {
    ExistingEntry(
      kind: entry.kind,
      mode: entry.mode,
      userID: 0,
      groupID: 0,
      modified: entry.modified,
      byteCount: entry.byteCount
    )
  }

  /// Wants what the journal does not call durable; what it does is read back and checked.
  private mutating func resume(
    _ file: Int,
    _ entry: Entry,
    of segment: Segment,
    into comparison: inout Comparison
  ) {
    let identity = scenario.dataset.identity(ofFile: file)
    let journaled = receiver?.replay.file(at: identity.path)
    for extent in entry.extents {
      comparison.wanted[extent] = true
      let place = segment.extents[extent]
      guard let journaled, journaled.identity == identity,
        let known = journaled.extent(at: place.offset), known.byteCount == place.byteCount
      else { continue }
      comparison.readByteCount += UInt64(place.byteCount)
      guard store.isStaged(file, offset: place.offset) else {
        store.note("the journal has more of file \(file) than the disk")
        continue
      }
      comparison.wanted[extent] = false
      comparison.digests[extent] = known.digest
      comparison.resumedByteCount += UInt64(place.byteCount)
    }
  }

  private mutating func prepare(_ segment: Segment) {
    for (index, entry) in segment.entries.enumerated()
    where entry.kind == .regular && entry.byteCount == 0 {
      guard let file = scenario.dataset.file(ofEntry: index, inSegment: segment.index),
        !store.isPublished(file)
      else { continue }
      store.publish(file, epoch: 0)
    }
    let time = entryNanoseconds(segment.entries.count, scenario.receiver)
    schedule(ReceiveSession.Event.prepared(segment: segment.index, []), after: time)
  }

  // MARK: - Epochs

  private mutating func beginCommit(_ work: EpochWork) {
    let sync = about(scenario.receiver.syncNanoseconds)
    receiver?.commit = work
    receiver?.commitNanoseconds = sync
    tally.receiver.epochCount += 1
    tally.receiver.syncNanoseconds += sync
    let names = entryNanoseconds(work.complete.count, scenario.receiver)
    schedule(.committed, after: sync + names)
  }

  mutating func committed() {
    guard let work = receiver?.commit, let sync = receiver?.commitNanoseconds else { return }
    receiver?.commit = nil
    store.commit(work, receivedSegments)
    tellReceiver(.committed(epoch: work.epoch, [], syncNanoseconds: sync))
  }

  /// Takes what arrived while two epochs were full.
  private mutating func resume() {
    guard let since = receiver?.pausedSince else { return }
    receiver?.pausedSince = nil
    for index in connections.indices where connections[index].heldCount > 0 {
      tally.receiver.times[.paused] += now.since(since)
      let heldCount = connections[index].heldCount
      connections[index].heldCount = 0
      // Not at once: the session is in the midst of saying what to do.
      for _ in 0..<heldCount { schedule(.written(index), after: 0) }
    }
  }
}
