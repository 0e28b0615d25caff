internal import DTXCore
internal import DTXLinux

/// A directory that is still to get its owner, mode and time.
struct PendingDirectory: Equatable, Sendable {
  /// Below the root; empty for the root itself.
  var path: [UInt8]
  /// Nil for one that is not to be changed.
  var metadata: EntryMetadata?
}

/// Gives directories their owner, mode and time once nothing more goes into them.
///
/// A run that is stopped before that finds at its next start that they differ, and does it then.
struct DirectoryFinishing {
  private let destination: Destination
  private let policy: SyncPolicy
  private let root: Directory
  /// Directories whose metadata could not be set; they are part of what was committed.
  private(set) var failures: [FailedPath] = []

  init(at destination: Destination) {
    self.destination = destination
    policy = destination.requireWriting().policy
    root = destination.requireRoot().directory
  }

  /// Finishes the directories of a segment but for those that the next one may go into: the chain
  /// down to its last entry, which bounds what is remembered.
  ///
  /// - Parameters:
  ///   - place: the segment.
  ///   - excluded: one bit for each of its entries.
  ///   - open: what the segment before left, from the top.
  /// - Returns: what is left now, from the top.
  mutating func finish(
    _ place: SegmentPlace,
    excluded: BitSet,
    open: [PendingDirectory]
  ) -> [PendingDirectory] {
    let entries = place.entries
    guard !entries.isEmpty else { return open }
    var isChain = BitSet(count: entries.count)
    var link: Int? = entries.count - 1
    while let index = link {
      isChain[index] = true
      link = entries[index].parent
    }
    var isOut = excluded
    var own: [PendingDirectory] = []
    var chain: [PendingDirectory] = []
    var contextPaths: [[UInt8]] = []
    for (index, entry) in entries.enumerated() {
      if let parent = entry.parent, isOut[parent] { isOut[index] = true }
      guard entry.kind == .directory, !isOut[index] else { continue }
      let path = place.inventory.path(of: index)
      if entry.isContext {
        if isChain[index] { contextPaths.append(path) }
        continue
      }
      let isFixed = destination.isFixed(index, in: place)
      let metadata = isFixed ? nil : destination.metadata(of: entry)
      let pending = PendingDirectory(path: path, metadata: metadata)
      if isChain[index] { chain.append(pending) } else { own.append(pending) }
    }
    // Children come behind their parents, and an earlier segment's directories above all of these.
    finish(own.reversed())
    finish(open.filter { !contextPaths.contains($0.path) }.reversed())
    return open.filter { contextPaths.contains($0.path) } + chain
  }

  /// Finishes directories, the deepest first.
  mutating func finish(_ directories: some Sequence<PendingDirectory>) {
    for pending in directories {
      do throws(SystemError) {
        try finish(pending)
      } catch {
        // The root's own path is empty.
        let path = pending.path.isEmpty ? Array(".".utf8) : pending.path
        failures.append(FailedPath(path: path, failure: .unwritable, reason: error.reason))
      }
    }
  }

  /// Removes what an earlier run of this session left in a directory.
  func sweep(_ directory: Directory) {
    guard let items = try? directory.names() else { return }
    for item in items where destination.stagedName.isLeftover(item.name) {
      try? directory.unlink(item.name)
    }
  }

  private func finish(_ pending: PendingDirectory) throws(SystemError) {
    try destination.requireWriting().lock.requireHold()
    let directory = pending.path.isEmpty ? root : try root.openDirectory(pending.path)
    if destination.isContinued { sweep(directory) }
    let status = try directory.status(of: [])
    let opened = OpenDirectory(directory: directory, device: status.device)
    policy.touch(opened)
    try pending.metadata?.update(
      [],
      in: directory,
      from: status,
      granularity: destination.timeGranularity
    )
    // Where a sync of the whole does not do, this covers the names in it as well.
    if policy.needsOwnSync(opened) { try directory.sync() }
  }
}
