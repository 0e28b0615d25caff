/// One path that two manifests do not agree on.
package struct ManifestDifference: Equatable, Sendable {
  package var path: [UInt8]
  /// What the old manifest says; nil for what was added.
  package var old: Entry?
  /// What the new manifest says; nil for what was removed.
  package var new: Entry?
  package var change: Change

  package enum Change: Equatable, Sendable {
    case added
    case removed
    case changed([Aspect])
    /// Whether a file's bytes are the same cannot be told, because a digest is missing on one side
    /// or the files were cut in different places; what else has changed is listed.
    case unknown([Aspect])
  }

  /// What can differ between two entries of one path; always listed in this order.
  package enum Aspect: Sendable, CaseIterable {
    /// Another kind of entry; nothing else is compared then.
    case kind
    /// A file's length; its content is not compared then.
    case length
    /// A file's bytes, at the same length.
    case content
    /// A symlink's target.
    case target
    case mode
    /// User or group.
    case owner
    case modified
  }
}

/// Compares two manifests in canonical order, a segment of each in memory at a time.
///
/// The caller drains `next`, and supplies a segment, or nil at the end, to the side that it names.
/// Segments need not be divided alike.
package struct ManifestDiff: Sendable {
  package enum Side: Sendable {
    case old
    case new
  }

  package enum Step: Sendable {
    /// Call `supply` for this side before the next step.
    case needs(Side)
    case difference(ManifestDifference)
    /// Both manifests are at their ends.
    case finished
  }

  private var old = Cursor()
  private var new = Cursor()
  /// Paths that both manifests agree on, so far.
  package private(set) var sameCount: UInt64 = 0

  package init() {}

  /// Hands in a manifest's next segment; nil when there is none.
  package mutating func supply(_ part: ManifestSegment?, to side: Side) {
    switch side {
    case .old: old.supply(part)
    case .new: new.supply(part)
    }
  }

  /// Goes on to the next difference, or to what is missing for it.
  package mutating func next() -> Step {
    while true {
      if old.isHungry { return .needs(.old) }
      if new.isHungry { return .needs(.new) }
      switch (old.path, new.path) {
      case (nil, nil):
        return .finished
      case (let path?, nil):
        return .difference(takeOld(path))
      case (nil, let path?):
        return .difference(takeNew(path))
      case (let oldPath?, let newPath?):
        if Inventory.precedes(oldPath, newPath) { return .difference(takeOld(oldPath)) }
        if Inventory.precedes(newPath, oldPath) { return .difference(takeNew(newPath)) }
        if let difference = takeBoth(oldPath) { return .difference(difference) }
      }
    }
  }

  private mutating func takeOld(_ path: [UInt8]) -> ManifestDifference {
    defer { old.advance() }
    return ManifestDifference(path: path, old: old.entry, new: nil, change: .removed)
  }

  private mutating func takeNew(_ path: [UInt8]) -> ManifestDifference {
    defer { new.advance() }
    return ManifestDifference(path: path, old: nil, new: new.entry, change: .added)
  }

  private mutating func takeBoth(_ path: [UInt8]) -> ManifestDifference? {
    defer {
      old.advance()
      new.advance()
    }
    guard let left = old.entry, let right = new.entry else { return nil }
    var aspects: [ManifestDifference.Aspect] = []
    var isUnknown = false
    if left.kind != right.kind {
      aspects.append(.kind)
    } else {
      switch (left.kind, left.byteCount == right.byteCount) {
      case (.regular, false):
        aspects.append(.length)
      case (.regular, true):
        switch ManifestDiff.hasSameContent(old, new) {
        case true?: break
        case false?: aspects.append(.content)
        case nil: isUnknown = true
        }
      case (.symlink, _):
        if old.linkTarget != new.linkTarget { aspects.append(.target) }
      case (.directory, _), (.fifo, _):
        break
      }
      if left.mode != right.mode { aspects.append(.mode) }
      let isSameOwner = left.userID == right.userID && left.groupID == right.groupID
      if !isSameOwner { aspects.append(.owner) }
      if left.modified != right.modified { aspects.append(.modified) }
    }
    if aspects.isEmpty, !isUnknown {
      sameCount += 1
      return nil
    }
    let change: ManifestDifference.Change = isUnknown ? .unknown(aspects) : .changed(aspects)
    return ManifestDifference(path: path, old: left, new: right, change: change)
  }

  /// Whether two files of one length hold the same bytes; nil when that cannot be told.
  ///
  /// Extents of the same place decide. One that the other side has not, because it was cut with
  /// another block length or has a hole there, says nothing: a hole reads as zeros, and zeros may
  /// have been written.
  private static func hasSameContent(_ left: Cursor, _ right: Cursor) -> Bool? {
    var isCertain = true
    var olds = left.extents
    var news = right.extents
    while let old = olds.first, let new = news.first {
      if old.extent.offset < new.extent.offset {
        isCertain = false
        olds.removeFirst()
        continue
      }
      if new.extent.offset < old.extent.offset {
        isCertain = false
        news.removeFirst()
        continue
      }
      let isUnread = old.digest == .zero || new.digest == .zero
      if isUnread || old.extent.byteCount != new.extent.byteCount {
        isCertain = false
      } else if old.digest != new.digest {
        return false
      }
      olds.removeFirst()
      news.removeFirst()
    }
    return isCertain && olds.isEmpty && news.isEmpty ? true : nil
  }
}

/// A place in one of the manifests.
private struct Cursor: Sendable {
  private var part: ManifestSegment?
  private var index = 0
  private var isEnded = false
  /// The path of the entry in hand; nil when there is none.
  private(set) var path: [UInt8]?

  /// Whether a segment must be supplied before anything can be said.
  var isHungry: Bool { path == nil && !isEnded }

  var entry: Entry? { part.map { $0.entries[index] } }

  var linkTarget: [UInt8] { part?.inventory.linkTarget(of: index) ?? [] }

  /// The extents of the file in hand with their digests.
  var extents: ArraySlice<(extent: Extent, digest: Digest)> {
    guard let part else { return [] }
    return part.entries[index].extents.map { (part.segment.extents[$0], part.digests[$0]) }[...]
  }

  mutating func supply(_ next: ManifestSegment?) {
    precondition(isHungry, "a segment that nobody asked for")
    part = next
    isEnded = next == nil
    index = -1
    advance()
  }

  /// Goes to the next entry that is no context, if the segment has one.
  mutating func advance() {
    path = nil
    guard let part else { return }
    index += 1
    while index < part.entries.count, part.entries[index].isContext { index += 1 }
    if index < part.entries.count { path = part.inventory.path(of: index) }
  }
}
