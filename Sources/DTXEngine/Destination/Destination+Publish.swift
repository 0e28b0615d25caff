internal import DTXCore
internal import DTXLinux

extension Destination {
  /// Renames a staged entry into place and looks at what is there then.
  ///
  /// - Returns: what is wrong with it, at a level that asks; nil when all is well.
  func publish(
    _ entry: Int,
    _ stagedName: [UInt8],
    in parent: OpenDirectory,
    of place: SegmentPlace
  ) throws(SystemError) -> String? {
    let name = place.name(of: entry)
    try requireWriting().lock.requireHold()
    if !place.isNew(entry) {
      try parent.directory.rename(stagedName, to: name, replaces: !options.isAppendOnly)
    } else if let problem = try publishNew(stagedName, as: name, in: parent) {
      try parent.directory.unlink(stagedName)
      return problem
    }
    let metadata = metadata(of: place.entries[entry])
    var status = try parent.directory.status(of: name)
    if !metadata.matchesRights(of: status) {
      try metadata.update(name, in: parent.directory, from: status, granularity: timeGranularity)
      status = try parent.directory.status(of: name)
    }
    if place.entries[entry].kind == .regular { place.setIdentity(of: entry, status) }
    guard options.verification >= .durable else { return nil }
    return metadata.difference(
      from: status,
      byteCount: place.entries[entry].byteCount,
      granularity: timeGranularity
    )
  }

  /// Renames a staged entry to a name that led to nothing at its comparison.
  ///
  /// What somebody else has made there since is replaced, as it would have been a moment before. What
  /// has another spelling of the name may be what another entry of the dataset has just become.
  ///
  /// - Returns: why it must not have its place; nothing was renamed then.
  private func publishNew(
    _ stagedName: [UInt8],
    as name: [UInt8],
    in parent: OpenDirectory
  ) throws(SystemError) -> String? {
    do throws(SystemError) {
      try renameToFree(stagedName, name, in: parent)
      return nil
    } catch {
      guard error.isPresence else { throw error }
      if try DirectorySpelling.isOther(name, in: parent.directory) {
        return DirectorySpelling.problem
      }
      if options.isAppendOnly { throw error }
    }
    try parent.directory.rename(stagedName, to: name)
    return nil
  }

  /// Renames, and replaces nothing: by one call wherever there is one.
  ///
  /// Elsewhere a directory is looked at before, under a lock since other threads rename into it as
  /// well, where it takes names for one that differ in case, and for a name that is not plain ASCII,
  /// whose folding nothing shows: a look at each file would be a round trip for each.
  private func renameToFree(
    _ stagedName: [UInt8],
    _ name: [UInt8],
    in parent: OpenDirectory
  ) throws(SystemError) {
    let directory = parent.directory
    if options.isAppendOnly {
      return try directory.rename(stagedName, to: name, replaces: false)
    }
    if !replacingDevices.withLock({ $0.contains(parent.device) }) {
      if try directory.renameToFree(stagedName, name) { return }
      replacingDevices.withLock { _ = $0.insert(parent.device) }
    }
    guard try mayFold(name, stagedAs: stagedName, in: parent) else {
      return try directory.rename(stagedName, to: name)
    }
    try replacingDevices.withLock { _ throws(SystemError) in
      guard try directory.statusIfPresent(of: name) == nil else {
        throw SystemError.occupied(printable(name))
      }
      try directory.rename(stagedName, to: name)
    }
  }

  /// Whether a name may lead to something in another spelling: of cases, the staged name, which is
  /// there, shows what the directory makes of them.
  private func mayFold(
    _ name: [UInt8],
    stagedAs stagedName: [UInt8],
    in parent: OpenDirectory
  ) throws(SystemError) -> Bool {
    guard DirectorySpelling.isASCII(name) else { return true }
    if let known = parent.foldsCases.withLock({ $0 }) { return known }
    let other = DirectorySpelling.otherCase(of: stagedName)
    let found = try parent.directory.statusIfPresent(of: other) != nil
    parent.foldsCases.withLock { $0 = found }
    return found
  }
}
