/// What is moved: files that a seed makes, so that every machine measures the same bytes.
package struct Dataset: Sendable, Equatable {
  package enum Name: String, CaseIterable, Sendable {
    case large, medium, small, noise
  }

  /// What the bytes of the files are like.
  package enum Content: Sendable {
    /// No compressor can shorten it.
    case random
    /// 16-bit samples, as a telescope delivers them.
    case noise
  }

  package var name: Name
  package var fileCount: Int
  package var fileByteCount: Int
  package var seed: UInt64

  /// Files of one directory, at most.
  private static let directoryFileCount = 1000

  /// The set of this name at a scale.
  ///
  /// - Parameters:
  ///   - name: which set.
  ///   - scale: the part of the full set, more than 0: fewer files, or a shorter one.
  ///   - seed: the same gives the same bytes.
  package init(_ name: Name, scale: Double, seed: UInt64) {
    precondition(scale > 0, "a dataset has some part of its bytes")
    func scaled(_ full: Int) -> Int { max(1, Int((Double(full) * scale).rounded())) }
    // A multiple of 4 KiB suits every content.
    func scaledBytes(_ mebibytes: Int) -> Int { scaled(mebibytes << 8) << 12 }
    self.name = name
    self.seed = seed
    switch name {
    case .large: (fileCount, fileByteCount) = (1, scaledBytes(8 << 10))
    case .medium: (fileCount, fileByteCount) = (scaled(64), 64 << 20)
    case .small: (fileCount, fileByteCount) = (scaled(20_000), 16 << 10)
    case .noise: (fileCount, fileByteCount) = (1, scaledBytes(2 << 10))
    }
  }

  package var byteCount: Int { fileCount * fileByteCount }

  package var content: Content { name == .noise ? .noise : .random }

  /// Whether files count for more than bytes.
  package var countsFiles: Bool { name == .small }

  /// For people: `64 x 64 MiB`.
  package var summary: String {
    "\(fileCount) x \(Quantity.binary(fileByteCount))"
  }

  /// Where a file lies, below the set's root.
  package func path(of index: Int) -> String {
    let file = "file-\(Quantity.padded(index, 6))"
    guard fileCount > Dataset.directoryFileCount else { return file }
    return "directory-\(Quantity.padded(index / Dataset.directoryFileCount, 3))/\(file)"
  }

  /// The directories that the files lie in, below the root.
  package var directories: [String] {
    guard fileCount > Dataset.directoryFileCount else { return [] }
    return (0...(fileCount - 1) / Dataset.directoryFileCount).map {
      "directory-\(Quantity.padded($0, 3))"
    }
  }
}
