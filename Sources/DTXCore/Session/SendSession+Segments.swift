// Segments on their way from the scan to the lanes, and from the receiver's word to the manifest.
extension SendSession {
  mutating func requestScan() {
    guard phase == .moving, !isScanning, !isScanComplete,
      segments.count < Limits.openSegmentCount
    else { return }
    isScanning = true
    emit(.scan)
  }

  mutating func scanned(_ segment: Segment) {
    precondition(isScanning, "a segment arrived that was not asked for")
    isScanning = false
    guard phase == .moving else { return }
    let lengths = segment.inventory.byteCount
    let (total, isTooMuch) = progress.scannedByteCount.addingReportingOverflow(lengths)
    guard !isTooMuch, total <= Limits.datasetByteCount else {
      let reason = "the files have more than \(Limits.datasetByteCount) bytes in all"
      return fail(SessionFailure(.storage, reason))
    }
    isScanComplete = segment.isLast
    segments.append(SendingSegment(segment))
    count { progress in
      progress.scannedEntryCount += segment.inventory.ownEntryCount
      progress.scannedFileCount += segment.entries.count { $0.kind == .regular }
      progress.scannedByteCount = total
      progress.isScanComplete = segment.isLast
    }
    emit(.announce(segment))
    requestScan()
  }

  mutating func received(_ message: Message, at now: Instant) {
    heartbeat.heard(at: now)
    if case .stopping = phase, !message.mattersWhileStopping { return }
    switch message {
    case .comparison(let segment, let page):
      compared(segment, page)
    case .changed(let segment, let entries):
      changed(segment, entries)
    case .refused(let failed):
      refused(failed)
    case .comparisonEnd(let segment):
      comparisonEnded(segment)
    case .planned(let segment, let generation, let digest):
      agreed(segment, generation, digest)
    case .received(let block):
      confirmed(block)
    case .damaged(let block):
      damaged(block)
    case .durable(_, let blocks):
      for block in blocks { durable(block) }
    case .fenced(let connection):
      fenced(connection, at: now)
    case .adjust(let adjustment):
      guard !configuration.isInitiator else { return violation("what only its user may say") }
      adjust(adjustment)
    case .committed(let segment):
      committed(segment)
    case .sealed(let roots):
      compareRoots(theirs: roots)
    case .finished(let totals):
      receiverFinished(totals)
    case .endorsed(let answer):
      attested(.endorsed(answer))
    case .declined(let reason):
      attested(.declined(reason))
    case .heartbeat:
      break
    case .stop(let reason, let text):
      stopped(reason, text)
    case .inventory, .inventoryEnd, .omitted, .demand, .plan, .revise, .remaining, .fence, .tuned,
      .receipt:
      violation("a message that only a sender sends")
    }
  }

  mutating func violation(_ what: String) {
    fail(SessionFailure(.protocolViolation, "the receiver sent \(what)"))
  }

  private mutating func compared(_ number: Int, _ page: [UInt8]) {
    guard let index = index(ofSegment: number), segments[index].phase == .comparing else {
      return violation("a comparison of segment \(number), which is not open")
    }
    do {
      try segments[index].decoder.add(page: page)
    } catch {
      violation("a comparison that cannot be read: \(error)")
    }
  }

  private mutating func changed(_ number: Int, _ entries: [Int]) {
    guard let index = index(ofSegment: number), segments[index].phase == .comparing else {
      return violation("changes of segment \(number), which is not being compared")
    }
    let count = segments[index].segment.entries.count
    for entry in entries {
      guard entry < count else { return violation("a change of an entry that does not exist") }
      guard entry >= segments[index].nextChange else {
        return violation("a change of entry \(entry) out of turn")
      }
      segments[index].nextChange = entry + 1
      segments[index].changed[entry] = true
    }
  }

  private mutating func refused(_ failed: FailedEntry) {
    guard let index = index(ofSegment: failed.segment),
      failed.entry < segments[index].segment.entries.count
    else { return violation("a refusal of an entry that does not exist") }
    exclude(failed, in: index)
  }

  /// Leaves an entry out of what is committed; reports it once.
  mutating func exclude(_ failed: FailedEntry, in index: Int) {
    guard !segments[index].excluded[failed.entry] else { return }
    segments[index].excluded[failed.entry] = true
    // A context directory was reported with its own segment.
    if !segments[index].segment.entries[failed.entry].isContext { emit(.report(failed)) }
  }

  private mutating func comparisonEnded(_ number: Int) {
    guard let index = index(ofSegment: number), segments[index].phase == .comparing,
      segments[index].decoder.isComplete
    else { return violation("an incomplete comparison of segment \(number)") }
    var comparison = segments[index].decoder.comparison
    comparison.changed = segments[index].changed
    guard configuration.comparesDigests else {
      segments[index].phase = .planning(comparison)
      return planNext()
    }
    segments[index].phase = .checking
    emit(.check(segments[index].segment, comparison))
  }

  /// The source has been read: what differs is sent after all.
  mutating func checked(_ number: Int, _ differing: [Int]) {
    guard let index = index(ofSegment: number), segments[index].phase == .checking else { return }
    var comparison = segments[index].decoder.comparison
    comparison.changed = segments[index].changed
    // The receiver has refused some, of which nothing is to be sent.
    let differing = differing.filter { !segments[index].excluded[$0] }
    for entry in differing { comparison.demand(entry, of: segments[index].segment) }
    // An entry takes four bytes at most.
    var rest = differing[...]
    while !rest.isEmpty {
      let page = rest.prefix(Limits.controlFrameByteCount / 8)
      emit(.send(.demand(segment: number, entries: Array(page))))
      rest = rest.dropFirst(page.count)
    }
    segments[index].phase = .planning(comparison)
    planNext()
  }

  /// Plans segments in their order, whichever was compared first: a plan depends on the ones
  /// before it, and must not depend on how fast a disk was.
  private mutating func planNext() {
    while let next = segments.firstIndex(where: { $0.plan == nil }),
      case .planning(let comparison) = segments[next].phase
    {
      plan(next, comparison)
    }
  }

  private mutating func plan(_ index: Int, _ comparison: Comparison) {
    let number = segments[index].segment.index
    segments[index].adopt(comparison)
    let segment = segments[index].segment
    let plan = Scheduler.plan(
      segment,
      wanted: comparison.wanted,
      inputs: configuration.inputs,
      generation: generation
    )
    generation.advance(behind: plan)
    let blockCount = segments[index].unsettledBlockCount
    let extentCount = UInt64(comparison.wanted.population)
    let unread = comparison.byteCounts(in: segment).unread
    count { progress in
      progress.wantedByteCount += plan.byteCount
      progress.wantedBlockCount += blockCount
      progress.wantedExtentCount += extentCount
      progress.skippedByteCount += segment.dataByteCount - plan.byteCount
      progress.unreadByteCount += unread
    }
    let digest = plan.digest(with: configuration.inputs)
    segments[index].adopt(plan, digest)
    emit(.planned(plan, comparison))
    emit(.send(.plan(segment: number, generation: plan.generation, digest: digest)))
  }

  /// The receiver has made a plan of a segment, the first or that of a later generation.
  private mutating func agreed(_ number: Int, _ generation: UInt32, _ digest: Digest) {
    guard let index = index(ofSegment: number), let plan = segments[index].plan,
      !segments[index].isAgreed
    else { return violation("a plan of segment \(number), which is not being planned") }
    let isFirst = segments[index].phase == .agreeing
    // Said before it heard of the latest generation; its word on that one follows.
    if isFirst, generation < plan.generation { return }
    guard generation == plan.generation else {
      return violation("a plan of generation \(generation) of segment \(number)")
    }
    guard segments[index].planDigest == digest else {
      let reason = "the ends computed different plans for segment \(number)"
      return fail(SessionFailure(.integrity, reason))
    }
    segments[index].agree()
    if configuration.isDryRun { return retire(index) }
    if isFirst {
      enqueue(index)
    } else {
      requeue()
    }
    fillAll()
  }

  /// Puts a segment's runs behind those of the segments before it.
  private mutating func enqueue(_ index: Int) {
    let segment = segments[index]
    for (queue, planned) in (segment.plan?.queues ?? []).enumerated() {
      for run in planned.runs {
        work[queue].planned.append(AssignedRun(segment: segment.segment.index, blocks: run.blocks))
        for block in run.blocks where segment.states[block] == .pending {
          work[queue].pending.add(segment.wantedByteCounts[block])
        }
      }
    }
  }

  private mutating func committed(_ number: Int) {
    // Earlier segments may still wait for this end's threads, but not for the receiver.
    guard let index = index(ofSegment: number), segments[index].phase == .moving,
      segments[index].unsettledBlockCount == 0, !segments[index].isCommitted,
      segments[..<index].allSatisfy({ $0.isCommitted })
    else { return violation("the end of segment \(number), which has blocks left") }
    segments[index].isCommitted = true
    sealSettled()
  }

  /// Hands over the segments that are settled, in order.
  mutating func sealSettled() {
    while let done = segments.first, done.isSettled {
      emit(
        .seal(SealWork(segment: done.segment, digests: done.digests, excluded: done.excluded))
      )
      retire(segments.startIndex)
    }
  }

  /// Forgets a segment; after the last one the manifest is sealed.
  private mutating func retire(_ index: Int) {
    let wasLast = segments[index].segment.isLast
    segments.remove(at: index)
    guard wasLast else { return requestScan() }
    if configuration.isDryRun {
      emit(.send(.finished(EndTotals())))
      return finish(.completed)
    }
    phase = .sealing
    emit(.sealDataset)
  }
}

extension Message {
  /// Whether a sender that has asked to stop still takes this: the rest was said before the
  /// receiver knew, and asks for nothing any more.
  fileprivate var mattersWhileStopping: Bool {
    switch self {
    case .received, .durable, .finished, .stop:
      true
    case .inventory, .inventoryEnd, .omitted, .demand, .plan, .revise, .remaining, .fence, .tuned,
      .receipt, .comparison, .changed, .refused, .adjust, .comparisonEnd, .planned, .damaged,
      .fenced, .committed, .endorsed, .declined, .sealed, .heartbeat:
      false
    }
  }
}
