/// The bytes of a manifest's sections: dtx-manifest(5), "Sections".
///
/// A manifest is a header, a section for each segment, and a trailer. Each section begins with 16
/// bytes that say how many follow, so that one section at a time needs to be in memory.
package enum ManifestCodec {
  /// Bytes that every section begins with.
  package static let sectionHeaderByteCount = 16

  /// A section's bytes behind its header, at most: 2^24 digests take a quarter of a gibibyte, 2^20
  /// entries with the longest names and paths' worth of attributes the rest.
  package static let sectionByteCountMaximum: UInt64 = 1 << 31

  /// What a section is; the raw value stands in the format.
  package enum SectionKind: UInt8, Sendable, CaseIterable {
    case segment = 1
    case trailer = 2
  }

  /// A section's first 16 bytes.
  package struct SectionHeader: Equatable, Sendable {
    package var kind: SectionKind
    /// A segment's index; in the trailer, how many segments there were.
    package var index: UInt32
    /// The bytes that follow.
    package var byteCount: UInt64
  }

  /// A whole segment's section, sealed by these roots.
  package static func encode(
    _ part: ManifestSegment,
    roots: Roots,
    header: ManifestHeader
  ) -> [UInt8] {
    seal(unsealedSection(part, header: header), roots: roots, header: header)
  }

  /// The last section.
  package static func encodeTrailer(
    _ summary: ManifestSummary,
    header: ManifestHeader
  ) -> [UInt8] {
    var body = ByteWriter()
    body.append(summary.roots.content, header.rootAlgorithm)
    body.append(summary.roots.full, header.rootAlgorithm)
    body.append(summary.entryCount)
    body.append(summary.fileCount)
    body.append(summary.byteCount)
    body.append(summary.dataByteCount)
    body.append(summary.unreadByteCount)
    let section = SectionHeader(
      kind: .trailer,
      index: summary.segmentCount,
      byteCount: UInt64(body.byteCount)
    )
    return encode(section) + body.bytes
  }

  /// Reads a section's header.
  package static func decodeSectionHeader(
    _ reader: inout ByteReader
  ) throws(FormatError) -> SectionHeader {
    let start = reader.offset
    let raw = try reader.byte("section kind")
    guard let kind = SectionKind(rawValue: raw) else {
      throw FormatError(
        offset: start,
        field: "section kind",
        problem: .unexpected(found: UInt64(raw))
      )
    }
    for byte in try reader.raw("zero", byteCount: 3) where byte != 0 {
      throw FormatError(
        offset: start + 1,
        field: "zero",
        problem: .unexpected(found: UInt64(byte))
      )
    }
    let index = try reader.uint32("section index")
    let byteCount = try reader.uint64("section length")
    guard byteCount <= sectionByteCountMaximum else {
      throw FormatError(
        offset: start + 8,
        field: "section length",
        problem: .tooLarge(found: byteCount, allowed: sectionByteCountMaximum)
      )
    }
    return SectionHeader(kind: kind, index: index, byteCount: byteCount)
  }

  /// Reads what `encodeTrailer` wrote, behind the section's header.
  internal static func decodeTrailer(
    _ reader: inout ByteReader,
    segmentCount: UInt32,
    header: ManifestHeader
  ) throws(FormatError) -> ManifestSummary {
    var summary = ManifestSummary(roots: try decodeRoots(&reader, header: header))
    summary.segmentCount = segmentCount
    summary.entryCount = try reader.uint64("entry count")
    summary.fileCount = try reader.uint64("file count")
    summary.byteCount = try reader.uint64("byte count")
    summary.dataByteCount = try reader.uint64("data byte count")
    summary.unreadByteCount = try reader.uint64("unread byte count")
    try reader.finish("trailer")
    return summary
  }

  internal static func decodeRoots(
    _ reader: inout ByteReader,
    header: ManifestHeader
  ) throws(FormatError) -> Roots {
    let content = try reader.digest("content root", header.rootAlgorithm)
    return Roots(content: content, full: try reader.digest("full root", header.rootAlgorithm))
  }

  /// A segment's section up to its roots; its header already counts them.
  internal static func unsealedSection(
    _ part: ManifestSegment,
    header: ManifestHeader
  ) -> [UInt8] {
    let inventory = part.inventory
    var body = ByteWriter(reservingCapacity: 48 * inventory.count + 16 * part.digests.count + 16)
    body.appendVarint(inventory.count)
    for index in inventory.entries.indices {
      EntryCodec.encode(index, of: inventory, for: .manifest, into: &body)
    }
    body.appendVarint(part.digests.count)
    for digest in part.digests { body.append(digest, header.extentAlgorithm) }
    let section = SectionHeader(
      kind: .segment,
      index: UInt32(part.segment.index),
      byteCount: UInt64(body.byteCount + 2 * header.rootAlgorithm.byteCount)
    )
    return encode(section) + body.bytes
  }

  /// Puts the roots behind a section.
  internal static func seal(
    _ section: [UInt8],
    roots: Roots,
    header: ManifestHeader
  ) -> [UInt8] {
    var writer = ByteWriter(reservingCapacity: section.count + 64)
    writer.appendRaw(section)
    writer.append(roots.content, header.rootAlgorithm)
    writer.append(roots.full, header.rootAlgorithm)
    return writer.bytes
  }

  private static func encode(_ section: SectionHeader) -> [UInt8] {
    var writer = ByteWriter(reservingCapacity: sectionHeaderByteCount)
    writer.append(section.kind.rawValue)
    writer.appendRaw([0, 0, 0])
    writer.append(section.index)
    writer.append(section.byteCount)
    return writer.bytes
  }
}
