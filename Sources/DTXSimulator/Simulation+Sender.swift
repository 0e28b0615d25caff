internal import DTXCore

/// The sender's process: the real session, and what its threads would know.
struct SimulatedSender: Sendable {
  var session: SendSession
  /// The dataset as this run scanned it.
  var segments: [Segment]
  var nextSegment = 0
  var builder: RootBuilder
  var unreadByteCount: UInt64 = 0
  /// When this end is to be woken, if that is scheduled.
  var wakeAt: Instant?
}

// The sender's process and how it performs what its session says.
extension Simulation {
  mutating func beginSender() {
    let blockByteCount = world.blockByteCount(ofRun: runIndex)
    scannedSource = source
    let configuration = SendSession.Configuration(
      inputs: world.inputs,
      isInitiator: world.isSenderInitiator,
      isDryRun: isDryRun,
      comparesDigests: world.comparesDigests
    )
    sender = SimulatedSender(
      session: SendSession(configuration: configuration, now: now),
      segments: source.segments(
        entryLimit: world.segmentEntryCount,
        blockByteCount: blockByteCount
      ),
      builder: rootBuilder()
    )
  }

  func rootBuilder() -> RootBuilder {
    let header = ManifestHeader(
      blockByteCount: world.blockByteCount(ofRun: runIndex),
      rootAlgorithm: .xxh3
    )
    return RootBuilder(header: header, hash: .xxh3)
  }

  mutating func tellSender(_ event: SendSession.Event) {
    guard sender != nil else { return }
    sender?.session.handle(event, at: now)
    drainSender()
  }

  mutating func drainSender() {
    while let action = sender?.session.nextAction() { perform(action) }
    guard let deadline = sender?.session.nextDeadline else { return }
    if let wakeAt = sender?.wakeAt, wakeAt <= deadline { return }
    sender?.wakeAt = deadline
    heap.push(.wake(.sender), at: max(now, deadline))
  }

  private mutating func perform(_ action: SendSession.Action) {
    switch action {
    case .scan:
      scan()
    case .announce(let segment):
      announce(segment)
    case .check(let segment, let comparison):
      check(segment, comparison)
    case .send(let message):
      send(message, from: .sender)
    case .dial(let id):
      schedule(.dialled(id), after: transit() + transit())
    case .load(let id, let work):
      load(id, work)
    case .close(let id):
      closeAtSender(id)
    case .seal(let work):
      let part = seal(work)
      _ = sender?.builder.add(part)
      sender?.unreadByteCount += part.unreadByteCount
    case .sealDataset:
      guard let roots = sender?.builder.finish() else { return }
      observe(.sealed(.sender, roots, unreadByteCount: sender?.unreadByteCount ?? 0))
      schedule(.sender(.sealed(roots)), after: mailboxDelay())
    case .storeManifest:
      schedule(.sender(.stored(EndTotals())), after: mailboxDelay())
    case .stateReceipt:
      schedule(.sender(.stated([])), after: mailboxDelay())
    case .storeReceipt:
      break
    case .report(let failed):
      result.failures.append(failed)
    case .planned(let plan, _):
      observe(.planned(.sender, plan))
    case .revised(let revision):
      observe(.revised(.sender, revision))
    case .pace:
      preconditionFailure("nobody changes a simulated transfer")
    case .finish(let outcome):
      ended(.sender, outcome)
    }
  }

  private mutating func scan() {
    guard let process = sender, process.nextSegment < process.segments.count else {
      preconditionFailure("a scan past the last segment")
    }
    let segment = process.segments[process.nextSegment]
    sender?.nextSegment += 1
    let time = hostRandom.below(20 * Duration.millisecond)
    schedule(.sender(.scanned(segment)), after: time)
  }

  private mutating func announce(_ segment: Segment) {
    let most = world.pageEntryCount
    segment.announce(isFull: { _, entryCount in entryCount == most }) { message in
      send(message, from: .sender)
    }
  }

  func seal(_ work: SealWork) -> ManifestSegment {
    ManifestSegment(
      work.segment,
      digests: work.digests,
      excluded: work.excluded,
      blockByteCount: world.blockByteCount(ofRun: runIndex)
    )
  }

  /// What the sender's thread makes of a block that it has just read.
  mutating func read(_ work: BlockWork) -> (outcomes: [ExtentOutcome], contents: [UInt64]) {
    guard let segments = sender?.segments else { return ([], []) }
    let segment = segments[work.reference.segment]
    var outcomes: [ExtentOutcome] = []
    var contents: [UInt64] = []
    for extent in work.extents.joined() {
      let (outcome, content) = read(segment.extents[extent], of: segment)
      outcomes.append(outcome)
      contents.append(content)
    }
    return (outcomes, contents)
  }

  private mutating func read(_ extent: Extent, of segment: Segment) -> (ExtentOutcome, UInt64) {
    let entry = Int(extent.entry)
    let path = segment.inventory.path(of: entry)
    if let place = unreadablePaths.firstIndex(of: path) {
      unreadablePaths.remove(at: place)
      return (.failed(.unreadable, "EIO"), 0)
    }
    guard let file = source.entries[path], file.kind == .regular else {
      return (.failed(.unreadable, "ENOENT"), 0)
    }
    guard file.identity == segment.inventory.sourceIdentity(of: entry) else {
      return (.failed(.changed, "changed while it was read"), 0)
    }
    let digest = file.digest(offset: extent.offset, byteCount: UInt64(extent.byteCount))
    return (.intact(digest), file.content)
  }

  /// Reads the files whose digests the receiver has given.
  private mutating func check(_ segment: Segment, _ comparison: Comparison) {
    var differing: [Int] = []
    for (index, entry) in segment.entries.enumerated() where entry.kind == .regular {
      let isOther = entry.extents.contains { extent in
        let place = segment.extents[extent]
        let known = comparison.digests[extent]
        let file = source.entries[segment.inventory.path(of: index)]
        return !comparison.wanted[extent] && known != .zero
          && known != file?.digest(offset: place.offset, byteCount: UInt64(place.byteCount))
      }
      if isOther { differing.append(index) }
    }
    let time = hostRandom.below(20 * Duration.millisecond)
    schedule(.sender(.checked(segment: segment.index, differing: differing)), after: time)
  }
}

// What both processes share: the control channel, deadlines and their ends.
extension Simulation {
  mutating func send(_ message: Message, from end: End) {
    guard isChannelOpen else { return }
    let bytes = MessageCodec.encode(message)
    record.trace(Digest.xxh3(of: bytes).words.0)
    let lane = Int(end.rawValue) - 1
    latestFrame[lane] = max(latestFrame[lane], now + transit())
    heap.push(.frame(end.other, bytes), at: latestFrame[lane])
  }

  mutating func deliver(_ bytes: [UInt8], to end: End) {
    do throws(FormatError) {
      let message = try MessageCodec.decode(bytes)
      switch end {
      case .sender: tellSender(.message(message))
      case .receiver: tellReceiver(.message(message))
      }
    } catch {
      preconditionFailure("a message that its own codec cannot read: \(error)")
    }
  }

  mutating func hangUp(at end: End) {
    switch end {
    case .sender: tellSender(.peerGone("the control channel ended"))
    case .receiver: tellReceiver(.peerGone("the control channel ended"))
    }
  }

  mutating func wake(_ end: End) {
    switch end {
    case .sender:
      sender?.wakeAt = nil
      if let deadline = sender?.session.nextDeadline, deadline <= now { tellSender(.deadline) }
      drainSender()
    case .receiver:
      receiver?.wakeAt = nil
      if let deadline = receiver?.session.nextDeadline, deadline <= now { tellReceiver(.deadline) }
      drainReceiver()
    }
  }

  /// A session is over: its process exits, and the kernel closes what it had open.
  mutating func ended(_ end: End, _ outcome: SessionOutcome) {
    observe(.ended(end, outcome))
    switch end {
    case .sender: result.sender = outcome
    case .receiver: result.receiver = outcome
    }
    leave(end, isSilent: false)
  }

  /// Takes a process away: by its own end, or by a crash.
  mutating func leave(_ end: End, isSilent: Bool) {
    switch end {
    case .sender: sender = nil
    case .receiver: receiver = nil
    }
    for index in connections.indices {
      connections[index][end].isOpen = false
      cut(index, isSilent: isSilent)
    }
    guard !isSilent else {
      isChannelOpen = false
      return
    }
    let lane = Int(end.rawValue) - 1
    latestFrame[lane] = max(latestFrame[lane], now + transit())
    heap.push(.hangUp(end.other), at: latestFrame[lane])
  }
}
