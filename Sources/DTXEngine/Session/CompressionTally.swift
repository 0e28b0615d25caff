internal import Synchronization

/// What a session's compressed records held, and what became of it on the lanes.
///
/// The connections' threads count, any thread reads.
final class CompressionTally: Sendable {
  private let plain = Atomic<UInt64>(0)
  private let compressed = Atomic<UInt64>(0)

  /// Counts a compressed record.
  ///
  /// - Parameters:
  ///   - plainByteCount: bytes of files that it stands for.
  ///   - compressedByteCount: its payload.
  func count(plainByteCount: Int, compressedByteCount: Int) {
    plain.add(UInt64(plainByteCount), ordering: .relaxed)
    compressed.add(UInt64(compressedByteCount), ordering: .relaxed)
  }

  var plainByteCount: UInt64 { plain.load(ordering: .relaxed) }
  var compressedByteCount: UInt64 { compressed.load(ordering: .relaxed) }
}
