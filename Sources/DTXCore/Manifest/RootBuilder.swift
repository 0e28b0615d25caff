/// How a root is computed.
///
/// The core has no SHA-256 of its own: the engine passes one in, and the simulator makes do with
/// XXH3.
package struct RootHash: Sendable {
  package let algorithm: DigestAlgorithm
  /// The digest of some bytes.
  package let hash: @Sendable ([UInt8]) -> Digest

  package init(algorithm: DigestAlgorithm, hash: @escaping @Sendable ([UInt8]) -> Digest) {
    self.algorithm = algorithm
    self.hash = hash
  }

  /// XXH3-128: finds faults, not forgers.
  package static let xxh3 = RootHash(algorithm: .xxh3) { Digest.xxh3(of: $0) }
}

// dtx-manifest(5), "Roots".
extension Roots {
  /// A segment's roots.
  ///
  /// - Parameters:
  ///   - part: the segment.
  ///   - section: its section's bytes, from the section's header up to the roots.
  ///   - hash: how roots are computed.
  internal init(of part: ManifestSegment, section: [UInt8], hash: RootHash) {
    var full = ByteWriter(reservingCapacity: section.count + 32)
    full.appendCounted("dtx segment full 1")
    full.appendRaw(section)
    self.full = hash.hash(full.bytes)
    content = hash.hash(Roots.contentBytes(of: part))
  }

  /// What a segment's content root is over.
  private static func contentBytes(of part: ManifestSegment) -> [UInt8] {
    let inventory = part.inventory
    var writer = ByteWriter(
      reservingCapacity: 32 * (inventory.count + part.digests.count) + 32
    )
    writer.appendCounted("dtx segment content 1")
    writer.appendVarint(inventory.count)
    for (index, entry) in inventory.entries.enumerated() {
      writer.append(entry.kind.rawValue)
      writer.append(entry.isContext)
      writer.appendVarint(entry.parent.map { $0 + 1 } ?? 0)
      writer.appendCounted(inventory.name(of: index))
      switch entry.kind {
      case .directory, .fifo:
        break
      case .symlink:
        writer.appendCounted(inventory.linkTarget(of: index))
      case .regular:
        writer.appendVarint(entry.byteCount)
        writer.appendVarint(entry.extents.count)
        for extent in entry.extents {
          writer.appendVarint(part.segment.extents[extent].offset)
          writer.appendVarint(UInt64(part.segment.extents[extent].byteCount))
          writer.append(part.digests[extent], .xxh3)
        }
      }
    }
    return writer.bytes
  }
}

/// Puts a dataset's roots together from its segments', in their order.
package struct RootBuilder: Sendable {
  package let header: ManifestHeader
  private let hash: RootHash
  private var segments: [Roots] = []
  private var counts = ManifestSummary(roots: Roots(content: .zero, full: .zero))

  /// - Parameters:
  ///   - header: the manifest's.
  ///   - hash: of the header's root algorithm.
  package init(header: ManifestHeader, hash: RootHash) {
    precondition(
      header.rootAlgorithm == hash.algorithm,
      "\(hash.algorithm.name) where the header says \(header.rootAlgorithm.name)"
    )
    self.header = header
    self.hash = hash
  }

  /// Segments so far.
  package var segmentCount: Int { segments.count }

  /// Adds the next segment and returns its roots.
  package mutating func add(_ part: ManifestSegment) -> Roots {
    let section = ManifestCodec.unsealedSection(part, header: header)
    return add(part, section: section)
  }

  /// The dataset's roots: Merkle roots over the segments'.
  package func finish() -> Roots {
    Roots(
      content: merkleRoot("dtx manifest content 1", segments.map { $0.content }),
      full: merkleRoot("dtx manifest full 1", segments.map { $0.full })
    )
  }

  /// The roots, with what was counted on the way.
  package func summary() -> ManifestSummary {
    var summary = counts
    summary.roots = finish()
    return summary
  }

  /// Adds a segment whose section is already there, without its roots.
  internal mutating func add(_ part: ManifestSegment, section: [UInt8]) -> Roots {
    precondition(
      part.segment.index == segments.count,
      "segment \(part.segment.index) where \(segments.count) follows"
    )
    let roots = Roots(of: part, section: section, hash: hash)
    segments.append(roots)
    counts.add(part)
    return roots
  }

  private func merkleRoot(_ label: String, _ roots: [Digest]) -> Digest {
    var writer = ByteWriter(reservingCapacity: 64 + 32 * roots.count)
    writer.appendCounted(label)
    writer.appendRaw(header.encoded)
    writer.append(UInt64(roots.count))
    for root in roots { writer.append(root, header.rootAlgorithm) }
    return hash.hash(writer.bytes)
  }
}
