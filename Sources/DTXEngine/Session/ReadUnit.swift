internal import DTXCore
internal import DTXLinux

/// Memory into which bytes of a block are read, laid out as the records that will carry them.
///
/// Each payload begins on a page, as direct and fast reads want it, with its header's room right
/// before and its tag's behind, so that a record is sealed and sent from where it was read to.
/// `@unchecked Sendable`: it is handed from the thread that reads to the connection's and back, and
/// only the owner of the moment touches it; what was sent without a copy the kernel reads until it
/// says that it is done.
final class ReadUnit: @unchecked Sendable {
  /// Bytes of one extent.
  struct Piece {
    var byteCount: Int
    /// Whether they are the extent's last ones.
    var isEnd: Bool
    /// With the last ones: why the extent is not what was scanned.
    var failure: ExtentFailure?
  }

  /// Bytes of one extent that have their place here and are not read, or not known to be.
  struct Part {
    let scanned: ScannedSegment
    /// The extent's index in the segment.
    let extent: Int
    /// Where the bytes come from; nil for what cannot be read, with the reason.
    let source: SourceBytes?
    let failure: ExtentFailure?
    /// Where they go, counted over all payloads, and where they lie in the file.
    let position: Int
    let byteCount: Int
    let offset: UInt64
    /// Whether they are the extent's first ones, and its last ones.
    let isStart: Bool
    let isEnd: Bool
    /// What a ring has done of it; nil where it was not asked.
    var direct: Result<Int, SystemError>?
  }

  /// What has been read, in the block's order.
  private(set) var pieces: [Piece] = []
  /// What is to be read, in the same order; nothing once it was.
  private(set) var parts: [Part] = []
  /// Parts that a ring reads now; counted with the lock of the reader held.
  var underWayCount = 0
  /// Whether the block ends with these.
  private(set) var isLast = false
  private(set) var byteCount = 0

  /// The memory, and the payloads in it.
  let memory: PageBuffer
  let payloads: SpacedMemory

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

  /// Room behind what has been read or is going to be.
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

  /// Gives the next bytes of an extent their place, in which they are to be read.
  ///
  /// - Parameter part: ends within the unit.
  /// - Returns: its number among the parts.
  func lay(_ part: Part) -> Int {
    precondition(part.byteCount <= freeByteCount, "\(part.byteCount) bytes have no room")
    precondition(part.position == byteCount, "a part that leaves a gap")
    byteCount += part.byteCount
    parts.append(part)
    return parts.count - 1
  }

  /// The block ends with what has been laid.
  func markLast() { isLast = true }

  /// A ring has done what it could of a part.
  func complete(_ part: Int, _ outcome: Result<Int, SystemError>) {
    parts[part].direct = outcome
  }

  /// Reads what is missing of a part.
  ///
  /// - Returns: why the bytes are not what was scanned; then they are zeros.
  func read(_ part: Part) -> ExtentFailure? {
    guard let source = part.source else {
      clear(part)
      return part.failure
    }
    do throws(SystemError) {
      let count = try source.read(
        into: payloads,
        from: part.position,
        byteCount: part.byteCount,
        at: part.offset,
        direct: part.direct
      )
      if count == part.byteCount { return nil }
      clear(part)
      return ExtentFailure(changed: ["size"], "while read")
    } catch {
      clear(part)
      return ExtentFailure(.unreadable, "\(error.operation): \(error.name)")
    }
  }

  /// Says what the bytes of the next part are.
  func add(_ piece: Piece) {
    pieces.append(piece)
  }

  /// Closes the files: all has been read, and a unit that waits to be sent must hold none open.
  func letGoOfSources() {
    precondition(underWayCount == 0, "a unit lets go of what is being read")
    parts.removeAll(keepingCapacity: true)
  }

  /// Forgets what was read.
  func clear() {
    precondition(underWayCount == 0, "a unit is cleared while it is read into")
    pieces.removeAll(keepingCapacity: true)
    parts.removeAll(keepingCapacity: true)
    isLast = false
    byteCount = 0
  }

  /// Makes a part zeros, which stand for what cannot be read.
  func clear(_ part: Part) {
    payloads.forEachPart(from: part.position, byteCount: part.byteCount) { bytes, _ in
      _ = bytes.initializeMemory(as: UInt8.self, repeating: 0)
    }
  }
}
