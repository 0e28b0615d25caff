internal import CZstd
internal import DTXCore
package import DTXLinux

/// Compresses the pieces that records carry, each by itself: dtx-protocol(7), "Records".
///
/// One thread uses it at a time. Its memory is there from the beginning, and what Zstandard needs
/// from the first piece on; nothing is allocated for a record after that.
package final class RecordCompressor {
  /// What a piece must lose to go compressed: a 32nd of itself, for less is not worth the receiver's
  /// trouble.
  private static let gainDivisor = 32
  /// A shorter piece has nothing to lose.
  private static let minimumByteCount = 256

  /// A ZSTD_CCtx.
  private let context: OpaquePointer
  private let memory: PageBuffer

  /// Room for a record whose payload `compress(_:)` puts into its place.
  package var record: UnsafeMutableRawBufferPointer { memory.pointer }

  /// Makes a compressor.
  ///
  /// - Parameter level: one of `Compression.levels`.
  /// - Throws: when there is no memory.
  package init(level: Int) throws(SystemError) {
    precondition(Compression.levels.contains(level), "zstd has no level \(level) for records")
    memory = try PageBuffer(byteCount: RecordLayout.maximumByteCount)
    guard let context = ZSTD_createCCtx() else {
      preconditionFailure("no memory is left for a compressor")
    }
    self.context = context
    let result = ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, Int32(level))
    precondition(ZSTD_isError(result) == 0, "zstd refuses level \(level)")
  }

  deinit { ZSTD_freeCCtx(context) }

  /// Compresses a piece into the payload of `record`.
  ///
  /// - Parameter piece: at most a record's payload.
  /// - Returns: the payload's bytes; nil for a piece that does not shrink enough, which goes as it
  ///   is.
  package func compress(_ piece: UnsafeRawBufferPointer) -> Int? {
    precondition(
      piece.count <= RecordLayout.maximumPayloadByteCount,
      "a piece of \(piece.count) bytes is longer than a record's"
    )
    let lengthByteCount = RecordLayout.lengthByteCount
    let allowed = piece.count - piece.count / RecordCompressor.gainDivisor - lengthByteCount
    guard piece.count >= RecordCompressor.minimumByteCount else { return nil }
    let payload = RecordLayout.headerByteCount
    let frame = UnsafeMutableRawBufferPointer(
      rebasing: record[(payload + lengthByteCount)...].prefix(allowed)
    )
    // With less room than the piece may take zstd gives up as soon as it does not fit.
    let byteCount = ZSTD_compress2(
      context,
      frame.baseAddress,
      frame.count,
      piece.baseAddress,
      piece.count
    )
    guard ZSTD_isError(byteCount) == 0 else { return nil }
    let length = UInt32(piece.count).littleEndian
    record.storeBytes(of: length, toByteOffset: payload, as: UInt32.self)
    return lengthByteCount + byteCount
  }
}
