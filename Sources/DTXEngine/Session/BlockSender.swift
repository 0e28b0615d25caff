internal import DTXCore
internal import DTXLinux

/// Sends blocks over one connection: reads, digests, seals and sends them, record by record.
///
/// Used by the connection's thread alone. One buffer, which stays in the core's cache; no
/// allocation for a record.
final class BlockSender {
  private let socket: Socket
  private let sealer: RecordSealer
  private let reader: ExtentReader
  private let table: SourceTable
  private let passage: BlockPassage
  private let memory: PageBuffer
  /// Room for the longest record, its payload at the beginning of a page.
  private let buffer: UnsafeMutableRawBufferPointer
  private var digest = StreamingDigest()
  /// Payload bytes that wait in the buffer.
  private var filled = 0

  init(
    opened: OpenedLane,
    dataset: SourceDataset,
    table: SourceTable,
    passage: BlockPassage
  ) throws(SystemError) {
    socket = opened.socket
    sealer = opened.sealer
    reader = ExtentReader(dataset: dataset)
    self.table = table
    self.passage = passage
    // The kernel copies a file's pages to the beginning of a page twice as fast as to a place
    // 8 bytes behind it.
    let page = 4096
    memory = try PageBuffer(byteCount: page + RecordLayout.maximumByteCount)
    buffer = UnsafeMutableRawBufferPointer(
      rebasing: memory.pointer[(page - RecordLayout.headerByteCount)...]
    )
  }

  /// Sends one block.
  ///
  /// - Returns: what each wanted extent turned out to be.
  /// - Throws: when the connection is broken.
  func send(_ work: BlockWork) throws(SystemError) -> [ExtentOutcome] {
    guard let scanned = table[work.reference.segment] else {
      preconditionFailure("segment \(work.reference.segment) is not open at the sender")
    }
    try sendRecord(.blockHeader, BlockFrame.encodeHeader(work.reference))
    var outcomes: [ExtentOutcome] = []
    for extent in work.extents.joined() {
      outcomes.append(try stream(scanned, extent))
    }
    if filled > 0 { try flush() }
    try sendRecord(.trailer, BlockFrame.encodeTrailer(outcomes))
    return outcomes
  }

  /// Tells the receiver that no block follows.
  func sendEnd() throws(SystemError) {
    reader.close()
    try sendRecord(.end, [])
  }

  /// Lets go of the source; called when the queue is empty.
  func rest() {
    reader.close()
  }

  /// Sends an extent's bytes.
  ///
  /// Where the source fails, zeros go instead, and the trailer says so.
  private func stream(
    _ scanned: ScannedSegment,
    _ index: Int
  ) throws(SystemError) -> ExtentOutcome {
    let extent = scanned.segment.extents[index]
    var failure: ExtentFailure?
    var file: File?
    switch reader.open(scanned, extent: index) {
    case .success(let opened): file = opened
    case .failure(let problem): failure = problem
    }
    digest.reset()
    var done: UInt64 = 0
    while done < UInt64(extent.byteCount) {
      let room = RecordLayout.maximumPayloadByteCount - filled
      let count = Int(min(UInt64(room), UInt64(extent.byteCount) - done))
      let start = RecordLayout.headerByteCount + filled
      let piece = UnsafeMutableRawBufferPointer(rebasing: buffer[start..<start + count])
      if let readable = file, let problem = read(readable, into: piece, at: extent.offset + done) {
        failure = failure ?? problem
        file = nil
      }
      if file == nil { _ = piece.initializeMemory(as: UInt8.self, repeating: 0) }
      digest.update(UnsafeRawBufferPointer(piece))
      done += UInt64(count)
      filled += count
      if filled == RecordLayout.maximumPayloadByteCount { try flush() }
    }
    failure = failure ?? reader.check(scanned, extent: index)
    if let failure {
      reader.close()
      return .failed(failure.failure, failure.reason)
    }
    return .intact(digest.finish())
  }

  private func read(
    _ file: File,
    into piece: UnsafeMutableRawBufferPointer,
    at offset: UInt64
  ) -> ExtentFailure? {
    do {
      let count = try file.read(into: piece, at: offset)
      return count == piece.count ? nil : ExtentFailure(.changed, "it became shorter")
    } catch {
      return ExtentFailure(.unreadable, "\(error.operation): \(error.name)")
    }
  }

  private func flush() throws(SystemError) {
    try seal(.data, filled)
    filled = 0
  }

  private func sendRecord(_ type: RecordType, _ payload: [UInt8]) throws(SystemError) {
    precondition(filled == 0, "bytes of a block wait in the buffer")
    precondition(payload.count <= RecordLayout.maximumPayloadByteCount, "a payload too long")
    let start = RecordLayout.headerByteCount
    UnsafeMutableRawBufferPointer(rebasing: buffer[start...]).copyBytes(from: payload)
    try seal(type, payload.count)
  }

  private func seal(_ type: RecordType, _ payloadByteCount: Int) throws(SystemError) {
    let byteCount = sealer.seal(type, payloadByteCount: payloadByteCount, in: buffer)
    try socket.sendAll(UnsafeRawBufferPointer(rebasing: buffer[..<byteCount]))
    passage.pass(payloadByteCount: type == .data ? payloadByteCount : 0, wireByteCount: byteCount)
  }
}
