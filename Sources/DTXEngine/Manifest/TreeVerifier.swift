package import DTXCore
internal import DTXLinux

/// Compares a tree with a manifest: walks the manifest and reads what it names.
package enum TreeVerifier {
  /// Compares; blocks until all is read.
  ///
  /// - Parameters:
  ///   - directory: the tree.
  ///   - against: a manifest's file, or a tree with one in its `.dtx`; nil for this tree's own.
  ///   - level: `media` to name every file that cannot be read past the page cache, `memory` to read
  ///     through it; nil to read past it where that can be.
  ///   - watching: is told of the progress, on the calling thread.
  /// - Returns: what was found, in canonical order.
  /// - Throws: `.failed` when tree or manifest cannot be opened, `.integrity` when the manifest is
  ///   not what it was sealed as.
  package static func run(
    directory: [UInt8],
    against: [UInt8]?,
    level: VerificationLevel? = nil,
    watching: @escaping @Sendable (TransferEvent) -> Void
  ) throws(TransferError) -> VerifyReport {
    let start = Clock.now()
    let root = try TransferError.unless("\(printable(directory)) cannot be opened") {
      () throws(SystemError) in try Directory.open(directory)
    }
    var manifest = try ManifestFile.open(against ?? directory)
    var walk = try VerifyWalk(root: root, level: level, watching: watching)
    var isContents = false
    while let part = try manifest.nextSegment() {
      isContents = isContents || !part.entries.isEmpty && part.inventory.name(of: 0).isEmpty
      walk.visit(part)
    }
    var report = walk.finish()
    report.summary = manifest.summary
    report.isContents = isContents
    report.blockByteCount = manifest.header.blockByteCount
    report.nanoseconds = Clock.now() - start
    return report
  }
}

/// The walk along a manifest, on one thread; the files' bytes are read by others.
private struct VerifyWalk {
  private let root: Directory
  private let reading: VerifyReading
  private let level: VerificationLevel?
  private let watching: @Sendable (TransferEvent) -> Void
  private let start = Clock.now()
  private var report = VerifyReport()
  private var listing = ExtraListing()
  private var latestEvent: UInt64 = 0
  private var entryCount = 0
  private var byteCount: UInt64 = 0

  private static let eventPause = 250 * Duration.millisecond

  init(
    root: Directory,
    level: VerificationLevel?,
    watching: @escaping @Sendable (TransferEvent) -> Void
  ) throws(TransferError) {
    self.root = root
    self.level = level
    self.watching = watching
    reading = try VerifyReading()
  }

  mutating func visit(_ part: ManifestSegment) {
    let directories = DirectoryCache(
      root: OpenDirectory(directory: root, device: 0),
      inventory: part.inventory
    )
    var isLost = BitSet(count: part.entries.count)
    for (index, entry) in part.entries.enumerated() {
      let path = part.inventory.path(of: index)
      if let parent = entry.parent, isLost[parent] {
        isLost[index] = true
        if !entry.isContext { report.missing.append(path) }
        continue
      }
      do throws(SystemError) {
        let parent = try directories.parent(of: index).directory
        let name = Array(part.inventory.name(of: index))
        let status = try parent.statusIfPresent(of: name)
        if entry.isContext {
          isLost[index] = status?.kind != .directory
          continue
        }
        listing.pass(path)
        guard let status else {
          isLost[index] = true
          report.missing.append(path)
          continue
        }
        isLost[index] = try !compare(index, of: part, path, status, in: parent, name)
        if entry.kind == .directory, !isLost[index] {
          listing.enter(path, try directories.directory(of: index).directory)
        }
      } catch {
        isLost[index] = true
        report.failedEntries.append(
          FailedPath(path: path, failure: .unreadable, reason: error.reason)
        )
      }
      tell()
    }
  }

  mutating func finish() -> VerifyReport {
    reading.finish { tell() }
    let findings = reading.findings()
    report.differing += findings.other
    report.differing += findings.damaged.map { file in
      VerifyDifference(path: file.path, blocks: file.blocks, what: "its bytes differ")
    }
    report.damaged = findings.damaged
    report.failedEntries += findings.failed
    report.checkedByteCount = findings.readByteCount
    report.deviceByteCount = findings.deviceByteCount
    report.extra = listing.finish()
    report.differing.sort { Inventory.precedes($0.path, $1.path) }
    report.extra.sort { Inventory.precedes($0, $1) }
    report.failedEntries.sort { Inventory.precedes($0.path, $1.path) }
    return report
  }

  /// Compares an entry that is there.
  ///
  /// - Returns: whether it is of the right kind, so that what is below it can be looked for.
  private mutating func compare(
    _ index: Int,
    of part: ManifestSegment,
    _ path: [UInt8],
    _ status: FileStatus,
    in parent: Directory,
    _ name: [UInt8]
  ) throws(SystemError) -> Bool {
    let entry = part.entries[index]
    entryCount += 1
    guard EntryKind(status.kind) == entry.kind else {
      let found = EntryKind(status.kind)?.name ?? "special file"
      differ(path, "a \(found) stands where a \(entry.kind.name) should be")
      return false
    }
    switch entry.kind {
    case .directory, .fifo:
      break
    case .symlink:
      let target = try parent.readSymlink(name)
      guard target == part.inventory.linkTarget(of: index) else {
        differ(path, "it points to \(printable(target))")
        return true
      }
    case .regular:
      report.checkedFileCount += 1
      byteCount += entry.byteCount
      guard status.byteCount == entry.byteCount else {
        differ(path, "it has \(status.byteCount) bytes instead of \(entry.byteCount)")
        return true
      }
      let file = try VerifiedFile(
        path,
        try parent.openFile(name, .read),
        part,
        index,
        dropsCache: level != .memory
      )
      // What was asked for is not said of what it cannot be said of; the rest is read all the same.
      if level == .media, !file.isFromDevice, !file.extents.isEmpty {
        let reason = "it cannot be read past the page cache"
        report.failedEntries.append(FailedPath(path: path, failure: .unreadable, reason: reason))
      }
      report.unreadByteCount += file.unreadByteCount
      reading.add(file)
    }
    compareMetadata(entry, path, status)
    return true
  }

  private mutating func compareMetadata(
    _ entry: Entry,
    _ path: [UInt8],
    _ status: FileStatus
  ) {
    var aspects: [String] = []
    if entry.kind != .symlink, status.mode != entry.mode { aspects.append("mode") }
    if status.userID != entry.userID || status.groupID != entry.groupID {
      aspects.append("owner")
    }
    if status.modified != entry.modified { aspects.append("time") }
    guard !aspects.isEmpty else { return }
    let what = aspects.joined(separator: ", ")
    report.changedMetadata.append(VerifyDifference(path: path, blocks: [], what: what))
  }

  private mutating func differ(_ path: [UInt8], _ what: String) {
    report.differing.append(VerifyDifference(path: path, blocks: [], what: what))
  }

  private mutating func tell() {
    let now = Clock.now()
    guard now >= latestEvent + VerifyWalk.eventPause else { return }
    latestEvent = now
    var progress = TransferProgress(phase: "verifying")
    progress.entryCount = entryCount
    progress.byteCount = byteCount
    progress.movedByteCount = reading.readByteCount
    progress.nanoseconds = now - start
    watching(.progress(progress))
  }
}
