/// A contiguous byte range of one file.
package struct Extent: Equatable, Sendable {
  /// The entry's index in the segment.
  package var entry: UInt32
  /// Bytes, at most `Limits.maximumBlockByteCount`.
  package var byteCount: UInt32
  /// From the file's first byte.
  package var offset: UInt64

  package init(entry: Int, offset: UInt64, byteCount: UInt64) {
    self.entry = UInt32(entry)
    self.offset = offset
    self.byteCount = UInt32(byteCount)
  }

  package var end: UInt64 { offset + UInt64(byteCount) }
}

/// An ordered list of extents: the unit of digest, scheduling, sending and resuming.
///
/// Its extents follow one another in the segment's, whose order is that of the blocks.
package struct Block: Equatable, Sendable {
  package var firstExtent: UInt32
  package var extentCount: UInt32
  package var byteCount: UInt64

  package init(firstExtent: Int, extentCount: Int, byteCount: UInt64) {
    self.firstExtent = UInt32(firstExtent)
    self.extentCount = UInt32(extentCount)
    self.byteCount = byteCount
  }

  package var extents: Range<Int> {
    Int(firstExtent)..<Int(firstExtent) + Int(extentCount)
  }
}

/// Names a block in a session: its segment and its index there.
package struct BlockReference: Hashable, Comparable, Sendable {
  package var segment: Int
  package var block: Int

  package init(segment: Int, block: Int) {
    self.segment = segment
    self.block = block
  }

  package static func < (left: BlockReference, right: BlockReference) -> Bool {
    (left.segment, left.block) < (right.segment, right.block)
  }
}
