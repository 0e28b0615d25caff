package import DTXCore
internal import DTXLinux

extension Destination {
  /// Where a wanted extent's bytes go.
  ///
  /// Called before its first byte, on any thread. `finish` follows in any case, once, unless the entry has failed or its bytes are discarded.
  package func stage(_ segment: Segment, extent: Int) -> Staging {
    if let repairing { return repairing.stage(segment, extent: extent) }
    if discarding != nil { return .discarded }
    guard let place = places.withLock({ $0[segment.index] }) else {
      return .failed(.unwritable, "its segment is closed")
    }
    let found = segment.extents[extent]
    let entry = Int(found.entry)
    if let reason = place.failure(of: entry) { return .failed(.unwritable, reason) }
    do throws(SystemError) {
      try requireWriting().lock.requireHold()
      let target =
        segment.entries[entry].extentCount > 1
        ? try sharedTarget(entry, place) : try ownTarget(entry, place)
      return .file(
        StagedFile(place, entry: entry, range: found.offset..<found.end, target: target)
      )
    } catch {
      // The first write says that there is no room left, which ends more than this entry.
      if error.endsTransfer {
        return .file(
          StagedFile(
            place,
            entry: entry,
            range: found.offset..<found.end,
            target: .unavailable(error)
          )
        )
      }
      let failed = place.fail(entry, error)
      return .failed(failed.failure, failed.reason)
    }
  }

  /// The extent's bytes are all written, or it is given up.
  ///
  /// Called on the thread that wrote them. A file of one extent gets owner, mode and time, and is closed.
  ///
  /// - Parameters:
  ///   - staged: what `stage` returned; it is not written to any more.
  ///   - segment: the extent's.
  ///   - extent: its index in the segment.
  ///   - isIntact: whether all bytes were written.
  /// - Returns: why the entry cannot be part of what is committed; nil when it can.
  package func finish(
    _ staged: StagedFile,
    segment: Segment,
    extent: Int,
    isIntact: Bool
  ) -> (EntryFailure, String)? {
    let entry = segment.entries[staged.entry]
    switch staged.target {
    case .shared(let shared):
      // What happens to be lost by this is found by the sync of the commit, so nobody asks here.
      try? shared.file.startWriteOut(
        offset: staged.range.lowerBound,
        length: staged.range.upperBound - staged.range.lowerBound
      )
      stagedFiles.release(StagedTable.Key(segment: segment.index, entry: staged.entry))
      return nil
    case .own(let file, let name, let parent):
      guard isIntact else {
        try? parent.directory.unlink(name)
        return nil
      }
      do throws(SystemError) {
        let metadata = metadata(of: entry)
        let rights = try parent.newFiles.rights(of: file, permissions: metadata.stagedPermissions)
        try metadata.apply(to: file, from: rights)
        // The commit could not open it again for its sync.
        if !metadata.isReadable { try file.sync() }
        try file.close()
        return nil
      } catch {
        try? parent.directory.unlink(name)
        let failed = staged.place.fail(staged.entry, error)
        return (failed.failure, failed.reason)
      }
    case .unavailable(let error):
      return isIntact ? (.unwritable, error.reason) : nil
    case .aside:
      return nil
    }
  }

  /// Makes the staged file of an entry that one thread writes whole.
  private func ownTarget(
    _ entry: Int,
    _ place: SegmentPlace
  ) throws(SystemError) -> StagedFile.Target {
    let parent = try place.directories.parent(of: entry)
    let name = stagedName.name(for: place.inventory.name(of: entry))
    let permissions = metadata(of: place.entries[entry]).stagedPermissions
    let file = try makeStaged(name, in: parent.directory, permissions: permissions)
    if place.inventory.hasHoles(entry) {
      try file.setByteCount(place.entries[entry].byteCount)
    }
    return .own(file, name: name, in: parent)
  }

  /// The staged file that several extents share: open already, an earlier run's, or a new one.
  private func sharedTarget(
    _ entry: Int,
    _ place: SegmentPlace
  ) throws(SystemError) -> StagedFile.Target {
    .shared(try acquireStaged(entry, place, creates: true))
  }

  /// The open staged file of an entry with several extents; `stagedFiles.release` follows.
  ///
  /// - Parameters:
  ///   - entry: its index in the segment.
  ///   - place: the segment's.
  ///   - creates: whether it is made where there is none. A new file in a lost one's place holds
  ///     nothing of what was acknowledged, so only who is about to write may make it.
  /// - Returns: the file.
  /// - Throws: ENOENT also where another file has come in its place.
  func acquireStaged(
    _ entry: Int,
    _ place: SegmentPlace,
    creates: Bool
  ) throws(SystemError) -> SharedFile {
    let key = StagedTable.Key(segment: place.segment.index, entry: entry)
    return try stagedFiles.acquire(key) { known throws(SystemError) in
      let parent = try place.directories.parent(of: entry)
      let name = stagedName.name(for: place.inventory.name(of: entry))
      if let expected = known ?? place.resumedFile(of: entry) {
        let file = try reopenStaged(name, expected, in: parent.directory)
        return (share(file, of: entry, place, name, in: parent.directory), expected)
      }
      guard creates else { throw SystemError.staleStaged(printable(name)) }
      let file = try makeStaged(name, in: parent.directory)
      // Writes past the end would have to wait for each other.
      try file.setByteCount(place.entries[entry].byteCount)
      let identity = StagedIdentity(try file.status())
      return (share(file, of: entry, place, name, in: parent.directory), identity)
    }
  }

  private func share(
    _ file: File,
    of entry: Int,
    _ place: SegmentPlace,
    _ name: [UInt8],
    in directory: Directory
  ) -> SharedFile {
    let isLarge = place.entries[entry].byteCount >= DirectFile.leastByteCount
    return method.isDirect && isLarge
      ? SharedFile(file, directlyAs: name, in: directory) : SharedFile(file)
  }

  /// Makes a new staged file.
  ///
  /// Whatever has the name is a leftover, perhaps of somebody who hopes that it will be written
  /// through: it goes, and nothing is followed. What has another spelling of it, where names fold,
  /// is another entry's, and stays.
  func makeStaged(
    _ name: [UInt8],
    in directory: Directory,
    permissions: UInt32 = 0o600
  ) throws(SystemError) -> File {
    do throws(SystemError) {
      return try directory.openFile(name, .createExclusive, permissions: permissions)
    } catch {
      guard error.isPresence else { throw error }
    }
    try removeLeftover(name, in: directory)
    return try directory.openFile(name, .createExclusive, permissions: permissions)
  }

  /// Removes what has a staged name, unless that is another entry's.
  func removeLeftover(_ name: [UInt8], in directory: Directory) throws(SystemError) {
    if try DirectorySpelling.isOther(name, in: directory) {
      throw SystemError.stagedInOtherSpelling(printable(name))
    }
    try directory.unlink(name)
  }

  /// Opens a staged file again, and no other in its place.
  private func reopenStaged(
    _ name: [UInt8],
    _ expected: StagedIdentity,
    in directory: Directory
  ) throws(SystemError) -> File {
    // An earlier run may have come as far as to give it its mode.
    let found = try directory.status(of: name)
    if found.kind == .regular, found.mode & 0o600 != 0o600 {
      try directory.setMode(of: name, 0o600)
    }
    let file = try directory.openFile(name, .readWrite)
    let status = try file.status()
    guard status.kind == .regular, status.linkCount == 1, StagedIdentity(status) == expected else {
      throw SystemError.staleStaged(printable(file.path))
    }
    return file
  }
}
