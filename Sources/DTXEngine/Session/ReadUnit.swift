internal import DTXCore
internal import DTXLinux

/// Memory into which bytes of a block are read, laid out as the records that will carry them.
///
/// Each payload begins on a page, as direct and fast reads want it, with its header's room right
/// before and its tag's behind, so that a record is sealed and sent from where it was read to.
/// `@unchecked Sendable`: it is handed from the thread that reads to the connection's and back, and
/// only the owner of the moment touches it.
final class ReadUnit: @unchecked Sendable {
  /// Bytes of one extent.
  struct Piece {
    var byteCount: Int
    /// Whether they are the extent's last ones.
    var isEnd: Bool
    /// With the last ones: why the extent is not what was scanned.
    var failure: ExtentFailure?
  }

  /// What has been read, in the block's order.
  private(set) var pieces: [Piece] = []
  /// Whether the block ends with these.
  private(set) var isLast = false
  private(set) var byteCount = 0

  private let memory: PageBuffer
  private let payloads: SpacedMemory

  private static let pageByteCount = 4096

  /// Maps the memory.
  ///
  /// - Parameter byteCount: what it holds; a multiple of the longest payload of a record.
  /// - Throws: when there is no memory.
  init(byteCount: Int) throws(SystemError) {
    let payload = RecordLayout.maximumPayloadByteCount
    precondition(byteCount > 0 && byteCount.isMultiple(of: payload), "a unit of \(byteCount) bytes")
    let count = byteCount / payload
    let stride = payload + ReadUnit.pageByteCount
    // A page before each payload, which also has the tag of the one before it, and one at the end.
    memory = try PageBuffer(byteCount: count * stride + ReadUnit.pageByteCount)
    guard let base = memory.pointer.baseAddress else {
      preconditionFailure("mapped memory has an address")
    }
    payloads = SpacedMemory(
      base: base + ReadUnit.pageByteCount,
      pieceByteCount: payload,
      stride: stride,
      count: count
    )
  }

  /// Room behind what has been read.
  var freeByteCount: Int { payloads.byteCount - byteCount }

  /// The number of records that what has been read fills, the last one perhaps in part.
  var recordCount: Int {
    (byteCount + payloads.pieceByteCount - 1) / payloads.pieceByteCount
  }

  /// The payload of a record.
  func payload(_ record: Int) -> UnsafeRawBufferPointer {
    let rest = byteCount - record * payloads.pieceByteCount
    return UnsafeRawBufferPointer(payloads[record, min(rest, payloads.pieceByteCount)])
  }

  /// A record as `RecordSealer.seal` wants it: its payload in its place, with room around it.
  func sealable(_ record: Int) -> UnsafeMutableRawBufferPointer {
    let payload = payload(record).count
    return UnsafeMutableRawBufferPointer(
      start: payloads.base + record * payloads.stride - RecordLayout.headerByteCount,
      count: RecordLayout.byteCount(payloadByteCount: payload)
    )
  }

  /// Reads the next bytes of an extent.
  ///
  /// - Parameters:
  ///   - byteCount: how many, at most `freeByteCount`.
  ///   - source: where from; nil for zeros, which stand for what cannot be read.
  ///   - offset: of the bytes in the file.
  /// - Returns: why they are not what was scanned; then they are zeros.
  func read(_ byteCount: Int, from source: SourceBytes?, at offset: UInt64) -> ExtentFailure? {
    precondition(byteCount <= freeByteCount, "\(byteCount) bytes have no room")
    let position = self.byteCount
    self.byteCount += byteCount
    guard let source else {
      clear(byteCount, at: position)
      return nil
    }
    do throws(SystemError) {
      let count = try source.read(into: payloads, from: position, byteCount: byteCount, at: offset)
      if count == byteCount { return nil }
      clear(byteCount, at: position)
      return ExtentFailure(.changed, "it became shorter")
    } catch {
      clear(byteCount, at: position)
      return ExtentFailure(.unreadable, "\(error.operation): \(error.name)")
    }
  }

  /// Says what the bytes are that were read last.
  func add(_ piece: Piece, isLast: Bool) {
    pieces.append(piece)
    self.isLast = isLast
  }

  /// Forgets what was read.
  func clear() {
    pieces.removeAll(keepingCapacity: true)
    isLast = false
    byteCount = 0
  }

  private func clear(_ byteCount: Int, at position: Int) {
    payloads.forEachPart(from: position, byteCount: byteCount) { part, _ in
      _ = part.initializeMemory(as: UInt8.self, repeating: 0)
    }
  }
}
