/// What stands at an entry's place at the destination.
package struct ExistingEntry: Equatable, Sendable {
  /// Nil for a kind that dtx does not move: a socket, a device.
  package var kind: EntryKind?
  package var mode: UInt16
  package var userID: UInt32
  package var groupID: UInt32
  package var modified: Int64
  package var byteCount: UInt64
  /// Where it points, if it is a symlink.
  package var linkTarget: [UInt8]

  package init(
    kind: EntryKind?,
    mode: UInt16,
    userID: UInt32,
    groupID: UInt32,
    modified: Int64,
    byteCount: UInt64,
    linkTarget: [UInt8] = []
  ) {
    self.kind = kind
    self.mode = mode
    self.userID = userID
    self.groupID = groupID
    self.modified = modified
    self.byteCount = byteCount
    self.linkTarget = linkTarget
  }
}

/// What is to be done about one entry: a pure function of both sides.
package enum Comparator {
  package enum Decision: Equatable, Sendable {
    /// Nothing is there.
    case create
    /// Something of the kind is there with other content.
    case replace
    /// The content is taken to be the same; metadata may differ.
    case keep(metadataDiffers: Bool)
    /// Length and time agree, and the user asked not to trust them.
    case compareDigests(metadataDiffers: Bool)
    /// Something of another kind is there.
    case conflict(String)
  }

  package struct Rules: Equatable, Sendable {
    package var comparesDigests: Bool
    package var preservesOwner: Bool
    /// What the destination's file system keeps of a time, in nanoseconds; 1 for most.
    package var timeGranularity: Int64

    package init(comparesDigests: Bool, preservesOwner: Bool, timeGranularity: Int64 = 1) {
      precondition(timeGranularity > 0, "time has a grain")
      self.comparesDigests = comparesDigests
      self.preservesOwner = preservesOwner
      self.timeGranularity = timeGranularity
    }
  }

  package static func decide(
    _ entry: Entry,
    linkTarget: [UInt8],
    existing: ExistingEntry?,
    rules: Rules
  ) -> Decision {
    guard let existing else { return .create }
    guard existing.kind == entry.kind else {
      let found = existing.kind?.name ?? "special file"
      return .conflict("a \(found) stands where the source has a \(entry.kind.name)")
    }
    let differs = metadataDiffers(entry, existing, rules)
    switch entry.kind {
    case .directory:
      return .keep(metadataDiffers: differs)
    case .symlink:
      return existing.linkTarget == linkTarget ? .keep(metadataDiffers: differs) : .replace
    case .fifo:
      return .keep(metadataDiffers: differs)
    case .regular:
      let isSame =
        existing.byteCount == entry.byteCount
        && sameTime(existing.modified, entry.modified, rules.timeGranularity)
      guard isSame else { return .replace }
      return rules.comparesDigests
        ? .compareDigests(metadataDiffers: differs) : .keep(metadataDiffers: differs)
    }
  }

  /// Whether two times are the same, as far as the destination can tell.
  package static func sameTime(_ left: Int64, _ right: Int64, _ granularity: Int64) -> Bool {
    floor(left, granularity) == floor(right, granularity)
  }

  private static func metadataDiffers(
    _ entry: Entry,
    _ existing: ExistingEntry,
    _ rules: Rules
  ) -> Bool {
    // A symlink's mode is no one's choice on Linux.
    if entry.kind != .symlink, existing.mode != entry.mode { return true }
    if rules.preservesOwner, existing.userID != entry.userID || existing.groupID != entry.groupID {
      return true
    }
    return !sameTime(existing.modified, entry.modified, rules.timeGranularity)
  }

  private static func floor(_ value: Int64, _ granularity: Int64) -> Int64 {
    let quotient = value / granularity
    return value % granularity < 0 ? quotient - 1 : quotient
  }
}
