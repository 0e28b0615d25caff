internal import DTXCore
internal import DTXLinux

/// Performs a receive session: threads and effects, no decisions.
///
/// `run` is called once and returns when the session has ended; the calling thread is the control
/// thread, which alone touches the session. Looking at the destination and its metadata has a
/// thread of its own, and so have commits.
final class ReceiveEngine: Sendable {
  private let destination: Destination
  private let setup: SessionSetup
  private let inbox = Mailbox<ReceiveSession.Event>()
  private let backlog = Backlog(.wait, limit: Limits.waitingReceiverByteCount)
  private let table = ReceivingTable()
  private let gate = Gate()
  private let ledger: LaneLedger
  private let tally: SessionTally
  private let compressed: CompressionTally
  private let times = ActivityLedger()
  private let lanes: LaneConnections<ReceivingLane>
  private let workers: StorageWorkers
  /// Segments by number, for the paths of failed entries.
  private let segments = Guarded<[Int: Segment]>([:])
  private let sealedRoots = Guarded<Roots?>(nil)
  /// What the destination must have room for: all of a dry run, else the latest segment.
  private let demanded = Guarded(SpaceDemand())

  /// Makes the engine; `run` follows.
  ///
  /// - Parameters:
  ///   - destination: where the data goes.
  ///   - setup: what the handshake settled.
  /// - Throws: `.failed` when there is no memory or no room for the threads.
  init(_ destination: Destination, _ setup: SessionSetup) throws(TransferError) {
    self.destination = destination
    self.setup = setup
    let ledger = LaneLedger(setup.inputs.lanes, setup.tunings, dials: setup.dials)
    self.ledger = ledger
    tally = SessionTally(setup.watch)
    let inbox = self.inbox
    let table = self.table
    let gate = self.gate
    let surroundings = try BlockWriter.Surroundings(
      destination,
      table,
      times,
      connectionCount: setup.inputs.lanes.reduce(0) { $0 + $1.connectionCount }
    )
    workers = surroundings.workers
    compressed = surroundings.compressed
    lanes = LaneConnections(
      setup,
      make: { opened throws(SystemError) in
        try ledger.opened(opened)
        return try ReceivingLane(
          opened,
          surroundings: surroundings,
          gate: gate
        ) { inbox.send($0) }
      },
      changed: { id, change in
        switch change {
        case .up: inbox.send(.connectionUp(id))
        case .lost(let reason): inbox.send(.connectionLost(id, reason: reason))
        }
      }
    )
  }

  /// Changes what the user wants of the transfer; callable from any thread.
  func adjust(_ adjustment: Adjustment) {
    inbox.send(.adjusted(adjustment))
  }

  /// Asks the session to stop; callable from any thread.
  func cancel() {
    destination.cancel()
    setup.channel.hurry()
    inbox.send(.cancelled)
  }

  func run() throws(TransferError) -> TransferReport {
    let started = Clock.now()
    let metadataWorker = try SerialWorker(name: "dtx-metadata")
    let commitWorker = try SerialWorker(name: "dtx-commit")
    let reader = try ControlReader(setup.channel, backlog) { [self] arrival in take(arrival) }
    var session = ReceiveSession(
      configuration: ReceiveSession.Configuration(
        inputs: setup.inputs,
        isInitiator: setup.isInitiator,
        isDryRun: setup.options.isDryRun,
        blockByteCount: setup.options.blockByteCount,
        comparesDigests: setup.options.comparesDigests,
        readsBack: setup.options.verification == .media,
        dials: setup.dials
      ),
      now: Instant(nanoseconds: started)
    )
    lanes.open()
    let outcome = loop(&session, started) { [self] action, report in
      perform(action, report, metadataWorker, commitWorker)
    }
    backlog.close()
    // Whoever waits to say more holds this end for nothing.
    if outcome != .completed { setup.channel.endSending() }
    gate.open()
    lanes.shut(orderly: outcome == .completed)
    workers.finish()
    commitWorker.finish()
    metadataWorker.finish()
    setup.channel.finishSending()
    if setup.isInitiator, outcome.isOrderly { setup.channel.awaitEnd() }
    setup.channel.close()
    reader.join()
    return report(session, outcome, started: started)
  }

  // MARK: - The control thread

  private func loop(
    _ session: inout ReceiveSession,
    _ started: UInt64,
    _ perform: (ReceiveSession.Action, _ report: () -> TransferReport) -> SessionOutcome?
  ) -> SessionOutcome {
    var pace = ProgressPace(started)
    while true {
      while let action = session.nextAction() {
        let outcome = perform(action) { report(session, .completed, started: started) }
        if let outcome { return outcome }
      }
      let deadline = min(session.nextDeadline?.nanoseconds ?? .max, pace.next)
      let event = inbox.receive(deadline: deadline) ?? .deadline
      if case .message = event { backlog.leave() }
      session.heard(at: Instant(nanoseconds: setup.channel.silentSince))
      note(event)
      let now = Clock.now()
      session.handle(event, at: Instant(nanoseconds: now))
      if pace.isDue(now) { setup.watch(.progress(progress(session, started, now, &pace))) }
    }
  }

  private func perform(
    _ action: ReceiveSession.Action,
    _ report: () -> TransferReport,
    _ metadataWorker: SerialWorker,
    _ commitWorker: SerialWorker
  ) -> SessionOutcome? {
    switch action {
    case .send(let message):
      setup.channel.send(message)
    case .dial(let id):
      lanes.dial(id)
    case .close(let id):
      lanes.close(id)
    case .compare(let segment):
      segments.withLock { $0[segment.index] = segment }
      metadataWorker.run { [self] in compare(segment) }
    case .prepare(let segment, let comparison):
      metadataWorker.run { [self] in prepare(segment, comparison) }
    case .commit(let work):
      commitWorker.run { [self] in commit(work) }
    case .pause:
      gate.shut()
    case .resume:
      gate.open()
    case .seal(let work):
      metadataWorker.run { [self] in seal(work) }
    case .finalize:
      metadataWorker.run { [self] in finalize() }
    case .storeManifest:
      metadataWorker.run { [self] in storeManifest() }
    case .endorse(let offer):
      let report = report()
      metadataWorker.run { [self] in endorse(offer, report) }
    case .report(let failed):
      tally.fail(failed, in: segments.withLock { $0[failed.segment] })
    case .reportOmission(let path, let failure, let reason):
      tally.fail(FailedPath(path: path, failure: failure, reason: reason))
    case .planned(let plan, let comparison):
      let segment = segments.withLock { $0[plan.segment] }
      tally.plan(plan, setup.inputs, of: segment, wanted: comparison.wanted)
      if setup.listsEntries, let segment { tally.list(comparison, of: segment) }
      // A dry run seals nothing that would forget it.
      if setup.options.isDryRun { segments.withLock { $0[plan.segment] = nil } }
    case .revised(let revision):
      tally.revise(revision, setup.inputs)
    case .finish(let outcome):
      return outcome
    }
    return nil
  }

  // MARK: - The destination, on the workers' threads

  /// Runs one effect on the destination; what makes the transfer impossible ends the session.
  private func attempt(_ body: () throws(TransferError) -> ReceiveSession.Event) {
    defer { for notice in destination.takeNotices() { tally.note(notice) } }
    do throws(TransferError) {
      inbox.send(try body())
    } catch {
      inbox.send(.failed(SessionFailure(destination.cause(of: error))))
    }
  }

  private func compare(_ segment: Segment) {
    attempt { () throws(TransferError) in
      let comparison = try times.timing(.looking) { () throws(TransferError) in
        try destination.compare(segment)
      }
      try checkRoom(for: segment, comparison)
      return .compared(segment: segment.index, comparison)
    }
  }

  private func prepare(_ segment: Segment, _ comparison: Comparison) {
    attempt { () throws(TransferError) in
      let failures = try times.timing(.preparing) { () throws(TransferError) in
        try destination.prepare(segment, comparison)
      }
      table.admit(segment, wanted: comparison.wanted)
      return .prepared(segment: segment.index, failures)
    }
  }

  /// Looks for room before the first byte of a segment, and in a dry run for all so far: what cannot
  /// fit had better not begin.
  private func checkRoom(for segment: Segment, _ comparison: Comparison) throws(TransferError) {
    let isDryRun = setup.options.isDryRun
    let demand = demanded.withLock { demanded in
      if !isDryRun { demanded = SpaceDemand() }
      demanded.add(segment, comparison)
      return demanded
    }
    let shortages = destination.rooms().compactMap { demand.shortage(in: $0) }
    guard let first = shortages.first else { return }
    // Nothing has been made before the first segment is prepared.
    if segment.index == 0 { destination.withdraw() }
    throw TransferError(
      .failed,
      "the destination has no room for what is to come: \(first.text)",
      cause: shortages.map(\.cause).joined(separator: "; "),
      remedy: "make room and run the same command again; what is durable stays"
    )
  }

  private func commit(_ work: EpochWork) {
    attempt { () throws(TransferError) in
      let earlier = destination.statistics.syncNanoseconds
      let losses = try times.timing(.committing) { () throws(TransferError) in
        try destination.commit(work)
      }
      // Before the session asks for them: what comes twice is passed over.
      for block in losses.damaged { table.release(block) }
      let nanoseconds = destination.statistics.syncNanoseconds - earlier
      return .committed(
        epoch: work.epoch,
        losses.failures,
        damaged: losses.damaged,
        syncNanoseconds: nanoseconds
      )
    }
  }

  private func seal(_ work: SealWork) {
    table.remove(work.segment.index)
    do throws(TransferError) {
      try destination.seal(work)
      segments.withLock { $0[work.segment.index] = nil }
    } catch {
      inbox.send(.failed(SessionFailure(destination.cause(of: error))))
    }
  }

  private func finalize() {
    attempt { () throws(TransferError) in
      let (roots, failures) = try destination.finalize()
      for failure in failures { tally.fail(failure) }
      sealedRoots.withLock { $0 = roots }
      return .finalized(roots)
    }
  }

  private func storeManifest() {
    attempt { () throws(TransferError) in
      try destination.storeManifest()
      return .stored(totals())
    }
  }

  /// Compares the sender's receipt with what is known here, endorses it, and keeps it.
  private func endorse(_ offer: [UInt8], _ report: TransferReport) {
    guard let roots = report.roots else { preconditionFailure("a receipt before the roots") }
    let own = ReceiptStatement(report, setup, roots: roots, key: nil)
    var endorsing = ReceiptEndorsing(of: offer, knowing: own) { key in
      ReceiptEndorsement(report, setup, key: key)
    }
    var path: [UInt8]?
    if let bytes = endorsing.bytes {
      do throws(SystemError) {
        path = try destination.storeReceipt(bytes)
      } catch {
        endorsing.notice = "the receipt could not be kept: \(error)"
      }
    }
    tally.take(endorsing.receipt, at: path, notice: endorsing.notice)
    inbox.send(.endorsed(endorsing.answer))
  }

  private func totals() -> EndTotals {
    let statistics = destination.statistics
    var totals = times.totals
    totals.storage = workers.use
    totals.epochCount = statistics.epochCount
    totals.syncNanoseconds = statistics.syncNanoseconds
    totals.rereadByteCount = statistics.rereadByteCount
    return totals
  }

  // MARK: - What comes and what is told

  private func note(_ event: ReceiveSession.Event) {
    if case .received(let id, let block, _) = event { count(block, on: id.lane) }
    if case .connectionLost(let id, _) = event { lanes.forget(id) }
  }

  private func count(_ block: BlockReference, on lane: Int) {
    guard let segment = segments.withLock({ $0[block.segment] }) else { return }
    let work = BlockWork(
      reference: block,
      extents: [],
      byteCount: segment.blocks[block.block].byteCount
    )
    ledger.count(work, on: lane)
  }

  private func take(_ arrival: ControlReader.Arrival) {
    switch arrival {
    case .message(let message):
      if case .tuned(let id, let taken) = message { ledger.note(taken, of: id.lane) }
      inbox.send(.message(message))
    case .laneBytes(let bytes):
      lanes.deliver(bytes)
    case .ended(let reason):
      setup.channel.noteEnd()
      destination.markPeerGone()
      inbox.send(.peerGone(reason))
    case .unreadable(let what):
      inbox.send(.failed(SessionFailure(.protocolViolation, "the sender sent \(what)")))
    }
  }

  private func progress(
    _ session: ReceiveSession,
    _ started: UInt64,
    _ now: UInt64,
    _ pace: inout ProgressPace
  ) -> TransferProgress {
    let phase = session.progress.isInventoryComplete ? "moving" : "scanning"
    var progress = TransferProgress(phase: session.isPaused ? "paused" : phase)
    progress.entryCount = session.progress.entryCount
    progress.byteCount = session.progress.byteCount
    progress.isScanComplete = session.progress.isInventoryComplete
    progress.wantedByteCount = session.progress.wantedByteCount
    progress.movedByteCount = pace.moved(
      session.progress.receivedByteCount + lanes.all.reduce(0) { $0 + $1.arrivingByteCount },
      of: session.progress.wantedByteCount
    )
    progress.durableByteCount = session.progress.durableByteCount
    progress.nanoseconds = now - started
    progress.openConnectionCount = lanes.count
    progress.predictedNanoseconds = tally.predictedNanoseconds
    var sample = Forecast.Sample(nanoseconds: progress.nanoseconds)
    sample.durableByteCount = session.progress.durableByteCount
    sample.durableExtentCount = session.progress.durableExtentCount
    sample.wantedByteCount = session.progress.wantedByteCount
    sample.wantedExtentCount = session.progress.wantedExtentCount
    sample.isComplete = session.isAllPlanned
    sample.isPaused = session.isPaused
    sample.plannedNanoseconds = progress.predictedNanoseconds
    progress.remainder = pace.remainder(after: sample)
    return progress
  }

  private func report(
    _ session: ReceiveSession,
    _ outcome: SessionOutcome,
    started: UInt64
  ) -> TransferReport {
    let direction: Direction = setup.isInitiator ? .pull : .push
    var report = TransferReport(outcome: outcome, direction: direction)
    let progress = session.progress
    report.entryCount = progress.entryCount
    report.fileCount = progress.fileCount
    report.byteCount = progress.byteCount
    report.wantedBlockCount = progress.wantedBlockCount
    report.wantedByteCount = progress.wantedByteCount
    report.wantedExtentCount = progress.wantedExtentCount
    report.durableBlockCount = progress.durableBlockCount
    report.durableByteCount = progress.durableByteCount
    report.sentByteCount = progress.receivedByteCount + progress.damagedByteCount
    report.resentByteCount = progress.damagedByteCount
    report.skippedByteCount = progress.carriedByteCount + progress.unreadByteCount
    report.resumedByteCount = progress.resumedByteCount
    report.unreadByteCount = progress.unreadByteCount
    report.lostConnectionCount = progress.lostConnectionCount
    report.offPlanBlockCount = progress.offPlanBlockCount
    report.sender = session.senderTotals
    report.receiver = totals()
    report.roots = sealedRoots.withLock { $0 }
    report.usesShellLane = setup.settlement.usesControlChannel
    report.lanes = ledger.reports()
    report.compressedByteCount = compressed.plainByteCount
    report.compressedWireByteCount = compressed.compressedByteCount
    tally.complete(&report, options: setup.options, nanoseconds: Clock.now() - started)
    // The sender has looked.
    for (index, lane) in (report.receipt?.statement.lanes ?? []).enumerated()
    where report.lanes.indices.contains(index) {
      report.lanes[index].conformance = lane.figures
    }
    return report
  }
}

extension SpaceShortage {
  /// `3805696 bytes and 20 files are too many`.
  fileprivate var text: String {
    var parts: [String] = []
    if byteCount > 0 { parts.append("\(byteCount) bytes") }
    if inodeCount > 0 { parts.append("\(inodeCount) files") }
    return parts.joined(separator: " and ") + " are too many"
  }

  /// Which limit it is, with the error that a write would meet.
  fileprivate var cause: String {
    let error = place.hasPrefix("the quota") ? "EDQUOT" : "ENOSPC"
    return "\(place) would be full (\(error))"
  }
}
