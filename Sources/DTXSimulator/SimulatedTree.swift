package import DTXCore

/// One path of a simulated source: what a scan finds there, and what a read would yield.
package struct SourceEntry: Equatable, Sendable {
  package var kind: EntryKind
  package var mode: UInt16
  package var modified: Int64
  package var byteCount: UInt64
  /// The ranges that hold data, of a sparse file.
  package var dataRanges: [Range<UInt64>]?
  package var linkTarget: [UInt8]
  /// Stands for the bytes: the same number is the same content.
  package var content: UInt64
  /// Changes with every change to the file, as device, inode and ctime would.
  package var identity: UInt64

  package init(
    kind: EntryKind,
    mode: UInt16,
    modified: Int64,
    byteCount: UInt64 = 0,
    dataRanges: [Range<UInt64>]? = nil,
    linkTarget: [UInt8] = [],
    content: UInt64 = 0
  ) {
    self.kind = kind
    self.mode = mode
    self.modified = modified
    self.byteCount = byteCount
    self.dataRanges = dataRanges
    self.linkTarget = linkTarget
    self.content = content
    identity = SeededRandom.mix(content ^ UInt64(bitPattern: modified) | 1)
  }

  /// The ranges that hold data: all of a file unless it is sparse.
  package var ranges: [Range<UInt64>] {
    dataRanges ?? (byteCount == 0 ? [] : [0..<byteCount])
  }

  /// The digest that stands for a range of this file's bytes.
  package func digest(offset: UInt64, byteCount: UInt64) -> Digest {
    SourceEntry.digest(content: content, offset: offset, byteCount: byteCount)
  }

  package static func digest(content: UInt64, offset: UInt64, byteCount: UInt64) -> Digest {
    var writer = ByteWriter(reservingCapacity: 24)
    writer.append(content)
    writer.append(offset)
    writer.append(byteCount)
    return Digest.xxh3(of: writer.bytes)
  }
}

/// What happens to a source between two runs, or while one is under way.
package enum SourceChange: Equatable, Sendable {
  /// Another content, time and perhaps length.
  case rewritten([UInt8], byteCount: UInt64, content: UInt64, modified: Int64)
  case removed([UInt8])
  case added([UInt8], SourceEntry)
}

/// A simulated source: paths in canonical order.
package struct SimulatedTree: Equatable, Sendable {
  package private(set) var entries = PathTable<SourceEntry>()
  /// Whether the dataset's root is an entry itself: `dtx push DIR/ DEST`.
  package private(set) var hasRoot: Bool

  package init(hasRoot: Bool) {
    self.hasRoot = hasRoot
    if hasRoot {
      entries[[]] = SourceEntry(kind: .directory, mode: 0o755, modified: 1_700_000_000_000_000_000)
    }
  }

  package mutating func add(_ path: [UInt8], _ entry: SourceEntry) {
    entries[path] = entry
  }

  /// Whether the change made a difference.
  package mutating func apply(_ change: SourceChange) -> Bool {
    switch change {
    case .rewritten(let path, let byteCount, let content, let modified):
      guard let old = entries[path], old.kind == .regular else { return false }
      entries[path] = SourceEntry(
        kind: .regular,
        mode: old.mode,
        modified: modified,
        byteCount: byteCount,
        content: content
      )
      return true
    case .removed(let path):
      guard let old = entries[path], old.kind != .directory else { return false }
      entries[path] = nil
      return true
    case .added(let path, let entry):
      guard entries[path] == nil, hasParent(path) else { return false }
      entries[path] = entry
      return true
    }
  }

  private func hasParent(_ path: [UInt8]) -> Bool {
    guard let slash = path.lastIndex(of: UInt8(ascii: "/")) else { return true }
    return entries[Array(path[..<slash])]?.kind == .directory
  }
}

extension SimulatedTree {
  /// The dataset in segments of at most so many entries each, as a scan would cut it.
  package func segments(entryLimit: Int, blockByteCount: UInt64) -> [Segment] {
    precondition(entryLimit > 0, "a segment holds at least one entry")
    var segments: [Segment] = []
    var next = 0
    repeat {
      let end = min(next + entryLimit, entries.count)
      var draft = SegmentDraft(hasRoot: hasRoot)
      for index in next..<end {
        draft.add(entries.paths[index], entries.values[index], in: self)
      }
      segments.append(
        Segment(
          index: segments.count,
          isLast: end == entries.count,
          inventory: draft.inventory,
          blockByteCount: blockByteCount
        )
      )
      next = end
    } while next < entries.count
    return segments
  }
}

/// A segment as it is put together: directories of earlier segments return as contexts.
private struct SegmentDraft {
  let hasRoot: Bool
  var inventory = Inventory()
  /// Directories that stand in the segment, with their indices.
  private var directories = PathTable<Int>()

  init(hasRoot: Bool) {
    self.hasRoot = hasRoot
  }

  mutating func add(_ path: [UInt8], _ entry: SourceEntry, in tree: SimulatedTree) {
    let parent = parent(of: path, in: tree)
    append(path, entry, parent: parent, isContext: false)
  }

  private mutating func parent(of path: [UInt8], in tree: SimulatedTree) -> Int? {
    let slash = path.lastIndex(of: UInt8(ascii: "/"))
    if path.isEmpty || (slash == nil && !hasRoot) { return nil }
    let above = slash.map { Array(path[..<$0]) } ?? []
    if let index = directories[above] { return index }
    guard let entry = tree.entries[above] else {
      preconditionFailure("a path whose directory is no entry")
    }
    let grandparent = self.parent(of: above, in: tree)
    return append(above, entry, parent: grandparent, isContext: true)
  }

  @discardableResult
  private mutating func append(
    _ path: [UInt8],
    _ source: SourceEntry,
    parent: Int?,
    isContext: Bool
  ) -> Int {
    let start = path.lastIndex(of: UInt8(ascii: "/")).map { $0 + 1 } ?? 0
    var attributes: [Attribute] = []
    if source.kind == .symlink { attributes.append(.linkTarget(source.linkTarget)) }
    if let ranges = source.dataRanges { attributes.append(.dataRanges(ranges)) }
    if source.kind == .regular { attributes.append(.sourceIdentity(source.identity)) }
    let entry = Entry(
      kind: source.kind,
      parent: parent,
      isContext: isContext,
      mode: source.mode,
      modified: source.modified,
      byteCount: source.byteCount
    )
    let index = inventory.append(entry, name: path[start...], attributes: attributes)
    if source.kind == .directory { directories[path] = index }
    return index
  }
}
