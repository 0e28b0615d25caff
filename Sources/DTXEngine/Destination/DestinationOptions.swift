package import DTXCore

/// What a user chose, as far as the receiving tree is concerned.
package struct DestinationOptions: Sendable {
  /// Sets user and group, and with them a file's set-id bits; needs the right to do so.
  package var preservesOwner: Bool
  /// Reads files whose length and time agree, instead of trusting these.
  package var comparesDigests: Bool
  package var verification: VerificationLevel
  /// Where blocks are cut: what an earlier run with another length staged is of no use.
  package var blockByteCount: UInt64
  /// Where journals and manifests are kept; nil for `.dtx` in the root.
  package var stateDirectory: [UInt8]?
  /// Whether large files are written past the page cache.
  package var storage: StorageMode
  /// How files are reached; nil for what suits the file system and `storage`.
  package var method: StorageMethod?
  /// Adds, and changes nothing that was there: no content, no name, no owner, mode or time.
  package var isAppendOnly: Bool
  /// Looks, and changes nothing: no lock, no probe, no state.
  package var isDryRun: Bool
  /// A comparison says of each entry whether it is made or changed.
  package var listsChanges: Bool
  /// What the root must not leave; nil where whoever named it may go anywhere.
  var confinement: Confinement?

  package init(
    preservesOwner: Bool = false,
    comparesDigests: Bool = false,
    verification: VerificationLevel = .durable,
    blockByteCount: UInt64 = Limits.defaultBlockByteCount,
    stateDirectory: [UInt8]? = nil,
    storage: StorageMode = .automatic,
    isAppendOnly: Bool = false,
    isDryRun: Bool = false,
    listsChanges: Bool = false
  ) {
    self.preservesOwner = preservesOwner
    self.comparesDigests = comparesDigests
    self.verification = verification
    self.blockByteCount = blockByteCount
    self.stateDirectory = stateDirectory
    self.storage = storage
    self.isAppendOnly = isAppendOnly
    self.isDryRun = isDryRun
    self.listsChanges = listsChanges
  }
}

/// What the destination has done so far.
package struct DestinationStatistics: Equatable, Sendable {
  /// Epochs that were committed.
  package var epochCount: UInt64 = 0
  /// Time spent waiting for data and journal to be on the disk.
  package var syncNanoseconds: UInt64 = 0
  /// Bytes of earlier runs, and of kept files, that were read to be checked.
  package var rereadByteCount: UInt64 = 0

  package init() {}
}
