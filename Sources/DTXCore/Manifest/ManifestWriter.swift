/// Writes a manifest section by section, as its segments are committed.
///
/// The bytes of `header`, of each `add` and of `finish`, in this order, are the manifest.
package struct ManifestWriter: Sendable {
  private var builder: RootBuilder

  /// - Parameters:
  ///   - header: the manifest's.
  ///   - hash: of the header's root algorithm.
  package init(header: ManifestHeader, hash: RootHash) {
    builder = RootBuilder(header: header, hash: hash)
  }

  /// The first bytes.
  package var header: [UInt8] { builder.header.encoded }

  /// The next segment's section, and its roots.
  package mutating func add(_ part: ManifestSegment) -> (section: [UInt8], roots: Roots) {
    let section = ManifestCodec.unsealedSection(part, header: builder.header)
    let roots = builder.add(part, section: section)
    return (ManifestCodec.seal(section, roots: roots, header: builder.header), roots)
  }

  /// The last section, and what it says.
  package func finish() -> (trailer: [UInt8], summary: ManifestSummary) {
    let summary = builder.summary()
    return (ManifestCodec.encodeTrailer(summary, header: builder.header), summary)
  }
}

/// A manifest that is in memory as a whole: small ones, and those of tests.
package struct Manifest: Sendable {
  package let header: ManifestHeader
  package let segments: [ManifestSegment]
  package let summary: ManifestSummary

  /// Seals segments, which are numbered from 0.
  package init(header: ManifestHeader, segments: [ManifestSegment], hash: RootHash) {
    var builder = RootBuilder(header: header, hash: hash)
    for part in segments { _ = builder.add(part) }
    self.header = header
    self.segments = segments
    summary = builder.summary()
  }

  /// Reads a manifest and checks all of its roots.
  package init(decoding bytes: [UInt8], hash: RootHash) throws(FormatError) {
    var bytesReader = ByteReader(bytes)
    let head = try bytesReader.raw("header", byteCount: ManifestHeader.byteCount)
    var reader = try ManifestReader(header: Array(head), hash: hash)
    var segments: [ManifestSegment] = []
    while true {
      let fixed = try bytesReader.raw(
        "section header",
        byteCount: ManifestCodec.sectionHeaderByteCount
      )
      let byteCount = try reader.readSectionHeader(Array(fixed))
      let body = try bytesReader.raw("section", byteCount: byteCount)
      switch try reader.readSection(Array(body)) {
      case .segment(let part, _):
        segments.append(part)
      case .trailer(let summary):
        try bytesReader.finish("manifest")
        header = reader.header
        self.segments = segments
        self.summary = summary
        return
      }
    }
  }

  /// The manifest's bytes.
  package func encoded(hash: RootHash) -> [UInt8] {
    var writer = ManifestWriter(header: header, hash: hash)
    var bytes = writer.header
    for part in segments { bytes.append(contentsOf: writer.add(part).section) }
    bytes.append(contentsOf: writer.finish().trailer)
    return bytes
  }
}
