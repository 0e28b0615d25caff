/// The sender's half of a session: what to do after each event.
///
/// It performs nothing.
///
/// Use: `handle` an event, then take `nextAction` until it is nil, then wait for the next event or
/// `nextDeadline`. `now` never goes back. Payload never enters: blocks are references.
///
/// A segment's life: scanned, announced, compared by the receiver, planned on both ends, moved,
/// committed by the receiver, sealed. Up to `Limits.openSegmentCount` are under way at once.
package struct SendSession: Sendable {
  package enum Event: Sendable {
    /// The next segment of the dataset, in answer to `Action.scan`.
    case scanned(Segment)
    case message(Message)
    /// Files of a segment whose content is not what the receiver read, in answer to
    /// `Action.check`.
    case checked(segment: Int, differing: [Int])
    /// A connection proved itself; both ends see it.
    case connectionUp(ConnectionID)
    /// A connection is gone, or could not be dialled; its thread has ended.
    case connectionLost(ConnectionID, reason: String)
    /// Nothing has come back over a connection for so long, though another one hears of the receiver.
    case connectionSilent(ConnectionID, nanoseconds: UInt64)
    /// A block has been handed to the kernel whole, with what its extents turned out to be.
    case sent(ConnectionID, BlockReference, [ExtentOutcome])
    /// The manifest is written and its roots are known, in answer to `Action.sealDataset`.
    case sealed(Roots)
    /// The manifest is where it belongs, in answer to `Action.storeManifest`.
    case stored(EndTotals)
    /// What this end says of the transfer, in answer to `Action.stateReceipt`.
    case stated([UInt8])
    /// The user, who is at this end, changes something.
    case adjusted(Adjustment)
    /// Somebody asked to stop: a signal, a person.
    case cancelled
    /// The control channel ended.
    case peerGone(String)
    /// This end cannot go on.
    case failed(SessionFailure)
    /// `nextDeadline` has passed.
    case deadline
  }

  package enum Action: Sendable {
    case scan
    /// Send the segment's entries in pages, then `inventoryEnd`.
    case announce(Segment)
    /// Read the files whose digests the receiver has given, and say which differ.
    case check(Segment, Comparison)
    case send(Message)
    case dial(ConnectionID)
    /// Read, seal and send a block behind those that the connection has already.
    case load(ConnectionID, BlockWork)
    case close(ConnectionID)
    /// A segment of the manifest is settled.
    case seal(SealWork)
    case sealDataset
    case storeManifest
    /// Say what was moved and how: `ReceiptCodec.offer`.
    case stateReceipt
    /// Keep what was said, with the receiver's answer.
    case storeReceipt(ReceiptAnswer)
    /// An entry that is not part of what is committed.
    case report(FailedEntry)
    /// The plan, and the comparison that it was made of.
    case planned(Plan, Comparison)
    /// A new generation of the plans.
    case revised(Revision)
    /// Hold the lanes to these rates, one for each.
    case pace([Rate])
    case finish(SessionOutcome)
  }

  package struct Configuration: Sendable {
    package var inputs: PlanInputs
    package var isInitiator: Bool
    /// Whether this end dials the lanes' connections; the other one listens.
    package var dials: Bool
    package var isDryRun: Bool
    /// Files of the same length and time are compared by their digests.
    package var comparesDigests: Bool

    package init(
      inputs: PlanInputs,
      isInitiator: Bool,
      isDryRun: Bool,
      comparesDigests: Bool = false,
      dials: Bool? = nil
    ) {
      self.inputs = inputs
      self.isInitiator = isInitiator
      self.dials = dials ?? isInitiator
      self.isDryRun = isDryRun
      self.comparesDigests = comparesDigests
    }
  }

  let configuration: Configuration
  let queues: [LaneQueue]
  var roster: ConnectionRoster
  var heartbeat: Heartbeat
  var segments: [SendingSegment] = []
  var work: [QueueWork]
  var connections: [SendingConnection] = []
  var overtaken: [OvertakenBlock] = []
  /// What each lane may put on the wire; nil for lanes that nobody rated.
  var laneRates: [Rate?]
  /// The user wants no block begun.
  package internal(set) var isPaused = false
  /// The user changed what the generation was made of.
  var isOutdated = false
  /// What the next segment is planned with.
  var generation: Generation
  /// Lanes that the generation does without.
  var plannedLosses: [Bool]
  var paces: [QueuePace]
  var latestLook: Instant
  /// When the latest generation began.
  var latestBegin: Instant
  /// When the first block was handed to a connection: plans count from there.
  var firstLoad: Instant?
  var isScanning = false
  var isScanComplete = false
  var damagedCount = 0
  var phase = Phase.moving
  /// The receiver's roots, when they came before this end's own were made.
  var earlyRoots: Roots?
  var areRootsEqual = false
  /// What this end sealed.
  package internal(set) var roots: Roots?
  /// How the receiver went, when it went before this end was done.
  var peerLoss: String?
  /// What the receiver said of itself at its end.
  package internal(set) var receiverTotals = EndTotals()
  private var actions = ActionQueue<Action>()
  package private(set) var progress = SendProgress()

  enum Phase: Equatable {
    case moving
    /// All segments are committed; the manifest's roots are being made.
    case sealing
    /// This end's roots are sent; the receiver's are awaited, or its end.
    case comparingRoots(Roots)
    case storing
    /// Both manifests are stored; this end says what was moved and how.
    case stating(EndTotals)
    /// The receiver's word on that is awaited.
    case attesting(EndTotals)
    /// A stop was sent; the receiver finishes its epoch.
    case stopping(until: Instant)
    case finished
  }

  package init(configuration: Configuration, now: Instant) {
    self.configuration = configuration
    queues = configuration.inputs.queues
    roster = ConnectionRoster(
      lanes: configuration.inputs.lanes,
      dials: configuration.dials && !configuration.isDryRun,
      now: now
    )
    heartbeat = Heartbeat(now: now)
    work = queues.map { _ in QueueWork() }
    laneRates = configuration.inputs.lanes.map { $0.rate }
    generation = Generation(configuration.inputs)
    plannedLosses = configuration.inputs.lanes.map { _ in false }
    paces = queues.map { _ in QueuePace() }
    latestLook = now
    latestBegin = now
    requestScan()
    dialDue(at: now)
  }

  // MARK: - Entry points

  package mutating func handle(_ event: Event, at now: Instant) {
    guard phase != .finished else { return }
    switch event {
    case .scanned(let segment): scanned(segment)
    case .checked(let segment, let differing): checked(segment, differing)
    case .message(let message): received(message, at: now)
    case .connectionUp(let connection): connectionUp(connection)
    case .connectionLost(let connection, let reason):
      connectionLost(connection, reason: reason, at: now)
    case .connectionSilent(let connection, let nanoseconds):
      connectionSilent(connection, nanoseconds, at: now)
    case .sent(let connection, let block, let outcomes): sent(connection, block, outcomes)
    case .sealed(let roots): sealed(roots)
    case .stored(let totals): stored(totals)
    case .stated(let offer): stated(offer)
    case .adjusted(let adjustment): adjust(adjustment)
    case .cancelled: cancel(at: now)
    case .peerGone(let reason): peerGone(reason)
    case .failed(let failure): fail(failure)
    case .deadline: break
    }
    guard phase != .finished else { return }
    checkTime(at: now)
  }

  /// The receiver was there then: a part of a message, or of a lane, is a sign of life as well.
  package mutating func heard(at instant: Instant) {
    heartbeat.heard(at: instant)
  }

  package mutating func nextAction() -> Action? {
    actions.next()
  }

  package var nextDeadline: Instant? {
    switch phase {
    case .finished: return nil
    case .stopping(let until): return until
    case .moving:
      guard !configuration.isDryRun else { return heartbeat.nextDeadline }
      return [laneDeadline, lookDeadline].reduce(heartbeat.nextDeadline) { min($0, $1 ?? $0) }
    case .sealing, .comparingRoots, .attesting: return heartbeat.nextDeadline
    // Nothing is expected of the receiver any more.
    case .storing, .stating: return heartbeat.nextBeat
    }
  }

  // MARK: - Parts that the others share

  mutating func emit(_ action: Action) {
    actions.append(action)
  }

  mutating func count(_ change: (inout SendProgress) -> Void) {
    change(&progress)
  }

  mutating func fail(_ failure: SessionFailure) {
    guard phase != .finished else { return }
    if let reason = failure.stopReason { emit(.send(.stop(reason, failure.reason))) }
    finish(.failed(failure))
  }

  mutating func finish(_ outcome: SessionOutcome) {
    phase = .finished
    emit(.finish(outcome))
  }

  func index(ofSegment number: Int) -> Int? {
    segments.firstIndex { $0.segment.index == number }
  }

  private mutating func checkTime(at now: Instant) {
    if case .stopping(let until) = phase {
      if now >= until { finish(.interrupted) }
      return
    }
    if heartbeat.takeBeat(at: now) { emit(.send(.heartbeat)) }
    if heartbeat.isSilent(at: now), isReceiverNeeded {
      return peerGone("the receiver has been silent for 60 s")
    }
    guard phase == .moving, !configuration.isDryRun else { return }
    dialDue(at: now)
    checkLanes(at: now)
    if firstLoad == nil, connections.contains(where: { !$0.unconfirmed.isEmpty }) {
      firstLoad = now
    }
    if phase == .moving { look(at: now) }
  }

  mutating func dialDue(at now: Instant) {
    for connection in roster.takeDue(at: now) { emit(.dial(connection)) }
  }

  /// Whether anything is expected of the receiver now.
  private var isReceiverNeeded: Bool {
    switch phase {
    case .storing, .stating: false
    case .moving, .sealing, .comparingRoots, .attesting, .stopping, .finished: true
    }
  }

  private mutating func cancel(at now: Instant) {
    switch phase {
    case .stopping, .finished: break
    case .moving, .sealing, .comparingRoots, .storing, .stating, .attesting:
      emit(.send(.stop(.interrupted, "")))
      phase = .stopping(until: now + Limits.stoppingNanoseconds)
    }
  }

  private mutating func peerGone(_ reason: String) {
    switch phase {
    case .stopping: finish(.interrupted)
    // The receiver is done and has said so: what is left to do is this end's own.
    case .storing, .stating: peerLoss = reason
    case .attesting: attested(.missing(reason))
    case .moving, .sealing, .comparingRoots, .finished:
      fail(SessionFailure(.peerGone, reason))
    }
  }
}

/// Counters for progress and report; bytes are payload.
package struct SendProgress: Equatable, Sendable {
  package var scannedEntryCount = 0
  package var scannedFileCount = 0
  package var scannedByteCount: UInt64 = 0
  /// What the receiver lacked, over the segments that were compared.
  package var wantedByteCount: UInt64 = 0
  package var wantedBlockCount = 0
  package var sentByteCount: UInt64 = 0
  package var receivedByteCount: UInt64 = 0
  package var durableByteCount: UInt64 = 0
  package var durableBlockCount = 0
  package var wantedExtentCount: UInt64 = 0
  package var durableExtentCount: UInt64 = 0
  package var resentByteCount: UInt64 = 0
  /// Data that the receiver had; of it, bytes whose digest nobody knows.
  package var skippedByteCount: UInt64 = 0
  package var unreadByteCount: UInt64 = 0
  package var lostConnectionCount = 0
  package var isScanComplete = false
}
