internal import DTXCore

// Small worlds by lot: every limit is small in some of them, so that what seldom happens with
// large ones happens all the time.
extension World {
  /// The world of a seed.
  package static func drawn(seed: UInt64) -> World {
    let root = SeededRandom(seed: SeededRandom.mix(seed &+ 0x6474_785f_7369_6d75))
    var random = root.forked("world")
    var shape = root.forked("tree")
    let blockByteCount = UInt64(1) << random.value(in: UInt64(10)...20)
    let tree = TreeDrawing.tree(blockByteCount: blockByteCount, &shape)
    var lanes = root.forked("lanes")
    var world = World(seed: seed, inputs: inputs(for: tree, blockByteCount, &lanes), tree: tree)
    world.pathRate = rate(for: tree, blockByteCount, &lanes)
    world.blockByteCount = blockByteCount
    if random.happens(Ratio(1, in: 8)) {
      world.laterBlockByteCount = random.pick([blockByteCount / 4, blockByteCount * 2])
    }
    if random.happens(Ratio(1, in: 2)) {
      world.segmentEntryCount = random.value(in: 1...20)
      world.pageEntryCount = random.value(in: 1...8)
    }
    world.drawTiming(&random)
    world.isSenderInitiator = random.happens(Ratio(1, in: 2))
    world.beginsWithDryRun = random.happens(Ratio(1, in: 10))
    world.comparesDigests = random.happens(Ratio(1, in: 6))
    var medium = root.forked("medium")
    world.readsBack = medium.happens(Ratio(1, in: 3))
    var there = root.forked("destination")
    if there.happens(Ratio(1, in: 3)) {
      world.destination = TreeDrawing.destination(
        of: tree,
        hidesDifferences: world.comparesDigests,
        &there
      )
    }
    var changes = root.forked("changes")
    if changes.happens(Ratio(1, in: 3)) {
      world.changes = TreeDrawing.changes(of: tree, blockByteCount, &changes)
    }
    return world
  }

  private mutating func drawTiming(_ random: inout SeededRandom) {
    delayNanoseconds = random.value(in: 10_000...50 * Duration.millisecond)
    let jitters: [UInt64] = [0, 1000, Duration.millisecond, delayNanoseconds]
    jitterNanoseconds = random.pick(jitters) ?? 0
    mailboxLagEighths = random.pick([0, 1, 4, 7]) ?? 0
    windowBlockCount = random.value(in: 1...6)
    let slowness: UInt64 = random.pick([1, 1, 2, 8]) ?? 1
    diskRate = totalRate.scaled(by: 4, over: slowness)
    let milliseconds: UInt64 = random.pick([0, 1, 40, 700]) ?? 0
    syncNanoseconds = milliseconds * Duration.millisecond
    publishBatchCount = random.value(in: 1...8)
  }

  private static func inputs(
    for tree: SimulatedTree,
    _ blockByteCount: UInt64,
    _ random: inout SeededRandom
  ) -> PlanInputs {
    let laneCount = random.value(in: 1...4)
    let isRated = random.happens(Ratio(3, in: 4))
    let total = rate(for: tree, blockByteCount, &random).bitsPerSecond
    var lanes: [Lane] = []
    for _ in 0..<laneCount {
      let isReserved = isRated && random.happens(Ratio(1, in: 2))
      let rate = max(8000, total / random.value(in: 1...8))
      lanes.append(
        Lane(
          contract: isReserved ? .reserved : .bestEffort,
          rate: isRated ? Rate(bitsPerSecond: rate) : nil,
          connectionCount: random.value(in: 1...3)
        )
      )
    }
    return PlanInputs(
      lanes: lanes,
      roundTripNanoseconds: 10 * Duration.millisecond,
      commitNanoseconds: 40 * Duration.millisecond,
      overheadNumerator: 105,
      overheadDenominator: 100
    )
  }

  /// A rate at which the dataset takes a while: from a tenth of a second to some seconds.
  private static func rate(
    for tree: SimulatedTree,
    _ blockByteCount: UInt64,
    _ random: inout SeededRandom
  ) -> Rate {
    // A file may be added to an empty tree.
    let byteCount = tree.entries.values.reduce(8 * blockByteCount) { $0 + $1.byteCount }
    let milliseconds: UInt64 = random.pick([100, 1000, 4000, 12_000]) ?? 1000
    return Rate(bitsPerSecond: max(64_000, byteCount * 8 * 1000 / milliseconds))
  }
}

/// Trees by lot.
enum TreeDrawing {
  static func tree(blockByteCount: UInt64, _ random: inout SeededRandom) -> SimulatedTree {
    var tree = SimulatedTree(hasRoot: random.happens(Ratio(1, in: 2)))
    var directories: [[UInt8]] = [[]]
    for index in 0..<random.value(in: 0...6) {
      let path = child("d\(index)", of: random.pick(directories) ?? [])
      tree.add(path, SourceEntry(kind: .directory, mode: 0o755, modified: time(&random)))
      directories.append(path)
    }
    let fileCount = random.pick([0, 1, 3, 8, 20, 40]) ?? 0
    for index in 0..<fileCount {
      let path = child("f\(index)", of: random.pick(directories) ?? [])
      tree.add(path, entry(blockByteCount, &random))
    }
    return tree
  }

  /// Some entries that are there already, some that are others, some in the way; with
  /// `hidesDifferences` also files that only look the same.
  static func destination(
    of tree: SimulatedTree,
    hidesDifferences: Bool,
    _ random: inout SeededRandom
  ) -> PathTable<DestinationEntry> {
    var destination = PathTable<DestinationEntry>()
    for (path, source) in zip(tree.entries.paths, tree.entries.values) {
      let slash = path.lastIndex(of: UInt8(ascii: "/"))
      let above = slash.map { Array(path[..<$0]) }
      if let above, destination[above]?.kind != .directory { continue }
      var entry = DestinationEntry(
        kind: source.kind,
        mode: source.mode,
        modified: source.modified,
        byteCount: source.byteCount,
        linkTarget: source.linkTarget
      )
      for range in source.ranges {
        let length = range.upperBound - range.lowerBound
        entry.extents.append(
          StoredExtent(
            offset: range.lowerBound,
            byteCount: length,
            content: source.content,
            isSynced: true
          )
        )
      }
      switch random.below(8) {
      case 0, 1, 2: break
      case 3 where source.kind == .regular: entry.modified -= 5
      case 4: entry.mode = 0o600
      case 6 where hidesDifferences && !entry.extents.isEmpty: entry.extents[0].content ^= 1
      case 5 where !path.isEmpty:
        let kind: EntryKind? = random.happens(Ratio(1, in: 2)) ? nil : .fifo
        entry = DestinationEntry(kind: kind, mode: 0, modified: 0)
      default:
        if !path.isEmpty { continue }
      }
      destination[path] = entry
    }
    return destination
  }

  static func changes(
    of tree: SimulatedTree,
    _ blockByteCount: UInt64,
    _ random: inout SeededRandom
  ) -> [SourceChange] {
    var changes: [SourceChange] = []
    for _ in 0..<random.value(in: 1...4) {
      let path = random.pick(tree.entries.paths) ?? []
      let fresh = entry(blockByteCount, &random)
      switch random.below(3) {
      case 0:
        changes.append(
          .rewritten(
            path,
            byteCount: fresh.byteCount,
            content: random.next(),
            modified: time(&random)
          )
        )
      case 1: changes.append(.removed(path))
      default: changes.append(.added(child("n\(random.below(100))", of: path), fresh))
      }
    }
    return changes
  }

  private static func entry(
    _ blockByteCount: UInt64,
    _ random: inout SeededRandom
  ) -> SourceEntry {
    switch random.below(16) {
    case 0:
      return SourceEntry(
        kind: .symlink,
        mode: 0o777,
        modified: time(&random),
        linkTarget: Array("target\(random.below(9))".utf8)
      )
    case 1:
      return SourceEntry(kind: .fifo, mode: 0o644, modified: time(&random))
    case 2, 3:
      return sparse(blockByteCount, &random)
    default:
      return SourceEntry(
        kind: .regular,
        mode: 0o644,
        modified: time(&random),
        byteCount: byteCount(blockByteCount, &random),
        content: random.next()
      )
    }
  }

  private static func byteCount(_ block: UInt64, _ random: inout SeededRandom) -> UInt64 {
    switch random.below(6) {
    case 0: 0
    case 1: random.value(in: 1...16)
    case 2: random.value(in: 1...block)
    case 3: block * random.value(in: 1...4) + random.value(in: 0...2) - 1
    default: random.value(in: 1...block * 6)
    }
  }

  private static func sparse(_ block: UInt64, _ random: inout SeededRandom) -> SourceEntry {
    var ranges: [Range<UInt64>] = []
    var offset = random.below(block)
    for _ in 0..<random.value(in: 0...4) {
      let length = random.value(in: 1...block * 2)
      ranges.append(offset..<offset + length)
      offset += length + random.value(in: 1...block * 2)
    }
    return SourceEntry(
      kind: .regular,
      mode: 0o640,
      modified: time(&random),
      byteCount: offset,
      dataRanges: ranges,
      content: random.next()
    )
  }

  /// Whole nanoseconds within a year, hence hardly ever the same twice.
  private static func time(_ random: inout SeededRandom) -> Int64 {
    1_700_000_000_000_000_000 + Int64(random.below(31_000_000_000_000_000))
  }

  private static func child(_ name: String, of directory: [UInt8]) -> [UInt8] {
    directory.isEmpty ? Array(name.utf8) : directory + Array("/\(name)".utf8)
  }
}
