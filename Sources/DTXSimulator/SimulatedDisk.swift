package import DTXCore

/// Bytes in a simulated file, by the number that stands for their content.
package struct StoredExtent: Equatable, Sendable {
  package var offset: UInt64
  package var byteCount: UInt64
  package var content: UInt64
  /// Whether a loss of power leaves it.
  package var isSynced: Bool

  package var end: UInt64 { offset + byteCount }
}

/// A hidden file beside its target, which takes the blocks.
package struct StagedFile: Equatable, Sendable {
  package var identity: FileIdentity
  /// Ascending by offset, and apart.
  package private(set) var extents: [StoredExtent] = []

  package init(identity: FileIdentity) {
    self.identity = identity
  }

  /// Writes a range; what stood there is gone.
  package mutating func write(_ extent: StoredExtent) {
    extents.removeAll { $0.offset < extent.end && extent.offset < $0.end }
    let place = extents.firstIndex { $0.offset > extent.offset } ?? extents.count
    extents.insert(extent, at: place)
  }

  package mutating func sync() {
    for index in extents.indices { extents[index].isSynced = true }
  }

  internal mutating func replaceExtents(_ list: [StoredExtent]) {
    extents = list
  }
}

/// One path of a simulated destination.
package struct DestinationEntry: Equatable, Sendable {
  /// Nil for what dtx does not move: a socket, a device.
  package var kind: EntryKind?
  package var mode: UInt16
  package var modified: Int64
  package var byteCount: UInt64
  package var extents: [StoredExtent]
  package var linkTarget: [UInt8]

  package init(
    kind: EntryKind?,
    mode: UInt16,
    modified: Int64,
    byteCount: UInt64 = 0,
    extents: [StoredExtent] = [],
    linkTarget: [UInt8] = []
  ) {
    self.kind = kind
    self.mode = mode
    self.modified = modified
    self.byteCount = byteCount
    self.extents = extents
    self.linkTarget = linkTarget
  }
}

extension [StoredExtent] {
  /// The digest of a range; nil when it was not written whole.
  package func digest(offset: UInt64, byteCount: UInt64) -> Digest? {
    guard let parts = covering(offset, byteCount), let first = parts.first else { return nil }
    if parts.allSatisfy({ $0.content == first.content }) {
      return SourceEntry.digest(content: first.content, offset: offset, byteCount: byteCount)
    }
    // A mixture of versions has a digest too, but none that any source has.
    let mixture = parts.reduce(UInt64(0)) { SeededRandom.mix($0 ^ $1.content) }
    return SourceEntry.digest(content: mixture, offset: offset, byteCount: byteCount)
  }

  /// Whether a range was written whole, and would survive a loss of power.
  package func isSynced(offset: UInt64, byteCount: UInt64) -> Bool {
    covering(offset, byteCount)?.allSatisfy { $0.isSynced } ?? false
  }

  private func covering(_ offset: UInt64, _ byteCount: UInt64) -> [StoredExtent]? {
    var parts: [StoredExtent] = []
    var place = offset
    for extent in self where extent.offset < offset + byteCount && offset < extent.end {
      guard extent.offset <= place else { return nil }
      parts.append(extent)
      place = extent.end
    }
    return place >= offset + byteCount ? parts : nil
  }
}

/// What a finished transfer left under `.dtx/` about a file: its digests, and whose they are.
package struct CarriedFile: Equatable, Sendable {
  package var identity: FileIdentity
  package var extents: [DurableExtent]
}

/// The receiver's disk: published files, staged files, the journal and the manifest, each with
/// what of it a loss of power would leave.
package struct SimulatedDisk: Equatable, Sendable {
  package var published = PathTable<DestinationEntry>()
  package var staged = PathTable<StagedFile>()
  package var manifest = PathTable<CarriedFile>()
  /// The journal as a reader in the same boot would see it.
  package private(set) var journal: [UInt8] = []
  /// How much of it is synced.
  package private(set) var journalSyncedByteCount = 0
  /// Renames whose directory is not synced: the path, and what stood there before.
  private var unsyncedRenames: [Rename] = []

  private struct Rename: Equatable, Sendable {
    var path: [UInt8]
    var before: DestinationEntry?
    var staged: StagedFile
  }

  package init() {}

  // MARK: - The journal

  /// Adds to the journal; only a sync makes it safe.
  package mutating func appendJournal(_ bytes: [UInt8]) {
    journal.append(contentsOf: bytes)
  }

  /// Makes all of the journal safe.
  package mutating func syncJournal() {
    journalSyncedByteCount = journal.count
  }

  /// Cuts off what a replay did not believe.
  package mutating func truncateJournal(to byteCount: Int) {
    journal.removeLast(journal.count - byteCount)
    journalSyncedByteCount = min(journalSyncedByteCount, byteCount)
  }

  // MARK: - Files

  /// Writes a range of a staged file, which begins anew when it was another version's.
  package mutating func write(_ identity: FileIdentity, _ extent: StoredExtent) {
    if staged[identity.path]?.identity != identity {
      staged[identity.path] = StagedFile(identity: identity)
    }
    staged.update(identity.path) { $0.write(extent) }
  }

  /// Makes all bytes of staged files safe.
  package mutating func syncStaged() {
    staged.updateAll { $0.sync() }
  }

  /// Renames a staged file into place, under these metadata; its directory's time changes.
  package mutating func publish(_ path: [UInt8], as entry: DestinationEntry, at wallTime: Int64) {
    guard let file = staged[path] else {
      preconditionFailure("only what is staged can be published")
    }
    var published = entry
    published.extents = file.extents
    unsyncedRenames.append(Rename(path: path, before: self.published[path], staged: file))
    staged[path] = nil
    place(path, published, at: wallTime)
  }

  /// Puts an entry without data in its place; durable at once.
  package mutating func place(_ path: [UInt8], _ entry: DestinationEntry, at wallTime: Int64) {
    published[path] = entry
    guard let slash = path.lastIndex(of: UInt8(ascii: "/")) else {
      if !path.isEmpty { published.update([]) { $0.modified = wallTime } }
      return
    }
    published.update(Array(path[..<slash])) { $0.modified = wallTime }
  }

  /// Makes all renames safe.
  package mutating func syncDirectories() {
    unsyncedRenames = []
  }

  /// Whether a published file would survive a loss of power.
  package func isRenameSynced(_ path: [UInt8]) -> Bool {
    !unsyncedRenames.contains { $0.path == path }
  }

  /// Takes from the disk what was not synced, or part of it, as a loss of power does.
  package mutating func losePower(_ random: inout SeededRandom) {
    for rename in unsyncedRenames.reversed() where random.happens(Ratio(1, in: 2)) {
      staged[rename.path] = rename.staged
      published[rename.path] = rename.before
    }
    unsyncedRenames = []
    spoilUnsynced(&random)
    for path in staged.paths where staged[path]?.extents.isEmpty ?? false {
      if random.happens(Ratio(1, in: 2)) { staged[path] = nil }
    }
    tearJournal(&random)
  }

  /// Leaves of each unsynced extent what lot decides: the bytes, others, or none.
  package mutating func spoilUnsynced(_ random: inout SeededRandom) {
    for path in staged.paths {
      guard var file = staged[path] else { continue }
      var kept: [StoredExtent] = []
      for var extent in file.extents {
        if !extent.isSynced {
          switch random.below(3) {
          case 0: continue
          case 1: extent.content = random.next()
          default: break
          }
        }
        extent.isSynced = true
        kept.append(extent)
      }
      file.replaceExtents(kept)
      staged[path] = file
    }
  }

  /// Leaves the synced part of the journal and some of what followed: a torn record, or zeros.
  private mutating func tearJournal(_ random: inout SeededRandom) {
    let unsynced = journal.count - journalSyncedByteCount
    let kept = Int(random.below(UInt64(unsynced) + 1))
    journal.removeLast(unsynced - kept)
    if kept > 0, random.happens(Ratio(1, in: 3)) {
      let index = journalSyncedByteCount + Int(random.below(UInt64(kept)))
      journal[index] ^= 1 << UInt8(random.below(8))
    }
    if random.happens(Ratio(1, in: 4)) {
      journal.append(contentsOf: repeatElement(0, count: Int(random.below(40))))
    }
    journalSyncedByteCount = journal.count
  }
}
