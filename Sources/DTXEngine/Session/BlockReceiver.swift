internal import DTXCore
internal import DTXLinux

/// Takes blocks from one connection: receives, opens, digests and writes them, record by record.
///
/// Used by the connection's thread alone. Bytes go to their final offset in the staged file; what
/// they are worth is known when the trailer has come.
final class BlockReceiver {
  /// Why a connection's thread ends.
  enum Failure: Error {
    /// The connection broke, or was shut down.
    case broken(String)
    /// The peer does what the protocol forbids, or something tampered with its bytes.
    case violation(String)
    /// The destination cannot take more.
    case storage(String)
  }

  private let socket: Socket
  private let opener: RecordOpener
  private let destination: Destination
  private let table: ReceivingTable
  private let gate: Gate
  private let buffer: PageBuffer
  private var digest = StreamingDigest()
  private var current: ArrivingBlock?

  /// A block between its header and its trailer.
  private struct ArrivingBlock {
    var reference: BlockReference
    var segment: Segment
    var extents: [Int]
    var isDrained: Bool
    /// The extent whose bytes come next, and how many of them have come.
    var next = 0
    var done: UInt64 = 0
    var staged: Destination.StagedFile?
    var computed: [ExtentOutcome] = []
  }

  init(
    opened: OpenedLane,
    destination: Destination,
    table: ReceivingTable,
    gate: Gate
  ) throws(SystemError) {
    socket = opened.socket
    opener = opened.opener
    self.destination = destination
    self.table = table
    self.gate = gate
    buffer = try PageBuffer(byteCount: RecordLayout.maximumByteCount)
  }

  /// Receives until the peer ends the connection in order.
  ///
  /// - Parameter arrived: is told of each block that came whole.
  /// - Throws: why the thread must end before that.
  func run(_ arrived: (BlockReference, [ExtentOutcome]) -> Void) throws(Failure) {
    while let (type, payload) = try receiveRecord() {
      switch type {
      case .blockHeader:
        try begin(payload)
      case .data:
        try take(payload)
      case .trailer:
        let (block, outcomes) = try end(payload)
        if let outcomes { arrived(block, outcomes) }
      case .keepAlive:
        break
      case .end:
        guard current == nil else { throw .violation("the connection ended within a block") }
        return
      }
    }
    // A connection may also end between two records of a block, which then goes elsewhere.
    throw .broken("it ended without notice")
  }

  /// Gives up a block that did not arrive whole.
  func abandon() {
    guard let block = current, !block.isDrained else { return }
    if let staged = block.staged {
      _ = destination.finish(
        staged,
        segment: block.segment,
        extent: block.extents[block.next],
        isIntact: false
      )
    }
    table.release(block.reference)
    current = nil
  }

  private func receiveRecord() throws(Failure) -> (RecordType, UnsafeRawBufferPointer)? {
    gate.pass()
    let head = UnsafeMutableRawBufferPointer(
      rebasing: buffer.pointer[..<RecordLayout.headerByteCount]
    )
    do {
      guard try socket.receiveExactly(head) else { return nil }
      let (type, byteCount) = try opener.header(UnsafeRawBufferPointer(head))
      let end = RecordLayout.headerByteCount + byteCount + RecordLayout.tagByteCount
      let rest = UnsafeMutableRawBufferPointer(
        rebasing: buffer.pointer[RecordLayout.headerByteCount..<end]
      )
      guard try socket.receiveExactly(rest) else { throw Failure.broken("it ended in a record") }
      try opener.open(type, payloadByteCount: byteCount, in: buffer.pointer)
      let payload = UnsafeRawBufferPointer(
        rebasing: rest[..<(rest.count - RecordLayout.tagByteCount)]
      )
      return (type, payload)
    } catch let error as SystemError {
      throw .broken(error.description)
    } catch let error as RecordError {
      throw .violation("\(error)")
    } catch let error as Failure {
      throw error
    } catch {
      throw .broken("\(error)")
    }
  }

  private func begin(_ payload: UnsafeRawBufferPointer) throws(Failure) {
    guard current == nil else { throw .violation("a block within a block") }
    let reference: BlockReference
    do {
      reference = try BlockFrame.header(Array(payload))
    } catch {
      throw .violation("a block header that cannot be read: \(error)")
    }
    switch table.claim(reference) {
    case .take(let segment, let extents):
      current = ArrivingBlock(
        reference: reference,
        segment: segment,
        extents: Array(extents.joined()),
        isDrained: false
      )
    case .drain(let segment, let extents):
      current = ArrivingBlock(
        reference: reference,
        segment: segment,
        extents: Array(extents.joined()),
        isDrained: true
      )
    case nil:
      throw .violation("block \(reference.block) of segment \(reference.segment) is not wanted")
    }
  }

  /// Spreads a record's bytes over the extents that they belong to.
  private func take(_ payload: UnsafeRawBufferPointer) throws(Failure) {
    guard var block = current else { throw .violation("data outside a block") }
    current = nil
    defer { current = block }
    var rest = payload
    while !rest.isEmpty {
      guard block.next < block.extents.count else {
        throw .violation("more bytes than the block has")
      }
      let extent = block.segment.extents[block.extents[block.next]]
      if block.done == 0 { beginExtent(&block) }
      let count = Int(min(UInt64(rest.count), UInt64(extent.byteCount) - block.done))
      let piece = UnsafeRawBufferPointer(rebasing: rest[..<count])
      digest.update(piece)
      if let staged = block.staged { try write(piece, staged, extent.offset, &block) }
      block.done += UInt64(count)
      if block.done == UInt64(extent.byteCount) { endExtent(&block) }
      rest = UnsafeRawBufferPointer(rebasing: rest[count...])
    }
  }

  private func beginExtent(_ block: inout ArrivingBlock) {
    digest.reset()
    block.staged = nil
    block.computed.append(.intact(.zero))
    guard !block.isDrained else { return }
    switch destination.stage(block.segment, extent: block.extents[block.next]) {
    case .file(let staged): block.staged = staged
    case .failed(let failure, let reason): block.computed[block.next] = .failed(failure, reason)
    }
  }

  private func write(
    _ piece: UnsafeRawBufferPointer,
    _ staged: Destination.StagedFile,
    _ offset: UInt64,
    _ block: inout ArrivingBlock
  ) throws(Failure) {
    do throws(SystemError) {
      try staged.write(piece, at: offset + block.done)
    } catch {
      if error.isAboutSpace { throw .storage(error.description) }
      _ = destination.finish(
        staged,
        segment: block.segment,
        extent: block.extents[block.next],
        isIntact: false
      )
      block.staged = nil
      block.computed[block.next] = .failed(.unwritable, error.description)
    }
  }

  private func endExtent(_ block: inout ArrivingBlock) {
    if case .intact = block.computed[block.next] {
      block.computed[block.next] = .intact(digest.finish())
      if let staged = block.staged {
        let problem = destination.finish(
          staged,
          segment: block.segment,
          extent: block.extents[block.next],
          isIntact: true
        )
        if let (failure, reason) = problem { block.computed[block.next] = .failed(failure, reason) }
      }
    }
    block.staged = nil
    block.next += 1
    block.done = 0
  }

  /// Compares what arrived with what the sender says it sent.
  ///
  /// - Returns: the block, and its outcomes unless it was drained.
  private func end(
    _ payload: UnsafeRawBufferPointer
  ) throws(Failure) -> (BlockReference, [ExtentOutcome]?) {
    guard let block = current else { throw .violation("a trailer outside a block") }
    let sent: [ExtentOutcome]
    do {
      sent = try BlockFrame.trailer(Array(payload))
    } catch {
      throw .violation("a block trailer that cannot be read: \(error)")
    }
    guard block.next == block.extents.count, sent.count == block.extents.count else {
      throw .violation("a block that ended early")
    }
    current = nil
    guard !block.isDrained else { return (block.reference, nil) }
    let outcomes = zip(block.computed, sent).map { BlockReceiver.judge(computed: $0, sent: $1) }
    if outcomes.contains(.damaged) { table.release(block.reference) }
    return (block.reference, outcomes)
  }

  private static func judge(computed: ExtentOutcome, sent: ExtentOutcome) -> ExtentOutcome {
    switch (computed, sent) {
    case (_, .failed): sent
    case (.failed, _): computed
    case (.intact(let here), .intact(let there)): here == there ? computed : .damaged
    case (.damaged, _), (_, .damaged): .damaged
    }
  }
}
