internal import DTXCore
internal import DTXLinux

// What the destination knows of single entries, for its comparison.
extension Destination {
  /// Why an entry may not have its name here; nil when it may.
  ///
  /// A peer that is not what it says must neither reach our own state nor what is being staged,
  /// and nothing outside of what the dataset was announced to be.
  func namingProblem(of index: Int, in place: SegmentPlace) -> String? {
    let name = place.inventory.name(of: index)
    let parent = place.entries[index].parent
    if parent == nil, topNames.ascendingIndex(of: name, by: { $0 }) == nil {
      return "the dataset was announced without such a name"
    }
    let isTop = parent.map { place.inventory.name(of: $0).isEmpty } ?? true
    // A dataset may hold another's state as what it is, but nobody adds to one that is in use.
    if isTop || options.isAppendOnly, name.elementsEqual(StateMarker.directoryName) {
      return "dtx keeps its own state under this name"
    }
    return stagedName.isStaged(name) ? "dtx stages unfinished files under such names" : nil
  }

  func existing(_ status: FileStatus, linkTarget: [UInt8]) -> ExistingEntry {
    ExistingEntry(
      kind: EntryKind(status.kind),
      mode: status.mode,
      userID: status.userID,
      groupID: status.groupID,
      modified: status.modified,
      byteCount: status.byteCount,
      linkTarget: linkTarget
    )
  }

  func carriedDigests(
    of path: [UInt8],
    _ entry: Entry,
    extents: ArraySlice<Extent>,
    at status: FileStatus
  ) -> [Digest]? {
    carried.withLock { sources in
      for index in sources.indices {
        let found = sources[index].digests(of: path, entry, extents: extents, at: status)
        if let found { return found }
      }
      return nil
    }
  }
}

extension SegmentPlace {
  /// What the journal's records of a file are bound to.
  func fileIdentity(of index: Int) -> FileIdentity {
    FileIdentity(
      path: inventory.path(of: index),
      byteCount: entries[index].byteCount,
      modified: entries[index].modified,
      sourceIdentity: inventory.sourceIdentity(of: index)
    )
  }
}
