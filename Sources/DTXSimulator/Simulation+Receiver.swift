internal import DTXCore

/// The receiver's process: the real session, and what its threads would know.
struct SimulatedReceiver: Sendable {
  var session: ReceiveSession
  /// As they were decoded from the sender's pages.
  var segments: [Segment] = []
  /// What of each segment this run wants.
  var wanted: [BitSet] = []
  /// Paths that are not part of what is committed.
  var excluded: [[UInt8]] = []
  /// What the journal said when this process began.
  var replay: JournalReplay
  var nextSequence: UInt64
  var sessionNumber: UInt64
  var builder: RootBuilder
  var unreadByteCount: UInt64 = 0
  var carried: [CarriedFile] = []
  /// Directories that get their metadata at the end.
  var directories: [(path: [UInt8], mode: UInt16, modified: Int64)] = []
  /// Directories that cannot be made: what lies in them is passed over.
  var refusedDirectories: [[UInt8]] = []
  var isPaused = false
  var commit: EpochWork?
  var commitFailures: [FailedEntry] = []
  /// Blocks of it that did not read back as they came.
  var commitDamaged: [BlockReference] = []
  var commitNext = 0
  /// Renamed by the commit under way.
  var renamed: [[UInt8]] = []
  /// Connections that were closed before they were up.
  var barred: [ConnectionID] = []
  var wakeAt: Instant?
}

// The receiver's process and how it performs what its session says.
extension Simulation {
  mutating func beginReceiver() {
    let replay = JournalReplay(disk.journal)
    let configuration = ReceiveSession.Configuration(
      inputs: world.inputs,
      isInitiator: !world.isSenderInitiator,
      isDryRun: isDryRun,
      blockByteCount: world.blockByteCount(ofRun: runIndex),
      comparesDigests: world.comparesDigests,
      readsBack: world.readsBack
    )
    receiver = SimulatedReceiver(
      session: ReceiveSession(configuration: configuration, now: now),
      replay: replay,
      nextSequence: replay.nextSequence,
      sessionNumber: diskRandom.next(),
      builder: rootBuilder()
    )
    if !isDryRun { openJournal(replay) }
  }

  private mutating func openJournal(_ replay: JournalReplay) {
    disk.truncateJournal(to: world.sabotage == .forgetsJournal ? 0 : replay.validByteCount)
    syncedRecordsEnd = disk.journalSyncedByteCount
    if disk.journal.isEmpty {
      disk.appendJournal(JournalCodec.fileHeader)
      receiver?.nextSequence = 0
    }
    let blockByteCount = world.blockByteCount(ofRun: runIndex)
    append(.opened(blockByteCount: blockByteCount, wallTime: Int64(now.nanoseconds)), epoch: 0)
    guard let earlier = replay.blockByteCount, earlier != blockByteCount else { return }
    // Blocks of another length: published files stay, staged parts are of no use.
    for file in replay.files { discard(file.identity.path) }
    receiver?.replay = JournalReplay(disk.journal)
  }

  mutating func append(_ body: JournalRecord.Body, epoch: UInt32) {
    guard let process = receiver else { return }
    let record = JournalRecord(
      epoch: epoch,
      sequence: process.nextSequence,
      session: process.sessionNumber,
      body: body
    )
    receiver?.nextSequence += 1
    disk.appendJournal(JournalCodec.encode(record))
  }

  /// Gives a staged file up.
  mutating func discard(_ path: [UInt8]) {
    append(.discarded(path: path), epoch: 0)
    disk.staged[path] = nil
    observe(.forgotten(path))
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
    receiver?.wakeAt = deadline
    heap.push(.wake(.receiver), at: max(now, deadline))
  }

  private mutating func perform(_ action: ReceiveSession.Action) {
    switch action {
    case .send(let message):
      tell(message)
    case .dial(let id):
      schedule(.dialled(id), after: transit() + transit())
    case .close(let id):
      closeAtReceiver(id)
    case .compare(let segment):
      compare(segment)
    case .prepare(let segment, let comparison):
      prepare(segment, comparison)
    case .commit(let work):
      beginCommit(work)
    case .pause:
      receiver?.isPaused = true
    case .resume:
      receiver?.isPaused = false
      for connection in connections { takeIncoming(connection.id) }
    case .seal(let work):
      sealAtReceiver(work)
    case .finalize:
      finalize()
    case .storeManifest:
      storeManifest()
    case .endorse:
      schedule(.receiver(.endorsed(.endorsed([]))), after: mailboxDelay())
    case .report(let failed):
      result.failures.append(failed)
      if let segment = receiver?.segments[failed.segment] {
        receiver?.excluded.append(segment.inventory.path(of: failed.entry))
      }
    case .reportOmission:
      preconditionFailure("a simulated scan omits nothing")
    case .planned(let plan, _):
      observe(.planned(.receiver, plan))
    case .revised(let revision):
      observe(.revised(.receiver, revision))
    case .finish(let outcome):
      ended(.receiver, outcome)
    }
  }

  /// Sends a message, and writes down what it claims.
  private mutating func tell(_ message: Message) {
    switch message {
    case .received(let block):
      observe(.received(block, byteCount: byteCount(of: block)))
    case .damaged(let block):
      observe(.damaged(block, byteCount: byteCount(of: block)))
    case .durable(_, let blocks):
      let synced = JournalReplay(Array(disk.journal.prefix(disk.journalSyncedByteCount)))
      for block in blocks { acknowledge(block, synced) }
      if world.sabotage == .inventsAcknowledgement, let first = blocks.first {
        acknowledge(first, synced)
      }
    default:
      break
    }
    send(message, from: .receiver)
  }

  private func byteCount(of block: BlockReference) -> UInt64 {
    claims(of: block).reduce(0) { $0 + $1.byteCount }
  }

  private mutating func acknowledge(_ block: BlockReference, _ synced: JournalReplay) {
    let claims = claims(of: block)
    observe(
      .acknowledged(
        block,
        byteCount: claims.reduce(0) { $0 + $1.byteCount },
        missing: missing(of: claims, synced)
      )
    )
    for claim in claims where !isExcluded(claim.identity.path) { observe(.safe(claim)) }
  }

  private mutating func sealAtReceiver(_ work: SealWork) {
    let part = seal(work)
    _ = receiver?.builder.add(part)
    receiver?.unreadByteCount += part.unreadByteCount
    for (index, entry) in part.entries.enumerated() where entry.kind == .regular {
      // The manifest leaves the source's identity out; the place's own stands for it here.
      let path = part.inventory.path(of: index)
      guard let origin = identity(of: path, in: work.segment) else { continue }
      var file = CarriedFile(identity: origin, extents: [])
      for extent in entry.extents where part.digests[extent] != .zero {
        let place = part.segment.extents[extent]
        file.extents.append(
          DurableExtent(
            offset: place.offset,
            byteCount: place.byteCount,
            digest: part.digests[extent]
          )
        )
      }
      receiver?.carried.append(file)
    }
  }

  private func identity(of path: [UInt8], in segment: Segment) -> FileIdentity? {
    for index in segment.entries.indices where segment.entries[index].kind == .regular {
      if segment.inventory.path(of: index) == path { return segment.identity(of: index) }
    }
    return nil
  }

  private mutating func storeManifest() {
    for file in receiver?.carried ?? [] { disk.manifest[file.identity.path] = file }
    disk.truncateJournal(to: 0)
    syncedRecordsEnd = 0
    schedule(.receiver(.stored(EndTotals())), after: mailboxDelay())
  }
}

extension Segment {
  /// What the journal binds a file's extents to.
  func identity(of entry: Int) -> FileIdentity {
    FileIdentity(
      path: inventory.path(of: entry),
      byteCount: entries[entry].byteCount,
      modified: entries[entry].modified,
      sourceIdentity: inventory.sourceIdentity(of: entry)
    )
  }
}
