/// A segment at the sender, from its announcement to its seal.
struct SendingSegment: Sendable {
  let segment: Segment
  var phase = Phase.comparing
  var decoder: ComparisonCodec.Decoder
  var comparison: Comparison
  /// Entries that the receiver calls made or changed, where it was asked.
  var changed: BitSet
  /// The least entry that may still be called so: each is named once.
  var nextChange = 0
  var digests: [Digest] = []
  /// Entries that are not part of what is committed.
  var excluded: BitSet
  /// One for each block.
  var states: [BlockState] = []
  /// Wanted bytes of each block.
  var wantedByteCounts: [UInt64] = []
  var plan: Plan?
  /// The digest of that plan.
  var planDigest = Digest.zero
  /// The receiver has made the same plan.
  var isAgreed = false
  /// The queue of each block, by the latest plan that it was in.
  var owners: [UInt8] = []
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
    /// Planned here; the receiver's first plan is awaited.
    case agreeing
    case moving
  }

  enum BlockState: UInt8 {
    /// `held`: pending, but it changes its queue, and the receiver has not agreed yet.
    case unwanted, held, pending, loaded, received, durable
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

  /// How many extents of a block are wanted.
  func wantedExtentCount(of block: Int) -> UInt64 {
    segment.blocks[block].extents.reduce(0) { $0 + (comparison.wanted[$1] ? 1 : 0) }
  }

  /// Takes the first plan over.
  mutating func adopt(_ first: Plan, _ digest: Digest) {
    plan = first
    planDigest = digest
    owners = Array(repeating: 0, count: segment.blocks.count)
    first.assign(&owners)
    phase = .agreeing
  }

  /// What no connection has taken yet; nil for a segment that is not planned, and when nothing is.
  var remainder: Remainder? {
    guard plan != nil else { return nil }
    var blocks = BitSet(count: states.count)
    for (block, state) in states.enumerated() where state == .pending { blocks[block] = true }
    guard !blocks.isEmpty else { return nil }
    return Remainder(segment: segment, wanted: comparison.wanted, blocks: blocks, owners: owners)
  }

  /// Takes a later plan over; blocks that change their queue are held until the receiver agrees.
  ///
  /// - Parameters:
  ///   - next: of the remainder.
  ///   - digest: the plan's.
  /// - Returns: payload that changes its queue.
  mutating func revise(_ next: Plan, _ digest: Digest) -> UInt64 {
    let before = owners
    next.assign(&owners)
    plan = next
    planDigest = digest
    isAgreed = false
    var movedByteCount: UInt64 = 0
    for block in owners.indices where owners[block] != before[block] {
      movedByteCount += wantedByteCounts[block]
      if phase == .moving { states[block] = .held }
    }
    return movedByteCount
  }

  /// The receiver has made the same plan.
  mutating func agree() {
    phase = .moving
    isAgreed = true
    for block in states.indices where states[block] == .held { states[block] = .pending }
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
  /// What is on no connection yet, also of runs that connections work through.
  var pending = PendingLoad()

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

/// How much of a queue is still to be handed out.
struct PendingLoad: Sendable {
  private(set) var blockCount = 0
  private(set) var byteCount: UInt64 = 0

  /// Counts a block in.
  mutating func add(_ payload: UInt64) {
    blockCount += 1
    byteCount += payload
  }

  /// Counts a block out.
  mutating func remove(_ payload: UInt64) {
    blockCount -= 1
    byteCount -= payload
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
