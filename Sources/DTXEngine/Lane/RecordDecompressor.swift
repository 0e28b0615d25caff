internal import CZstd
package import DTXLinux

/// Takes apart what a `RecordCompressor` made, and whatever else an authentic peer may send.
///
/// One thread uses it at a time. Its memory comes with the first compressed record; nothing is
/// allocated for a record after that.
package final class RecordDecompressor {
  /// A ZSTD_DCtx, and where a sealed payload is received.
  private var state: (context: OpaquePointer, memory: PageBuffer)?

  /// Makes one that has taken nothing yet.
  package init() {}

  deinit {
    if let state { ZSTD_freeDCtx(state.context) }
  }

  /// Where the next payload is to be received, with its tag and padding.
  ///
  /// - Parameter byteCount: the payload's, at most a record's.
  /// - Returns: room for all of these.
  /// - Throws: when there is no memory.
  package func place(_ byteCount: Int) throws(SystemError) -> UnsafeMutableRawBufferPointer {
    precondition(byteCount <= RecordLayout.maximumPayloadByteCount, "a payload too long")
    let memory = try ready().memory
    return UnsafeMutableRawBufferPointer(
      rebasing: memory.pointer[..<RecordLayout.sealedByteCount(payloadByteCount: byteCount)]
    )
  }

  private func ready() throws(SystemError) -> (context: OpaquePointer, memory: PageBuffer) {
    if let state { return state }
    let memory = try PageBuffer(
      byteCount: RecordLayout.sealedByteCount(
        payloadByteCount: RecordLayout.maximumPayloadByteCount
      )
    )
    guard let context = ZSTD_createDCtx() else {
      preconditionFailure("no memory is left for a decompressor")
    }
    state = (context, memory)
    return (context, memory)
  }

  /// Reads how many bytes an opened payload stands for.
  ///
  /// - Parameter payload: authentic.
  /// - Returns: at least one, and at most a record's payload.
  /// - Throws: `CompressionFault` for anything else.
  package static func byteCount(
    of payload: UnsafeRawBufferPointer
  ) throws(CompressionFault) -> Int {
    guard payload.count > RecordLayout.lengthByteCount else { throw .truncated }
    let found = Int(UInt32(littleEndian: payload.loadUnaligned(as: UInt32.self)))
    let allowed = RecordLayout.maximumPayloadByteCount
    guard (1...allowed).contains(found) else { throw .byteCount(found: found, allowed: allowed) }
    return found
  }

  /// Restores the bytes that an opened payload stands for.
  ///
  /// - Parameters:
  ///   - payload: authentic, of which `byteCount(of:)` has spoken.
  ///   - piece: room for exactly these bytes.
  /// - Throws: `CompressionFault` when the frame yields other than these, is not alone, or is none.
  package func decompress(
    _ payload: UnsafeRawBufferPointer,
    into piece: UnsafeMutableRawBufferPointer
  ) throws(CompressionFault) {
    guard let context = state?.context else { preconditionFailure("no payload was received") }
    let frame = UnsafeRawBufferPointer(rebasing: payload[RecordLayout.lengthByteCount...])
    // The library itself would take several frames, and some of them for others' use.
    let frameByteCount = ZSTD_findFrameCompressedSize(frame.baseAddress, frame.count)
    guard ZSTD_isError(frameByteCount) == 0, frameByteCount == frame.count else { throw .frame }
    let byteCount = ZSTD_decompressDCtx(
      context,
      piece.baseAddress,
      piece.count,
      frame.baseAddress,
      frame.count
    )
    guard ZSTD_isError(byteCount) == 0, byteCount == piece.count else { throw .frame }
  }
}
