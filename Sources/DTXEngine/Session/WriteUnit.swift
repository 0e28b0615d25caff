internal import DTXCore
internal import DTXLinux

/// Memory in which a connection gathers what it receives of a block, until it is worth a write.
///
/// Payloads come to lie one behind another, so that many records make one write: a file system
/// locks, allocates and accounts for each call. A tag is received behind its payload and gives way
/// to the next one. `@unchecked Sendable`: it is handed from the connection's thread to the one
/// that writes and back into the pool, and only the owner of the moment touches it.
final class WriteUnit: @unchecked Sendable {
  /// Bytes of one extent.
  struct Piece {
    /// The extent, by its place among those of the block that were asked for.
    var extent: Int
    /// Where the bytes lie in the extent, and in the unit.
    var offset: UInt64
    var start: Int
    var byteCount: Int
    /// The extent's digest, with its last bytes.
    var digest: Digest?
  }

  /// Of whose share it is while it is out of the pool.
  var share: WriteUnitPool.Share?
  /// What has been gathered, in the order in which it came.
  private(set) var pieces: [Piece] = []
  /// Whether some extent's last bytes are here.
  private(set) var hasEnd = false

  /// Who of its block still needs it; counted with the lock of the block's steps held.
  var useCount = 0

  /// The memory that it lies in.
  let buffer: PageBuffer
  private let capacity: Int
  private var filled = 0

  /// Maps the memory.
  ///
  /// - Parameter byteCount: what it gathers at most; at least the longest payload of a record.
  /// - Throws: when there is no memory.
  init(byteCount: Int) throws(SystemError) {
    precondition(byteCount >= RecordLayout.maximumPayloadByteCount, "a unit of \(byteCount) bytes")
    capacity = byteCount
    buffer = try PageBuffer(byteCount: RecordLayout.sealedByteCount(payloadByteCount: byteCount))
  }

  /// Room behind what has been gathered.
  var freeByteCount: Int { capacity - filled }

  /// Where the next payload is to be received, with its tag and padding: behind what has been
  /// gathered.
  ///
  /// - Parameter byteCount: the payload's, at most `freeByteCount`.
  /// - Returns: room for all of these.
  func place(_ byteCount: Int) -> UnsafeMutableRawBufferPointer {
    precondition(byteCount <= freeByteCount, "a payload of \(byteCount) bytes has no room")
    let end = filled + RecordLayout.sealedByteCount(payloadByteCount: byteCount)
    return UnsafeMutableRawBufferPointer(rebasing: buffer.pointer[filled..<end])
  }

  /// Adds the next bytes of the latest payload to what has been gathered.
  ///
  /// - Parameters:
  ///   - byteCount: how many, at least one.
  ///   - extent: the extent's place in the block.
  ///   - offset: of the bytes in the extent.
  ///   - digest: of the whole extent, where these are its last bytes.
  func keep(_ byteCount: Int, of extent: Int, at offset: UInt64, digest: Digest?) {
    if let last = pieces.last, last.extent == extent, last.digest == nil {
      pieces[pieces.count - 1].byteCount += byteCount
      pieces[pieces.count - 1].digest = digest
    } else {
      pieces.append(
        Piece(extent: extent, offset: offset, start: filled, byteCount: byteCount, digest: digest)
      )
    }
    filled += byteCount
    if digest != nil { hasEnd = true }
  }

  /// The bytes of a piece; valid until the unit is cleared.
  func bytes(of piece: Piece) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(
      rebasing: buffer.pointer[piece.start..<piece.start + piece.byteCount]
    )
  }

  /// Forgets what was gathered.
  func clear() {
    pieces.removeAll(keepingCapacity: true)
    hasEnd = false
    filled = 0
  }
}
