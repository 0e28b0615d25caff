/// What a destination's file system must have room for.
///
/// Bytes are counted as they are stored: in whole pages for each extent, with a share of journal
/// and manifest for each.
package struct SpaceDemand: Equatable, Sendable {
  /// What file systems allot at the least.
  private static let unit: UInt64 = 4096
  /// Journal and manifest for an extent: two digests, its place, and the share of a path.
  private static let recordByteCount: UInt64 = 256

  package private(set) var byteCount: UInt64 = 0
  /// Files and directories that are made.
  package private(set) var inodeCount: UInt64 = 0

  package init() {}

  /// Adds what is wanted of a segment.
  ///
  /// What an earlier run staged of it is there, and is not wanted.
  package mutating func add(_ segment: Segment, _ comparison: Comparison) {
    for (index, extent) in segment.extents.enumerated() where comparison.wanted[index] {
      let stored = (UInt64(extent.byteCount) + SpaceDemand.unit - 1) / SpaceDemand.unit
      byteCount += stored * SpaceDemand.unit + SpaceDemand.recordByteCount
    }
    inodeCount += UInt64(comparison.madeEntryCount)
  }

  /// What of it there is no room for.
  ///
  /// - Parameter room: of the file system, or of a quota.
  /// - Returns: nil when all fits.
  package func shortage(in room: SpaceRoom) -> SpaceShortage? {
    let bytes = room.byteCount.map { byteCount > $0 ? byteCount - $0 : 0 } ?? 0
    let inodes = room.inodeCount.map { inodeCount > $0 ? inodeCount - $0 : 0 } ?? 0
    guard bytes > 0 || inodes > 0 else { return nil }
    return SpaceShortage(place: room.place, byteCount: bytes, inodeCount: inodes)
  }
}

/// What can still be written somewhere.
package struct SpaceRoom: Equatable, Sendable {
  /// What has this room: `the file system`, `the quota of user 1000`.
  package var place: String
  /// Nil where nobody says.
  package var byteCount: UInt64?
  /// Nil where nobody says, or there is no limit.
  package var inodeCount: UInt64?

  package init(place: String, byteCount: UInt64?, inodeCount: UInt64?) {
    self.place = place
    self.byteCount = byteCount
    self.inodeCount = inodeCount
  }
}

/// What is missing where; a count that suffices is 0.
package struct SpaceShortage: Equatable, Sendable {
  package var place: String
  package var byteCount: UInt64
  package var inodeCount: UInt64

  package init(place: String, byteCount: UInt64, inodeCount: UInt64) {
    self.place = place
    self.byteCount = byteCount
    self.inodeCount = inodeCount
  }
}
