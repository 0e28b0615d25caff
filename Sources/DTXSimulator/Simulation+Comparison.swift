internal import DTXCore

// What the receiver does before the first block of a segment: look, and prepare.
extension Simulation {
  mutating func compare(_ segment: Segment) {
    precondition(receiver?.segments.count == segment.index, "segments arrive in order")
    receiver?.segments.append(segment)
    let comparison = comparison(of: segment)
    receiver?.wanted.append(comparison.wanted)
    let time = hostRandom.below(20 * Duration.millisecond)
    schedule(.receiver(.compared(segment: segment.index, comparison)), after: time)
  }

  private mutating func comparison(of segment: Segment) -> Comparison {
    var comparison = Comparison(extentCount: segment.extents.count)
    let rules = Comparator.Rules(comparesDigests: world.comparesDigests, preservesOwner: false)
    for (index, entry) in segment.entries.enumerated() {
      let path = segment.inventory.path(of: index)
      guard !isBelowRefused(path) else { continue }
      let decision = Comparator.decide(
        entry,
        linkTarget: segment.inventory.linkTarget(of: index),
        existing: existing(path),
        rules: rules
      )
      switch decision {
      case .conflict(let reason):
        if entry.kind == .directory { receiver?.refusedDirectories.append(path) }
        comparison.refusals.append(
          FailedEntry(segment: segment.index, entry: index, failure: .conflict, reason: reason)
        )
      case .create, .replace:
        if entry.kind == .regular { resume(index, of: segment, into: &comparison) }
      case .compareDigests:
        // An earlier run was about to replace it: what that run made durable counts.
        let identity = segment.identity(of: index)
        if receiver?.replay.file(at: path)?.identity == identity,
          disk.staged[path]?.identity == identity
        {
          resume(index, of: segment, into: &comparison)
        } else {
          readBack(index, of: segment, into: &comparison)
        }
      case .keep:
        if entry.kind == .regular { carry(index, of: segment, into: &comparison) }
      }
    }
    return comparison
  }

  private func isBelowRefused(_ path: [UInt8]) -> Bool {
    receiver?.refusedDirectories.contains { refused in
      path.count > refused.count && path.starts(with: refused)
        && path[refused.count] == UInt8(ascii: "/")
    } ?? true
  }

  private func existing(_ path: [UInt8]) -> ExistingEntry? {
    guard let entry = disk.published[path] else { return nil }
    return ExistingEntry(
      kind: entry.kind,
      mode: entry.mode,
      userID: 0,
      groupID: 0,
      modified: entry.modified,
      byteCount: entry.byteCount,
      linkTarget: entry.linkTarget
    )
  }

  /// Wants what the journal does not call durable; what it does is read back and checked.
  private mutating func resume(
    _ index: Int,
    of segment: Segment,
    into comparison: inout Comparison
  ) {
    let identity = segment.identity(of: index)
    let journaled = receiver?.replay.file(at: identity.path)
    let isOther = journaled.map { $0.identity != identity } ?? false
    if isOther, !isDryRun { discard(identity.path) }
    for extent in segment.entries[index].extents {
      comparison.wanted[extent] = true
      let place = segment.extents[extent]
      let byteCount = UInt64(place.byteCount)
      guard !isOther, let known = journaled?.extent(at: place.offset),
        known.byteCount == place.byteCount, let staged = disk.staged[identity.path]
      else { continue }
      comparison.readByteCount += byteCount
      guard staged.extents.digest(offset: place.offset, byteCount: byteCount) == known.digest else {
        continue
      }
      comparison.wanted[extent] = false
      comparison.digests[extent] = known.digest
      comparison.resumedByteCount += byteCount
    }
  }

  /// What the last manifest says of a file that is taken to be the same.
  private func carry(_ index: Int, of segment: Segment, into comparison: inout Comparison) {
    let identity = segment.identity(of: index)
    guard let file = disk.manifest[identity.path], file.identity == identity else { return }
    for extent in segment.entries[index].extents {
      let place = segment.extents[extent]
      let known = file.extents.first { $0.offset == place.offset }
      guard let known, known.byteCount == place.byteCount else { continue }
      comparison.digests[extent] = known.digest
    }
  }

  /// Reads what is published: the sender compares it with what it has.
  private func readBack(_ index: Int, of segment: Segment, into comparison: inout Comparison) {
    let published = disk.published[segment.inventory.path(of: index)]
    for extent in segment.entries[index].extents {
      let place = segment.extents[extent]
      let byteCount = UInt64(place.byteCount)
      comparison.readByteCount += byteCount
      let digest = published?.extents.digest(offset: place.offset, byteCount: byteCount)
      if let digest {
        comparison.digests[extent] = digest
      } else {
        comparison.wanted[extent] = true
      }
    }
  }

  // MARK: - Preparing

  /// Makes directories and what has no data, and publishes files whose last extents an earlier run
  /// made durable without getting to their rename.
  mutating func prepare(_ segment: Segment, _ comparison: Comparison) {
    // With what the sender demands beyond this end's own comparison.
    receiver?.wanted[segment.index] = comparison.wanted
    for extent in segment.extents.indices where comparison.wanted[extent] {
      let claim = segment.claim(extent)
      // A file that has changed since it was scanned is demanded too, only to be reported.
      guard source.entries[claim.identity.path]?.identity == claim.identity.sourceIdentity else {
        continue
      }
      observe(.wanted(claim))
    }
    var isRefused = BitSet(count: segment.entries.count)
    for refusal in comparison.refusals { isRefused[refusal.entry] = true }
    for (index, entry) in segment.entries.enumerated() where !isRefused[index] {
      let path = segment.inventory.path(of: index)
      guard !isBelowRefused(path) else { continue }
      prepare(index, entry, path, of: segment, comparison)
    }
    let time = hostRandom.below(20 * Duration.millisecond)
    schedule(.receiver(.prepared(segment: segment.index, [])), after: time)
  }

  private mutating func prepare(
    _ index: Int,
    _ entry: Entry,
    _ path: [UInt8],
    of segment: Segment,
    _ comparison: Comparison
  ) {
    let placed = DestinationEntry(
      kind: entry.kind,
      mode: entry.mode,
      modified: entry.modified,
      byteCount: entry.byteCount,
      linkTarget: segment.inventory.linkTarget(of: index)
    )
    switch entry.kind {
    case .directory:
      if disk.published[path] == nil {
        let fresh = DestinationEntry(kind: .directory, mode: 0o700, modified: wallTime)
        disk.place(path, fresh, at: wallTime)
      }
      if !entry.isContext {
        receiver?.directories.append((path, entry.mode, entry.modified))
      }
    case .symlink, .fifo:
      if disk.published[path] != placed { disk.place(path, placed, at: wallTime) }
    case .regular:
      guard !entry.extents.contains(where: { comparison.wanted[$0] }) else { return }
      if let staged = disk.staged[path], staged.identity == segment.identity(of: index),
        holds(staged, index, of: segment, comparison)
      {
        publish(path, placed, isWhole: true)
        disk.syncDirectories()
        append(.published(path: path), epoch: 0)
      } else if entry.extents.isEmpty {
        disk.place(path, placed, at: wallTime)
      } else {
        disk.published.update(path) { $0.mode = entry.mode }
      }
    }
  }

  /// Whether a staged file has all that was read back, and nothing of it is wanted.
  private func holds(
    _ staged: StagedFile,
    _ index: Int,
    of segment: Segment,
    _ comparison: Comparison
  ) -> Bool {
    segment.entries[index].extents.allSatisfy { extent in
      let place = segment.extents[extent]
      let found = staged.extents.digest(offset: place.offset, byteCount: UInt64(place.byteCount))
      return !comparison.wanted[extent] && found == comparison.digests[extent]
    }
  }

  /// The destination's own clock, which never shows a source's time.
  var wallTime: Int64 { 1_600_000_000_000_000_000 + Int64(now.nanoseconds) }

  mutating func publish(_ path: [UInt8], _ entry: DestinationEntry, isWhole: Bool) {
    observe(.published(path, isWhole: isWhole))
    disk.publish(path, as: entry, at: wallTime)
  }
}

extension Segment {
  /// What an extent is, whatever its number.
  func claim(_ extent: Int) -> ExtentClaim {
    let place = extents[extent]
    return ExtentClaim(
      identity: identity(of: Int(place.entry)),
      offset: place.offset,
      byteCount: UInt64(place.byteCount)
    )
  }
}
