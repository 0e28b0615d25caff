// Blocks as they arrive, and the epochs that make them durable.
extension ReceiveSession {
  mutating func connectionUp(_ id: ConnectionID) {
    guard id.lane < configuration.inputs.lanes.count else { return emit(.close(id)) }
    roster.opened(id)
  }

  /// The sender hears of the end of every connection, also of one that was never up here: it may
  /// have been up there, and blocks may wait on it.
  mutating func connectionLost(_ id: ConnectionID, reason: String, at now: Instant) {
    // At the end the sender closes them all, which is no loss.
    if roster.lost(id, reason: reason, at: now), phase == .moving {
      count { $0.lostConnectionCount += 1 }
    }
    emit(.send(.fenced(id)))
  }

  /// The sender gave a connection up.
  ///
  /// Its end here is announced when its thread has ended, once more if need be: the first time the
  /// sender may not have known the connection yet.
  mutating func fence(_ id: ConnectionID) {
    emit(.close(id))
  }

  mutating func arrived(
    _ id: ConnectionID,
    _ block: BlockReference,
    _ outcomes: [ExtentOutcome],
    at now: Instant
  ) {
    if case .stopping = phase { return }
    // What comes over a connection behind its end belongs to another by now.
    guard roster.up.contains(id) else { return }
    guard let index = index(ofSegment: block.segment), segments[index].phase == .open,
      block.block < segments[index].states.count
    else { return violation("a block of a segment that is not open") }
    // A block that is here already was drained by its thread, and changes nothing.
    guard segments[index].states[block.block] == .pending else { return }
    let extents = segments[index].wantedExtents(of: block.block)
    guard extents.count == outcomes.count else {
      return violation("a block with other extents than those wanted")
    }
    guard !outcomes.contains(.damaged) else {
      let byteCount = segments[index].byteCount(of: extents)
      count { progress in
        progress.damagedBlockCount += 1
        progress.damagedByteCount += byteCount
      }
      return emit(.send(.damaged(block)))
    }
    let planned = queues[Int(segments[index].owners[block.block])]
    if !planned.lanes.contains(id.lane) { count { $0.offPlanBlockCount += 1 } }
    segments[index].states[block.block] = .received
    segments[index].missingBlockCount -= 1
    var byteCount: UInt64 = 0
    for (extent, outcome) in zip(extents, outcomes) {
      byteCount += UInt64(segments[index].segment.extents[extent].byteCount)
      settle(extent, outcome, in: index, at: now)
    }
    epochs.add(at: now) { $0.blocks.append(block) }
    count { $0.receivedByteCount += byteCount }
    emit(.send(.received(block)))
    closeEpochIfDue(at: now)
  }

  private mutating func settle(
    _ extent: Int,
    _ outcome: ExtentOutcome,
    in index: Int,
    at now: Instant
  ) {
    let segment = segments[index].segment
    let entry = Int(segment.extents[extent].entry)
    switch outcome {
    case .intact(let digest):
      segments[index].digests[extent] = digest
      segments[index].missingExtentCounts[entry] -= 1
      guard !segments[index].excluded[entry] else { return }
      let isComplete = segments[index].missingExtentCounts[entry] == 0
      let takesSeveral = segment.entries[entry].extentCount > 1
      let readsBack = configuration.readsBack
      epochs.add(at: now) { work in
        let place = EpochWork.ExtentPlace(segment: segment.index, extent: extent, digest: digest)
        if takesSeveral {
          work.extents.append(place)
        } else if readsBack {
          work.singleExtents.append(place)
        }
        if isComplete {
          work.complete.append(EpochWork.EntryPlace(segment: segment.index, entry: entry))
        }
      }
    case .failed(let failure, let reason):
      exclude(
        FailedEntry(segment: segment.index, entry: entry, failure: failure, reason: reason),
        in: index
      )
    case .damaged:
      preconditionFailure("a damaged block is not taken apart")
    }
  }

  /// Closes the epoch that fills when it is full, or when all that was asked for is here.
  mutating func closeEpochIfDue(at now: Instant) {
    guard phase == .moving else { return }
    let isDrained = segments.allSatisfy { $0.phase != .open || $0.missingBlockCount == 0 }
    let isFull = epochs.isFull(at: now)
    guard isFull || isDrained || epochs.isWorthSync(at: now) else { return }
    guard epochs.syncing == nil else {
      // Two epochs' worth is the most that a crash may cost.
      if isFull, !epochs.isPaused {
        epochs.isPaused = true
        emit(.pause)
      }
      return
    }
    closeEpoch(at: now)
  }

  mutating func closeEpoch(at now: Instant) {
    guard let work = epochs.close() else { return }
    emit(.commit(work))
    if epochs.isPaused, phase == .moving {
      epochs.isPaused = false
      emit(.resume)
    }
  }

  mutating func committed(
    _ epoch: UInt32,
    _ failures: [FailedEntry],
    damaged: [BlockReference],
    syncNanoseconds: UInt64,
    at now: Instant
  ) {
    guard let work = epochs.finish(epoch, syncNanoseconds: syncNanoseconds) else { return }
    for failure in failures {
      guard let index = index(ofSegment: failure.segment) else { continue }
      exclude(failure, in: index)
    }
    var rest = damaged[...]
    let durable = work.blocks.filter { block in
      guard rest.first == block else { return true }
      rest.removeFirst()
      return false
    }
    for block in damaged { reopen(block) }
    var byteCount: UInt64 = 0
    var extentCount: UInt64 = 0
    for block in durable {
      guard let index = index(ofSegment: block.segment) else { continue }
      segments[index].states[block.block] = .durable
      segments[index].unsettledBlockCount -= 1
      for extent in segments[index].wantedExtents(of: block.block) {
        byteCount += UInt64(segments[index].segment.extents[extent].byteCount)
        extentCount += 1
      }
    }
    count { progress in
      progress.durableByteCount += byteCount
      progress.durableExtentCount += extentCount
      progress.durableBlockCount += durable.count
    }
    // A frame holds 64 Ki references at the least.
    var untold = durable[...]
    while !untold.isEmpty {
      emit(.send(.durable(epoch: epoch, blocks: Array(untold.prefix(64 << 10)))))
      untold = untold.dropFirst(64 << 10)
    }
    if case .stopping = phase {
      closeEpoch(at: now)
      return finishStopIfIdle()
    }
    settle(at: now)
    closeEpochIfDue(at: now)
  }

  /// A block did not read back as it came: it comes again, and none of its files is complete.
  private mutating func reopen(_ block: BlockReference) {
    guard let index = index(ofSegment: block.segment),
      segments[index].states[block.block] == .received
    else { return }
    segments[index].states[block.block] = .pending
    segments[index].missingBlockCount += 1
    let extents = segments[index].wantedExtents(of: block.block)
    let byteCount = segments[index].byteCount(of: extents)
    for extent in extents {
      // One that failed was not counted off; its file is excluded, and its count is of no matter.
      segments[index].missingExtentCounts[Int(segments[index].segment.extents[extent].entry)] += 1
    }
    // The rest of a file may have come meanwhile, and have made it look whole.
    let missing = segments[index].missingExtentCounts
    epochs.withhold(block.segment) { missing[$0] > 0 }
    count { progress in
      progress.damagedBlockCount += 1
      progress.damagedByteCount += byteCount
      progress.receivedByteCount -= byteCount
    }
    emit(.send(.damaged(block)))
  }
}
