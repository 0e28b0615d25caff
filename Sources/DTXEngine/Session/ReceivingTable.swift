internal import DTXCore
internal import DTXLinux

/// The segments that blocks may arrive for, and which of their blocks have a writer.
///
/// Shared by the connections' threads. A block has one writer at a time; one that is here already
/// is drained.
final class ReceivingTable: Sendable {
  private struct Admitted {
    var segment: Segment
    var wanted: BitSet
    /// Blocks that are being written, or are written.
    var claimed: BitSet
  }

  enum Claim {
    /// The bytes of these extents follow.
    case take(Segment, [Range<Int>])
    /// The same, and they are to be passed over.
    case drain(Segment, [Range<Int>])
  }

  private let segments = Guarded<[Int: Admitted]>([:])

  func admit(_ segment: Segment, wanted: BitSet) {
    let claimed = BitSet(count: segment.blocks.count)
    segments.withLock {
      $0[segment.index] = Admitted(segment: segment, wanted: wanted, claimed: claimed)
    }
  }

  func remove(_ segment: Int) {
    segments.withLock { $0[segment] = nil }
  }

  /// Takes a block over for the calling thread; nil when nobody asked for it.
  func claim(_ block: BlockReference) -> Claim? {
    segments.withLock { segments in
      guard let admitted = segments[block.segment], block.block < admitted.segment.blocks.count
      else { return nil }
      let extents = admitted.wanted.runs(in: admitted.segment.blocks[block.block].extents)
      guard !extents.isEmpty else { return nil }
      if admitted.claimed[block.block] { return .drain(admitted.segment, extents) }
      segments[block.segment]?.claimed[block.block] = true
      return .take(admitted.segment, extents)
    }
  }

  /// Gives a block up that did not arrive whole: another may write it.
  func release(_ block: BlockReference) {
    segments.withLock { $0[block.segment]?.claimed[block.block] = false }
  }
}
