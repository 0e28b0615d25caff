/// One segment of a manifest: what was committed of it, and the digest of every extent.
///
/// Its inventory holds what a manifest holds and no more: attributes that serve one transfer are
/// gone, and a context directory has a name and a place alone.
package struct ManifestSegment: Sendable {
  /// Cut again from the entries that are left.
  package let segment: Segment
  /// One for each of the segment's extents; `Digest.zero` for one that nobody has read.
  package let digests: [Digest]
  /// Entries of this segment, contexts left out.
  package let entryCount: Int
  /// Regular files among them.
  package let fileCount: Int
  /// Bytes of the extents whose digest is not known.
  package let unreadByteCount: UInt64

  /// Takes what was committed of a segment.
  ///
  /// - Parameters:
  ///   - segment: as it was transferred.
  ///   - digests: one for each of its extents, `.zero` for what was not read.
  ///   - excluded: one bit for each of its entries: what is not to be part of the manifest. All
  ///     below an excluded directory goes with it. A directory that was excluded in an earlier
  ///     segment must be excluded again where it is a context.
  ///   - blockByteCount: the length that the segment was cut with.
  package init(
    _ segment: Segment,
    digests: [Digest],
    excluded: BitSet,
    blockByteCount: UInt64
  ) {
    let entries = segment.entries
    precondition(
      digests.count == segment.extents.count,
      "\(digests.count) digests for \(segment.extents.count) extents"
    )
    precondition(
      excluded.count == entries.count,
      "\(excluded.count) bits for \(entries.count) entries"
    )
    if excluded.isEmpty, let inventory = segment.inventory.asManifest {
      // Most segments: nothing failed, and nothing has to be cut anew.
      self.init(cut: Segment(segment, with: inventory), digests: digests)
      return
    }
    let kept = ManifestSegment.kept(of: entries, excluded: excluded)
    var inventory = Inventory()
    var place = Array(repeating: UInt32(0), count: entries.count)
    var origins: [Int] = []
    for index in entries.indices where kept[index] {
      let parent = entries[index].parent.map { Int(place[$0]) }
      place[index] = UInt32(
        ManifestSegment.append(index, of: segment.inventory, below: parent, to: &inventory)
      )
      origins.append(index)
    }
    let cut = Segment(
      index: segment.index,
      isLast: segment.isLast,
      inventory: inventory,
      blockByteCount: blockByteCount
    )
    var remapped = Array(repeating: Digest.zero, count: cut.extents.count)
    for (index, origin) in origins.enumerated() {
      let new = cut.entries[index].extents
      let old = entries[origin].extents
      precondition(new.count == old.count, "an entry's extents do not depend on its neighbours")
      for (target, source) in zip(new, old) { remapped[target] = digests[source] }
    }
    self.init(cut: cut, digests: remapped)
  }

  /// Takes a segment whose inventory is already a manifest's.
  internal init(cut segment: Segment, digests: [Digest]) {
    precondition(
      digests.count == segment.extents.count,
      "\(digests.count) digests for \(segment.extents.count) extents"
    )
    self.segment = segment
    self.digests = digests
    var entryCount = 0
    var fileCount = 0
    for entry in segment.entries where !entry.isContext {
      entryCount += 1
      if entry.kind == .regular { fileCount += 1 }
    }
    self.entryCount = entryCount
    self.fileCount = fileCount
    var unread: UInt64 = 0
    for (extent, digest) in zip(segment.extents, digests) where digest == .zero {
      unread += UInt64(extent.byteCount)
    }
    unreadByteCount = unread
  }

  package var inventory: Inventory { segment.inventory }
  package var entries: [Entry] { segment.entries }

  /// Bytes of the files, holes included.
  package var byteCount: UInt64 { segment.inventory.byteCount }

  /// Bytes of the extents, holes left out.
  package var dataByteCount: UInt64 { segment.dataByteCount }

  /// The digests of an entry's extents, in their order.
  package func digests(of index: Int) -> ArraySlice<Digest> {
    digests[entries[index].extents]
  }

  /// Whether a digest is missing of what this entry holds.
  package func isUnread(_ index: Int) -> Bool {
    digests(of: index).contains(.zero)
  }

  /// A block's digest; `.zero` when one of its extents was not read.
  package func blockDigest(_ index: Int) -> Digest {
    let range = segment.blocks[index].extents
    return Digest.block(segment.extents[range], digests[range])
  }

  /// The index of the entry with this path; a context is none, for it is another segment's entry.
  ///
  /// Takes a logarithm of the entries' number in steps, each of which puts a path together.
  package func entry(at path: [UInt8]) -> Int? {
    var low = 0
    var high = entries.count
    while low < high {
      let middle = (low + high) / 2
      if Inventory.precedes(inventory.path(of: middle), path) {
        low = middle + 1
      } else {
        high = middle
      }
    }
    guard low < entries.count, !entries[low].isContext else { return nil }
    return inventory.path(of: low) == path ? low : nil
  }

  /// One bit an entry: neither excluded nor below what is, and no context that leads nowhere.
  private static func kept(of entries: [Entry], excluded: BitSet) -> BitSet {
    var allowed = BitSet(count: entries.count)
    var kept = BitSet(count: entries.count)
    for (index, entry) in entries.enumerated() where !excluded[index] {
      if let parent = entry.parent, !allowed[parent] { continue }
      allowed[index] = true
      if entry.isContext { continue }
      kept[index] = true
      var above = entry.parent
      while let parent = above, !kept[parent] {
        kept[parent] = true
        above = entries[parent].parent
      }
    }
    return kept
  }

  private static func append(
    _ index: Int,
    of source: Inventory,
    below parent: Int?,
    to target: inout Inventory
  ) -> Int {
    let old = source.entries[index]
    let name = source.name(of: index)
    if old.isContext {
      let entry = Entry(kind: .directory, parent: parent, isContext: true, mode: 0, modified: 0)
      return target.append(entry, name: name)
    }
    let entry = Entry(
      kind: old.kind,
      parent: parent,
      mode: old.mode,
      userID: old.userID,
      groupID: old.groupID,
      modified: old.modified,
      byteCount: old.byteCount
    )
    let attributes = source.attributes(of: index).filter { $0.isCritical }
    return target.append(entry, name: name, attributes: attributes)
  }
}

extension Digest {
  /// A block's digest: XXH3-128 over each extent's length (64 bits, little-endian) and digest (16
  /// bytes), in order; `.zero` when one of them is.
  package static func block(
    _ extents: some Collection<Extent>,
    _ digests: some Collection<Digest>
  ) -> Digest {
    precondition(
      extents.count == digests.count,
      "\(digests.count) digests for \(extents.count) extents"
    )
    var writer = ByteWriter(reservingCapacity: 24 * extents.count)
    for (extent, digest) in zip(extents, digests) {
      if digest == .zero { return .zero }
      writer.append(UInt64(extent.byteCount))
      writer.append(digest, .xxh3)
    }
    return Digest.xxh3(of: writer.bytes)
  }
}
