package import DTXCore
internal import DTXLinux

/// Walks a dataset in canonical order and cuts it into segments.
///
/// Used by one thread. Entries that cannot be read are reported and left out; nothing here reads
/// a file's content.
package final class Scanner {
  private let dataset: SourceDataset
  private let filter: Filter
  private let blockByteCount: UInt64
  private let report: (TransferEvent) -> Void
  private var boundary = SegmentBoundary()
  private var draft: Draft
  private var segmentIndex = 0
  /// The directories that the walk is in, from the top.
  private var levels: [Level] = []
  private var nextTop = 0
  private var isFinished = false

  /// One directory on the way down.
  private struct Level {
    var directory: Directory
    /// Its own entry, to be repeated as context.
    var entry: Entry
    var name: [UInt8]
    var identity: SourceIdentity
    /// Its index in the segment that is being drafted.
    var index: Int
    /// Its path with a `/` behind it, for those in it; empty for the dataset's root.
    var prefix: [UInt8]
    var items: [DirectoryItem]
    var next = 0
  }

  private struct Draft {
    var inventory = Inventory()
    var identities: [SourceIdentity] = []

    mutating func append(
      _ entry: Entry,
      _ name: [UInt8],
      _ identity: SourceIdentity,
      _ attributes: [Attribute] = []
    ) -> Int {
      identities.append(identity)
      return inventory.append(entry, name: name, attributes: attributes)
    }
  }

  /// - Parameters:
  ///   - dataset: where the tops are.
  ///   - filter: which entries belong to it.
  ///   - blockByteCount: the size that blocks are cut at.
  ///   - report: is told of entries that are left out; called on the scanning thread.
  package init(
    dataset: SourceDataset,
    filter: Filter,
    blockByteCount: UInt64,
    report: @escaping (TransferEvent) -> Void
  ) {
    self.dataset = dataset
    self.filter = filter
    self.blockByteCount = blockByteCount
    self.report = report
    draft = Draft()
  }

  /// Walks on until the next segment is full, or the dataset ends.
  ///
  /// - Throws: when the top itself cannot be read.
  package func nextSegment() throws(TransferError) -> ScannedSegment {
    precondition(!isFinished, "the dataset has been scanned")
    if let null = dataset.null { return nextMade(null) }
    if segmentIndex == 0, levels.isEmpty, draft.inventory.count == 0 { try begin() }
    while let found = nextItem() {
      if let full = visit(found) { return full }
    }
    return close(isLast: true)
  }

  private func nextMade(_ null: NullDataset) -> ScannedSegment {
    let segment = null.segment(segmentIndex, blockByteCount: blockByteCount)
    // The directory's own identity is never asked for.
    let files = null.files(ofSegment: segmentIndex).map { SourceIdentity(nullFile: $0) }
    segmentIndex += 1
    isFinished = segment.isLast
    return ScannedSegment(segment: segment, identities: [SourceIdentity(nullFile: 0)] + files)
  }

  private struct Found {
    var parent: Directory
    var name: [UInt8]
    var nameInParent: [UInt8]
    /// The path of the directory it is in, with a `/` behind it; empty at the top.
    var prefix: [UInt8]

    /// Put together only where it is asked for: most entries are files that no rule names.
    var path: [UInt8] { prefix.isEmpty ? name : prefix + name }
  }

  private func begin() throws(TransferError) {
    guard let contents = dataset.contents else { return }
    do {
      let status = try contents.status(of: [])
      let entry = Scanner.entry(status, kind: .directory, parent: nil)
      _ = boundary.startsSegment(byteCount: 0)
      let index = draft.append(entry, [], SourceIdentity(status))
      levels.append(
        Level(
          directory: contents,
          entry: entry,
          name: [],
          identity: SourceIdentity(status),
          index: index,
          prefix: [],
          items: Scanner.withoutState(try contents.names(), of: contents)
        )
      )
    } catch {
      throw TransferError("source \(printable(contents.path)) cannot be read", error)
    }
  }

  /// The next name in canonical order, wherever the walk is.
  private func nextItem() -> Found? {
    while let last = levels.indices.last {
      guard levels[last].next < levels[last].items.count else {
        levels.removeLast()
        continue
      }
      let item = levels[last].items[levels[last].next]
      levels[last].next += 1
      return Found(
        parent: levels[last].directory,
        name: item.name,
        nameInParent: item.name,
        prefix: levels[last].prefix
      )
    }
    guard nextTop < dataset.tops.count else { return nil }
    let top = dataset.tops[nextTop]
    nextTop += 1
    return Found(
      parent: top.parent,
      name: top.name,
      nameInParent: top.nameInParent,
      prefix: []
    )
  }

  /// Adds an entry to the draft.
  ///
  /// - Returns: the segment before it, when the entry begins a new one.
  private func visit(_ found: Found) -> ScannedSegment? {
    do {
      let status = try found.parent.status(of: found.nameInParent)
      guard let kind = Scanner.kind(of: status) else {
        report(.notice("\(printable(found.path)): a special file, which is not moved"))
        return nil
      }
      guard filter.keepsAll || filter.keeps(found.path, isDirectory: kind == .directory) else {
        return nil
      }
      if kind == .directory, dataset.isDestination(status) {
        report(.notice("\(printable(found.path)): the destination, which is left out"))
        return nil
      }
      guard found.prefix.count + found.name.count <= Limits.pathByteCount else {
        leaveOut(found.path, "its path has more than \(Limits.pathByteCount) bytes")
        return nil
      }
      return try add(found, status, kind)
    } catch {
      leaveOut(found.path, "\(error.operation): \(error.explanation) (\(error.name))")
      return nil
    }
  }

  private func leaveOut(_ path: [UInt8], _ reason: String) {
    report(.failed(FailedPath(path: path, failure: .unreadable, reason: reason)))
  }

  private func add(
    _ found: Found,
    _ status: FileStatus,
    _ kind: EntryKind
  ) throws(SystemError) -> ScannedSegment? {
    var attributes: [Attribute] = []
    var items: [DirectoryItem] = []
    var directory: Directory?
    switch kind {
    case .directory:
      let opened = try found.parent.openDirectory(found.nameInParent)
      items = try opened.names()
      directory = opened
    case .symlink:
      let target = try found.parent.readSymlink(found.nameInParent)
      guard (1...Limits.pathByteCount).contains(target.count) else {
        leaveOut(found.path, "its target has \(target.count) bytes")
        return nil
      }
      attributes.append(.linkTarget(target))
    case .regular:
      attributes = try fileAttributes(found, status)
    case .fifo:
      break
    }
    let byteCount = kind == .regular ? status.byteCount : 0
    let full = boundary.startsSegment(byteCount: byteCount) ? close(isLast: false) : nil
    let parent = levels.last?.index
    let entry = Scanner.entry(status, kind: kind, parent: parent)
    let identity = SourceIdentity(status)
    let index = draft.append(entry, found.name, identity, attributes)
    if let directory {
      levels.append(
        Level(
          directory: directory,
          entry: entry,
          name: found.name,
          identity: identity,
          index: index,
          prefix: found.path + [UInt8(ascii: "/")],
          items: items
        )
      )
    }
    return full
  }

  /// Data ranges of a file with holes; its identity where resuming could need it.
  ///
  /// A file that this user may not read is found out now, not in the middle of the transfer.
  private func fileAttributes(
    _ found: Found,
    _ status: FileStatus
  ) throws(SystemError) -> [Attribute] {
    guard status.byteCount > 0 else { return [] }
    var attributes: [Attribute] = []
    let isSparse = status.blockByteCount < status.byteCount
    let mayBeUnreadable = status.mode & 0o444 != 0o444 && Host.effectiveUserID != 0
    if isSparse || mayBeUnreadable {
      let file = try found.parent.openFile(found.nameInParent, .read)
      if isSparse {
        let ranges = AttributeCodec.fitting(try file.dataRanges(upTo: status.byteCount))
        // Of a file that is another by now these may be none, and then nobody would open it again
        // and see that. Without them it counts as data, and whoever reads it finds the change.
        let found = try file.status(isFresh: ranges.isEmpty)
        let isSame = Scanner.isSame(found, as: status)
        if isSame, ranges != [0..<status.byteCount] { attributes.append(.dataRanges(ranges)) }
      }
    }
    if status.byteCount > blockByteCount {
      attributes.append(.sourceIdentity(SourceIdentity(status).digest))
    }
    return attributes
  }

  private static func isSame(_ found: FileStatus, as status: FileStatus) -> Bool {
    SourceIdentity(found) == SourceIdentity(status) && found.kind == status.kind
      && found.byteCount == status.byteCount && found.modified == status.modified
  }

  /// Ends the draft; the next one begins with the directories that the walk is in.
  private func close(isLast: Bool) -> ScannedSegment {
    let segment = Segment(
      index: segmentIndex,
      isLast: isLast,
      inventory: draft.inventory,
      blockByteCount: blockByteCount
    )
    let done = ScannedSegment(segment: segment, identities: draft.identities)
    segmentIndex += 1
    isFinished = isLast
    draft = Draft()
    for level in levels.indices {
      levels[level].entry.isContext = true
      levels[level].entry.parent = level == 0 ? nil : levels[level - 1].index
      levels[level].index = draft.append(
        levels[level].entry,
        levels[level].name,
        levels[level].identity
      )
    }
    return done
  }

  private static func kind(of status: FileStatus) -> EntryKind? {
    switch status.kind {
    case .regular: .regular
    case .directory: .directory
    case .symlink: .symlink
    case .fifo: .fifo
    case .socket, .blockDevice, .characterDevice: nil
    }
  }

  private static func entry(_ status: FileStatus, kind: EntryKind, parent: Int?) -> Entry {
    Entry(
      kind: kind,
      parent: parent,
      mode: status.mode,
      userID: status.userID,
      groupID: status.groupID,
      modified: status.modified,
      byteCount: kind == .regular ? status.byteCount : 0
    )
  }

  /// A dataset that is a destination as well: our own state is no part of it.
  private static func withoutState(
    _ items: [DirectoryItem],
    of directory: Directory
  ) -> [DirectoryItem] {
    guard StateMarker.isPresent(in: directory) else { return items }
    return items.filter { $0.name != StateMarker.directoryName }
  }
}
