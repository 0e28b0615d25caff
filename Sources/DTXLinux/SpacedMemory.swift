/// Memory in pieces of one size that begin at one distance from each other, with room for other
/// things between them.
///
/// Whoever makes it keeps the memory alive.
package struct SpacedMemory {
  /// The first piece's first byte.
  package let base: UnsafeMutableRawPointer
  /// Bytes of a piece, and from one piece's beginning to the next one's.
  package let pieceByteCount: Int
  package let stride: Int
  /// The number of pieces.
  package let count: Int

  /// Describes memory of at least `count` strides from `base` on.
  package init(base: UnsafeMutableRawPointer, pieceByteCount: Int, stride: Int, count: Int) {
    precondition(pieceByteCount > 0 && stride >= pieceByteCount, "pieces lie over one another")
    self.base = base
    self.pieceByteCount = pieceByteCount
    self.stride = stride
    self.count = count
  }

  /// The bytes of all pieces.
  package var byteCount: Int { pieceByteCount * count }

  /// A piece, or the front of it.
  package subscript(piece: Int, byteCount: Int) -> UnsafeMutableRawBufferPointer {
    precondition(piece < count && byteCount <= pieceByteCount, "outside of the pieces")
    return UnsafeMutableRawBufferPointer(start: base + piece * stride, count: byteCount)
  }

  /// Calls a body with each part that lies in one piece, in order.
  ///
  /// - Parameters:
  ///   - position: the first byte, counted over all pieces.
  ///   - byteCount: how many, at most to the last piece's end.
  ///   - body: gets the part, and the bytes before it.
  package func forEachPart(
    from position: Int,
    byteCount: Int,
    _ body: (UnsafeMutableRawBufferPointer, Int) -> Void
  ) {
    precondition(position + byteCount <= self.byteCount, "past the last piece")
    var done = 0
    while done < byteCount {
      let start = (position + done) % pieceByteCount
      let count = min(byteCount - done, pieceByteCount - start)
      body(UnsafeMutableRawBufferPointer(start: address(of: position + done), count: count), done)
      done += count
    }
  }

  /// Where a byte lies, counted over all pieces.
  package func address(of position: Int) -> UnsafeMutableRawPointer {
    base + position / pieceByteCount * stride + position % pieceByteCount
  }
}
