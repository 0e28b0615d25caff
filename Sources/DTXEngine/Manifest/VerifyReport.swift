package import DTXCore

/// An entry that is not what the manifest says.
package struct VerifyDifference: Equatable, Sendable {
  /// A part of a file whose bytes differ.
  package struct Block: Equatable, Sendable {
    /// Numbered within the file, from 0.
    package var index: Int
    package var offset: UInt64
    package var byteCount: UInt64

    package init(index: Int, offset: UInt64, byteCount: UInt64) {
      self.index = index
      self.offset = offset
      self.byteCount = byteCount
    }
  }

  /// Below the tree.
  package var path: [UInt8]
  /// What of a file differs; empty where something else than its bytes does.
  package var blocks: [Block]
  /// What differs, for people.
  package var what: String

  package init(path: [UInt8], blocks: [Block], what: String) {
    self.path = path
    self.blocks = blocks
    self.what = what
  }
}

/// What comparing a tree with a manifest came to; lists are in canonical order.
package struct VerifyReport: Sendable {
  package var checkedFileCount = 0
  /// Bytes that were read and compared.
  package var checkedByteCount: UInt64 = 0
  /// Of these, the bytes that came from the device: the page cache had none of their file.
  package var deviceByteCount: UInt64 = 0
  /// Bytes whose digest the manifest does not know.
  package var unreadByteCount: UInt64 = 0
  package var missing: [[UInt8]] = []
  /// Entries whose content is another: kind, length, bytes, target.
  package var differing: [VerifyDifference] = []
  /// Entries of the right content whose owner, mode or time is another: the content root holds,
  /// the full root does not.
  package var changedMetadata: [VerifyDifference] = []
  /// What is in the dataset's directories and not in the manifest; of a tree its top.
  package var extra: [[UInt8]] = []
  /// Entries that could not be read.
  package var failedEntries: [FailedPath] = []
  package var nanoseconds: UInt64 = 0
  /// What the manifest says of itself.
  package var summary: ManifestSummary?
  /// The files in which single blocks differ: each is among those that differ, too.
  package var damaged: [DamagedFile] = []
  /// Whether the manifest is of a directory's contents.
  package var isContents = false
  /// The length that the manifest's blocks were cut with.
  package var blockByteCount = Limits.defaultBlockByteCount
  /// What a repair did; nil where there was none.
  package var repair: RepairReport?

  package init() {}
}
