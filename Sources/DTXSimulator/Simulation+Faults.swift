internal import DTXCore

// What goes wrong, and what the disk makes of a block.
extension Simulation {
  /// Lets happen what is due before the next event.
  mutating func takeFaults() {
    while nextFault < faults.count, faults[nextFault].step <= record.stepCount {
      let fault = faults[nextFault].fault
      nextFault += 1
      observe(.faulted(fault))
      happen(fault)
    }
  }

  private mutating func happen(_ fault: Fault) {
    switch fault {
    case .crash(let end, let losesPower):
      crash(end, losesPower: losesPower)
    case .cancel(.sender):
      tellSender(.cancelled)
    case .cancel(.receiver):
      tellReceiver(.cancelled)
    case .cut(let lane, let isSilent):
      for index in connections.indices where connections[index].id.lane == lane {
        cut(index, isSilent: isSilent)
      }
    case .down(let lane, let nanoseconds):
      lanes[lane].downUntil = max(lanes[lane].downUntil, now + nanoseconds)
      for index in connections.indices where connections[index].id.lane == lane {
        cut(index, isSilent: false)
      }
    case .stall(let lane, let nanoseconds):
      lanes[lane].stalledUntil = max(lanes[lane].stalledUntil, now + nanoseconds)
    case .corruption(let lane):
      lanes[lane].corruptionCount += 1
    case .slowDisk(let nanoseconds):
      diskSlowUntil = max(diskSlowUntil, now + nanoseconds)
    case .fullDisk:
      isDiskFull = true
    case .syncError:
      failsNextSync = true
    case .unreadable(let path):
      unreadablePaths.append(path)
    case .unwritable(let path):
      unwritablePaths.append(path)
    case .sourceChange(let change):
      _ = source.apply(change)
    }
  }

  private mutating func crash(_ end: End, losesPower: Bool) {
    let isRunning = end == .sender ? sender != nil : receiver != nil
    guard isRunning else { return }
    observe(.crashed(end))
    leave(end, isSilent: losesPower)
    guard end == .receiver, losesPower else { return }
    let before = disk.journal
    disk.losePower(&diskRandom)
    diskBefore = disk
    let valid = JournalReplay(disk.journal).validByteCount
    let isPrefix = valid <= before.count && disk.journal.prefix(valid) == before.prefix(valid)
    observe(
      .journalCrashed(
        byteCount: before.count,
        syncedByteCount: syncedRecordsEnd,
        validByteCount: valid,
        isPrefix: isPrefix
      )
    )
  }

  // MARK: - What becomes of a block at the receiver

  /// Writes what arrived to its staged files, and says what became of each extent.
  mutating func store(_ delivery: Delivery, lane: Int) -> [ExtentOutcome] {
    guard let segment = receiver?.segments[delivery.block.segment],
      let wanted = receiver?.wanted[delivery.block.segment]
    else { return [] }
    let extents = segment.blocks[delivery.block.block].extents.filter { wanted[$0] }
    var (outcomes, contents) = (delivery.outcomes, delivery.contents)
    corrupt(&outcomes, &contents, lane: lane)
    let isForgotten = world.sabotage == .forgetsWrite && diskRandom.happens(Ratio(1, in: 2))
    for (place, extent) in extents.enumerated() {
      guard case .intact = outcomes[place], !isForgotten else { continue }
      let claim = segment.claim(extent)
      if let index = unwritablePaths.firstIndex(of: claim.identity.path) {
        unwritablePaths.remove(at: index)
        outcomes[place] = .failed(.unwritable, "EACCES")
        continue
      }
      disk.write(
        claim.identity,
        StoredExtent(
          offset: claim.offset,
          byteCount: claim.byteCount,
          content: contents[place],
          isSynced: false
        )
      )
      if world.sabotage == .publishesEarly {
        publishEarly(Int(segment.extents[extent].entry), of: segment)
      }
    }
    return outcomes
  }

  /// Bytes that changed on the way: the trailer's digest does not fit, and the block is damaged.
  private mutating func corrupt(
    _ outcomes: inout [ExtentOutcome],
    _ contents: inout [UInt64],
    lane: Int
  ) {
    guard lanes[lane].corruptionCount > 0, !outcomes.isEmpty else { return }
    let victim = Int(networkRandom.below(UInt64(outcomes.count)))
    guard case .intact = outcomes[victim] else { return }
    lanes[lane].corruptionCount -= 1
    contents[victim] = networkRandom.next()
    if world.sabotage != .trustsBytes { outcomes[victim] = .damaged }
  }

  private mutating func publishEarly(_ entry: Int, of segment: Segment) {
    let path = segment.inventory.path(of: entry)
    let place = DestinationEntry(
      kind: .regular,
      mode: segment.entries[entry].mode,
      modified: segment.entries[entry].modified,
      byteCount: segment.entries[entry].byteCount
    )
    publish(path, place, isWhole: isWhole(entry, of: segment))
  }
}
