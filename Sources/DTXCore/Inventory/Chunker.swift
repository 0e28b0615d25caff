/// Cuts a segment's files into blocks: a pure function of the inventory and the block size.
///
/// A file longer than a block is cut at multiples of the block size, each block within one data
/// range. Shorter files of one directory share a block, a pack, until it is full, until the
/// directory ends, or where a name says so: names end packs so that one added file moves the
/// boundaries of its own pack and not of all that follow.
package enum Chunker {
  /// One file in this many ends its pack by its name.
  package static let packEndingNames: UInt64 = 512

  package static func cut(_ inventory: Inventory, blockByteCount: UInt64) -> Segment.Cut {
    var cutter = Cutter(inventory: inventory, blockByteCount: blockByteCount)
    for index in inventory.entries.indices where inventory.entries[index].kind == .regular {
      cutter.add(index)
    }
    return cutter.finish()
  }

  /// Whether the pack that this file went into ends behind it.
  package static func endsPack(_ name: ArraySlice<UInt8>) -> Bool {
    // FNV-1a, whose last letters reach the low bits alone; a Fibonacci multiplication carries them
    // up. Without it img_000001, img_000002 and so on would all end a pack, or none.
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in name { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
    hash = (hash ^ hash >> 32) &* 0x9e37_79b9_7f4a_7c15
    return (hash >> 32) % packEndingNames == 0
  }
}

/// The state of one cut: blocks in the order in which they began.
private struct Cutter {
  let inventory: Inventory
  let blockByteCount: UInt64
  /// For each entry, the draft of the pack that is open in it, plus one.
  private var openPack: [UInt32]
  /// The same for the files at the dataset's top.
  private var openTopPack: UInt32 = 0
  private var drafts: [Draft] = []

  private struct Draft {
    var extents: [Extent] = []
    var byteCount: UInt64 = 0
    var fileCount = 0
  }

  init(inventory: Inventory, blockByteCount: UInt64) {
    precondition(blockByteCount > 0, "a block holds at least one byte")
    self.inventory = inventory
    self.blockByteCount = blockByteCount
    openPack = Array(repeating: 0, count: inventory.count)
  }

  mutating func add(_ index: Int) {
    let entry = inventory.entries[index]
    if entry.attributesByteCount == 0, entry.byteCount <= blockByteCount {
      // Nearly all of many files: one range, which needs no list.
      if entry.byteCount > 0 { pack(index, entry.byteCount) }
      return
    }
    let ranges = inventory.dataRanges(of: index)
    guard let last = ranges.last else { return }
    let dataByteCount = ranges.reduce(UInt64(0)) { $0 + ($1.upperBound - $1.lowerBound) }
    if last.upperBound > blockByteCount {
      cutLarge(index, ranges)
    } else {
      pack(index, ranges, dataByteCount)
    }
  }

  private mutating func cutLarge(_ index: Int, _ ranges: [Range<UInt64>]) {
    for range in ranges {
      var offset = range.lowerBound
      while offset < range.upperBound {
        let end = min((offset / blockByteCount + 1) * blockByteCount, range.upperBound)
        let extent = Extent(entry: index, offset: offset, byteCount: end - offset)
        drafts.append(Draft(extents: [extent], byteCount: end - offset, fileCount: 1))
        offset = end
      }
    }
  }

  /// Packs a file without holes.
  private mutating func pack(_ index: Int, _ byteCount: UInt64) {
    let open = pack(for: index, rangeCount: 1, byteCount)
    let extent = Extent(entry: index, offset: 0, byteCount: byteCount)
    drafts[Int(open) - 1].extents.append(extent)
    drafts[Int(open) - 1].byteCount += byteCount
    endFile(index, in: open)
  }

  private mutating func pack(_ index: Int, _ ranges: [Range<UInt64>], _ byteCount: UInt64) {
    var open = pack(for: index, rangeCount: ranges.count, byteCount)
    for range in ranges {
      // Only a file with thousands of holes fills packs on its own. They follow one another, for
      // the first of them was new: an entry's extents stay together.
      if drafts[Int(open) - 1].extents.count == Limits.blockExtentCount { open = beginPack() }
      let length = range.upperBound - range.lowerBound
      drafts[Int(open) - 1].extents.append(
        Extent(entry: index, offset: range.lowerBound, byteCount: length)
      )
      drafts[Int(open) - 1].byteCount += length
    }
    endFile(index, in: open)
  }

  /// The open pack of a file's directory, or a new one where the file does not fit.
  private mutating func pack(for index: Int, rangeCount: Int, _ byteCount: UInt64) -> UInt32 {
    let open = inventory.entries[index].parent.map { openPack[$0] } ?? openTopPack
    if open == 0 || drafts[Int(open) - 1].byteCount + byteCount > blockByteCount
      || drafts[Int(open) - 1].extents.count + rangeCount > Limits.blockExtentCount
    {
      return beginPack()
    }
    return open
  }

  /// Counts a file in the pack that it ended in, and closes that where it is to end.
  private mutating func endFile(_ index: Int, in pack: UInt32) {
    var open = pack
    drafts[Int(open) - 1].fileCount += 1
    let isFull = drafts[Int(open) - 1].fileCount == Limits.packFileCount
    if isFull || Chunker.endsPack(inventory.name(of: index)) { open = 0 }
    if let parent = inventory.entries[index].parent {
      openPack[parent] = open
    } else {
      openTopPack = open
    }
  }

  /// Opens a pack and returns its number, counted from 1.
  private mutating func beginPack() -> UInt32 {
    drafts.append(Draft())
    return UInt32(drafts.count)
  }

  consuming func finish() -> Segment.Cut {
    var cut = Segment.Cut(
      inventory: inventory,
      extentCount: drafts.reduce(0) { $0 + $1.extents.count }
    )
    for draft in drafts {
      cut.append(draft.extents, byteCount: draft.byteCount)
    }
    return cut
  }
}
