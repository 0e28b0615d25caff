/// A part of a dataset that is planned as one: its entries, its extents and its blocks.
///
/// Immutable, and shared by all the threads that read or write its files.
package final class Segment: Sendable {
  package let index: Int
  /// Whether no segment follows.
  package let isLast: Bool
  package let inventory: Inventory
  package let extents: [Extent]
  package let blocks: [Block]
  /// Bytes of data: those of the extents, without holes.
  package let dataByteCount: UInt64

  package init(index: Int, isLast: Bool, inventory: Inventory, blockByteCount: UInt64) {
    let cut = Chunker.cut(inventory, blockByteCount: blockByteCount)
    self.index = index
    self.isLast = isLast
    self.inventory = cut.inventory
    extents = cut.extents
    blocks = cut.blocks
    dataByteCount = cut.blocks.reduce(0) { $0 + $1.byteCount }
  }

  /// The same extents and blocks over an inventory that differs in nothing that cutting looks at.
  internal init(_ segment: Segment, with inventory: Inventory) {
    precondition(inventory.count == segment.inventory.count, "the same entries")
    index = segment.index
    isLast = segment.isLast
    self.inventory = inventory
    extents = segment.extents
    blocks = segment.blocks
    dataByteCount = segment.dataByteCount
  }

  package var entries: [Entry] { inventory.entries }

  /// What cutting adds to an inventory.
  package struct Cut {
    package internal(set) var inventory: Inventory
    package private(set) var extents: [Extent] = []
    package private(set) var blocks: [Block] = []

    internal init(inventory: Inventory, extentCount: Int) {
      self.inventory = inventory
      extents.reserveCapacity(extentCount)
    }

    /// Adds a block; the extents of one entry arrive one after another.
    internal mutating func append(_ added: [Extent], byteCount: UInt64) {
      blocks.append(
        Block(firstExtent: extents.count, extentCount: added.count, byteCount: byteCount)
      )
      for extent in added {
        let entry = Int(extent.entry)
        let known = inventory.entries[entry]
        let first = known.extentCount == 0 ? extents.count : Int(known.firstExtent)
        inventory.setExtents(of: entry, first: first, count: Int(known.extentCount) + 1)
        extents.append(extent)
      }
    }
  }
}

/// Where a dataset is divided into segments: a pure function of the entries' order and lengths.
///
/// The first segments are short, so that the first byte moves early and the processors have work
/// while the rest is scanned; the later ones grow to the limit, so that a plan looks far ahead. Every
/// second one is twice as long: three are open at a time, and beside lanes that keep all processors
/// busy a segment of small files takes about as long to be scanned and compared as the two before it
/// take to move.
package struct SegmentBoundary {
  private var index = 0
  private var entryCount = 0
  private var byteCount: UInt64 = 0

  package init() {}

  /// Entries that the segment with this index may hold.
  package static func entryLimit(ofSegment index: Int) -> Int {
    min(Limits.segmentEntryCount, (1 << 10) << min(index / 2, 10))
  }

  /// Whether the next entry begins a new segment; counts it in either case.
  package mutating func startsSegment(byteCount added: UInt64) -> Bool {
    let isFull = entryCount >= SegmentBoundary.entryLimit(ofSegment: index)
    let isHeavy = entryCount > 0 && byteCount + added > Limits.segmentByteCount
    if isFull || isHeavy {
      index += 1
      entryCount = 1
      byteCount = added
      return true
    }
    entryCount += 1
    byteCount += added
    return false
  }
}
