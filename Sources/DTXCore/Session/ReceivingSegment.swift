/// A segment at the receiver, from its first page to its seal.
struct ReceivingSegment: Sendable {
  let segment: Segment
  var phase = Phase.comparing
  var comparison: Comparison
  /// The least entry that may still be demanded: each costs a look at all of its extents, and comes
  /// once.
  var nextDemand = 0
  var digests: [Digest] = []
  var excluded: BitSet
  /// One for each block.
  var states: [BlockState] = []
  /// Wanted extents of each entry that are not received.
  var missingExtentCounts: [UInt32] = []
  /// Wanted blocks that are not durable.
  var unsettledBlockCount = 0
  /// Wanted blocks that have not arrived.
  var missingBlockCount = 0
  /// The queue of each block, by the latest plan that it was in.
  var owners: [UInt8] = []
  /// The latest plan, as the sender is told of it.
  var agreement: PlanAgreement?

  /// Whether both ends have planned it.
  var isPlanned: Bool { agreement != nil }

  enum Phase: Equatable {
    case comparing
    /// Compared; the sender's plan is awaited.
    case agreeing
    case preparing
    /// Ready for blocks, but for an earlier segment that is not.
    case prepared
    case open
  }

  enum BlockState: UInt8 {
    case unwanted, pending, received, durable
  }

  init(_ segment: Segment) {
    self.segment = segment
    comparison = Comparison(extentCount: segment.extents.count)
    excluded = BitSet(count: segment.entries.count)
  }

  /// Takes the comparison over: which blocks must arrive, and the digests that are known.
  mutating func adopt(_ result: Comparison) {
    precondition(result.wanted.count == segment.extents.count, "one bit for each extent")
    comparison = result
    digests = result.digests
    states = Array(repeating: .unwanted, count: segment.blocks.count)
    missingExtentCounts = Array(repeating: 0, count: segment.entries.count)
    for (index, block) in segment.blocks.enumerated() {
      var isWanted = false
      for extent in block.extents where result.wanted[extent] {
        isWanted = true
        missingExtentCounts[Int(segment.extents[extent].entry)] += 1
      }
      if isWanted {
        states[index] = .pending
        unsettledBlockCount += 1
      }
    }
    missingBlockCount = unsettledBlockCount
  }

  /// Takes the first plan over.
  mutating func adopt(_ first: Plan) {
    owners = Array(repeating: 0, count: segment.blocks.count)
    first.assign(&owners)
  }

  /// Takes a later plan over.
  ///
  /// - Parameter next: of what is left.
  /// - Returns: payload that changes its queue.
  mutating func revise(_ next: Plan) -> UInt64 {
    let before = owners
    next.assign(&owners)
    var movedByteCount: UInt64 = 0
    for block in owners.indices where owners[block] != before[block] {
      for extent in wantedExtents(of: block) {
        movedByteCount += UInt64(segment.extents[extent].byteCount)
      }
    }
    return movedByteCount
  }

  /// Payload of some extents.
  func byteCount(of extents: [Int]) -> UInt64 {
    extents.reduce(0) { $0 + UInt64(segment.extents[$1].byteCount) }
  }

  /// The wanted extents of a block, ascending.
  func wantedExtents(of block: Int) -> [Int] {
    segment.blocks[block].extents.filter { comparison.wanted[$0] }
  }
}

/// A plan that both ends have made.
struct PlanAgreement: Equatable, Sendable {
  var generation: UInt32
  var digest: Digest
}
