internal import DTXCore
internal import DTXLinux

/// Compares source files with the digests that the receiver read of its own.
struct SourceChecker {
  private let dataset: SourceDataset

  init(dataset: SourceDataset) {
    self.dataset = dataset
  }

  /// The entries of a segment whose content differs, or cannot be read here: sending those says
  /// why.
  func differing(_ scanned: ScannedSegment, _ comparison: Comparison) -> [Int] {
    let reader = ExtentReader(dataset: dataset)
    var digester = ExtentDigester()
    var differing: [Int] = []
    for (index, entry) in scanned.segment.entries.enumerated() where entry.kind == .regular {
      for extent in entry.extents {
        let known = comparison.digests[extent]
        guard !comparison.wanted[extent], known != .zero else { continue }
        guard case .success(let file) = reader.open(scanned, extent: extent),
          let found = try? digester.digest(of: scanned.segment.extents[extent], in: file),
          found == known, reader.check(scanned, extent: extent) == nil
        else {
          differing.append(index)
          break
        }
      }
    }
    return differing
  }
}
