/// Reads a manifest section by section, and trusts nothing in it.
///
/// The caller reads `ManifestHeader.byteCount` bytes and makes a reader of them; then, again and
/// again, `ManifestCodec.sectionHeaderByteCount` bytes for `readSectionHeader`, which says how
/// many more to read for `readSection`; until that returns the trailer, behind which nothing may
/// follow. Every root is computed anew and compared. After an error the reader is of no more use.
///
/// A segment that was read does not know whether it is the last: its `isLast` is always false.
package struct ManifestReader: Sendable {
  /// What a section turned out to be.
  package enum Section: Sendable {
    case segment(ManifestSegment, Roots)
    /// The end; it agrees with all that came before.
    case trailer(ManifestSummary)
  }

  private enum Expectation: Sendable {
    case header
    case body(ManifestCodec.SectionHeader, bytes: [UInt8])
    case nothing
  }

  package let header: ManifestHeader
  /// Bytes of the manifest that were read.
  package private(set) var offset: Int
  private var builder: RootBuilder
  private var expectation = Expectation.header
  private var order = SegmentOrder()

  /// Takes the manifest's first `ManifestHeader.byteCount` bytes, and how to compute roots: another
  /// algorithm than the header's is an error.
  package init(header bytes: [UInt8], hash: RootHash) throws(FormatError) {
    let header = try ManifestHeader(decoding: bytes)
    guard header.rootAlgorithm == hash.algorithm else {
      throw FormatError(
        offset: 11,
        field: "root algorithm",
        problem: .unexpected(found: UInt64(header.rootAlgorithm.rawValue))
      )
    }
    self.header = header
    offset = ManifestHeader.byteCount
    builder = RootBuilder(header: header, hash: hash)
  }

  /// Takes a section's first bytes and returns how many follow; the caller need not believe a file
  /// that is shorter than that.
  package mutating func readSectionHeader(_ bytes: [UInt8]) throws(FormatError) -> Int {
    guard case .header = expectation else {
      throw failure("section", .invalid("a section where none is due"))
    }
    var reader = ByteReader(bytes)
    do throws(FormatError) {
      let section = try ManifestCodec.decodeSectionHeader(&reader)
      try reader.finish("section header")
      guard Int(section.index) == builder.segmentCount else {
        throw FormatError(
          offset: 4,
          field: "section index",
          problem: .unexpected(found: UInt64(section.index))
        )
      }
      expectation = .body(section, bytes: bytes)
      offset += bytes.count
      return Int(section.byteCount)
    } catch {
      throw shifted(error)
    }
  }

  /// Takes the rest of the section: as many bytes as `readSectionHeader` said.
  package mutating func readSection(_ bytes: [UInt8]) throws(FormatError) -> Section {
    guard case .body(let section, let sectionHeader) = expectation else {
      throw failure("section", .invalid("bytes without a section header"))
    }
    guard UInt64(bytes.count) == section.byteCount else { throw failure("section", .truncated) }
    do throws(FormatError) {
      let result: Section
      switch section.kind {
      case .segment:
        result = try readSegment(bytes, sectionHeader: sectionHeader)
        expectation = .header
      case .trailer:
        result = try readTrailer(bytes)
        expectation = .nothing
      }
      offset += bytes.count
      return result
    } catch {
      throw shifted(error)
    }
  }

  private mutating func readTrailer(_ bytes: [UInt8]) throws(FormatError) -> Section {
    var reader = ByteReader(bytes)
    let found = try ManifestCodec.decodeTrailer(
      &reader,
      segmentCount: UInt32(builder.segmentCount),
      header: header
    )
    let expected = builder.summary()
    guard found.roots.content == expected.roots.content else {
      throw FormatError(offset: 0, field: "content root", problem: .invalid("it does not match"))
    }
    guard found.roots.full == expected.roots.full else {
      throw FormatError(offset: 0, field: "full root", problem: .invalid("it does not match"))
    }
    guard found == expected else {
      throw FormatError(offset: 0, field: "trailer", problem: .invalid("its counts do not match"))
    }
    return .trailer(found)
  }

  private mutating func readSegment(
    _ bytes: [UInt8],
    sectionHeader: [UInt8]
  ) throws(FormatError) -> Section {
    var reader = ByteReader(bytes)
    let inventory = try readEntries(&reader)
    try checkOrder(inventory, at: reader.offset)
    let start = reader.offset
    let extentCount = try reader.count("extent count", maximum: Limits.segmentExtentCount)
    // Known before anything is cut, so that a few bytes that claim much cost little.
    let expected = ManifestReader.extentCount(of: inventory, header.blockByteCount)
    guard UInt64(extentCount) == expected else {
      throw FormatError(
        offset: start,
        field: "extent count",
        problem: .invalid("\(extentCount) where the entries have \(expected)")
      )
    }
    let needed = extentCount * header.extentAlgorithm.byteCount
    guard needed <= reader.remainingByteCount else {
      throw reader.failure("extent digests", .truncated)
    }
    var digests: [Digest] = []
    digests.reserveCapacity(extentCount)
    for _ in 0..<extentCount {
      digests.append(try reader.digest("extent digest", header.extentAlgorithm))
    }
    let rootsOffset = reader.offset
    let found = try ManifestCodec.decodeRoots(&reader, header: header)
    try reader.finish("segment")

    let segment = Segment(
      index: builder.segmentCount,
      isLast: false,
      inventory: inventory,
      blockByteCount: header.blockByteCount
    )
    let part = ManifestSegment(cut: segment, digests: digests)
    let roots = builder.add(part, section: sectionHeader + bytes[..<rootsOffset])
    guard roots == found else {
      let field = roots.full == found.full ? "content root" : "full root"
      throw FormatError(offset: rootsOffset, field: field, problem: .invalid("it does not match"))
    }
    return .segment(part, roots)
  }

  private func readEntries(_ reader: inout ByteReader) throws(FormatError) -> Inventory {
    let count = try reader.count(
      "entry count",
      maximum: Limits.segmentEntryCount + Limits.pathByteCount
    )
    var decoder = InventoryDecoder(
      isFirstSegment: builder.segmentCount == 0,
      blockByteCount: header.blockByteCount
    )
    for _ in 0..<count {
      let start = reader.offset
      let decoded = try EntryCodec.decode(&reader)
      if let problem = ManifestReader.problem(of: decoded) ?? decoder.place(decoded) {
        throw FormatError(offset: start, field: "entry", problem: .invalid(problem))
      }
    }
    return decoder.finish()
  }

  /// What a manifest does not hold though an inventory may.
  private static func problem(of decoded: DecodedEntry) -> String? {
    let entry = decoded.entry
    if decoded.attributes.contains(where: { !$0.isCritical }) {
      return "an attribute that serves a transfer alone"
    }
    if entry.isContext, entry.mode != 0 || entry.userID != 0 || entry.groupID != 0 {
      return "a context with an owner or a mode"
    }
    if entry.isContext, entry.modified != 0 { return "a context with a time" }
    return nil
  }

  /// Demands that contexts lead to the first entry and nowhere else, and that it comes behind the
  /// segments before.
  private mutating func checkOrder(
    _ inventory: Inventory,
    at offset: Int
  ) throws(FormatError) {
    guard let problem = order.add(inventory) else { return }
    throw FormatError(offset: offset, field: "entries", problem: .invalid(problem))
  }

  /// How many extents cutting will yield, without cutting.
  private static func extentCount(of inventory: Inventory, _ blockByteCount: UInt64) -> UInt64 {
    var count: UInt64 = 0
    for (index, entry) in inventory.entries.enumerated() where entry.kind == .regular {
      let ranges = inventory.dataRanges(of: index)
      for range in ranges {
        let first = range.lowerBound / blockByteCount
        let last = (range.upperBound - 1) / blockByteCount
        count += last - first + 1
      }
    }
    return count
  }

  private func failure(_ field: String, _ problem: FormatError.Problem) -> FormatError {
    FormatError(offset: offset, field: field, problem: problem)
  }

  /// An error whose offset counts from the manifest's first byte.
  private func shifted(_ error: FormatError) -> FormatError {
    FormatError(offset: offset + error.offset, field: error.field, problem: error.problem)
  }
}
