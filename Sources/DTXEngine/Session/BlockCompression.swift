internal import DTXCore
internal import DTXLinux

/// Compresses the blocks of one connection where its policy says that it pays.
///
/// Used by the connection's thread alone. Where nothing is ever compressed it costs a comparison for
/// a record.
final class BlockCompression {
  /// What all connections of a session compress by.
  struct Terms: Sendable {
    var compression: Compression
    /// Connections that share the processors.
    var connectionCount: Int
    var tally = CompressionTally()
  }

  private let socket: Socket
  private let level: Int?
  private let tally: CompressionTally
  private var policy: CompressionPolicy
  /// Made for the first block that needs it.
  private var compressor: RecordCompressor?
  private var choice = CompressionPolicy.Choice.plain
  private var sampleByteCount = 0
  /// When the block began, and when the receiver had held the path back until then.
  private var began: UInt64 = 0
  private var heldBackBefore: UInt64 = 0
  private var passage = BlockCompression.nothing

  private static let nothing = CompressionPolicy.Passage(
    byteCount: 0,
    sentByteCount: 0,
    nanoseconds: 0,
    sendNanoseconds: 0
  )

  /// A sample: enough to tell, and no more than a 64th of the block.
  private static let sampleByteCounts = 4 << 10...64 << 10
  private static let sampleDivisor: UInt64 = 64

  /// Begins a connection, whose pace is set.
  init(_ terms: Terms, over socket: Socket) {
    self.socket = socket
    level = terms.compression.blockLevel
    tally = terms.tally
    policy = CompressionPolicy(
      terms.compression,
      path: BlockCompression.path(of: socket),
      connectionCount: max(1, terms.connectionCount),
      processorCount: Host.processorCount
    )
  }

  /// What lies before a connection, by its pace and by who is at its other end.
  private static func path(of socket: Socket) -> CompressionPolicy.Path {
    if let pace = try? socket.maxPacingRate(), pace > 0, pace != .max { return .paced(pace) }
    guard let host = try? socket.peerAddress.host else { return .network }
    return host.hasPrefix("127.") || host.hasPrefix("::ffff:127.") || host == "::1"
      ? .local : .network
  }

  /// Whether `sent(_:nanoseconds:)` is to be told of each record.
  var observes: Bool { policy.observes }

  /// Begins a block.
  ///
  /// - Parameter byteCount: its extents' bytes.
  /// - Throws: when there is no memory.
  func begin(byteCount: UInt64) throws(SystemError) {
    choice = policy.next()
    if choice != .plain, compressor == nil, let level {
      compressor = try RecordCompressor(level: level)
    }
    guard policy.observes else { return }
    let allowed = BlockCompression.sampleByteCounts
    let share = Int(clamping: byteCount / BlockCompression.sampleDivisor)
    sampleByteCount = min(max(share, allowed.lowerBound), allowed.upperBound)
    passage = BlockCompression.nothing
    passage.byteCount = byteCount
    heldBackBefore = heldBack()
    began = Clock.now()
  }

  /// Compresses the next piece of the block, if the block is compressed and the piece shrinks.
  ///
  /// - Parameter piece: at most a record's payload.
  /// - Returns: the payload's bytes and the buffer of the record that they lie in, valid until the
  ///   next call; nil for a piece that goes as it is.
  func compress(
    _ piece: UnsafeRawBufferPointer
  ) -> (payloadByteCount: Int, record: UnsafeMutableRawBufferPointer)? {
    guard choice != .plain, let compressor else { return nil }
    if choice == .sample { choice = takes(piece, compressor) ? .compress : .plain }
    guard choice == .compress, let byteCount = compressor.compress(piece) else { return nil }
    tally.count(plainByteCount: piece.count, compressedByteCount: byteCount)
    return (byteCount, compressor.record)
  }

  /// Tries a part out of the middle: files begin with headers, which are not like the rest.
  private func takes(_ piece: UnsafeRawBufferPointer, _ compressor: RecordCompressor) -> Bool {
    guard !piece.isEmpty else { return false }
    let byteCount = min(sampleByteCount, piece.count)
    let start = (piece.count - byteCount) / 2
    let part = UnsafeRawBufferPointer(rebasing: piece[start..<start + byteCount])
    let before = Clock.threadCPU()
    let compressed = compressor.compress(part)
    let after = Clock.threadCPU()
    return policy.takes(
      CompressionPolicy.Sample(
        byteCount: UInt64(byteCount),
        compressedByteCount: UInt64(compressed ?? byteCount),
        nanoseconds: after - min(before, after)
      )
    )
  }

  /// Counts a record of the block that was handed to the kernel.
  func sent(_ byteCount: Int, nanoseconds: UInt64) {
    passage.sentByteCount += UInt64(byteCount)
    passage.sendNanoseconds += nanoseconds
  }

  /// Ends a block.
  func end() {
    guard policy.observes else { return }
    passage.nanoseconds = Clock.now() - began
    let heldBackNow = heldBack()
    passage.heldBackNanoseconds = heldBackNow - min(heldBackBefore, heldBackNow)
    policy.sent(passage)
  }

  /// Time in which the receiver's window held sending back; none where it is no TCP socket.
  private func heldBack() -> UInt64 {
    ((try? socket.tcpInfo().receiveWindowLimitedMicroseconds) ?? 0) * 1000
  }
}
