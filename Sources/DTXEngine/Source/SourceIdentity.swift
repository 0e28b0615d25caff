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

  /// What of a file is no longer as it was scanned, in words; empty where all is.
  ///
  /// Short, as a block's trailer has few bytes for it. Another kind says all.
  func differences(_ status: FileStatus, entry: Int) -> [String] {
    guard status.kind == .regular else { return ["type"] }
    let scanned = segment.entries[entry]
    let identity = identities[entry]
    var names: [String] = []
    if status.byteCount != scanned.byteCount { names.append("size") }
    if status.modified != scanned.modified { names.append("mtime") }
    if status.changed != identity.changed { names.append("ctime") }
    // A number means the same file on the same device alone.
    if status.inode != identity.inode || status.device != identity.device { names.append("inode") }
    return names
  }
}
