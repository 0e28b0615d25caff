package import DTXCore

/// Files that are nearly of one length, side by side in a directory: what a scenario moves.
///
/// A pure function of two numbers, so that no run has to hold all of it.
package struct ScenarioDataset: Equatable, Sendable {
  /// Files at most: each costs the simulated destination some bytes.
  package static let fileLimit: UInt64 = 10_000_000
  /// Bytes at most: an exabyte, whose sums stay far from what 64 bits hold.
  package static let byteLimit: UInt64 = 1_000_000_000_000_000_000

  package let byteCount: UInt64
  package let fileCount: Int
  /// The first file of each segment, and the number of files behind them.
  private let segmentStarts: [Int]

  /// - Parameters:
  ///   - byteCount: of all files; the first ones have a byte more where it does not divide.
  ///   - fileCount: from 1 to `fileLimit`.
  package init(byteCount: UInt64, fileCount: Int) {
    precondition(fileCount > 0, "a dataset has a file")
    precondition(byteCount <= ScenarioDataset.byteLimit, "a dataset of \(byteCount) bytes")
    self.byteCount = byteCount
    self.fileCount = fileCount
    var boundary = SegmentBoundary()
    // The directory is an entry as well, the first one.
    _ = boundary.startsSegment(byteCount: 0)
    var starts = [0]
    let (length, longer) = byteCount.quotientAndRemainder(dividingBy: UInt64(fileCount))
    for file in 0..<fileCount {
      let byteCount = length + (UInt64(file) < longer ? 1 : 0)
      if boundary.startsSegment(byteCount: byteCount) { starts.append(file) }
    }
    segmentStarts = starts + [fileCount]
  }

  package var segmentCount: Int { segmentStarts.count - 1 }

  package func byteCount(ofFile file: Int) -> UInt64 {
    let (length, longer) = byteCount.quotientAndRemainder(dividingBy: UInt64(fileCount))
    return length + (UInt64(file) < longer ? 1 : 0)
  }

  /// The blocks of all files, when they are cut at this length.
  package func blockCount(blockByteCount: UInt64) -> Int {
    (0..<segmentCount).reduce(0) { sum, index in
      // Segments of the same files are cut alike: a file that is longer than a block on its own.
      let files = files(ofSegment: index)
      guard byteCount(ofFile: files.lowerBound) > blockByteCount else {
        return sum + segment(index, blockByteCount: blockByteCount).blocks.count
      }
      return sum
        + files.reduce(0) { count, file in
          count + Int((byteCount(ofFile: file) + blockByteCount - 1) / blockByteCount)
        }
    }
  }

  /// The files of a segment, by their numbers.
  package func files(ofSegment index: Int) -> Range<Int> {
    segmentStarts[index]..<segmentStarts[index + 1]
  }

  /// The number of the file that an entry of a segment is; nil for the directory.
  func file(ofEntry entry: Int, inSegment index: Int) -> Int? {
    entry == 0 ? nil : segmentStarts[index] + entry - 1
  }

  /// A segment as a scan of such a directory would cut it; its first entry is the directory.
  package func segment(_ index: Int, blockByteCount: UInt64) -> Segment {
    var inventory = Inventory()
    let root = inventory.append(
      Entry(kind: .directory, parent: nil, isContext: index > 0, mode: 0o755, modified: 0),
      name: []
    )
    for file in files(ofSegment: index) {
      let byteCount = byteCount(ofFile: file)
      inventory.append(
        Entry(kind: .regular, parent: root, mode: 0o644, modified: 0, byteCount: byteCount),
        name: name(ofFile: file),
        attributes: byteCount > blockByteCount ? [.sourceIdentity(UInt64(file) + 1)] : []
      )
    }
    return Segment(
      index: index,
      isLast: index + 1 == segmentCount,
      inventory: inventory,
      blockByteCount: blockByteCount
    )
  }

  /// What the journal binds a file's extents to.
  func identity(ofFile file: Int) -> FileIdentity {
    FileIdentity(
      path: name(ofFile: file),
      byteCount: byteCount(ofFile: file),
      modified: 0,
      sourceIdentity: UInt64(file) + 1
    )
  }

  /// What stands for the digest of a part of a file: another one for every part.
  static func digest(ofFile file: Int, offset: UInt64) -> Digest {
    let high = SeededRandom.mix(UInt64(file) + 1)
    return Digest(words: (high, SeededRandom.mix(high ^ offset) | 1, 0, 0))
  }

  /// Eight digits keep the names in canonical order.
  private func name(ofFile file: Int) -> [UInt8] {
    var name = Array("file-00000000".utf8)
    var rest = file
    for place in name.indices.suffix(8).reversed() {
      name[place] += UInt8(rest % 10)
      rest /= 10
    }
    return name
  }
}
