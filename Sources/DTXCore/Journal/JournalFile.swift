/// What the journal knows of one staged file: whose bytes they are, and which of them are durable.
package struct JournalFile: Equatable, Sendable {
  package let identity: FileIdentity
  /// Ascending by offset, and apart.
  package private(set) var extents: [DurableExtent] = []

  package init(identity: FileIdentity) {
    self.identity = identity
  }

  /// Bytes that are durable.
  package var durableByteCount: UInt64 {
    extents.reduce(0) { $0 + UInt64($1.byteCount) }
  }

  /// The extent that begins at this offset.
  package func extent(at offset: UInt64) -> DurableExtent? {
    let index = firstIndex(from: offset)
    guard index < extents.count, extents[index].offset == offset else { return nil }
    return extents[index]
  }

  /// Takes a later record in: its bytes replaced those of the extents that it overlaps, whose
  /// digests therefore mean nothing any more.
  internal mutating func add(_ extent: DurableExtent) {
    // Extents come in order but for resends: the usual place is behind the last.
    guard let last = extents.last, last.end > extent.offset else {
      extents.append(extent)
      return
    }
    var first = firstIndex(from: extent.offset)
    if first > 0, extents[first - 1].end > extent.offset { first -= 1 }
    let end = firstIndex(from: extent.end)
    extents.replaceSubrange(first..<max(first, end), with: [extent])
  }

  /// The index of the first extent that begins at `offset` or behind it.
  private func firstIndex(from offset: UInt64) -> Int {
    var low = 0
    var high = extents.count
    while low < high {
      let middle = (low + high) / 2
      if extents[middle].offset < offset { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
