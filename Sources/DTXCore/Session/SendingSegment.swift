/// A segment at the sender, from its announcement to its seal.
struct SendingSegment: Sendable {
  let segment: Segment
  var phase = Phase.comparing
  var decoder: ComparisonCodec.Decoder
  var comparison: Comparison
  /// Entries that the receiver calls made or changed, where it was asked.
  var changed: BitSet
  var digests: [Digest] = []
  /// Entries that are not part of what is committed.
  var excluded: BitSet
  /// One for each block.
  var states: [BlockState] = []
  /// Wanted bytes of each block.
  var wantedByteCounts: [UInt64] = []
  var plan: Plan?
  /// Wanted blocks that are not durable yet.
  var unsettledBlockCount = 0
  /// Wanted blocks of which the receiver has no copy whose digests this end knows.
  var unreported: BitSet
  /// The receiver has committed the segment.
  var isCommitted = false

  var isSettled: Bool { isCommitted && unreported.isEmpty }

  enum Phase: Equatable {
    case comparing
    /// This end reads the files that the receiver has read.
    case checking
    /// Compared; an earlier segment is still to be planned.
    case planning(Comparison)
    /// Planned here; the receiver's plan is awaited.
    case agreeing(Digest)
    case moving
  }

  enum BlockState: UInt8 {
    case unwanted, pending, loaded, received, durable
  }

  init(_ segment: Segment) {
    self.segment = segment
    decoder = ComparisonCodec.Decoder(extentCount: segment.extents.count)
    comparison = Comparison(extentCount: 0)
    changed = BitSet(count: segment.entries.count)
    excluded = BitSet(count: segment.entries.count)
    unreported = BitSet(count: segment.blocks.count)
  }

  /// Takes the comparison over: which blocks are to be moved, and the digests that are known.
  mutating func adopt(_ adopted: Comparison) {
    comparison = adopted
    digests = comparison.digests
    states = Array(repeating: .unwanted, count: segment.blocks.count)
    wantedByteCounts = Array(repeating: 0, count: segment.blocks.count)
    for (index, block) in segment.blocks.enumerated() {
      for extent in block.extents where comparison.wanted[extent] {
        wantedByteCounts[index] += UInt64(segment.extents[extent].byteCount)
      }
      if wantedByteCounts[index] > 0 {
        states[index] = .pending
        unreported[index] = true
        unsettledBlockCount += 1
      }
    }
  }

  func work(_ block: Int) -> BlockWork {
    BlockWork(
      reference: BlockReference(segment: segment.index, block: block),
      extents: comparison.wanted.runs(in: segment.blocks[block].extents),
      byteCount: wantedByteCounts[block]
    )
  }
}

/// What is still to be handed out of one queue.
struct QueueWork: Sendable {
  /// Taken back from a lost connection, or arrived damaged: these go first.
  var returned: [AssignedRun] = []
  /// Runs of the open segments' plans, in order.
  var planned: [AssignedRun] = []
  var nextPlanned = 0
  /// Blocks that are on no connection yet, also those of runs that connections work through.
  var pendingBlockCount = 0

  var hasRuns: Bool { !returned.isEmpty || nextPlanned < planned.count }

  mutating func takeRun() -> AssignedRun? {
    if !returned.isEmpty { return returned.removeFirst() }
    guard nextPlanned < planned.count else {
      planned.removeAll(keepingCapacity: true)
      nextPlanned = 0
      return nil
    }
    defer { nextPlanned += 1 }
    return planned[nextPlanned]
  }
}

/// Blocks of one segment that a connection works through in order.
struct AssignedRun: Equatable, Sendable {
  var segment: Int
  var blocks: Range<Int>
}

/// A block on a connection, with what its extents turned out to be once it has left.
struct LoadedBlock: Sendable {
  let block: BlockReference
  var outcomes: [ExtentOutcome]?
}

/// A block that the receiver confirmed before this end's own thread reported it.
struct OvertakenBlock: Sendable {
  let connection: ConnectionID
  let block: BlockReference
}

/// A connection at the sender.
struct SendingConnection: Sendable {
  let id: ConnectionID
  let queue: Int
  var run: AssignedRun?
  /// Blocks that were loaded and that the receiver has not confirmed.
  var unconfirmed: [LoadedBlock] = []
  /// Of these, blocks that the kernel has not taken whole yet.
  var unsentBlockCount = 0
  var unsentByteCount: UInt64 = 0
  /// Payload of the blocks that it carried and that the receiver has confirmed.
  var confirmedByteCount: UInt64 = 0
  /// The receiver was asked to fence it: nothing is loaded any more.
  var isFencing = false

  /// Whether enough is queued to keep the thread busy while this end thinks: two blocks, or as many
  /// small ones as take about as long as a decision, but never so many that the other connections
  /// of the queue would stand idle beside it.
  ///
  /// - Parameters:
  ///   - pendingBlockCount: blocks that the queue has left.
  ///   - connectionCount: connections that share it, also those that are not up yet.
  /// - Returns: false while another block may be loaded.
  func isFull(pendingBlockCount: Int, connectionCount: Int) -> Bool {
    if unsentBlockCount == 0 { return false }
    // The last blocks: each connection gets one.
    if pendingBlockCount < connectionCount { return true }
    if unsentBlockCount == 1 { return false }
    let share = max(2, pendingBlockCount / (2 * connectionCount))
    return unsentBlockCount >= min(64, share) || unsentByteCount >= 8 << 20
  }
}
