/// A dataset that no disk holds: so many bytes, made up where they are needed.
///
/// It times the path and the receiver without the source. Files of 1 GiB lie side by side in one
/// directory, the last one is shorter; their times, modes and owners are fixed, so that the same
/// length is the same dataset on every machine. The same values stand in dtx-protocol(7).
package struct NullDataset: Equatable, Sendable {
  /// The length of each file but the last.
  package static let fileByteCount: UInt64 = 1 << 30
  /// Files at most: their names have six digits, which keeps them in canonical order.
  package static let fileLimit: UInt64 = 1_000_000
  /// The greatest length.
  package static let byteLimit = fileLimit * fileByteCount

  /// The lengths of all files together.
  package let byteCount: UInt64
  /// The first file of each segment.
  private var segmentStarts = [0]

  /// - Returns: nil for no byte at all, and for more than `byteLimit`.
  package init?(byteCount: UInt64) {
    guard (1...NullDataset.byteLimit).contains(byteCount) else { return nil }
    self.byteCount = byteCount
    var boundary = SegmentBoundary()
    // The directory is an entry as well, the first one.
    _ = boundary.startsSegment(byteCount: 0)
    for file in 0..<fileCount where boundary.startsSegment(byteCount: self.byteCount(ofFile: file))
    {
      segmentStarts.append(file)
    }
  }

  package var fileCount: Int {
    Int((byteCount + NullDataset.fileByteCount - 1) / NullDataset.fileByteCount)
  }

  package func byteCount(ofFile file: Int) -> UInt64 {
    min(NullDataset.fileByteCount, byteCount - UInt64(file) * NullDataset.fileByteCount)
  }

  /// A file's name: `null-000000` is the first.
  package static func name(ofFile file: Int) -> [UInt8] {
    let digits = String(file)
    return Array("null-\(String(repeating: "0", count: 6 - digits.utf8.count))\(digits)".utf8)
  }

  /// The files of a segment, by their numbers.
  package func files(ofSegment index: Int) -> Range<Int> {
    guard index < segmentStarts.count else { return fileCount..<fileCount }
    let next = index + 1
    return segmentStarts[index]..<(next < segmentStarts.count ? segmentStarts[next] : fileCount)
  }

  /// A segment as a scan of such a directory would cut it; its first entry is the directory.
  ///
  /// - Parameters:
  ///   - index: the segment's, from 0; one that has files.
  ///   - blockByteCount: the size that blocks are cut at.
  /// - Returns: the segment.
  package func segment(_ index: Int, blockByteCount: UInt64) -> Segment {
    let files = files(ofSegment: index)
    precondition(!files.isEmpty, "segment \(index) has no file")
    var inventory = Inventory()
    let root = inventory.append(
      Entry(kind: .directory, parent: nil, isContext: index > 0, mode: 0o755, modified: 0),
      name: []
    )
    for file in files {
      let byteCount = byteCount(ofFile: file)
      inventory.append(
        Entry(kind: .regular, parent: root, mode: 0o644, modified: 0, byteCount: byteCount),
        name: NullDataset.name(ofFile: file),
        // Resuming wants to know that it is the same file.
        attributes: byteCount > blockByteCount ? [.sourceIdentity(UInt64(file) + 1)] : []
      )
    }
    return Segment(
      index: index,
      isLast: files.upperBound == fileCount,
      inventory: inventory,
      blockByteCount: blockByteCount
    )
  }
}
