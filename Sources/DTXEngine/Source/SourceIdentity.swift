package import DTXCore
package import DTXLinux

/// What a source file was when it was scanned; its content is bound to it.
package struct SourceIdentity: Equatable, Sendable {
  package var device: UInt64
  package var inode: UInt64
  package var changed: Int64

  package init(_ status: FileStatus) {
    device = status.device
    inode = status.inode
    changed = status.changed
  }

  /// A file of a null dataset, by its number.
  init(nullFile number: Int) {
    device = 0
    inode = UInt64(number)
    changed = 0
  }

  /// What the receiver's journal keeps of it.
  package var digest: UInt64 {
    var writer = ByteWriter(reservingCapacity: 24)
    writer.append(device)
    writer.append(inode)
    writer.append(changed)
    return Digest.xxh3(of: writer.bytes).words.0
  }
}

/// A segment as the sender knows it: with what each of its files was.
package final class ScannedSegment: Sendable {
  package let segment: Segment
  /// One for each entry.
  package let identities: [SourceIdentity]

  package init(segment: Segment, identities: [SourceIdentity]) {
    precondition(identities.count == segment.entries.count, "an identity for each entry")
    self.segment = segment
    self.identities = identities
  }

  /// Whether a file is still what was scanned.
  func matches(_ status: FileStatus, entry: Int) -> Bool {
    let scanned = segment.entries[entry]
    return status.kind == .regular && status.byteCount == scanned.byteCount
      && status.modified == scanned.modified && SourceIdentity(status) == identities[entry]
  }
}
