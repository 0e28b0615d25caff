package import DTXCore
internal import DTXLinux

extension Destination {
  /// Makes an epoch durable and publishes the files that are complete.
  ///
  /// Called on the commit thread. Data and metadata are synced first, read back where that was
  /// asked for, then the journal is; only then is anything renamed.
  ///
  /// - Parameter work: the epoch.
  /// - Returns: what of the epoch may not be acknowledged.
  /// - Throws: `.failed` when a sync failed: nobody knows then what of the epoch is on the disk,
  ///   and none of it may be acknowledged.
  package func commit(_ work: EpochWork) throws(TransferError) -> EpochLosses {
    if let repairing { return EpochLosses(failures: try repairing.commit(work)) }
    if discarding != nil { return EpochLosses() }
    var committing = EpochCommitting(work, at: self)
    do throws(SystemError) {
      try committing.syncShared()
      try committing.syncOwn()
      if options.verification == .media { try committing.readBack() }
    } catch {
      throw EpochCommitting.condemned(work, error)
    }
    try requireWriting().lock.check()
    try timingSync { () throws(TransferError) in try committing.writeJournal() }
    do throws(SystemError) {
      try committing.publish()
      try committing.syncDirectories()
    } catch {
      throw EpochCommitting.condemned(work, error)
    }
    try committing.closeFiles()
    count { $0.epochCount += 1 }
    return committing.losses
  }
}

/// What of an epoch is not durable.
package struct EpochLosses: Sendable {
  package var failures: [FailedEntry] = []
  /// Blocks that did not read back as they came.
  package var damaged: [BlockReference] = []
}

/// One epoch on its way to the disk.
///
/// Its methods are called in the order in which they stand.
struct EpochCommitting {
  private let destination: Destination
  private let work: EpochWork
  private let policy: SyncPolicy
  private let journal: JournalWriter
  private(set) var losses = EpochLosses()
  /// Files of several extents that the epoch touches, each once, in the order of their entries.
  private var shared: [StagedTable.Key] = []
  /// Extents that the journal is to name.
  private var extents: [EpochWork.ExtentPlace]
  /// Files to publish: all, those of one extent, and those of several.
  private var complete: [StagedTable.Key] = []
  private var single: [StagedTable.Key] = []
  private var several: [StagedTable.Key] = []
  /// The directories that files were published in.
  private var changed: [OpenDirectory] = []

  init(_ work: EpochWork, at destination: Destination) {
    self.destination = destination
    self.work = work
    policy = destination.requireWriting().policy
    journal = destination.requireWriting().journal
    extents = work.extents
    complete = work.complete.map { StagedTable.Key(segment: $0.segment, entry: $0.entry) }
    var parents = StagedParents(at: destination)
    for key in complete {
      if parents.place(of: key).entries[key.entry].extentCount > 1 {
        several.append(key)
      } else {
        single.append(key)
      }
    }
    var touched = several
    for place in work.extents {
      let segment = destination.place(of: place.segment).segment
      let entry = Int(segment.extents[place.extent].entry)
      touched.append(StagedTable.Key(segment: place.segment, entry: entry))
    }
    touched.sort { ($0.segment, $0.entry) < ($1.segment, $1.entry) }
    for key in touched where shared.last != key { shared.append(key) }
  }

  private func entry(_ key: StagedTable.Key) -> Entry {
    destination.place(of: key.segment).entries[key.entry]
  }

  // MARK: - Before the journal

  /// Syncs the files that several extents share, and gives the complete ones their metadata.
  mutating func syncShared() throws(SystemError) {
    let finished = Set(several)
    for key in shared {
      let place = destination.place(of: key.segment)
      guard place.failure(of: key.entry) == nil else { continue }
      let file: File
      do throws(SystemError) {
        file = try destination.acquireStaged(key.entry, place, creates: false).file
      } catch {
        if error.endsTransfer { throw error }
        fail(key, error)
        continue
      }
      defer { destination.stagedFiles.release(key) }
      if finished.contains(key), let failed = finishMetadata(of: file, key, place) {
        losses.failures.append(failed)
        continue
      }
      try destination.timingSync { () throws(SystemError) in
        if finished.contains(key) { try file.sync() } else { try file.syncData() }
      }
    }
  }

  /// Syncs the files of one extent, whose metadata their writers set.
  mutating func syncOwn() throws(SystemError) {
    var own: [(key: StagedTable.Key, parent: OpenDirectory)] = []
    own.reserveCapacity(single.count)
    var parents = StagedParents(at: destination)
    for key in single {
      guard parents.place(of: key).failure(of: key.entry) == nil else { continue }
      do throws(SystemError) {
        own.append((key, try parents.parent(of: key)))
      } catch {
        if error.endsTransfer { throw error }
        fail(key, error)
      }
    }
    var alone = own
    if let first = own.first(where: {
      policy.syncsFileSystem(of: $0.parent, fileCount: own.count)
    }) {
      alone = own.filter { $0.parent.device != first.parent.device }
      try destination.timingSync { () throws(SystemError) in try policy.syncRoot() }
    }
    var rest = alone[...]
    while !rest.isEmpty {
      try syncEach(rest.prefix(SyncPolicy.batchFileCount))
      rest = rest.dropFirst(SyncPolicy.batchFileCount)
    }
  }

  /// Reads all back from the device; what is not there as it came is no part of what follows.
  mutating func readBack() throws(SystemError) {
    var reading = EpochReadBack(at: destination)
    let finding = try reading.read(work)
    losses.failures += finding.failures
    guard !finding.damaged.isEmpty else { return }
    losses.damaged = finding.damaged
    var withheld: Set<StagedTable.Key> = []
    for block in finding.damaged {
      let segment = destination.place(of: block.segment).segment
      for extent in segment.blocks[block.block].extents {
        let entry = Int(segment.extents[extent].entry)
        withheld.insert(StagedTable.Key(segment: block.segment, entry: entry))
      }
    }
    complete.removeAll { withheld.contains($0) }
    several.removeAll { withheld.contains($0) }
    extents.removeAll { place in
      let segment = destination.place(of: place.segment).segment
      let entry = Int(segment.extents[place.extent].entry)
      return withheld.contains(StagedTable.Key(segment: place.segment, entry: entry))
        && finding.damaged.contains { block in
          block.segment == place.segment
            && segment.blocks[block.block].extents.contains(place.extent)
        }
    }
  }

  /// Records what is durable now, and makes the records so.
  func writeJournal() throws(TransferError) {
    var records: [JournalRecord.Body] = []
    for extentPlace in extents {
      let place = destination.place(of: extentPlace.segment)
      let extent = place.segment.extents[extentPlace.extent]
      guard place.failure(of: Int(extent.entry)) == nil else { continue }
      records.append(
        .durable(
          place.fileIdentity(of: Int(extent.entry)),
          DurableExtent(
            offset: extent.offset,
            byteCount: extent.byteCount,
            digest: extentPlace.digest
          )
        )
      )
    }
    guard !records.isEmpty else { return }
    try journal.append(records, epoch: work.epoch)
    try journal.sync()
  }

  // MARK: - Behind the journal

  /// Renames complete files into place.
  mutating func publish() throws(SystemError) {
    let outcome = EpochPublishing.publish(complete, at: destination)
    losses.failures += outcome.failures
    changed = outcome.changed
    if let error = outcome.error { throw error }
  }

  /// Makes the renames durable.
  func syncDirectories() throws(SystemError) {
    var alone = changed
    if let first = changed.first(where: {
      policy.syncsFileSystem(of: $0, fileCount: changed.count)
    }) {
      alone = changed.filter { $0.device != first.device }
      try destination.timingSync { () throws(SystemError) in try policy.syncRoot() }
    }
    for directory in alone {
      try destination.timingSync { () throws(SystemError) in try directory.directory.sync() }
    }
  }

  /// Lets go of the files that are in place; the journal is told, but nothing depends on that.
  func closeFiles() throws(TransferError) {
    var records: [JournalRecord.Body] = []
    for key in several {
      let place = destination.place(of: key.segment)
      destination.stagedFiles.remove(key)
      if place.failure(of: key.entry) == nil {
        records.append(.published(path: place.inventory.path(of: key.entry)))
      }
    }
    try journal.append(records, epoch: work.epoch)
    try journal.compactIfLarge(epoch: work.epoch)
  }

  // MARK: - Parts

  private mutating func fail(_ key: StagedTable.Key, _ error: SystemError) {
    losses.failures.append(destination.place(of: key.segment).fail(key.entry, error))
  }

  /// Checks the length of a complete file and gives it owner, mode and time.
  private func finishMetadata(
    of file: File,
    _ key: StagedTable.Key,
    _ place: SegmentPlace
  ) -> FailedEntry? {
    let entry = place.entries[key.entry]
    do throws(SystemError) {
      let byteCount = try file.status().byteCount
      guard byteCount == entry.byteCount else {
        let reason = "its staged file has \(byteCount) bytes instead of \(entry.byteCount)"
        return place.fail(key.entry, .unwritable, reason)
      }
      try destination.metadata(of: entry).apply(to: file)
      return nil
    } catch {
      return place.fail(key.entry, error)
    }
  }

  /// Opens files again, starts to write all of them, and waits for each.
  private mutating func syncEach(
    _ batch: ArraySlice<(key: StagedTable.Key, parent: OpenDirectory)>
  ) throws(SystemError) {
    var files: [File] = []
    for (key, parent) in batch {
      let place = destination.place(of: key.segment)
      // Such a file was synced by its writer.
      guard destination.metadata(of: entry(key)).isReadable else { continue }
      let name = destination.stagedName.name(for: place.inventory.name(of: key.entry))
      do throws(SystemError) {
        let file = try parent.directory.openFile(name, .read)
        try file.startWriteOut(offset: 0, length: 0)
        files.append(file)
      } catch {
        if error.endsTransfer { throw error }
        fail(key, error)
      }
    }
    for file in files {
      try destination.timingSync { () throws(SystemError) in try file.sync() }
    }
  }

  static func condemned(_ work: EpochWork, _ error: SystemError) -> TransferError {
    TransferError(
      "epoch \(work.epoch) could not be made durable",
      error,
      remedy: "what was acknowledged before is safe: run the same command again"
    )
  }
}
