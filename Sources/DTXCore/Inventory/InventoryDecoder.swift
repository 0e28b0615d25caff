/// Puts a segment together from entries that arrive in pages, and trusts none of them.
///
/// Canonical order is demanded, not restored: it makes duplicates and loops impossible, and both
/// ends cut the same blocks.
package struct InventoryDecoder {
  private var inventory = Inventory()
  private let isFirstSegment: Bool
  private let blockByteCount: UInt64
  private var extentCount: UInt64 = 0
  private let attributeByteCountMaximum: Int
  private var attributeByteCount = 0
  /// The directories that are still open, from the top, each with its latest child's name.
  ///
  /// Copies: a part of a page would keep all of it, and a page for each of 2,000 directories that lie
  /// in each other is 2 GiB.
  private var open: [OpenDirectory] = []
  private var latestTopName: [UInt8]?
  private var hasOwnEntries = false

  private struct OpenDirectory {
    var index: Int
    var pathByteCount: Int
    var latestChild: [UInt8]?
  }

  /// - Parameters:
  ///   - isFirstSegment: whether contexts are out of place.
  ///   - blockByteCount: what the segment will be cut with.
  ///   - attributeByteCountMaximum: the bound on all attributes together; a test makes it small.
  package init(
    isFirstSegment: Bool,
    blockByteCount: UInt64,
    attributeByteCountMaximum: Int = Limits.segmentAttributeByteCount
  ) {
    precondition(blockByteCount >= 1, "a block holds at least one byte")
    self.attributeByteCountMaximum = attributeByteCountMaximum
    self.isFirstSegment = isFirstSegment
    self.blockByteCount = blockByteCount
  }

  /// Takes the next page: entries back to back.
  package mutating func add(page: ArraySlice<UInt8>) throws(FormatError) {
    var reader = ByteReader(page)
    while !reader.isAtEnd {
      let decoded = try EntryCodec.decode(&reader)
      if let problem = place(decoded) { throw reader.failure("entry", .invalid(problem)) }
    }
  }

  /// Adds an entry behind the others, or says what is wrong with its place.
  package mutating func place(_ decoded: DecodedEntry) -> String? {
    let entry = decoded.entry
    if entry.isContext {
      if isFirstSegment { return "a context in the first segment" }
      if hasOwnEntries { return "a context behind an entry" }
    } else {
      hasOwnEntries = true
    }
    if inventory.count >= Limits.segmentEntryCount + Limits.pathByteCount {
      return "too many entries for one segment"
    }
    if decoded.name.isEmpty {
      let isRoot = entry.kind == .directory && entry.parent == nil && inventory.count == 0
      guard isRoot, isFirstSegment || entry.isContext else { return "an empty name" }
    } else if entry.parent == nil, inventory.count > 0, inventory.name(of: 0).isEmpty {
      // The path would be that of a child of the root.
      return "an entry beside the root"
    }
    if let problem = descend(to: entry.parent, name: decoded.name) { return problem }
    let extents = extentEstimate(decoded)
    extentCount += extents
    if extentCount > UInt64(Limits.segmentExtentCount) { return "too many extents in one segment" }
    if inventory.byteCount.addingReportingOverflow(entry.byteCount).overflow {
      return "lengths that no sum can hold"
    }
    attributeByteCount += InventoryDecoder.byteCountEstimate(decoded.attributes)
    if attributeByteCount > attributeByteCountMaximum {
      return "more than \(attributeByteCountMaximum) bytes of attributes in one segment"
    }
    let index = inventory.append(entry, name: decoded.name, attributes: decoded.attributes)
    if entry.kind == .directory {
      let above = open.last?.pathByteCount ?? 0
      // The root has no name, and no `/` behind it in a path.
      let added = decoded.name.isEmpty ? 0 : decoded.name.count + 1
      open.append(OpenDirectory(index: index, pathByteCount: above + added))
    }
    return nil
  }

  /// The whole segment's inventory.
  package consuming func finish() -> Inventory {
    inventory
  }

  /// Closes the directories that the next entry is not in, and checks its name against its
  /// elder sibling's.
  private mutating func descend(to parent: Int?, name: ArraySlice<UInt8>) -> String? {
    while let last = open.last, last.index != parent { open.removeLast() }
    if let parent {
      guard let level = open.indices.last, open[level].index == parent else {
        return "a parent that is no open directory"
      }
      if open[level].pathByteCount + name.count > Limits.pathByteCount {
        return "a path longer than \(Limits.pathByteCount) bytes"
      }
      guard InventoryDecoder.ascends(open[level].latestChild, name) else {
        return "entries out of canonical order"
      }
      open[level].latestChild = Array(name)
    } else {
      guard InventoryDecoder.ascends(latestTopName, name) else {
        return "entries out of canonical order"
      }
      latestTopName = Array(name)
    }
    return nil
  }

  private func extentEstimate(_ decoded: DecodedEntry) -> UInt64 {
    for case .dataRanges(let ranges) in decoded.attributes {
      return ranges.reduce(UInt64(ranges.count)) { sum, range in
        sum + (range.upperBound - range.lowerBound) / blockByteCount + 1
      }
    }
    return decoded.entry.byteCount / blockByteCount + 1
  }

  /// At least what the inventory will keep them in.
  private static func byteCountEstimate(_ attributes: [Attribute]) -> Int {
    attributes.reduce(0) { sum, attribute in
      switch attribute {
      // A count, a tag and a length, of at most five bytes together.
      case .linkTarget(let target): sum + 8 + target.count
      // Two numbers below 2^63 take nine bytes each.
      case .dataRanges(let ranges): sum + 16 + 18 * ranges.count
      case .sourceIdentity: sum + 16
      }
    }
  }

  private static func ascends(_ previous: [UInt8]?, _ next: ArraySlice<UInt8>) -> Bool {
    guard let previous else { return true }
    return previous.lexicographicallyPrecedes(next)
  }
}
