package import DTXCore
internal import DTXLinux

/// What grows from seal to seal.
struct Sealing: Sendable {
  var manifest: ManifestFileWriter?
  var identities: IdentityFile.Writer?
  /// Directories that later segments may still go into, from the top.
  var open: [PendingDirectory] = []
  var failures: [FailedPath] = []
  /// The root's own entry, if the dataset is a directory's contents.
  var rootMetadata: EntryMetadata?
}

extension Destination {
  /// Takes a segment, all of whose entries are settled, into the manifest.
  ///
  /// It also finishes the directories that nothing more goes into. Called on the metadata thread,
  /// in the segments' order.
  ///
  /// - Throws: `.failed` when the manifest cannot be written.
  package func seal(_ work: SealWork) throws(TransferError) {
    if let discarding { return discarding.seal(work) }
    let place = place(of: work.segment.index)
    let part = ManifestSegment(
      work.segment,
      digests: work.digests,
      excluded: work.excluded,
      blockByteCount: options.blockByteCount
    )
    let identities = Destination.identities(of: place, excluded: work.excluded)
    precondition(identities.count == part.fileCount, "an identity for each file of the manifest")
    let state = requireWriting().state
    do throws(SystemError) {
      try sealing.withLock { sealing throws(SystemError) in
        try begin(&sealing)
        guard let roots = try sealing.manifest?.add(part) else { return }
        try sealing.identities?.add(identities, of: work.segment.index, sealedBy: roots.full)
      }
    } catch {
      throw Destination.manifestFailure(state, error)
    }
    try discardExcluded(work.excluded, of: place)
    var finishing = DirectoryFinishing(at: self)
    let open = sealing.withLock { $0.open }
    let stillOpen = finishing.finish(place, excluded: work.excluded, open: open)
    sealing.withLock { sealing in
      sealing.open = stillOpen
      sealing.failures += finishing.failures
      sealing.rootMetadata = sealing.rootMetadata ?? rootMetadata(of: place)
    }
    place.directories.removeAll()
    places.withLock { $0[work.segment.index] = nil }
  }

  /// Gives the last directories their metadata and makes everything durable.
  ///
  /// Called on the metadata thread, once, after the last seal.
  ///
  /// - Returns: the roots of what was committed, and the directories whose owner, mode or time
  ///   could not be set.
  /// - Throws: `.failed` when the last sync failed.
  package func finalize() throws(TransferError) -> (Roots, [FailedPath]) {
    if let discarding { return (discarding.finalize(), []) }
    let writing = requireWriting()
    try writing.lock.check()
    var finishing = DirectoryFinishing(at: self)
    let open = sealing.withLock { sealing in
      defer { sealing.open = [] }
      return sealing.open
    }
    finishing.finish(open.reversed())
    // The top is no entry of a dataset of several sources, but files were staged there as well.
    if isContinued, topNames != [[]] { finishing.sweep(requireRoot().directory) }
    do throws(SystemError) {
      try timingSync { () throws(SystemError) in try writing.policy.syncAll() }
      return try sealing.withLock { sealing throws(SystemError) in
        try begin(&sealing)
        let failures = sealing.failures + finishing.failures
        sealing.failures = []
        guard let manifest = sealing.manifest else {
          preconditionFailure("a manifest was begun above")
        }
        return (manifest.summary.roots, failures)
      }
    } catch {
      throw TransferError(
        "the destination could not be made durable",
        error,
        remedy: "what was acknowledged before is safe: run the same command again"
      )
    }
  }

  /// Puts the manifest in its place and removes the journal.
  ///
  /// Called on the metadata thread, once, after `finalize` and when the roots are agreed upon.
  package func storeManifest() throws(TransferError) {
    if discarding != nil { return }
    let writing = requireWriting()
    try writing.lock.check()
    let directory = writing.state.directory
    do throws(SystemError) {
      try sealing.withLock { sealing throws(SystemError) in
        try begin(&sealing)
        _ = try sealing.manifest?.finish()
        try writing.lock.requireHold()
        // Each identity section is bound to its segment by a root, so the order is of no matter.
        try sealing.identities?.publish(as: StateDirectory.Name.identities)
        try sealing.manifest?.publish(as: StateDirectory.Name.manifest)
        sealing.manifest = nil
        sealing.identities = nil
      }
      try directory.sync()
      try writing.lock.requireHold()
      try writing.journal.remove()
      for name in [
        StateDirectory.Name.manifestEarlier, StateDirectory.Name.identitiesEarlier,
        StateDirectory.Name.newJournal,
        // Of an earlier transfer: it says nothing of this manifest.
        StateDirectory.Name.receipt,
      ] { try writing.state.remove(name) }
      try directory.sync()
    } catch {
      throw Destination.manifestFailure(writing.state, error)
    }
    restoreRoot()
  }

  /// Puts the receipt beside the manifest.
  ///
  /// Called on the metadata thread, after `storeManifest`.
  ///
  /// - Parameter bytes: all of it.
  /// - Returns: its path; nil where nothing is kept.
  /// - Throws: what the file system said.
  func storeReceipt(_ bytes: [UInt8]) throws(SystemError) -> [UInt8]? {
    if discarding != nil { return nil }
    let directory = requireWriting().state.directory
    try requireWriting().lock.requireHold()
    try directory.replace(StateDirectory.Name.receipt, with: bytes, permissions: 0o666)
    return directory.path + Array("/".utf8) + StateDirectory.Name.receipt
  }

  // MARK: - Parts

  /// Opens the partial files before the first segment goes into them.
  private func begin(_ sealing: inout Sealing) throws(SystemError) {
    guard sealing.manifest == nil else { return }
    let directory = requireWriting().state.directory
    try requireWriting().lock.requireHold()
    sealing.manifest = try ManifestFileWriter(
      StateDirectory.Name.manifestPartial,
      in: directory,
      blockByteCount: options.blockByteCount
    )
    sealing.identities = try IdentityFile.Writer(
      StateDirectory.Name.identitiesPartial,
      in: directory
    )
  }

  /// What each regular file of the manifest was when it was published or kept, in order.
  private static func identities(
    of place: SegmentPlace,
    excluded: BitSet
  ) -> [PublishedIdentity] {
    let all = place.identities
    var isOut = excluded
    var found: [PublishedIdentity] = []
    for (index, entry) in place.entries.enumerated() {
      if let parent = entry.parent, isOut[parent] { isOut[index] = true }
      if entry.kind == .regular, !isOut[index] { found.append(all[index]) }
    }
    return found
  }

  /// Removes what was staged of files that are not part of what was committed.
  private func discardExcluded(
    _ excluded: BitSet,
    of place: SegmentPlace
  ) throws(TransferError) {
    var records: [JournalRecord.Body] = []
    var next = excluded.next(from: 0, where: true)
    while let index = next {
      next = excluded.next(from: index + 1, where: true)
      guard place.entries[index].kind == .regular else { continue }
      switch place.action(of: index) {
      case .keep, .update, .refuse: continue
      case .create, .replace, .resume: break
      }
      stagedFiles.remove(StagedTable.Key(segment: place.segment.index, entry: index))
      if let parent = try? place.directories.parent(of: index) {
        try? parent.directory.unlink(stagedName.name(for: place.inventory.name(of: index)))
      }
      if place.entries[index].extentCount > 1 {
        records.append(.discarded(path: place.inventory.path(of: index)))
      }
    }
    try requireWriting().journal.append(records, epoch: 0)
  }

  private func rootMetadata(of place: SegmentPlace) -> EntryMetadata? {
    guard let first = place.entries.first, !first.isContext, place.inventory.name(of: 0).isEmpty,
      !isFixed(0, in: place)
    else { return nil }
    return metadata(of: first)
  }

  /// Sets the root's time again if something under it has changed that.
  private func restoreRoot() {
    guard let metadata = sealing.withLock({ $0.rootMetadata }) else { return }
    let directory = requireRoot().directory
    guard let status = try? directory.status(of: []),
      !Comparator.sameTime(status.modified, metadata.modified, timeGranularity)
    else { return }
    try? directory.setTimes(of: [], modified: metadata.modified)
    try? directory.sync()
  }

  private static func manifestFailure(
    _ state: StateDirectory,
    _ error: SystemError
  ) -> TransferError {
    TransferError(
      "the manifest in \(printable(state.directory.path)) cannot be written",
      error,
      remedy: "what was acknowledged is safe: run the same command again"
    )
  }
}
