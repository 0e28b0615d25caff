/// The receiver's half of a session: what to do after each event.
///
/// It performs nothing.
///
/// Use as `SendSession`. A segment's life: arriving, compared, planned on both ends, prepared
/// (directories and entries without data), open for blocks, committed, sealed. What arrives
/// gathers in an epoch; one epoch fills while the one before it is made durable.
package struct ReceiveSession: Sendable {
  package enum Event: Sendable {
    case message(Message)
    /// The destination was looked at, in answer to `Action.compare`.
    case compared(segment: Int, Comparison)
    /// Directories and entries without data are there, in answer to `Action.prepare`.
    case prepared(segment: Int, [FailedEntry])
    case connectionUp(ConnectionID)
    /// A connection is gone, or could not be dialled; its thread has ended, and all that it
    /// delivered was reported before.
    case connectionLost(ConnectionID, reason: String)
    /// A block arrived whole: what became of each of its wanted extents.
    case received(ConnectionID, BlockReference, [ExtentOutcome])
    /// An epoch is durable, but for these entries, in answer to `Action.commit`; its syncs took so
    /// long.
    ///
    /// Damaged blocks, in the order of the epoch's, are those that did not read back as they came:
    /// they are none of it.
    case committed(
      epoch: UInt32,
      [FailedEntry],
      damaged: [BlockReference] = [],
      syncNanoseconds: UInt64 = 0
    )
    /// Directories have their metadata and the roots are known, in answer to `Action.finalize`.
    case finalized(Roots)
    /// The manifest is where it belongs, in answer to `Action.storeManifest`.
    case stored(EndTotals)
    /// What this end makes of the sender's receipt, in answer to `Action.endorse`.
    case endorsed(ReceiptAnswer)
    /// The user, who is at this end, changes something.
    case adjusted(Adjustment)
    case cancelled
    case peerGone(String)
    case failed(SessionFailure)
    case deadline
  }

  package enum Action: Sendable {
    case send(Message)
    case dial(ConnectionID)
    /// Take nothing more from a connection and end its thread. `connectionLost` follows in any
    /// case: at once for one that is gone, and for one that is not here yet, which is then barred.
    case close(ConnectionID)
    case compare(Segment)
    case prepare(Segment, Comparison)
    case commit(EpochWork)
    /// Take nothing more from the lanes until `resume`: two epochs are full.
    case pause
    case resume
    case seal(SealWork)
    case finalize
    case storeManifest
    /// Compare what the sender says with what is known here, and keep it with an endorsement.
    case endorse([UInt8])
    case report(FailedEntry)
    /// An entry that the sender could not scan.
    case reportOmission(path: [UInt8], failure: EntryFailure, reason: String)
    /// The plan, and the comparison that it was made of.
    case planned(Plan, Comparison)
    /// A new generation of the plans.
    case revised(Revision)
    case finish(SessionOutcome)
  }

  package struct Configuration: Sendable {
    package var inputs: PlanInputs
    package var isInitiator: Bool
    /// Whether this end dials the lanes' connections; the other one listens.
    package var dials: Bool
    package var isDryRun: Bool
    package var blockByteCount: UInt64
    /// The sender may demand files that this end would keep.
    package var comparesDigests: Bool
    /// What an epoch synced is read back before it counts.
    package var readsBack: Bool

    package init(
      inputs: PlanInputs,
      isInitiator: Bool,
      isDryRun: Bool,
      blockByteCount: UInt64,
      comparesDigests: Bool = false,
      readsBack: Bool = false,
      dials: Bool? = nil
    ) {
      self.inputs = inputs
      self.isInitiator = isInitiator
      self.dials = dials ?? isInitiator
      self.isDryRun = isDryRun
      self.blockByteCount = blockByteCount
      self.comparesDigests = comparesDigests
      self.readsBack = readsBack
    }
  }

  let configuration: Configuration
  let queues: [LaneQueue]
  var roster: ConnectionRoster
  var heartbeat: Heartbeat
  var segments: [ReceivingSegment] = []
  /// What the next segment is planned with.
  var generation: Generation
  /// The generation that the sender is announcing.
  var revision: ArrivingRevision?
  var epochs = EpochLedger()
  var arriving: InventoryDecoder?
  var order = SegmentOrder()
  var nextSegment = 0
  var isInventoryComplete = false
  /// The user, who is at this end, wants no block begun.
  package private(set) var isPaused = false
  var phase = Phase.moving
  var earlyRoots: Roots?
  var areRootsEqual = false
  var isReceiptOffered = false
  /// What the sender said of itself at its end.
  package internal(set) var senderTotals = EndTotals()
  private var actions = ActionQueue<Action>()
  package private(set) var progress = ReceiveProgress()

  enum Phase: Equatable {
    case moving
    /// All segments are committed; directories get their metadata.
    case finalizing
    case comparingRoots(Roots)
    case storing
    /// This end is done; the sender's end is awaited.
    case done
    /// Nothing more is taken; what came is made durable.
    case stopping(SessionOutcome, until: Instant)
    case finished
  }

  package init(configuration: Configuration, now: Instant) {
    self.configuration = configuration
    roster = ConnectionRoster(
      lanes: configuration.inputs.lanes,
      dials: configuration.dials && !configuration.isDryRun,
      now: now
    )
    heartbeat = Heartbeat(now: now)
    queues = configuration.inputs.queues
    generation = Generation(configuration.inputs)
    dialDue(at: now)
  }

  // MARK: - Entry points

  package mutating func handle(_ event: Event, at now: Instant) {
    guard phase != .finished else { return }
    switch event {
    case .message(let message): received(message, at: now)
    case .compared(let segment, let comparison): compared(segment, comparison)
    case .prepared(let segment, let failures): prepared(segment, failures, at: now)
    case .connectionUp(let connection): connectionUp(connection)
    case .connectionLost(let connection, let reason):
      connectionLost(connection, reason: reason, at: now)
    case .received(let connection, let block, let outcomes):
      arrived(connection, block, outcomes, at: now)
    case .committed(let epoch, let failures, let damaged, let nanoseconds):
      committed(epoch, failures, damaged: damaged, syncNanoseconds: nanoseconds, at: now)
    case .finalized(let roots): finalized(roots)
    case .stored(let totals): stored(totals)
    case .endorsed(let answer): endorsed(answer)
    case .adjusted(let adjustment): adjust(adjustment)
    case .cancelled: stop(as: .interrupted, at: now)
    case .peerGone(let reason): peerGone(reason, at: now)
    case .failed(let failure): fail(failure)
    case .deadline: break
    }
    guard phase != .finished else { return }
    checkTime(at: now)
  }

  /// The sender was there then: a part of a message, or of a lane, is a sign of life as well.
  package mutating func heard(at instant: Instant) {
    heartbeat.heard(at: instant)
  }

  package mutating func nextAction() -> Action? {
    actions.next()
  }

  package var nextDeadline: Instant? {
    var earliest = heartbeat.nextDeadline
    switch phase {
    case .finished: return nil
    // Nothing is expected of the sender any more.
    case .stopping(_, let until): return until
    case .moving:
      if !configuration.isDryRun {
        if let dial = roster.nextDial { earliest = min(earliest, dial) }
        if let down = roster.downSinceAll {
          earliest = min(earliest, down + Limits.peerSilenceNanoseconds)
        }
      }
      if let due = epochs.due { earliest = min(earliest, due) }
    case .finalizing, .comparingRoots, .storing, .done: break
    }
    return earliest
  }

  // MARK: - Parts that the others share

  mutating func emit(_ action: Action) {
    actions.append(action)
  }

  mutating func count(_ change: (inout ReceiveProgress) -> Void) {
    change(&progress)
  }

  mutating func fail(_ failure: SessionFailure) {
    guard phase != .finished else { return }
    if let reason = failure.stopReason { emit(.send(.stop(reason, failure.reason))) }
    finish(.failed(failure))
  }

  mutating func finish(_ outcome: SessionOutcome) {
    guard phase != .finished else { return }
    phase = .finished
    emit(.finish(outcome))
  }

  mutating func violation(_ what: String) {
    fail(SessionFailure(.protocolViolation, "the sender sent \(what)"))
  }

  func index(ofSegment number: Int) -> Int? {
    segments.firstIndex { $0.segment.index == number }
  }

  /// Takes nothing more, but makes durable what is here; then ends.
  mutating func stop(as outcome: SessionOutcome, at now: Instant) {
    switch phase {
    case .stopping, .finished:
      break
    case .done:
      finish(.completed)
    case .moving, .finalizing, .comparingRoots, .storing:
      phase = .stopping(outcome, until: now + Limits.stoppingNanoseconds)
      emit(.pause)
      closeEpoch(at: now)
      finishStopIfIdle()
    }
  }

  mutating func finishStopIfIdle() {
    guard case .stopping(let outcome, _) = phase, epochs.isIdle else { return }
    finishStop(outcome)
  }

  /// Ends, and says why to a sender that does not know.
  private mutating func finishStop(_ outcome: SessionOutcome) {
    switch outcome {
    case .interrupted: emit(.send(.stop(.interrupted, "")))
    case .failed(let failure): return fail(failure)
    case .completed: break
    }
    finish(outcome)
  }

  private mutating func peerGone(_ reason: String, at now: Instant) {
    stop(as: .failed(SessionFailure(.peerGone, reason)), at: now)
  }

  /// Passes on what the user wants, which is for the sender to do.
  private mutating func adjust(_ adjustment: Adjustment) {
    guard phase == .moving else { return }
    switch adjustment {
    case .pause: isPaused = true
    case .resume: isPaused = false
    case .rates: break
    }
    emit(.send(.adjust(adjustment)))
  }

  private mutating func checkTime(at now: Instant) {
    if case .stopping(let outcome, let until) = phase {
      if now >= until { finishStop(outcome) }
      return
    }
    if heartbeat.takeBeat(at: now) { emit(.send(.heartbeat)) }
    if heartbeat.isSilent(at: now) {
      return peerGone("the sender has been silent for 60 s", at: now)
    }
    guard phase == .moving else { return }
    closeEpochIfDue(at: now)
    guard !configuration.isDryRun else { return }
    dialDue(at: now)
    if let down = roster.downSinceAll, now.since(down) >= Limits.peerSilenceNanoseconds {
      let failure = SessionFailure(.noLane, "no lane is open: \(roster.latestReason)")
      stop(as: .failed(failure), at: now)
    }
  }

  private mutating func dialDue(at now: Instant) {
    for connection in roster.takeDue(at: now) { emit(.dial(connection)) }
  }
}

/// Counters for progress and report; bytes are payload.
package struct ReceiveProgress: Equatable, Sendable {
  package var entryCount = 0
  package var fileCount = 0
  package var byteCount: UInt64 = 0
  package var wantedByteCount: UInt64 = 0
  package var wantedBlockCount = 0
  package var receivedByteCount: UInt64 = 0
  package var durableByteCount: UInt64 = 0
  package var durableBlockCount = 0
  package var wantedExtentCount: UInt64 = 0
  package var durableExtentCount: UInt64 = 0
  package var resumedByteCount: UInt64 = 0
  package var readByteCount: UInt64 = 0
  package var carriedByteCount: UInt64 = 0
  package var unreadByteCount: UInt64 = 0
  /// Blocks that came twice, because they did not arrive, or did not read back, as they were.
  package var damagedBlockCount = 0
  package var damagedByteCount: UInt64 = 0
  /// Blocks that came over a lane which the plan does not give them.
  package var offPlanBlockCount = 0
  package var lostConnectionCount = 0
  package var isInventoryComplete = false
}
