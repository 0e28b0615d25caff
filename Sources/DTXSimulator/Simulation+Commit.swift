internal import DTXCore

/// Where a commit stands: a receiver may die between any two of these.
enum CommitStep: Sendable {
  case dataSynced
  case journalAppended
  case journalSynced
  case filesPublished
  case directoriesSynced
}

// Epochs: data, journal, names, and only then the word.
extension Simulation {
  mutating func beginCommit(_ work: EpochWork) {
    receiver?.commit = work
    receiver?.commitFailures = []
    receiver?.commitDamaged = []
    receiver?.commitNext = 0
    if world.sabotage == .acknowledgesBeforeSync {
      schedule(.receiver(.committed(epoch: work.epoch, [])), after: 0)
      return
    }
    scheduleCommit(.dataSynced)
  }

  private mutating func scheduleCommit(_ step: CommitStep) {
    var time = world.syncNanoseconds / 2 + diskRandom.below(world.syncNanoseconds + 1)
    if world.sabotage == .ignoresPause { time = 3600 * Duration.second }
    time += diskSlowUntil.since(now)
    schedule(.commit(step), after: time)
  }

  mutating func commit(_ step: CommitStep) {
    guard let work = receiver?.commit else { return }
    switch step {
    case .dataSynced:
      guard !failsNextSync else {
        failsNextSync = false
        disk.spoilUnsynced(&diskRandom)
        receiver?.commit = nil
        let failure = SessionFailure(.storage, "fdatasync: EIO")
        return tellReceiver(.failed(failure))
      }
      disk.syncStaged()
      if world.readsBack { readBack(work) }
      scheduleCommit(.journalAppended)
    case .journalAppended:
      for place in work.extents where !isDamaged(place.extent, ofSegment: place.segment) {
        appendDurable(place, epoch: work.epoch)
      }
      scheduleCommit(.journalSynced)
    case .journalSynced:
      if world.sabotage != .lyingJournalSync { disk.syncJournal() }
      syncedRecordsEnd = disk.journal.count
      scheduleCommit(.filesPublished)
    case .filesPublished:
      publishBatch(of: work)
    case .directoriesSynced:
      disk.syncDirectories()
      // Not with the rename: a loss of power may take that back, and the records must then count.
      for path in receiver?.renamed ?? [] { append(.published(path: path), epoch: work.epoch) }
      receiver?.renamed = []
      let failures = receiver?.commitFailures ?? []
      let damaged = receiver?.commitDamaged ?? []
      receiver?.commit = nil
      let event = ReceiveSession.Event.committed(
        epoch: work.epoch,
        failures,
        damaged: damaged
      )
      schedule(.receiver(event), after: mailboxDelay())
    }
  }

  /// Reads an epoch back from a medium that has not kept all of it.
  private mutating func readBack(_ work: EpochWork) {
    for block in work.blocks where rotCount > 0 && diskRandom.happens(Ratio(1, in: 4)) {
      let claims = claims(of: block).filter { disk.staged[$0.identity.path] != nil }
      guard !claims.isEmpty else { continue }
      rotCount -= 1
      let victim = claims[Int(diskRandom.below(UInt64(claims.count)))]
      let extent = StoredExtent(
        offset: victim.offset,
        byteCount: victim.byteCount,
        content: diskRandom.next(),
        isSynced: true
      )
      disk.staged.update(victim.identity.path) { $0.write(extent) }
      if world.sabotage != .trustsMedium { receiver?.commitDamaged.append(block) }
    }
  }

  private func isDamaged(_ extent: Int, ofSegment number: Int) -> Bool {
    guard let segment = receiver?.segments[number] else { return false }
    return (receiver?.commitDamaged ?? []).contains { block in
      block.segment == number && segment.blocks[block.block].extents.contains(extent)
    }
  }

  private func isDamaged(_ place: EpochWork.EntryPlace) -> Bool {
    guard let segment = receiver?.segments[place.segment] else { return false }
    return segment.entries[place.entry].extents.contains { extent in
      isDamaged(extent, ofSegment: place.segment)
    }
  }

  private mutating func appendDurable(_ place: EpochWork.ExtentPlace, epoch: UInt32) {
    guard let segment = receiver?.segments[place.segment] else { return }
    let extent = segment.extents[place.extent]
    append(
      .durable(
        segment.identity(of: Int(extent.entry)),
        DurableExtent(offset: extent.offset, byteCount: extent.byteCount, digest: place.digest)
      ),
      epoch: epoch
    )
  }

  private mutating func publishBatch(of work: EpochWork) {
    guard let next = receiver?.commitNext else { return }
    let end = min(next + world.publishBatchCount, work.complete.count)
    for place in work.complete[next..<end] where !isDamaged(place) { publish(place) }
    receiver?.commitNext = end
    scheduleCommit(end < work.complete.count ? .filesPublished : .directoriesSynced)
  }

  private mutating func publish(_ place: EpochWork.EntryPlace) {
    guard let segment = receiver?.segments[place.segment] else { return }
    let entry = segment.entries[place.entry]
    let path = segment.inventory.path(of: place.entry)
    if let index = unwritablePaths.firstIndex(of: path) {
      unwritablePaths.remove(at: index)
      let failed = FailedEntry(
        segment: place.segment,
        entry: place.entry,
        failure: .unwritable,
        reason: "EACCES"
      )
      receiver?.commitFailures.append(failed)
      return
    }
    guard disk.staged[path] != nil else { return }
    let published = DestinationEntry(
      kind: .regular,
      mode: entry.mode,
      modified: entry.modified,
      byteCount: entry.byteCount
    )
    publish(path, published, isWhole: isWhole(place.entry, of: segment))
    receiver?.renamed.append(path)
  }

  /// Whether all extents of a file are in its staged file.
  func isWhole(_ entry: Int, of segment: Segment) -> Bool {
    guard let staged = disk.staged[segment.inventory.path(of: entry)] else { return false }
    return segment.entries[entry].extents.allSatisfy { index in
      let extent = segment.extents[index]
      return staged.extents.digest(
        offset: extent.offset,
        byteCount: UInt64(extent.byteCount)
      ) != nil
    }
  }

  // MARK: - What is safe

  /// The extents of a block that this run wants, by what they are.
  func claims(of block: BlockReference) -> [ExtentClaim] {
    guard let segment = receiver?.segments[block.segment],
      let wanted = receiver?.wanted[block.segment]
    else { return [] }
    return segment.blocks[block.block].extents.filter { wanted[$0] }.map { segment.claim($0) }
  }

  /// The first of these extents that a loss of power could still take; nil when all are safe.
  ///
  /// Safe is what lies synced in a file under its own name whose rename is synced, or synced in a
  /// staged file with its record in the synced part of the journal, whose replay is `synced`.
  func missing(of claims: [ExtentClaim], _ synced: JournalReplay) -> String? {
    for claim in claims {
      let path = claim.identity.path
      if isExcluded(path) { continue }
      let name = String(decoding: path, as: UTF8.self)
      let published = disk.published[path]
      let isPublished =
        published?.modified == claim.identity.modified
        && published?.byteCount == claim.identity.byteCount
        && covers(published?.extents ?? [], claim) && disk.isRenameSynced(path)
      if isPublished { continue }
      let staged = disk.staged[path]
      guard staged?.identity == claim.identity, covers(staged?.extents ?? [], claim) else {
        return "\(name) at \(claim.offset): its bytes are not synced"
      }
      let file = synced.file(at: path)
      guard file?.identity == claim.identity, file?.extent(at: claim.offset) != nil else {
        return "\(name) at \(claim.offset): its record is not synced"
      }
    }
    return nil
  }

  func isExcluded(_ path: [UInt8]) -> Bool {
    receiver?.excluded.contains(path) ?? false
  }

  private func covers(_ extents: [StoredExtent], _ claim: ExtentClaim) -> Bool {
    extents.isSynced(offset: claim.offset, byteCount: claim.byteCount)
  }

  // MARK: - The end

  /// Gives directories their metadata, and clears away what earlier runs staged for files that are
  /// no longer part of the dataset.
  mutating func finalize() {
    if world.sabotage != .keepsStaged {
      for path in disk.staged.paths { discard(path) }
    }
    for directory in (receiver?.directories ?? []).reversed() {
      disk.published.update(directory.path) { entry in
        entry.mode = directory.mode
        entry.modified = directory.modified
      }
    }
    guard let roots = receiver?.builder.finish() else { return }
    observe(.sealed(.receiver, roots, unreadByteCount: receiver?.unreadByteCount ?? 0))
    schedule(.receiver(.finalized(roots)), after: mailboxDelay())
  }
}
