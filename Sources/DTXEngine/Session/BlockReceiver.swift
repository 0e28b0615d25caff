internal import DTXCore
internal import DTXLinux

/// Takes blocks from one connection: receives, opens and digests them record by record, and writes
/// them unit by unit.
///
/// Used by the connection's thread alone; no allocation for a record. Bytes go to their final
/// offset in the staged file; what they are worth is known when the trailer has come.
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
  private let passage: BlockPassage
  private let unit: WriteUnit
  /// Whether the next record's header came with the record before it.
  private var isHeaderHere = false
  private var digest = StreamingDigest()
  private var current: ArrivingBlock?

  /// A block between its header and its trailer.
  private final class ArrivingBlock {
    let reference: BlockReference
    let segment: Segment
    /// The wanted ones, by their index in the segment.
    let extents: [Int]
    let isDrained: Bool
    /// The extent whose bytes come next, and how many of them have come.
    var next = 0
    var done: UInt64 = 0
    var staged: Destination.StagedFile?
    var computed: [ExtentOutcome] = []

    init(_ reference: BlockReference, _ segment: Segment, _ extents: [Range<Int>], isDrained: Bool)
    {
      self.reference = reference
      self.segment = segment
      self.extents = Array(extents.joined())
      self.isDrained = isDrained
    }

    var extent: Extent { segment.extents[extents[next]] }
  }

  init(
    opened: OpenedLane,
    destination: Destination,
    table: ReceivingTable,
    gate: Gate,
    unitByteCount: Int,
    passage: BlockPassage
  ) throws(SystemError) {
    socket = opened.socket
    opener = opened.opener
    self.destination = destination
    self.table = table
    self.gate = gate
    self.passage = passage
    unit = try WriteUnit(byteCount: unitByteCount)
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
        guard payload.isEmpty else { throw .violation("a sign of life with a payload") }
      case .end:
        guard payload.isEmpty else { throw .violation("an end with a payload") }
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
    if let staged = block.staged { _ = finish(staged, block, isIntact: false) }
    table.release(block.reference)
    current = nil
  }

  /// Receives the next record into the unit.
  ///
  /// - Returns: its type and its payload, valid until the next call; nil at the connection's end.
  private func receiveRecord() throws(Failure) -> (RecordType, UnsafeRawBufferPointer)? {
    gate.pass()
    do {
      if !isHeaderHere {
        guard try socket.receiveExactly(unit.header) else { return nil }
      }
      let (type, byteCount) = try opener.header(UnsafeRawBufferPointer(unit.header))
      if byteCount > unit.freeByteCount { try writePending() }
      let sealed = unit.place(byteCount)
      // Within a block another record follows, so that its header is worth waiting for.
      isHeaderHere = type == .blockHeader || type == .data
      guard try socket.receiveExactly(sealed, isHeaderHere ? unit.header : unit.nothing) else {
        throw Failure.broken("it ended in a record")
      }
      try opener.open(type, payloadByteCount: byteCount, in: sealed)
      return (type, UnsafeRawBufferPointer(rebasing: sealed[..<byteCount]))
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
      current = ArrivingBlock(reference, segment, extents, isDrained: false)
    case .drain(let segment, let extents):
      current = ArrivingBlock(reference, segment, extents, isDrained: true)
    case nil:
      throw .violation("block \(reference.block) of segment \(reference.segment) is not wanted")
    }
  }

  /// Spreads a record's bytes over the extents that they belong to.
  private func take(_ payload: UnsafeRawBufferPointer) throws(Failure) {
    guard let block = current else { throw .violation("data outside a block") }
    if !block.isDrained { passage.pass(payloadByteCount: payload.count, wireByteCount: 0) }
    var rest = payload
    while !rest.isEmpty {
      guard block.next < block.extents.count else {
        throw .violation("more bytes than the block has")
      }
      let byteCount = UInt64(block.extent.byteCount)
      if block.done == 0 { beginExtent(of: block) }
      let count = Int(min(UInt64(rest.count), byteCount - block.done))
      digest.update(UnsafeRawBufferPointer(rebasing: rest[..<count]))
      if block.staged == nil { unit.pass(count) } else { unit.keep(count) }
      block.done += UInt64(count)
      if block.done == byteCount { try endExtent(of: block) }
      rest = UnsafeRawBufferPointer(rebasing: rest[count...])
    }
  }

  private func beginExtent(of block: ArrivingBlock) {
    digest.reset()
    block.computed.append(.intact(.zero))
    guard !block.isDrained else { return }
    switch destination.stage(block.segment, extent: block.extents[block.next]) {
    case .file(let staged): block.staged = staged
    case .failed(let failure, let reason): block.computed[block.next] = .failed(failure, reason)
    }
  }

  /// Writes what the unit holds of the present extent.
  private func writePending() throws(Failure) {
    let piece = unit.take()
    guard !piece.isEmpty, let block = current, let staged = block.staged else { return }
    do throws(SystemError) {
      try staged.write(piece, at: block.extent.offset + block.done - UInt64(piece.count))
    } catch {
      if error.isAboutSpace { throw .storage(error.description) }
      _ = finish(staged, block, isIntact: false)
      block.computed[block.next] = .failed(.unwritable, error.description)
    }
  }

  private func endExtent(of block: ArrivingBlock) throws(Failure) {
    try writePending()
    if case .intact = block.computed[block.next] {
      block.computed[block.next] = .intact(digest.finish())
      if let staged = block.staged, let problem = finish(staged, block, isIntact: true) {
        block.computed[block.next] = .failed(problem.0, problem.1)
      }
    }
    block.next += 1
    block.done = 0
  }

  private func finish(
    _ staged: Destination.StagedFile,
    _ block: ArrivingBlock,
    isIntact: Bool
  ) -> (EntryFailure, String)? {
    block.staged = nil
    return destination.finish(
      staged,
      segment: block.segment,
      extent: block.extents[block.next],
      isIntact: isIntact
    )
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
