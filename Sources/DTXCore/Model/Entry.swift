/// What one path is.
///
/// The raw value stands in the inventory's and the manifest's format.
package enum EntryKind: UInt8, Sendable, CaseIterable {
  case regular = 0
  case directory = 1
  case symlink = 2
  case fifo = 3

  package var name: String {
    switch self {
    case .regular: "file"
    case .directory: "directory"
    case .symlink: "symlink"
    case .fifo: "fifo"
    }
  }
}

/// One path of a segment, at a fixed size; its name and its attributes lie in the segment's arenas.
package struct Entry: Equatable, Sendable {
  /// The parent's index in the same segment; nil at the dataset's top.
  package var parent: Int? {
    get { parentPlusOne == 0 ? nil : Int(parentPlusOne) - 1 }
    set { parentPlusOne = newValue.map { UInt32($0 + 1) } ?? 0 }
  }

  package var kind: EntryKind
  /// Whether this directory stands here again only so that its children can name it: it was an
  /// entry of an earlier segment.
  package var isContext: Bool
  /// Permission bits with the set-id and sticky bits: the low twelve of st_mode.
  package var mode: UInt16
  package var userID: UInt32
  package var groupID: UInt32
  /// Nanoseconds since 1970, as the source's file system has them.
  package var modified: Int64
  /// A file's length, holes included; 0 for what is no file.
  package var byteCount: UInt64
  /// Where this entry's extents begin in the segment's; set when the segment is cut.
  package internal(set) var firstExtent: UInt32 = 0
  package internal(set) var extentCount: UInt32 = 0

  private var parentPlusOne: UInt32 = 0
  internal var nameOffset: UInt32 = 0
  internal var attributesOffset: UInt32 = 0
  internal var attributesByteCount: UInt32 = 0
  internal var nameByteCount: UInt8 = 0

  package init(
    kind: EntryKind,
    parent: Int?,
    isContext: Bool = false,
    mode: UInt16,
    userID: UInt32 = 0,
    groupID: UInt32 = 0,
    modified: Int64,
    byteCount: UInt64 = 0
  ) {
    self.kind = kind
    self.isContext = isContext
    self.mode = mode
    self.userID = userID
    self.groupID = groupID
    self.modified = modified
    self.byteCount = byteCount
    self.parent = parent
  }

  /// The indices of this entry's extents in its segment.
  package var extents: Range<Int> {
    Int(firstExtent)..<Int(firstExtent) + Int(extentCount)
  }
}

/// What an entry has beyond its fixed core.
///
/// Types ascend within an entry.
package enum Attribute: Equatable, Sendable {
  /// Where a symlink points: any bytes but NUL.
  case linkTarget([UInt8])
  /// The ranges of a sparse file that hold data, ascending, apart, within the file's length.
  case dataRanges([Range<UInt64>])
  /// What tells two versions of a source file apart that have the same length and time: a digest
  /// of device, inode and ctime. It serves resuming alone and is no part of a manifest.
  case sourceIdentity(UInt64)

  package enum Kind: UInt8, Sendable {
    case linkTarget = 1
    case dataRanges = 2
    case sourceIdentity = 32
  }

  package var kind: Kind {
    switch self {
    case .linkTarget: .linkTarget
    case .dataRanges: .dataRanges
    case .sourceIdentity: .sourceIdentity
    }
  }

  /// Whether a peer that does not know this attribute must refuse the entry.
  package var isCritical: Bool {
    switch self {
    case .linkTarget, .dataRanges: true
    case .sourceIdentity: false
    }
  }
}
