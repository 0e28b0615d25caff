/// How a manifest was made: what its first bytes say, dtx-manifest(5), "Header".
package struct ManifestHeader: Equatable, Sendable {
  /// The version that this code writes, and the only one that it reads.
  package static let version: UInt16 = 1

  /// Bytes of a header.
  package static let byteCount = 24

  private static let magic = Array("DTXMANF1".utf8)

  /// The block length that the files were cut with.
  package let blockByteCount: UInt64
  /// What the extents' digests are; XXH3 in this version.
  package let extentAlgorithm: DigestAlgorithm
  /// What the roots are: SHA-256 wherever a user sees them.
  package let rootAlgorithm: DigestAlgorithm

  package init(blockByteCount: UInt64, rootAlgorithm: DigestAlgorithm) {
    precondition(blockByteCount > 0, "a block holds at least one byte")
    precondition(
      blockByteCount <= Limits.maximumBlockByteCount,
      "a block of \(blockByteCount) bytes, not \(Limits.maximumBlockByteCount) at the most"
    )
    self.blockByteCount = blockByteCount
    extentAlgorithm = .xxh3
    self.rootAlgorithm = rootAlgorithm
  }

  /// The header's bytes.
  package var encoded: [UInt8] {
    var writer = ByteWriter(reservingCapacity: ManifestHeader.byteCount)
    writer.appendRaw(ManifestHeader.magic)
    writer.append(ManifestHeader.version)
    writer.append(extentAlgorithm.rawValue)
    writer.append(rootAlgorithm.rawValue)
    writer.append(UInt32(0))
    writer.append(blockByteCount)
    return writer.bytes
  }

  /// Reads a header from its bytes, of which there must be `byteCount`.
  package init(decoding bytes: [UInt8]) throws(FormatError) {
    var reader = ByteReader(bytes)
    guard try reader.raw("magic", byteCount: 8).elementsEqual(ManifestHeader.magic) else {
      throw FormatError(offset: 0, field: "magic", problem: .invalid("this is no manifest"))
    }
    let version = try reader.uint16("version")
    guard version == ManifestHeader.version else {
      throw FormatError(
        offset: 8,
        field: "version",
        problem: .unexpected(found: UInt64(version))
      )
    }
    let extents = try reader.byte("extent algorithm")
    guard extents == DigestAlgorithm.xxh3.rawValue else {
      throw FormatError(
        offset: 10,
        field: "extent algorithm",
        problem: .unexpected(found: UInt64(extents))
      )
    }
    let roots = try reader.byte("root algorithm")
    guard let rootAlgorithm = DigestAlgorithm(rawValue: roots) else {
      throw FormatError(
        offset: 11,
        field: "root algorithm",
        problem: .unexpected(found: UInt64(roots))
      )
    }
    let zero = try reader.uint32("zero")
    guard zero == 0 else {
      throw FormatError(offset: 12, field: "zero", problem: .unexpected(found: UInt64(zero)))
    }
    let blockByteCount = try reader.uint64("block length")
    guard blockByteCount > 0 else {
      throw FormatError(offset: 16, field: "block length", problem: .unexpected(found: 0))
    }
    guard blockByteCount <= Limits.maximumBlockByteCount else {
      let allowed = Limits.maximumBlockByteCount
      let problem = FormatError.Problem.tooLarge(found: blockByteCount, allowed: allowed)
      throw FormatError(offset: 16, field: "block length", problem: problem)
    }
    try reader.finish("header")
    self.init(blockByteCount: blockByteCount, rootAlgorithm: rootAlgorithm)
  }
}

/// What a whole manifest comes to: its last section, dtx-manifest(5), "Trailer".
///
/// Counts that pass 2^64 - 1 stay there.
package struct ManifestSummary: Equatable, Sendable {
  /// The dataset's roots.
  package var roots: Roots
  package var segmentCount: UInt32 = 0
  /// Entries of any kind, each counted once.
  package var entryCount: UInt64 = 0
  /// Regular files among them.
  package var fileCount: UInt64 = 0
  /// The files' lengths, holes included.
  package var byteCount: UInt64 = 0
  /// Bytes of their extents, holes left out.
  package var dataByteCount: UInt64 = 0
  /// Bytes among these whose digest is not known.
  package var unreadByteCount: UInt64 = 0

  package init(roots: Roots) {
    self.roots = roots
  }

  internal mutating func add(_ part: ManifestSegment) {
    func sum(_ left: UInt64, _ right: UInt64) -> UInt64 {
      let (sum, overflow) = left.addingReportingOverflow(right)
      return overflow ? .max : sum
    }
    segmentCount += 1
    entryCount = sum(entryCount, UInt64(part.entryCount))
    fileCount = sum(fileCount, UInt64(part.fileCount))
    byteCount = sum(byteCount, part.byteCount)
    dataByteCount = sum(dataByteCount, part.dataByteCount)
    unreadByteCount = sum(unreadByteCount, part.unreadByteCount)
  }
}
