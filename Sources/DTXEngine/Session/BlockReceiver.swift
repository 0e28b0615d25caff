internal import DTXCore
internal import DTXLinux

/// Takes blocks from one connection: receives, opens and digests them record by record, and hands
/// them on to be written unit by unit.
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
  }

  /// A block between its header and its trailer.
  private struct ArrivingBlock {
    let reference: BlockReference
    let segment: Segment
    /// The wanted ones, by their index in the segment.
    let extents: [Int]
    /// Nil for a block that is here already, whose bytes are passed over.
    let writer: BlockWriter?
    /// The extent whose bytes come next, and how many of them have come.
    var next = 0
    var done: UInt64 = 0
    /// Payload that has come.
    var byteCount: UInt64 = 0

    var byteCountOfNext: UInt64 { UInt64(segment.extents[extents[next]].byteCount) }
  }

  private let socket: Socket
  private let opener: RecordOpener
  private let surroundings: BlockWriter.Surroundings
  private let gate: Gate
  private let passage: BlockPassage
  private let decompressor = RecordDecompressor()
  private let done: @Sendable (BlockWriter, BlockWriter.Outcome) -> Void
  /// Blocks whose writers have not concluded.
  private let pending = Guarded(0)
  /// Where headers of records are received, apart from their payloads.
  private let headers: PageBuffer
  private let nothing = UnsafeMutableRawBufferPointer(start: nil, count: 0)
  /// Whether the next record's header came with the record before it.
  private var isHeaderHere = false
  private let share = WriteUnitPool.Share()
  private let ring: ConnectionRing
  private var unit: WriteUnit
  private var digest = StreamingDigest()
  private var current: ArrivingBlock?
  private var activity: ActivityClock

  /// Makes the receiver of a connection that has proved itself; `conclude` follows.
  ///
  /// - Parameters:
  ///   - opened: the connection.
  ///   - surroundings: what it shares with the others.
  ///   - gate: holds it back while the destination has more than it can make durable.
  ///   - passage: counts what comes.
  ///   - done: is told once of each block, on any thread; not of those that are passed over.
  /// - Throws: when there is no memory.
  init(
    opened: OpenedLane,
    surroundings: BlockWriter.Surroundings,
    gate: Gate,
    passage: BlockPassage,
    done: @escaping @Sendable (BlockWriter, BlockWriter.Outcome) -> Void
  ) throws(SystemError) {
    activity = ActivityClock(surroundings.times)
    socket = opened.socket
    opener = opened.opener
    self.surroundings = surroundings
    self.gate = gate
    self.passage = passage
    self.done = done
    ring = ConnectionRing(surroundings.workers)
    headers = try PageBuffer(byteCount: RecordLayout.headerByteCount)
    unit = surroundings.units.take(share)
  }

  /// Receives until the peer ends the connection in order.
  ///
  /// - Throws: why the thread must end before that.
  func run() throws(Failure) {
    while let (type, payload) = try receiveRecord() {
      switch type {
      case .blockHeader:
        try begin(payload)
      case .data, .compressedData:
        try take(payload)
      case .trailer:
        try end(payload)
      case .keepAlive:
        break
      case .end:
        guard payload.isEmpty else { throw .violation("an end with a payload") }
        guard current == nil else { throw .violation("the connection ended within a block") }
        return
      }
    }
    // A connection may also end between two records of a block, which then goes elsewhere.
    throw .broken("it ended without notice")
  }

  /// Gives up a block that did not arrive whole, and waits until nothing writes any more.
  ///
  /// Another connection may carry the connection's blocks after this.
  func conclude() {
    if let block = current { block.writer?.abandon(byteCount: block.byteCount) }
    current = nil
    surroundings.units.give(unit)
    _ = pending.wait(until: { $0 == 0 ? true : nil }) as Bool?
    ring.finish()
  }

  /// Receives the next record behind what the unit holds.
  ///
  /// - Returns: its type and its payload, valid until the next call; nil at the connection's end.
  private func receiveRecord() throws(Failure) -> (RecordType, UnsafeRawBufferPointer)? {
    // Between two blocks a sender may have nothing to send: that is nobody's wait.
    let waits = current != nil
    activity.enter(waits ? .paused : .idle)
    gate.pass()
    defer { activity.enter(.decoding) }
    do {
      if !isHeaderHere {
        let isThere = try activity.wait(
          waits ? .awaiting : .idle,
          working: waits ? .receiving : .idle
        ) { try socket.receiveExactly(headers.pointer) }
        guard isThere else { return nil }
        activity.enter(.decoding)
      }
      let (type, byteCount) = try opener.header(UnsafeRawBufferPointer(headers.pointer))
      let isCompressed = type == .compressedData
      if !isCompressed, byteCount > unit.freeByteCount { handOver() }
      let sealed = isCompressed ? try decompressor.place(byteCount) : unit.place(byteCount)
      // Within a block another record follows, so that its header is worth waiting for.
      isHeaderHere = type == .blockHeader || type == .data || isCompressed
      let next = isHeaderHere ? headers.pointer : nothing
      let isWhole = try activity.wait(.awaiting, working: .receiving) {
        try socket.receiveExactly(sealed, next)
      }
      guard isWhole else { throw Failure.broken("it ended in a record") }
      activity.enter(.decoding)
      try opener.open(type, payloadByteCount: byteCount, in: sealed)
      let payload = UnsafeRawBufferPointer(rebasing: sealed[..<byteCount])
      return (type, isCompressed ? try decompress(payload) : payload)
    } catch let error as SystemError {
      throw .broken(error.description)
    } catch let error as RecordError {
      throw .violation("\(error)")
    } catch let error as CompressionFault {
      throw .violation("\(error)")
    } catch let error as Failure {
      throw error
    } catch {
      throw .broken("\(error)")
    }
  }

  /// Puts the bytes that an authentic payload stands for into the unit.
  private func decompress(
    _ payload: UnsafeRawBufferPointer
  ) throws -> UnsafeRawBufferPointer {
    let byteCount = try RecordDecompressor.byteCount(of: payload)
    if byteCount > unit.freeByteCount { handOver() }
    let piece = UnsafeMutableRawBufferPointer(rebasing: unit.place(byteCount)[..<byteCount])
    try decompressor.decompress(payload, into: piece)
    surroundings.compressed.count(plainByteCount: byteCount, compressedByteCount: payload.count)
    return UnsafeRawBufferPointer(piece)
  }

  private func begin(_ payload: UnsafeRawBufferPointer) throws(Failure) {
    guard current == nil else { throw .violation("a block within a block") }
    let reference: BlockReference
    do {
      reference = try BlockFrame.header(Array(payload))
    } catch {
      throw .violation("a block header that cannot be read: \(error)")
    }
    switch surroundings.table.claim(reference) {
    case .take(let segment, let extents):
      let extents = Array(extents.joined())
      let writer = makeWriter(reference, segment, extents)
      current = ArrivingBlock(
        reference: reference,
        segment: segment,
        extents: extents,
        writer: writer
      )
    case .drain(let segment, let extents):
      current = ArrivingBlock(
        reference: reference,
        segment: segment,
        extents: Array(extents.joined()),
        writer: nil
      )
    case nil:
      throw .violation("block \(reference.block) of segment \(reference.segment) is not wanted")
    }
  }

  private func makeWriter(
    _ reference: BlockReference,
    _ segment: Segment,
    _ extents: [Int]
  ) -> BlockWriter {
    pending.withLock { $0 += 1 }
    return BlockWriter(reference, segment, extents, surroundings, ring: ring) { [done, pending] in
      done($0, $1)
      pending.withLockAndSignal { $0 -= 1 }
    }
  }

  /// Spreads a record's bytes over the extents that they belong to.
  private func take(_ payload: UnsafeRawBufferPointer) throws(Failure) {
    guard var block = current else { throw .violation("data outside a block") }
    current = nil
    defer { current = block }
    let isKept = block.writer != nil
    if isKept { passage.pass(payloadByteCount: payload.count, wireByteCount: 0) }
    block.byteCount += UInt64(payload.count)
    var rest = payload
    while !rest.isEmpty {
      guard block.next < block.extents.count else {
        throw .violation("more bytes than the block has")
      }
      if block.done == 0 { digest.reset() }
      let missing = block.byteCountOfNext - block.done
      let count = Int(min(UInt64(rest.count), missing))
      digest.update(UnsafeRawBufferPointer(rebasing: rest[..<count]))
      let isLast = UInt64(count) == missing
      if isKept {
        unit.keep(
          count,
          of: block.next,
          at: block.done,
          digest: isLast ? digest.finish() : nil
        )
      }
      block.done = isLast ? 0 : block.done + UInt64(count)
      block.next += isLast ? 1 : 0
      rest = UnsafeRawBufferPointer(rebasing: rest[count...])
    }
    // Small files are written while they are in the cache; in the middle of a large one more is
    // gathered first.
    if let writer = block.writer, unit.hasEnd, surroundings.workers.isInline {
      handOver(to: writer)
    }
  }

  /// Hands what has been gathered over to be written, and goes on with an empty unit.
  private func handOver() {
    if let writer = current?.writer { handOver(to: writer) }
  }

  /// Waiting for a unit is waiting for the storage; where files are memory, it writes here.
  private func handOver(to writer: BlockWriter) {
    activity.enter(.writing)
    defer { activity.enter(.decoding) }
    writer.write(unit)
    unit = surroundings.units.take(share)
  }

  /// Takes what the sender says that it sent.
  private func end(_ payload: UnsafeRawBufferPointer) throws(Failure) {
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
    if let writer = block.writer {
      if !unit.pieces.isEmpty { handOver(to: writer) }
      writer.end(sent: sent, byteCount: block.byteCount)
    }
    current = nil
  }
}
