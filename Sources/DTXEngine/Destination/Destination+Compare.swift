package import DTXCore
internal import DTXLinux

extension Destination {
  /// Finds out what the tree lacks of a segment, and changes nothing.
  ///
  /// Called on the metadata thread.
  ///
  /// - Throws: `.interrupted` after `cancel`; `.failed` when the process can open no more files.
  package func compare(_ segment: Segment) throws(TransferError) -> Comparison {
    if let repairing { return repairing.compare(segment) }
    guard let root else {
      // A dry run whose destination does not exist, or one that keeps nothing: everything is to be
      // sent.
      var comparison = Comparison(extentCount: segment.extents.count)
      comparison.wanted = BitSet(count: segment.extents.count, filled: true)
      comparison.madeEntryCount = segment.entries.count { !$0.isContext }
      if options.listsChanges {
        comparison.changed = BitSet(count: segment.entries.count, filled: true)
      }
      return comparison
    }
    let place = SegmentPlace(segment, root: root)
    var comparing = SegmentComparing(place, at: self)
    try comparing.run()
    if writing != nil { places.withLock { $0[segment.index] = place } }
    var comparison = comparing.comparison
    comparison.madeEntryCount = place.madeEntryCount
    return comparison
  }
}

/// The comparison of one segment, entry by entry in canonical order.
struct SegmentComparing: ~Copyable {
  private let destination: Destination
  private let place: SegmentPlace
  private let rules: Comparator.Rules
  private(set) var comparison: Comparison
  /// What stands at each directory's place.
  private var presence: [Presence]
  private var reader = ExtentDigester()
  /// How names are spelled in the directories from the top down to the latest entry's.
  private var spellings: [(parent: Int?, spelling: DirectorySpelling)] = []

  private enum Presence: UInt8 {
    case absent, present
    /// Refused, or not to be looked into; and with it all that is below.
    case refused
  }

  init(_ place: SegmentPlace, at destination: Destination) {
    self.destination = destination
    self.place = place
    rules = Comparator.Rules(
      comparesDigests: destination.options.comparesDigests,
      preservesOwner: destination.options.preservesOwner,
      timeGranularity: destination.timeGranularity
    )
    comparison = Comparison(extentCount: place.segment.extents.count)
    if destination.options.listsChanges {
      comparison.changed = BitSet(count: place.entries.count)
    }
    presence = Array(repeating: .absent, count: place.entries.count)
  }

  mutating func run() throws(TransferError) {
    let absent = destination.absentDirectories.withLock { $0 }
    for index in place.entries.indices {
      try destination.checkCancelled()
      // By now an earlier segment may have made it; nothing of this one is in it.
      if place.entries[index].isContext, absent.contains(place.inventory.path(of: index)) {
        continue
      }
      let parent = place.entries[index].parent
      let above = parent.map { presence[$0] } ?? .present
      if above == .refused {
        refuse(index, .conflict, "what it is in cannot be written")
      } else if let problem = destination.namingProblem(of: index, in: place) {
        refuse(index, .conflict, problem)
      } else if above == .absent {
        wantWhole(index, .create)
      } else {
        try look(at: index, in: parent)
      }
    }
    noteAbsentDirectories()
    destination.count { $0.rereadByteCount += comparison.readByteCount }
  }

  /// Remembers for the next segment which directories that it may go on in are not there.
  private func noteAbsentDirectories() {
    var absent: [[UInt8]] = []
    var above = place.entries.indices.last
    while let index = above {
      if place.entries[index].kind == .directory, presence[index] == .absent {
        absent.append(place.inventory.path(of: index))
      }
      above = place.entries[index].parent
    }
    destination.absentDirectories.withLock { $0 = absent }
  }

  /// Compares an entry whose directory is there.
  private mutating func look(at index: Int, in parent: Int?) throws(TransferError) {
    let opened: OpenDirectory
    do throws(SystemError) {
      opened = try place.directories.directory(of: parent)
    } catch {
      try endIfHopeless(error)
      if let parent { presence[parent] = .refused }
      return refuse(index, error.isConflict ? .conflict : .unwritable, error.reason)
    }
    do throws(SystemError) {
      let name = place.name(of: index)
      let status = try opened.directory.statusIfPresent(of: name)
      if status != nil, try !isSpelled(name, in: opened.directory, parent) {
        return refuse(index, .conflict, DirectorySpelling.problem)
      }
      let linkTarget =
        status?.kind == .symlink ? try opened.directory.readSymlink(name) : []
      let existing = status.map { destination.existing($0, linkTarget: linkTarget) }
      try decide(index, existing, status, in: opened)
    } catch {
      try endIfHopeless(error)
      refuse(index, .unwritable, error.reason)
    }
  }

  /// Whether what a name leads to bears it in this very spelling.
  private mutating func isSpelled(
    _ name: [UInt8],
    in directory: Directory,
    _ parent: Int?
  ) throws(SystemError) -> Bool {
    if name.isEmpty { return true }
    // Directories that the walk has left are not come back to.
    let above = parent.flatMap { place.entries[$0].parent }
    while let last = spellings.last, last.parent != parent, last.parent != above {
      spellings.removeLast()
    }
    if spellings.last?.parent != parent || spellings.isEmpty {
      spellings.append((parent, DirectorySpelling()))
    }
    return try spellings[spellings.count - 1].spelling.has(name, in: directory)
  }

  private mutating func decide(
    _ index: Int,
    _ existing: ExistingEntry?,
    _ status: FileStatus?,
    in parent: OpenDirectory
  ) throws(SystemError) {
    var entry = place.entries[index]
    entry.mode = destination.metadata(of: entry).mode
    let decision = Comparator.decide(
      entry,
      linkTarget: place.inventory.linkTarget(of: index),
      existing: existing,
      rules: rules
    )
    switch decision {
    case .conflict(let reason):
      refuse(index, .conflict, reason)
    case .create:
      try want(index, .create, in: parent)
    case .replace:
      try replace(index, in: parent)
    case .keep(let metadataDiffers), .compareDigests(let metadataDiffers):
      // A directory's time changes with what is added to it, and is not ours to set.
      if destination.options.isAppendOnly, metadataDiffers, entry.kind != .directory {
        return refuse(index, .conflict, "its owner, mode or time differ; \(Destination.addsAlone)")
      }
      guard case .compareDigests = decision else {
        return keep(index, status, metadataDiffers: metadataDiffers)
      }
      // An earlier run has read it and begun to replace it.
      if hasStaged(index) { return try replace(index, in: parent) }
      try readKept(index, status, metadataDiffers: metadataDiffers, in: parent)
    }
  }

  private mutating func refuse(_ index: Int, _ failure: EntryFailure, _ reason: String) {
    presence[index] = .refused
    place.setAction(of: index, .refuse)
    comparison.changed?[index] = false
    // What was wanted or read of it before its problem showed is of no use to the sender.
    if !place.entries[index].isContext {
      for extent in place.entries[index].extents {
        comparison.wanted[extent] = false
        comparison.digests[extent] = .zero
      }
    }
    comparison.refusals.append(place.fail(index, failure, reason))
  }

  // MARK: - What is kept

  private mutating func keep(_ index: Int, _ status: FileStatus?, metadataDiffers: Bool) {
    let entry = place.entries[index]
    presence[index] = .present
    guard !entry.isContext else { return }
    comparison.changed?[index] = metadataDiffers
    // Directories are finished when their segment is sealed.
    let isUpdated = metadataDiffers && entry.kind != .directory
    place.setAction(of: index, isUpdated ? .update : .keep)
    guard entry.kind == .regular, let status else { return }
    place.setIdentity(of: index, status)
    if entry.extentCount > 1 { findStale(index) }
    guard !entry.extents.isEmpty else { return }
    let path = place.inventory.path(of: index)
    let digests = destination.carriedDigests(
      of: path,
      entry,
      extents: place.segment.extents[entry.extents],
      at: status
    )
    guard let digests else { return }
    for (extent, digest) in zip(entry.extents, digests) { comparison.digests[extent] = digest }
  }

  /// Reads a file whose length and time agree, and reports its digests as those of what is kept.
  ///
  /// The receiver does not know the sender's digests; the sender, which gets these, compares them
  /// with its own. A file with data where the source has a hole is another one in any case.
  private mutating func readKept(
    _ index: Int,
    _ status: FileStatus?,
    metadataDiffers: Bool,
    in parent: OpenDirectory
  ) throws(SystemError) {
    let entry = place.entries[index]
    keep(index, status, metadataDiffers: metadataDiffers)
    guard let file = try? parent.directory.openFile(place.name(of: index), .read) else {
      // What may not be read can still be replaced.
      return try replace(index, in: parent)
    }
    for extent in entry.extents {
      let digest = try reader.digest(of: place.segment.extents[extent], in: file)
      comparison.readByteCount += UInt64(place.segment.extents[extent].byteCount)
      guard let digest else { return try replace(index, in: parent) }
      comparison.digests[extent] = digest
    }
    let ranges = place.inventory.dataRanges(of: index)
    guard try reader.isZero(outside: ranges, in: file, byteCount: entry.byteCount) else {
      return try replace(index, in: parent)
    }
  }

  // MARK: - What is wanted

  /// Wants what stands in the place of something else.
  private mutating func replace(_ index: Int, in parent: OpenDirectory) throws(SystemError) {
    if destination.options.isAppendOnly {
      return refuse(index, .conflict, "another is there; \(Destination.addsAlone)")
    }
    try want(index, .replace, in: parent)
  }

  private mutating func wantWhole(_ index: Int, _ action: EntryAction) {
    guard !place.entries[index].isContext else { return }
    place.setAction(of: index, action)
    comparison.changed?[index] = true
    for extent in place.entries[index].extents {
      comparison.wanted[extent] = true
      comparison.digests[extent] = .zero
    }
  }

  /// Wants what no earlier run has staged.
  private mutating func want(
    _ index: Int,
    _ action: EntryAction,
    in parent: OpenDirectory
  ) throws(SystemError) {
    wantWhole(index, action)
    guard place.entries[index].extentCount > 1 else { return }
    guard let file = destination.replay.file(at: place.inventory.path(of: index)) else { return }
    try resume(index, file, in: parent)
    if place.action(of: index) != .resume { place.addStale(index) }
  }

  /// Reads back what the journal calls durable of a staged file, and takes what is right.
  private mutating func resume(
    _ index: Int,
    _ known: JournalFile,
    in parent: OpenDirectory
  ) throws(SystemError) {
    let entry = place.entries[index]
    guard isStaged(known, of: index) else { return }
    let name = destination.stagedName.name(for: place.inventory.name(of: index))
    guard let status = try parent.directory.statusIfPresent(of: name),
      status.kind == .regular, status.linkCount == 1, status.byteCount == entry.byteCount
    else { return }
    // One that was complete has its owner before it is renamed.
    let owner = destination.metadata(of: entry).owner?.user
    guard status.userID == owner || !StateDirectory.isForeign(status, in: parent.directory) else {
      return
    }
    // One that may not be read is written anew.
    guard let file = try? parent.directory.openFile(name, .read) else { return }
    // At this level the device has to say what is there, and not the page cache.
    if destination.options.verification == .media,
      try !file.dropCached(offset: 0, length: status.byteCount)
    {
      return
    }
    let ranges = place.inventory.dataRanges(of: index)
    guard try file.status().inode == status.inode,
      try Self.onMedium({ () throws(SystemError) in
        try reader.isZero(outside: ranges, in: file, byteCount: entry.byteCount)
      }) ?? false
    else { return }
    var damagedCount = 0
    for index in entry.extents {
      let extent = place.segment.extents[index]
      guard let durable = known.extent(at: extent.offset), durable.byteCount == extent.byteCount
      else { continue }
      comparison.readByteCount += UInt64(extent.byteCount)
      let digest = try Self.onMedium { () throws(SystemError) in
        try reader.digest(of: extent, in: file)
      }
      guard let digest, digest == durable.digest else {
        damagedCount += 1
        continue
      }
      comparison.wanted[index] = false
      comparison.digests[index] = durable.digest
      comparison.resumedByteCount += UInt64(extent.byteCount)
    }
    if damagedCount > 0 {
      destination.note(
        "\(printable(place.inventory.path(of: index))): \(damagedCount) staged extents are not "
          + "what they were when they were written; they are sent again"
      )
    }
    guard entry.extents.contains(where: { !comparison.wanted[$0] }) else { return }
    place.setResumed(index, StagedIdentity(status))
  }

  /// Reads what the device may have lost; nil where it cannot give it back.
  private static func onMedium<Value>(
    _ read: () throws(SystemError) -> Value?
  ) throws(SystemError) -> Value? {
    do throws(SystemError) {
      return try read()
    } catch {
      guard error.isAboutMedium else { throw error }
      return nil
    }
  }

  /// Finds what an earlier run staged for a file that is in place by now.
  private func findStale(_ index: Int) {
    if destination.replay.file(at: place.inventory.path(of: index)) != nil {
      place.addStale(index)
    }
  }

  /// Whether the journal has a staged file of this very content.
  private func hasStaged(_ index: Int) -> Bool {
    guard let known = destination.replay.file(at: place.inventory.path(of: index)) else {
      return false
    }
    return isStaged(known, of: index)
  }

  /// Without a source identity, another file of the same length and time would pass for it.
  private func isStaged(_ known: JournalFile, of index: Int) -> Bool {
    known.identity == place.fileIdentity(of: index) && known.identity.sourceIdentity != 0
  }

  private func endIfHopeless(_ error: SystemError) throws(TransferError) {
    guard error.isAboutDescriptors else { return }
    throw TransferError(
      "the destination cannot be compared",
      error,
      remedy: "allow the process more open files (ulimit -n)"
    )
  }
}
