internal import DTXCore
internal import DTXLinux

// Room at the destination, and how a run that finds none leaves without a trace.
extension Destination {
  /// What can still be written: by the file system, and by the quotas of the user and the group.
  ///
  /// Of a root that is still to be made, the nearest directory that is there speaks. Empty where
  /// nothing is kept.
  func rooms() -> [SpaceRoom] {
    guard let directory = root?.directory ?? nearest else { return [] }
    var rooms: [SpaceRoom] = []
    if let free = try? directory.freeSpace() {
      rooms.append(
        SpaceRoom(
          place: "the destination's file system",
          byteCount: free.availableBytes,
          inodeCount: free.availableInodes
        )
      )
    }
    // Quotas do not bind a privileged process, which gives files away, too.
    guard Host.effectiveUserID != 0 else { return rooms }
    for (owner, name, number) in [
      (QuotaOwner.user, "user", Host.effectiveUserID),
      (QuotaOwner.group, "group", Host.effectiveGroupID),
    ] {
      guard let quota = directory.quota(of: owner, number) else { continue }
      rooms.append(
        SpaceRoom(
          place: "the quota of \(name) \(number)",
          byteCount: quota.availableBytes,
          inodeCount: quota.availableInodes
        )
      )
    }
    return rooms
  }

  /// Makes `close` remove what this run has made, if that is its state alone.
  ///
  /// Called when nothing of the dataset has been made, and never afterwards.
  func withdraw() {
    withdrawing.withLock { $0 = true }
  }

  /// Removes state and directories that this run has made; all that is not empty stays.
  func removeTraces() {
    guard withdrawing.withLock({ $0 }), !isContinued, let writing, let root else { return }
    // An owner's number must not come twice, so what remembers it stays.
    guard writing.lock.token == nil else { return }
    let state = writing.state
    guard !state.contains(StateDirectory.Name.manifest) else { return }
    for name in [StateDirectory.Name.journal, StateDirectory.Name.newJournal] {
      try? state.remove(name)
    }
    // Last, while it is held: whoever waits for it sees that it is gone.
    try? state.remove(StateDirectory.Name.lock)
    if state.isBelowRoot { removeStateDirectories(in: root.directory) }
    for path in madeRoots.reversed() {
      DestinationRoot.removeIfEmpty(path, within: options.confinement)
    }
  }

  private func removeStateDirectories(in root: Directory) {
    guard let top = try? root.openDirectory(StateMarker.directoryName) else { return }
    try? top.removeDirectory(Array(key.utf8))
    guard let names = try? top.names(), names.map(\.name) == [StateMarker.fileName] else { return }
    let before = try? root.status(of: []).modified
    try? top.unlink(StateMarker.fileName)
    try? root.removeDirectory(StateMarker.directoryName)
    if let before { try? root.setTimes(of: [], modified: before) }
  }
}
