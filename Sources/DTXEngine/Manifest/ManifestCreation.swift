package import DTXCore
internal import DTXLinux

/// Makes a tree's manifest without a transfer: scans it, reads all of it, and seals what it holds.
package enum ManifestCreation {
  /// Reads the tree; blocks until its manifest is written.
  ///
  /// - Parameters:
  ///   - directory: the tree.
  ///   - blockByteCount: where files are cut.
  ///   - filters: which entries belong to it.
  ///   - output: the manifest's file; nil for the tree's own `.dtx`, where it also serves to
  ///     tell later transfers what the tree holds.
  ///   - watching: is told of progress and of entries that are left out, on any thread.
  /// - Returns: what the manifest comes to.
  /// - Throws: `.failed` when the tree cannot be read or the manifest not be written; `.locked`
  ///   when a transfer holds the tree's state.
  package static func run(
    directory: [UInt8],
    blockByteCount: UInt64,
    filters: [FilterRule],
    output: [UInt8]?,
    watching: @escaping @Sendable (TransferEvent) -> Void
  ) throws(TransferError) -> ManifestSummary {
    // A trailing slash means the contents.
    let dataset = try SourceDataset.open([directory + [UInt8(ascii: "/")]])
    let target = try ManifestTarget(directory: directory, output: output)
    defer { target.lock?.release() }
    let scanner = Scanner(
      dataset: dataset,
      filter: Filter(filters),
      blockByteCount: blockByteCount,
      report: watching
    )
    let remedy = "nothing was changed in the tree"
    var sink = try TransferError.unless("the manifest cannot be written", remedy: remedy) {
      () throws(SystemError) in try ManifestSink(target, blockByteCount: blockByteCount)
    }
    var readByteCount: UInt64 = 0
    var isLast = false
    while !isLast {
      let scanned = try scanner.nextSegment()
      isLast = scanned.segment.isLast
      let reading = SegmentReading(dataset, scanned, readBefore: readByteCount, watching)
      reading.run()
      let (digests, excluded) = reading.results()
      readByteCount += scanned.segment.dataByteCount
      let part = ManifestSegment(
        scanned.segment,
        digests: digests,
        excluded: excluded,
        blockByteCount: blockByteCount
      )
      try TransferError.unless("the manifest cannot be written", remedy: remedy) {
        () throws(SystemError) in try sink.add(part, scanned, excluded: excluded)
      }
    }
    try target.lock?.check()
    return try TransferError.unless("the manifest cannot be written", remedy: remedy) {
      () throws(SystemError) in try sink.finish()
    }
  }
}

/// Where a new manifest goes.
private struct ManifestTarget {
  let directory: Directory
  let name: [UInt8]
  /// Nil for a file that the user named, which no transfer knows of.
  let lock: DestinationLock?

  init(directory tree: [UInt8], output: [UInt8]?) throws(TransferError) {
    if let output {
      (directory, name) = try Directory.holding(output, to: "written")
      lock = nil
      return
    }
    let root = try TransferError.unless("\(printable(tree)) cannot be opened") {
      () throws(SystemError) in try Directory.open(tree)
    }
    let state = try StateDirectory.open(
      root: root,
      key: StagedName.key(topNames: [[]]),
      stateDirectory: nil,
      creates: true
    )
    guard let state else { preconditionFailure("a state directory that was to be made is there") }
    directory = state.directory
    name = StateDirectory.Name.manifest
    lock = try DestinationLock.take(in: state)
  }
}

/// A manifest that is being made, with the identities beside it where later transfers look.
private struct ManifestSink {
  private let target: ManifestTarget
  private var manifest: ManifestFileWriter
  private let identities: IdentityFile.Writer?

  init(_ target: ManifestTarget, blockByteCount: UInt64) throws(SystemError) {
    self.target = target
    // Not the partial name of transfers: one that broke off may still want its own.
    let suffix = Array(".new".utf8)
    manifest = try ManifestFileWriter(
      target.name + suffix,
      in: target.directory,
      blockByteCount: blockByteCount
    )
    identities =
      target.lock == nil
      ? nil
      : try IdentityFile.Writer(StateDirectory.Name.identities + suffix, in: target.directory)
  }

  mutating func add(
    _ part: ManifestSegment,
    _ scanned: ScannedSegment,
    excluded: BitSet
  ) throws(SystemError) {
    let roots = try manifest.add(part)
    var isOut = excluded
    var files: [PublishedIdentity] = []
    for (index, entry) in scanned.segment.entries.enumerated() {
      if let parent = entry.parent, isOut[parent] { isOut[index] = true }
      guard entry.kind == .regular, !isOut[index] else { continue }
      let identity = scanned.identities[index]
      files.append(PublishedIdentity(inode: identity.inode, changed: identity.changed))
    }
    try identities?.add(files, of: scanned.segment.index, sealedBy: roots.full)
  }

  func finish() throws(SystemError) -> ManifestSummary {
    let summary = try manifest.finish()
    try identities?.publish(as: StateDirectory.Name.identities)
    try manifest.publish(as: target.name)
    try target.directory.sync()
    return summary
  }
}
