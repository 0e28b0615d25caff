internal import DTXCore
internal import DTXLinux

/// What a destination has that keeps nothing: the roots of what passed, which both ends compare.
///
/// Used by the metadata thread alone.
final class Discarding: Sendable {
  private let builder: Guarded<RootBuilder>
  private let blockByteCount: UInt64

  init(blockByteCount: UInt64) {
    self.blockByteCount = blockByteCount
    let header = ManifestHeader(blockByteCount: blockByteCount, rootAlgorithm: .sha256)
    builder = Guarded(RootBuilder(header: header, hash: .sha256))
  }

  func seal(_ work: SealWork) {
    let part = ManifestSegment(
      work.segment,
      digests: work.digests,
      excluded: work.excluded,
      blockByteCount: blockByteCount
    )
    builder.withLock { _ = $0.add(part) }
  }

  func finalize() -> Roots {
    builder.withLock { $0.finish() }
  }
}
