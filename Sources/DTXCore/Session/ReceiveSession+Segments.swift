// Segments on their way from the sender's pages to the manifest.
extension ReceiveSession {
  mutating func received(_ message: Message, at now: Instant) {
    heartbeat.heard(at: now)
    if case .stopping = phase {
      // Only the end of the stop matters now.
      return
    }
    switch message {
    case .inventory(let segment, let page):
      inventory(segment, page)
    case .inventoryEnd(let segment, let isLast):
      inventoryEnded(segment, isLast: isLast)
    case .omitted(let path, let failure, let reason):
      emit(.reportOmission(path: path, failure: failure, reason: reason))
    case .demand(let segment, let entries):
      demanded(segment, entries)
    case .plan(let segment, let generation, let digest):
      planAnnounced(segment, generation, digest)
    case .revise(let generation, let segmentCount, let isAsked):
      revised(generation, segmentCount: segmentCount, isAsked: isAsked)
    case .remaining(let segment, let blocks):
      remains(segment, blocks)
    case .fence(let connection):
      fence(connection)
    case .sealed(let roots):
      compareRoots(theirs: roots)
    case .receipt(let offer):
      offered(offer)
    case .finished(let totals):
      senderFinished(totals)
    case .heartbeat, .tuned:
      // What the kernel took is for the report alone.
      break
    case .stop(let reason, let text):
      stopped(reason, text, at: now)
    case .comparison, .changed, .refused, .comparisonEnd, .planned, .received, .damaged, .durable,
      .fenced, .adjust, .committed, .endorsed, .declined:
      violation("a message that only a receiver sends")
    }
  }

  private mutating func inventory(_ number: Int, _ page: [UInt8]) {
    guard number == nextSegment, !isInventoryComplete,
      segments.count < Limits.openSegmentCount
    else { return violation("entries of segment \(number) out of turn") }
    var decoder =
      arriving
      ?? InventoryDecoder(
        isFirstSegment: number == 0,
        blockByteCount: configuration.blockByteCount
      )
    arriving = nil
    do {
      try decoder.add(page: page[...])
    } catch {
      return violation("entries that cannot be taken: \(error)")
    }
    arriving = decoder
  }

  private mutating func inventoryEnded(_ number: Int, isLast: Bool) {
    guard number == nextSegment, !isInventoryComplete,
      segments.count < Limits.openSegmentCount
    else { return violation("the end of segment \(number) out of turn") }
    let inventory = arriving?.finish() ?? Inventory()
    arriving = nil
    // The decoder demands it within a segment.
    if let problem = order.add(inventory) { return violation(problem) }
    let (total, isTooMuch) = progress.byteCount.addingReportingOverflow(inventory.byteCount)
    guard !isTooMuch, total <= Limits.datasetByteCount else {
      return violation("files of more than \(Limits.datasetByteCount) bytes in all")
    }
    let segment = Segment(
      index: number,
      isLast: isLast,
      inventory: inventory,
      blockByteCount: configuration.blockByteCount
    )
    nextSegment += 1
    isInventoryComplete = isLast
    segments.append(ReceivingSegment(segment))
    count { progress in
      progress.entryCount += segment.inventory.ownEntryCount
      progress.fileCount += segment.entries.count { $0.kind == .regular }
      progress.byteCount = total
      progress.isInventoryComplete = isLast
    }
    emit(.compare(segment))
  }

  mutating func compared(_ number: Int, _ comparison: Comparison) {
    guard let index = index(ofSegment: number), segments[index].phase == .comparing else { return }
    segments[index].comparison = comparison
    segments[index].phase = .agreeing
    for refusal in comparison.refusals { exclude(refusal, in: index) }
    for page in ComparisonCodec.encode(comparison) {
      emit(.send(.comparison(segment: number, page: page)))
    }
    if !configuration.isInitiator, let changed = comparison.changed {
      announce(changed, of: number)
    }
    emit(.send(.comparisonEnd(segment: number)))
    count { progress in
      progress.resumedByteCount += comparison.resumedByteCount
      progress.readByteCount += comparison.readByteCount
    }
  }

  /// Tells the sender, whose user asked for it, what changes here.
  private mutating func announce(_ changed: BitSet, of number: Int) {
    // An entry takes four bytes at most.
    let pageCount = Limits.controlFrameByteCount / 8
    var page: [Int] = []
    for run in changed.runs(in: 0..<changed.count) {
      for entry in run {
        page.append(entry)
        guard page.count == pageCount else { continue }
        emit(.send(.changed(segment: number, entries: page)))
        page.removeAll(keepingCapacity: true)
      }
    }
    if !page.isEmpty { emit(.send(.changed(segment: number, entries: page))) }
  }

  /// The sender's digests of these files are others than those that this end read.
  private mutating func demanded(_ number: Int, _ entries: [Int]) {
    guard let index = index(ofSegment: number), segments[index].phase == .agreeing,
      configuration.comparesDigests
    else { return violation("a demand for segment \(number) out of turn") }
    let segment = segments[index].segment
    for entry in entries {
      guard entry < segment.entries.count, segment.entries[entry].kind == .regular,
        !segments[index].excluded[entry]
      else { return violation("a demand for entry \(entry), which cannot be sent") }
      guard entry >= segments[index].nextDemand else {
        return violation("a demand for entry \(entry) out of turn")
      }
      segments[index].nextDemand = entry + 1
      segments[index].comparison.demand(entry, of: segment)
    }
  }

  private mutating func planAnnounced(_ number: Int, _ generation: UInt32, _ theirs: Digest) {
    guard revision == nil else { return revisedPlan(number, generation, theirs) }
    guard let index = index(ofSegment: number), segments[index].phase == .agreeing,
      generation == self.generation.number
    else { return violation("a plan of segment \(number), which is not being planned") }
    let plan = adoptComparison(in: index)
    let mine = plan.digest(with: configuration.inputs)
    guard mine == theirs else {
      let reason = "the ends computed different plans for segment \(number)"
      return fail(SessionFailure(.integrity, reason))
    }
    emit(.planned(plan, segments[index].comparison))
    if configuration.isDryRun {
      emit(.send(.planned(segment: number, generation: generation, digest: mine)))
      segments.remove(at: index)
    } else {
      segments[index].phase = .preparing
      segments[index].agreement = PlanAgreement(generation: generation, digest: mine)
      emit(.prepare(segments[index].segment, segments[index].comparison))
    }
  }

  /// Plans what the comparison, with all demands, says is wanted.
  private mutating func adoptComparison(in index: Int) -> Plan {
    let comparison = segments[index].comparison
    let segment = segments[index].segment
    segments[index].adopt(comparison)
    let plan = Scheduler.plan(
      segment,
      wanted: comparison.wanted,
      inputs: configuration.inputs,
      generation: generation
    )
    segments[index].adopt(plan)
    generation.advance(behind: plan)
    let (carried, unread) = comparison.byteCounts(in: segment)
    let blockCount = segments[index].unsettledBlockCount
    count { progress in
      progress.wantedByteCount += plan.byteCount
      progress.wantedBlockCount += blockCount
      progress.wantedExtentCount += UInt64(comparison.wanted.population)
      progress.carriedByteCount += carried
      progress.unreadByteCount += unread
    }
    return plan
  }

  mutating func prepared(_ number: Int, _ failures: [FailedEntry], at now: Instant) {
    guard let index = index(ofSegment: number), segments[index].phase == .preparing else { return }
    for failure in failures { exclude(failure, in: index) }
    segments[index].phase = .prepared
    // In their order, so that each lane carries the segments in that order.
    while let next = segments.firstIndex(where: { $0.phase != .open }),
      segments[next].phase == .prepared, let agreement = segments[next].agreement
    {
      segments[next].phase = .open
      let number = segments[next].segment.index
      emit(
        .send(
          .planned(segment: number, generation: agreement.generation, digest: agreement.digest)
        )
      )
    }
    settle(at: now)
  }

  /// Leaves an entry out of what is committed; tells the sender and the report once.
  mutating func exclude(_ failed: FailedEntry, in index: Int) {
    guard !segments[index].excluded[failed.entry] else { return }
    segments[index].excluded[failed.entry] = true
    // A context directory was reported with its own segment.
    if !segments[index].segment.entries[failed.entry].isContext { emit(.report(failed)) }
    // What the source did, the sender knows already.
    if failed.failure == .unwritable || failed.failure == .conflict {
      emit(.send(.refused(failed)))
    }
  }

  /// Retires the segments that are wholly durable, in order, and ends with the last.
  mutating func settle(at now: Instant) {
    while let done = segments.first, done.phase == .open, done.unsettledBlockCount == 0 {
      emit(.send(.committed(segment: done.segment.index)))
      emit(
        .seal(SealWork(segment: done.segment, digests: done.digests, excluded: done.excluded))
      )
      segments.removeFirst()
      if done.segment.isLast, phase == .moving {
        phase = .finalizing
        emit(.finalize)
      }
    }
  }

  /// Whether all that is to be moved is known.
  package var isAllPlanned: Bool {
    isInventoryComplete && segments.allSatisfy(\.isPlanned)
  }
}
