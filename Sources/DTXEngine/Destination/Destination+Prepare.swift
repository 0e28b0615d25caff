package import DTXCore
internal import DTXLinux

extension Destination {
  /// Makes what needs no data: directories, links, fifos, empty files, changes of metadata.
  ///
  /// It also publishes files of which an earlier run had staged all. Called on the metadata thread,
  /// some time after `compare`. Nothing of it need be durable before `finalize`, but for what is
  /// published here.
  ///
  /// - Returns: the entries that could not be made, with all that is below them.
  /// - Throws: `.failed` when nothing more can be made here: no room, a read-only file system.
  package func prepare(
    _ segment: Segment,
    _ comparison: Comparison
  ) throws(TransferError) -> [FailedEntry] {
    if discarding != nil { return [] }
    var preparing = SegmentPreparing(place(of: segment.index), comparison, at: self)
    try preparing.run()
    return preparing.failures
  }
}

/// The preparation of one segment, parents before what they hold.
struct SegmentPreparing {
  private let destination: Destination
  private let place: SegmentPlace
  private let comparison: Comparison
  private let policy: SyncPolicy
  private(set) var failures: [FailedEntry] = []
  /// Directories that something was made in, or will be: known to be writable.
  private var writable: BitSet
  private var failed: BitSet
  private var isTopWritable = false

  init(_ place: SegmentPlace, _ comparison: Comparison, at destination: Destination) {
    self.destination = destination
    self.place = place
    self.comparison = comparison
    policy = destination.requireWriting().policy
    writable = BitSet(count: place.entries.count)
    failed = BitSet(count: place.entries.count)
  }

  mutating func run() throws(TransferError) {
    try discardStale()
    sweepEarlierOwners()
    for index in place.entries.indices {
      if place.action(of: index) == .refuse {
        failed[index] = true
        continue
      }
      if let parent = place.entries[index].parent, failed[parent] {
        fail(index, .unwritable, "what it is in could not be made")
        continue
      }
      do throws(SystemError) {
        if let problem = try prepare(index) { fail(index, .unwritable, problem) }
      } catch {
        if error.endsTransfer {
          throw TransferError(
            "\(printable(place.inventory.path(of: index))) cannot be made",
            error,
            remedy: "what is durable stays: run the same command again"
          )
        }
        failed[index] = true
        failures.append(place.fail(index, error))
      }
    }
  }

  /// Removes what earlier owners staged in the directories that are there, before anything comes
  /// into place: a rename that one of them still has on its way must find nothing to rename.
  private func sweepEarlierOwners() {
    let staged = destination.stagedName
    guard destination.isContinued, staged.hasToken else { return }
    var directories: [Int?] = place.segment.index == 0 ? [nil] : []
    for (index, entry) in place.entries.enumerated()
    where entry.kind == .directory && !entry.isContext {
      switch place.action(of: index) {
      case .keep, .update: directories.append(index)
      case .create, .replace, .resume, .refuse: continue
      }
    }
    for index in directories {
      guard let directory = try? place.directories.directory(of: index).directory,
        let items = try? directory.names()
      else { continue }
      for item in items where staged.isOfEarlierOwner(item.name) {
        try? directory.unlink(item.name)
      }
    }
  }

  private mutating func fail(_ index: Int, _ failure: EntryFailure, _ reason: String) {
    failed[index] = true
    failures.append(place.fail(index, failure, reason))
  }

  /// - Returns: what is wrong with the entry though every call succeeded.
  private mutating func prepare(_ index: Int) throws(SystemError) -> String? {
    let entry = place.entries[index]
    if entry.isContext {
      // Made with its own segment, unless that failed.
      _ = try place.directories.directory(of: index)
      return try spellingProblem(index)
    }
    if isDemanded(index) {
      if destination.options.isAppendOnly { return "another is there; \(Destination.addsAlone)" }
      place.setAction(of: index, .replace)
    }
    let action = place.action(of: index)
    if action == .keep { return nil }
    try destination.requireWriting().lock.requireHold()
    let parent = try place.directories.parent(of: index)
    policy.touch(parent)
    if action != .update { try makeWritable(entry.parent, parent) }
    switch (entry.kind, action) {
    case (.directory, _):
      return try makeDirectory(index, in: parent)
    case (_, .update):
      return try update(index, in: parent)
    case (.symlink, _), (.fifo, _):
      return try makeSpecial(index, in: parent)
    case (.regular, _) where entry.extents.isEmpty:
      return try makeEmpty(index, in: parent)
    case (.regular, .resume) where !entry.extents.contains(where: { comparison.wanted[$0] }):
      return try publishResumed(index, in: parent)
    case (.regular, _):
      return nil
    }
  }

  /// Whether the sender has read that a file is another, though its length and time agree.
  private func isDemanded(_ index: Int) -> Bool {
    switch place.action(of: index) {
    case .keep, .update: place.entries[index].extents.contains { comparison.wanted[$0] }
    case .create, .replace, .resume, .refuse: false
    }
  }

  // MARK: - One entry each

  private func makeDirectory(
    _ index: Int,
    in parent: OpenDirectory
  ) throws(SystemError) -> String? {
    let name = place.name(of: index)
    do throws(SystemError) {
      // Nobody else looks in before it is complete. Where nothing is changed it gets its mode now:
      // the next run cannot tell it from one that was there.
      let mode = UInt32(destination.metadata(of: place.entries[index]).mode)
      let isAppendOnly = destination.options.isAppendOnly
      try parent.directory.makeDirectory(
        name,
        permissions: isAppendOnly ? mode & 0o777 | 0o700 : 0o700
      )
    } catch {
      // It has been made since the comparison; what it is shows when it is opened.
      guard error.isPresence else { throw error }
      if let problem = try spellingProblem(index) { return problem }
    }
    _ = try place.directories.directory(of: index)
    return nil
  }

  private func makeSpecial(_ index: Int, in parent: OpenDirectory) throws(SystemError) -> String? {
    let name = destination.stagedName.name(for: place.inventory.name(of: index))
    do throws(SystemError) {
      try makeSpecial(index, as: name, in: parent.directory)
    } catch {
      guard error.isPresence else { throw error }
      try destination.removeLeftover(name, in: parent.directory)
      try makeSpecial(index, as: name, in: parent.directory)
    }
    return try finishStaged(index, name, in: parent) { () throws(SystemError) in
      try destination.metadata(of: place.entries[index]).apply(to: name, in: parent.directory)
    }
  }

  private func makeSpecial(
    _ index: Int,
    as name: [UInt8],
    in directory: Directory
  ) throws(SystemError) {
    if place.entries[index].kind == .symlink {
      try directory.makeSymlink(name, target: place.inventory.linkTarget(of: index))
    } else {
      try directory.makeNode(name, kind: .fifo, permissions: 0o600)
    }
  }

  /// Why a directory that is there is not this entry's; nil when it is.
  private func spellingProblem(_ index: Int) throws(SystemError) -> String? {
    let name = place.name(of: index)
    if name.isEmpty { return nil }
    let parent = try place.directories.parent(of: index).directory
    return try DirectorySpelling.isOther(name, in: parent) ? DirectorySpelling.problem : nil
  }

  /// A file without data; it may have a length all the same.
  private func makeEmpty(_ index: Int, in parent: OpenDirectory) throws(SystemError) -> String? {
    let entry = place.entries[index]
    let name = destination.stagedName.name(for: place.inventory.name(of: index))
    let file = try destination.makeStaged(name, in: parent.directory)
    return try finishStaged(index, name, in: parent) { () throws(SystemError) in
      if entry.byteCount > 0 { try file.setByteCount(entry.byteCount) }
      try destination.metadata(of: entry).apply(to: file)
      if policy.needsOwnSync(parent) { try file.sync() }
      try file.close()
    }
  }

  /// Sets what differs of a kept entry.
  private func update(_ index: Int, in parent: OpenDirectory) throws(SystemError) -> String? {
    let name = place.name(of: index)
    let entry = place.entries[index]
    let status = try parent.directory.status(of: name)
    // The mode of what has come in its place meanwhile is not ours to set.
    guard EntryKind(status.kind) == entry.kind else { return "something else has replaced it" }
    try destination.metadata(of: entry).update(
      name,
      in: parent.directory,
      from: status,
      granularity: destination.timeGranularity
    )
    guard entry.kind == .regular else { return nil }
    if policy.needsOwnSync(parent),
      let file = try? parent.directory.openFile(name, .read)
    {
      try file.sync()
    }
    // A file that changed between comparison and now keeps its old identity, which no longer
    // matches: its carried digests are not carried again.
    let updated = try parent.directory.status(of: name)
    if place.identities[index] == PublishedIdentity(status) {
      place.setIdentity(of: index, updated)
    }
    return nil
  }

  private func publishResumed(_ index: Int, in parent: OpenDirectory) throws(SystemError) -> String?
  {
    let key = StagedTable.Key(segment: place.segment.index, entry: index)
    let file = try destination.acquireStaged(index, place, creates: false).file
    defer {
      destination.stagedFiles.release(key)
      destination.stagedFiles.remove(key)
    }
    let name = destination.stagedName.name(for: place.inventory.name(of: index))
    // What fails here leaves it staged: all of it is durable, and the next run publishes it.
    try destination.metadata(of: place.entries[index]).apply(to: file)
    try file.sync()
    let problem = try destination.publish(index, name, in: parent, of: place)
    // The journal may forget it only once the rename is durable.
    try parent.directory.sync()
    // A journal that still has it costs a look at the next start, and no more.
    try? destination.requireWriting().journal.append(
      [.published(path: place.inventory.path(of: index))],
      epoch: 0
    )
    return problem
  }

  /// Completes an entry that was staged just now and renames it into place; it goes when that fails.
  private func finishStaged(
    _ index: Int,
    _ name: [UInt8],
    in parent: OpenDirectory,
    _ complete: () throws(SystemError) -> Void
  ) throws(SystemError) -> String? {
    do throws(SystemError) {
      try complete()
      let problem = try destination.publish(index, name, in: parent, of: place)
      if policy.needsOwnSync(parent) { try parent.directory.sync() }
      return problem
    } catch {
      try? parent.directory.unlink(name)
      throw error
    }
  }

  // MARK: - Before the entries

  /// Discards what an earlier run staged of files that are in place by now, or are others.
  private func discardStale() throws(TransferError) {
    // One that was first taken to be kept may be written on after all.
    let stale = place.stale.filter { place.action(of: $0) != .resume }
    guard !stale.isEmpty else { return }
    var records: [JournalRecord.Body] = []
    for index in stale {
      let name = destination.stagedName.name(for: place.inventory.name(of: index))
      if let parent = try? place.directories.parent(of: index) {
        try? parent.directory.unlink(name)
      }
      records.append(.discarded(path: place.inventory.path(of: index)))
    }
    try destination.requireWriting().journal.append(records, epoch: 0)
  }

  /// A directory of a read-only dataset that an earlier run made, or this user, is opened for as
  /// long as something is written in it; its mode is set at the end again.
  private mutating func makeWritable(
    _ index: Int?,
    _ opened: OpenDirectory
  ) throws(SystemError) {
    if index.map({ writable[$0] }) ?? isTopWritable { return }
    if let index { writable[index] = true } else { isTopWritable = true }
    guard Host.effectiveUserID != 0, !destination.options.isAppendOnly else { return }
    let status = try opened.directory.status(of: [])
    guard status.mode & 0o300 != 0o300, status.userID == Host.effectiveUserID else { return }
    try opened.directory.setMode(of: [], UInt32(status.mode | 0o700))
  }
}
