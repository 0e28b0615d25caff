internal import DTXCore
internal import DTXLinux

/// Sends blocks over one connection: digests, compresses where it pays, seals and sends them, record
/// by record, from the units into which they were read.
///
/// Used by the connection's thread alone; no allocation for a record.
final class BlockSender {
  private let socket: Socket
  private let sealer: RecordSealer
  private let zeroCopy: ZeroCopySending
  private let reader: BlockReader
  private let table: SourceTable
  private let passage: BlockPassage
  private let compression: BlockCompression
  /// Where records that hold no bytes of files are made.
  private let memory: PageBuffer
  private var digest = StreamingDigest()
  private var activity: ActivityClock

  /// Makes the sender of a connection that has proved itself.
  ///
  /// - Parameters:
  ///   - opened: the connection.
  ///   - reader: reads for this connection alone.
  ///   - table: the segments that are under way.
  ///   - passage: counts what goes.
  ///   - compression: decides for this connection.
  ///   - times: what the connections' threads do.
  ///   - zeroCopy: nil where everything is copied.
  /// - Throws: when there is no memory.
  init(
    opened: OpenedLane,
    reader: BlockReader,
    table: SourceTable,
    passage: BlockPassage,
    compression: BlockCompression,
    times: ActivityLedger,
    zeroCopy: ZeroCopyLedger?
  ) throws(SystemError) {
    activity = ActivityClock(times)
    socket = opened.socket
    sealer = opened.sealer
    self.zeroCopy = ZeroCopySending(
      opened.socket,
      // What this thread reads itself is in its cache when it is sent.
      reader.spareUnitCount > 0 ? zeroCopy : nil,
      times: times
    )
    self.reader = reader
    self.table = table
    self.passage = passage
    self.compression = compression
    memory = try PageBuffer(byteCount: RecordLayout.maximumByteCount)
  }

  /// Says that a block will be sent after those that were told before.
  ///
  /// - Throws: ECONNABORTED when the connection was given up meanwhile: its blocks went over others,
  ///   and their segment was sealed.
  func expect(_ work: BlockWork) throws(SystemError) {
    guard let scanned = table[work.reference.segment] else {
      throw .connectionGivenUp("block \(work.reference.block)")
    }
    activity.enter(.reading)
    defer { activity.enter(.idle) }
    reader.expect(work.extents, of: scanned)
  }

  /// Sends the block that was expected first.
  ///
  /// - Returns: what each wanted extent turned out to be.
  /// - Throws: when the connection is broken.
  func send(_ work: BlockWork) throws(SystemError) -> [ExtentOutcome] {
    activity.enter(.encoding)
    defer { activity.enter(.idle) }
    try compression.begin(byteCount: work.byteCount)
    try sendRecord(.blockHeader, BlockFrame.encodeHeader(work.reference))
    var outcomes: [ExtentOutcome] = []
    digest.reset()
    var isLast = false
    while !isLast {
      let unit = next()
      defer { end(unit) }
      isLast = unit.isLast
      try send(unit, &outcomes)
    }
    try sendRecord(.trailer, BlockFrame.encodeTrailer(outcomes))
    compression.end()
    return outcomes
  }

  /// The next unit of the block; waiting for it is waiting for the source.
  private func next() -> ReadUnit {
    activity.enter(.reading)
    defer { activity.enter(.encoding) }
    return reader.next()
  }

  /// Gives units back that nobody needs any more; into that of a source in memory the next bytes are
  /// read at once.
  private func end(_ unit: ReadUnit) {
    activity.enter(.reading)
    defer { activity.enter(.encoding) }
    if !zeroCopy.keep(unit) { reader.give(unit) }
    while let unit = zeroCopy.takeDone() { reader.give(unit) }
    if zeroCopy.wantsUnits { zeroCopy.grow(by: reader.addSpareUnits()) }
  }

  /// Sends a record that its receiver passes over.
  ///
  /// - Parameter byteCount: of its payload, at most that of a record.
  /// - Throws: when the connection is broken.
  func fill(_ byteCount: Int) throws(SystemError) {
    defer { activity.enter(.idle) }
    try sendRecord(.keepAlive, [UInt8](repeating: 0, count: byteCount))
  }

  /// Tells the receiver that no block follows.
  func sendEnd() throws(SystemError) {
    try sendRecord(.end, [])
  }

  /// Lets go of the source; called when no block is expected.
  func rest() {
    reader.rest()
  }

  /// Sends a unit's records, each as soon as its bytes are digested and so in the core's cache.
  private func send(_ unit: ReadUnit, _ outcomes: inout [ExtentOutcome]) throws(SystemError) {
    var record = 0
    var payload = unit.payload(record)[...]
    for piece in unit.pieces {
      var rest = piece.byteCount
      while rest > 0 {
        let bytes = payload.prefix(rest)
        digest.update(UnsafeRawBufferPointer(rebasing: bytes))
        rest -= bytes.count
        payload = payload.dropFirst(bytes.count)
        guard payload.isEmpty else { continue }
        try send(unit, record)
        record += 1
        if record < unit.recordCount { payload = unit.payload(record)[...] }
      }
      if piece.isEnd { end(piece, &outcomes) }
    }
  }

  private func send(_ unit: ReadUnit, _ record: Int) throws(SystemError) {
    let payload = unit.payload(record)
    if let compressed = compression.compress(payload) {
      let payloadByteCount = compressed.payloadByteCount
      try seal(.compressedData, payloadByteCount, in: compressed.record, of: payload.count)
    } else {
      let memory = unit.sealable(record)
      try seal(.data, payload.count, in: memory, of: payload.count, mayStay: true)
    }
  }

  private func end(_ piece: ReadUnit.Piece, _ outcomes: inout [ExtentOutcome]) {
    if let failure = piece.failure {
      outcomes.append(.failed(failure.failure, failure.reason))
    } else {
      outcomes.append(.intact(digest.finish()))
    }
    digest.reset()
  }

  private func sendRecord(_ type: RecordType, _ payload: [UInt8]) throws(SystemError) {
    precondition(payload.count <= RecordLayout.maximumPayloadByteCount, "a payload too long")
    let start = RecordLayout.headerByteCount
    UnsafeMutableRawBufferPointer(rebasing: memory.pointer[start...]).copyBytes(from: payload)
    try seal(type, payload.count, in: memory.pointer, of: 0)
  }

  /// Seals and sends a record that stands for so many bytes of files.
  ///
  /// - Parameters:
  ///   - type: of the record.
  ///   - payloadByteCount: of its payload.
  ///   - buffer: holds the payload, with room around it.
  ///   - fileByteCount: what it stands for.
  ///   - mayStay: whether it lies in a unit, from which it may be sent without a copy.
  /// - Throws: when the connection is broken.
  private func seal(
    _ type: RecordType,
    _ payloadByteCount: Int,
    in buffer: UnsafeMutableRawBufferPointer,
    of fileByteCount: Int,
    mayStay: Bool = false
  ) throws(SystemError) {
    let byteCount = sealer.seal(type, payloadByteCount: payloadByteCount, in: buffer)
    let began = compression.observes ? Clock.now() : 0
    let record = UnsafeRawBufferPointer(rebasing: buffer[..<byteCount])
    try activity.wait(.blocked, working: .sending) { () throws(SystemError) in
      if mayStay { try zeroCopy.send(record) } else { try socket.sendAll(record) }
    }
    activity.enter(.encoding)
    if compression.observes { compression.sent(byteCount, nanoseconds: Clock.now() - began) }
    passage.pass(payloadByteCount: fileByteCount, wireByteCount: byteCount)
  }
}
