internal import DTXCore
internal import DTXLinux

/// Performs a send session: threads and effects, no decisions.
///
/// `run` is called once and returns when the session has ended; the calling thread is the control
/// thread, which alone touches the session.
final class SendEngine: Sendable {
  private let dataset: SourceDataset
  private let setup: SessionSetup
  private let inbox = Mailbox<SendSession.Event>()
  private let backlog = Backlog(.refuse, limit: Limits.waitingSenderByteCount)
  private let table = SourceTable()
  private let ledger: LaneLedger
  private let tally: SessionTally
  private let compressed: CompressionTally
  private let times = ActivityLedger()
  private let lanes: LaneConnections<SendingLane>
  private let workers: StorageWorkers
  private let offer = Guarded<ReceiptOffer?>(nil)

  /// Makes the engine; `run` follows.
  ///
  /// - Parameters:
  ///   - dataset: what is sent.
  ///   - setup: what the handshake settled.
  /// - Throws: `.failed` when there is no room for the threads.
  init(_ dataset: SourceDataset, _ setup: SessionSetup) throws(TransferError) {
    self.dataset = dataset
    self.setup = setup
    let ledger = LaneLedger(setup.inputs.lanes, setup.tunings, dials: setup.dials)
    self.ledger = ledger
    tally = SessionTally(setup.watch)
    let inbox = self.inbox
    let table = self.table
    let times = self.times
    let connectionCount = setup.inputs.lanes.reduce(0) { $0 + $1.connectionCount }
    let method = dataset.method(setup.options.storage)
    let workers = try StorageWorkers(method, connectionCount: connectionCount)
    self.workers = workers
    let shape = UnitShape(connectionCount: connectionCount)
    let compression = BlockCompression.Terms(
      compression: setup.options.compression,
      connectionCount: connectionCount
    )
    compressed = compression.tally
    lanes = LaneConnections(
      setup,
      make: { opened throws(SystemError) in
        let lane = setup.inputs.lanes[opened.identity.lane]
        try ledger.opened(opened)
        return try SendingLane(
          opened,
          table: table,
          compression: compression,
          times: times,
          tuning: LaneProof(opened, lane, ledger) { id, taken in
            setup.channel.send(.tuned(id, taken))
          },
          makeReader: { () throws(SystemError) in
            try BlockReader(dataset: dataset, workers: workers, method: method, shape: shape)
          },
          report: { inbox.send($0) }
        )
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
    setup.channel.hurry()
    inbox.send(.cancelled)
  }

  /// Runs the session to its end.
  func run() throws(TransferError) -> TransferReport {
    let started = Clock.now()
    let scanWorker = try SerialWorker(name: "dtx-scan")
    let sealWorker = try SerialWorker(name: "dtx-seal")
    let manifest = SentManifest(
      shape: dataset.shape,
      blockByteCount: setup.options.blockByteCount,
      isKept: dataset.null == nil && !setup.options.keepsNothing && !setup.isConfined
    )
    let reader = try ControlReader(setup.channel, backlog) { [self] arrival in take(arrival) }
    for path in dataset.missing { omit(path) }
    for notice in dataset.notices { tally.note(notice) }
    var session = SendSession(
      configuration: SendSession.Configuration(
        inputs: setup.inputs,
        isInitiator: setup.isInitiator,
        isDryRun: setup.options.isDryRun,
        comparesDigests: setup.options.comparesDigests,
        dials: setup.dials
      ),
      now: Instant(nanoseconds: started)
    )
    let scan = ScanJobs(
      scanner: Scanner(
        dataset: dataset,
        filter: Filter(setup.options.filters),
        blockByteCount: setup.options.blockByteCount,
        report: { [self] event in
          if case .failed(let path) = event { omit(path) } else { tally.take(event) }
        }
      ),
      worker: scanWorker,
      times: times
    )
    lanes.open()
    var meter = TransferMeter(
      setup.inputs.lanes,
      counting: ledger.layers,
      at: Instant(nanoseconds: started)
    )
    let outcome = loop(&session, &meter, started) { [self] action, state in
      perform(action, state, scan: scan, sealWorker: sealWorker, manifest: manifest)
    }
    backlog.close()
    // Whoever waits to say more holds this end for nothing.
    if outcome != .completed { setup.channel.endSending() }
    lanes.shut(orderly: outcome == .completed)
    workers.finish()
    scanWorker.finish()
    sealWorker.finish()
    setup.channel.finishSending()
    if setup.isInitiator, outcome.isOrderly { setup.channel.awaitEnd() }
    setup.channel.close()
    reader.join()
    manifest.discard()
    return report(session, meter, outcome, started: started, roots: manifest.roots)
  }

  // MARK: - The control thread

  private func loop(
    _ session: inout SendSession,
    _ meter: inout TransferMeter,
    _ started: UInt64,
    _ perform: (SendSession.Action, _ state: () -> ReceiptOffer) -> SessionOutcome?
  ) -> SessionOutcome {
    var pace = ProgressPace(started)
    var activity = ActivityClock(times, .opening)
    while true {
      while let action = session.nextAction() {
        let outcome = perform(action) { state(session, &meter, started) }
        if let outcome { return outcome }
      }
      let deadline = min(session.nextDeadline?.nanoseconds ?? .max, pace.next)
      let event = inbox.receive(deadline: deadline) ?? .deadline
      if case .message = event { backlog.leave() }
      session.heard(at: Instant(nanoseconds: setup.channel.silentSince))
      let now = Clock.now()
      let instant = Instant(nanoseconds: now)
      if case .connectionLost(let id, _) = event {
        if let reading = lanes[id]?.reading { meter.end(reading, at: instant) }
        lanes.forget(id)
      }
      session.handle(event, at: instant)
      if meter.isDue(at: instant) { look(&session, &meter, at: instant) }
      activity.lap()
      activity.enter(session.activity)
      if pace.isDue(now) { setup.watch(.progress(progress(session, started, now, &pace))) }
    }
  }

  /// Reads all connections' counters.
  private func look(_ session: inout SendSession, _ meter: inout TransferMeter, at now: Instant) {
    let readings = lanes.all.map(\.reading)
    count(readings, session, &meter, at: now)
    for silent in SilentConnections.givenUp(readings) {
      session.handle(.connectionSilent(silent.id, nanoseconds: silent.silentNanoseconds), at: now)
    }
  }

  private func count(
    _ readings: [ConnectionReading],
    _ session: SendSession,
    _ meter: inout TransferMeter,
    at now: Instant
  ) {
    meter.look(
      readings,
      rates: ledger.rates,
      hasWork: session.lanesWithWork,
      durableByteCount: session.progress.durableByteCount,
      at: now
    )
  }

  private func perform(
    _ action: SendSession.Action,
    _ state: () -> ReceiptOffer,
    scan: ScanJobs,
    sealWorker: SerialWorker,
    manifest: SentManifest
  ) -> SessionOutcome? {
    let inbox = self.inbox
    switch action {
    case .scan:
      scan.next(table) { inbox.send($0) }
    case .announce(let segment):
      scan.announce(segment, over: setup.channel)
    case .check(let segment, let comparison):
      scan.check(segment, comparison, dataset, table) { inbox.send($0) }
    case .send(let message):
      setup.channel.send(message)
    case .dial(let id):
      lanes.dial(id)
    case .load(let id, let work):
      lanes[id]?.load(work)
      ledger.count(work, on: id.lane)
    case .close(let id):
      lanes.close(id)
    case .seal(let work):
      let table = self.table
      sealWorker.run {
        manifest.append(work)
        table.remove(work.segment.index)
      }
    case .sealDataset:
      sealWorker.run { manifest.seal { inbox.send($0) } }
    case .storeManifest:
      sealWorker.run { [self] in
        manifest.store()
        inbox.send(.stored(totals()))
      }
    case .stateReceipt:
      let made = state()
      offer.withLock { $0 = made }
      inbox.send(.stated(made.bytes))
    case .storeReceipt(let answer):
      keepReceipt(answer, beside: manifest)
    case .report(let failed):
      tally.fail(failed, in: table[failed.segment]?.segment)
    case .planned(let plan, let comparison):
      let segment = table[plan.segment]?.segment
      tally.plan(plan, setup.inputs, of: segment, wanted: comparison.wanted)
      if setup.listsEntries, let segment { tally.list(comparison, of: segment) }
      // A dry run seals nothing that would forget it.
      if setup.options.isDryRun { table.remove(plan.segment) }
    case .pace(let rates):
      ledger.adjust(rates)
      for lane in lanes.all { lane.retune() }
    case .revised(let revision):
      tally.revise(revision, setup.inputs)
    case .finish(let outcome):
      return outcome
    }
    return nil
  }

  /// Says what was moved and how.
  private func state(
    _ session: SendSession,
    _ meter: inout TransferMeter,
    _ started: UInt64
  ) -> ReceiptOffer {
    count(lanes.all.map(\.reading), session, &meter, at: Instant(nanoseconds: Clock.now()))
    guard let roots = session.roots else { preconditionFailure("a receipt before the roots") }
    let report = report(session, meter, .completed, started: started, roots: roots)
    return ReceiptOffer { key in
      var statement = ReceiptStatement(report, setup, roots: roots, key: key)
      statement.add(report, meter, layers: ledger.layers)
      return statement
    }
  }

  /// Keeps the receipt with the receiver's answer.
  private func keepReceipt(_ answer: ReceiptAnswer, beside manifest: SentManifest) {
    guard let offer = offer.withLock({ $0 }) else { return }
    let (bytes, receipt, notice) = offer.completed(answer)
    tally.take(receipt, at: manifest.store(receipt: bytes), notice: notice)
  }

  /// Tells both ends of an entry that cannot be scanned.
  private func omit(_ path: FailedPath) {
    tally.fail(path)
    setup.channel.send(
      .omitted(path: path.path, failure: path.failure, reason: path.reason)
    )
  }

  // MARK: - What comes and what is told

  private func take(_ arrival: ControlReader.Arrival) {
    switch arrival {
    case .message(let message):
      inbox.send(.message(message))
    case .laneBytes:
      inbox.send(
        .failed(SessionFailure(.protocolViolation, "the receiver sent bytes of a lane"))
      )
    case .ended(let reason):
      setup.channel.noteEnd()
      inbox.send(.peerGone(reason))
    case .unreadable(let what):
      inbox.send(.failed(SessionFailure(.protocolViolation, "the receiver sent \(what)")))
    }
  }

  private func progress(
    _ session: SendSession,
    _ started: UInt64,
    _ now: UInt64,
    _ pace: inout ProgressPace
  ) -> TransferProgress {
    let phase = session.progress.isScanComplete ? "moving" : "scanning"
    var progress = TransferProgress(phase: session.isPaused ? "paused" : phase)
    progress.entryCount = session.progress.scannedEntryCount
    progress.byteCount = session.progress.scannedByteCount
    progress.isScanComplete = session.progress.isScanComplete
    progress.wantedByteCount = session.progress.wantedByteCount
    progress.movedByteCount = pace.moved(
      session.progress.receivedByteCount + underWay(session),
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

  /// Payload that has arrived in blocks which the receiver has not confirmed.
  private func underWay(_ session: SendSession) -> UInt64 {
    session.confirmedByteCounts.reduce(0) { sum, connection in
      let arrived = lanes[connection.id]?.acknowledgedByteCount ?? 0
      return sum + arrived - min(connection.byteCount, arrived)
    }
  }

  private func totals() -> EndTotals {
    var totals = times.totals
    totals.storage = workers.use
    return totals
  }

  private func report(
    _ session: SendSession,
    _ meter: TransferMeter,
    _ outcome: SessionOutcome,
    started: UInt64,
    roots: Roots?
  ) -> TransferReport {
    let direction: Direction = setup.isInitiator ? .push : .pull
    var report = TransferReport(outcome: outcome, direction: direction)
    let progress = session.progress
    report.entryCount = progress.scannedEntryCount
    report.fileCount = progress.scannedFileCount
    report.byteCount = progress.scannedByteCount
    report.wantedBlockCount = progress.wantedBlockCount
    report.wantedByteCount = progress.wantedByteCount
    report.wantedExtentCount = progress.wantedExtentCount
    report.durableBlockCount = progress.durableBlockCount
    report.durableByteCount = progress.durableByteCount
    report.sentByteCount = progress.sentByteCount
    report.resentByteCount = progress.resentByteCount
    report.skippedByteCount = progress.skippedByteCount
    report.unreadByteCount = progress.unreadByteCount
    report.lostConnectionCount = progress.lostConnectionCount
    report.sender = totals()
    report.receiver = session.receiverTotals
    report.roots = roots
    report.usesShellLane = setup.settlement.usesControlChannel
    report.lanes = ledger.reports()
    for (index, lane) in meter.lanes.enumerated() {
      report.lanes[index].conformance = lane.conformance.figures
    }
    report.compressedByteCount = compressed.plainByteCount
    report.compressedWireByteCount = compressed.compressedByteCount
    tally.complete(&report, options: setup.options, nanoseconds: Clock.now() - started)
    return report
  }
}

/// The scanner's jobs, in the order in which the session asks for them.
private final class ScanJobs: @unchecked Sendable {
  // `@unchecked Sendable`: the scanner is only touched in the worker's jobs, one at a time.
  private let scanner: Scanner
  private let worker: SerialWorker
  private let times: ActivityLedger

  init(scanner: Scanner, worker: SerialWorker, times: ActivityLedger) {
    self.scanner = scanner
    self.worker = worker
    self.times = times
  }

  func next(_ table: SourceTable, _ done: @escaping @Sendable (SendSession.Event) -> Void) {
    worker.run { [self] in
      do throws(TransferError) {
        let scanned = try times.timing(.walking) { () throws(TransferError) in
          try scanner.nextSegment()
        }
        table.add(scanned)
        done(.scanned(scanned.segment))
      } catch {
        done(.failed(SessionFailure(error)))
      }
    }
  }

  /// Reads the files whose digests the receiver has given.
  func check(
    _ segment: Segment,
    _ comparison: Comparison,
    _ dataset: SourceDataset,
    _ table: SourceTable,
    _ done: @escaping @Sendable (SendSession.Event) -> Void
  ) {
    worker.run {
      guard let scanned = table[segment.index] else { return }
      let differing = SourceChecker(dataset: dataset).differing(scanned, comparison)
      done(.checked(segment: segment.index, differing: differing))
    }
  }

  /// Sends a segment's entries.
  func announce(_ segment: Segment, over channel: ControlChannel) {
    worker.run { segment.announce { channel.send($0) } }
  }
}
