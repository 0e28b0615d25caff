internal import DTXCore
internal import DTXLinux

/// The scanned segments that are under way, for the threads that read their files.
final class SourceTable: Sendable {
  private let segments = Guarded<[Int: ScannedSegment]>([:])

  func add(_ scanned: ScannedSegment) {
    segments.withLock { $0[scanned.segment.index] = scanned }
  }

  func remove(_ segment: Int) {
    segments.withLock { $0[segment] = nil }
  }

  subscript(segment: Int) -> ScannedSegment? {
    segments.withLock { $0[segment] }
  }
}
