internal import DTXCore
internal import DTXLinux

/// Reads the blocks of one connection ahead of it, unit by unit.
///
/// The connection's thread says what will be wanted and takes the units in order; the storage's
/// workers fill them, one at a time for each connection. Where there is a ring it reads what goes
/// past the page cache, into all units that are free. `@unchecked Sendable`: `files`, `cursor` and
/// `failure` are touched by whoever has set `isReading`, and the lock lies between one and the next.
final class BlockReader: @unchecked Sendable {
  /// A block that will be sent.
  private struct Expected: Sendable {
    let scanned: ScannedSegment
    let extents: [Range<Int>]
  }

  private struct State: Sendable {
    /// Blocks that are not laid to their ends.
    var blocks: [Expected] = []
    var free: [ReadUnit] = []
    /// Units that have all their parts, in order; rings may be reading into any of them.
    var laid: [ReadUnit] = []
    /// Units that are full, or hold a block's end, in order.
    var ready: [ReadUnit] = []
    /// Whether a worker has the files, or will.
    var isReading = false
    /// Whether the source is to be let go of when nothing is left to be done.
    var isToRest = false

    /// What there is to be done now.
    mutating func next() -> Task? {
      if let first = laid.first, first.underWayCount == 0 { return .complete(laid.removeFirst()) }
      if let block = blocks.first, let unit = free.popLast() { return .lay(unit, block) }
      guard isToRest else { return nil }
      isToRest = false
      return .rest
    }

    var hasTask: Bool {
      if let first = laid.first, first.underWayCount == 0 { return true }
      return isToRest || !blocks.isEmpty && !free.isEmpty
    }
  }

  /// What a worker does at a time.
  private enum Task {
    /// Gives a block's next bytes their places in a unit, and has the ring begin with them.
    case lay(ReadUnit, Expected)
    /// Reads what the ring has not, and looks at the files again.
    case complete(ReadUnit)
    /// Lets go of the source.
    case rest
  }

  /// Where the present block has been laid to.
  private struct Cursor {
    let scanned: ScannedSegment
    let extents: [Int]
    var next = 0
    var done: UInt64 = 0
    var source: SourceBytes?
    var failure: ExtentFailure?

    init(_ block: Expected) {
      scanned = block.scanned
      extents = Array(block.extents.joined())
    }
  }

  /// Units that the reader may get besides those that it has from the beginning.
  let spareUnitCount: Int
  private let unitByteCount: Int
  private let workers: StorageWorkers
  private let state: Guarded<State>
  private let files: ExtentReader
  /// Nil where nothing goes past the page cache.
  private let ring: ConnectionRing?
  private var cursor: Cursor?
  /// Of the extent that is being completed.
  private var failure: ExtentFailure?

  /// Makes a reader with nothing to read.
  ///
  /// - Parameters:
  ///   - dataset: whose files it reads.
  ///   - workers: read for it.
  ///   - method: how.
  ///   - shape: of its units.
  /// - Throws: when there is no memory.
  init(
    dataset: SourceDataset,
    workers: StorageWorkers,
    method: StorageMethod,
    shape: UnitShape
  ) throws(SystemError) {
    self.workers = workers
    files = ExtentReader(dataset: dataset, isDirect: method.isDirect)
    ring = method.isDirect ? ConnectionRing(workers) : nil
    var state = State()
    if method.isInline {
      // One record at a time, which stays in the core's cache from its reading to its sending.
      unitByteCount = RecordLayout.maximumPayloadByteCount
      spareUnitCount = 0
      state.free = [try ReadUnit(byteCount: unitByteCount)]
    } else {
      unitByteCount = shape.byteCount
      spareUnitCount = shape.spareCountPerConnection
      for _ in 0..<UnitShape.countPerConnection {
        state.free.append(try ReadUnit(byteCount: unitByteCount))
      }
    }
    self.state = Guarded(state)
  }

  // MARK: - On the connection's thread

  /// Says that a block will be sent after those that were told before.
  ///
  /// - Parameters:
  ///   - extents: the block's that are wanted, by their index in the segment.
  ///   - scanned: the segment.
  func expect(_ extents: [Range<Int>], of scanned: ScannedSegment) {
    state.withLock { state in
      state.blocks.append(Expected(scanned: scanned, extents: extents))
      state.isToRest = false
    }
    advance()
  }

  /// The next unit of the blocks, in their order; waits until it has been read.
  func next() -> ReadUnit {
    let unit = state.wait { state in
      state.ready.isEmpty ? nil : state.ready.removeFirst()
    }
    guard let unit else { preconditionFailure("a wait without a deadline ended without a unit") }
    return unit
  }

  /// Gives a unit back that has been sent.
  func give(_ unit: ReadUnit) {
    unit.clear()
    state.withLock { $0.free.append(unit) }
    advance()
  }

  /// Adds the spare units, or as many of them as there is memory for, to those that are read into.
  ///
  /// - Returns: how many were added.
  func addSpareUnits() -> Int {
    var count = 0
    while count < spareUnitCount, let unit = try? ReadUnit(byteCount: unitByteCount) {
      state.withLock { $0.free.append(unit) }
      count += 1
    }
    advance()
    return count
  }

  /// Lets go of the source, when no block is expected.
  func rest() {
    // Whoever has the right to read, and may be about to give it back, does it then.
    state.withLock { $0.isToRest = $0.blocks.isEmpty }
    advance()
  }

  /// Finds a worker, if there is work and nobody has the right to do it.
  private func advance() {
    let isFree = state.withLock { state in
      guard !state.isReading, state.hasTask else { return false }
      state.isReading = true
      return true
    }
    if isFree { workers.run { [self] in work() } }
  }

  // MARK: - On a worker's thread

  private func work() {
    while let task = next() {
      switch task {
      case .lay(let unit, let block):
        lay(block, into: unit)
        state.withLock { state in
          if unit.isLast { state.blocks.removeFirst() }
          state.laid.append(unit)
        }
      case .complete(let unit):
        complete(unit)
        state.withLockAndSignal { $0.ready.append(unit) }
      case .rest:
        files.close()
      }
    }
  }

  /// What is done next; nil gives the right to read back.
  private func next() -> Task? {
    state.withLock { state in
      let task = state.next()
      state.isReading = task != nil
      return task
    }
  }

  private func lay(_ block: Expected, into unit: ReadUnit) {
    var place = cursor ?? Cursor(block)
    while unit.freeByteCount > 0, place.next < place.extents.count { lay(&place, into: unit) }
    let isLast = place.next == place.extents.count
    if isLast { unit.markLast() }
    cursor = isLast ? nil : place
  }

  /// Lays as much of the present extent as there is room for.
  private func lay(_ place: inout Cursor, into unit: ReadUnit) {
    let index = place.extents[place.next]
    let scanned = place.scanned
    let extent = scanned.segment.extents[index]
    if place.done == 0 {
      place.failure = nil
      place.source = nil
      switch files.open(scanned, extent: index) {
      case .success(let source): place.source = source
      case .failure(let failure): place.failure = failure
      }
    }
    let missing = UInt64(extent.byteCount) - place.done
    let count = Int(min(UInt64(unit.freeByteCount), missing))
    let part = ReadUnit.Part(
      scanned: scanned,
      extent: index,
      source: place.source,
      failure: place.failure,
      position: unit.byteCount,
      byteCount: count,
      offset: extent.offset + place.done,
      isStart: place.done == 0,
      isEnd: UInt64(count) == missing
    )
    place.done = part.isEnd ? 0 : place.done + UInt64(count)
    place.next += part.isEnd ? 1 : 0
    // A ring may be at the parts before it.
    let number = state.withLock { _ in unit.lay(part) }
    begin(part, number, of: unit)
  }

  /// Has the ring read a part, if it goes past the page cache.
  private func begin(_ part: ReadUnit.Part, _ number: Int, of unit: ReadUnit) {
    let found = part.source?.directPart(
      of: unit.payloads,
      from: part.position,
      byteCount: part.byteCount,
      at: part.offset
    )
    guard let (file, range) = found, let ring = ring?.get() else { return }
    state.withLock { _ in unit.underWayCount += 1 }
    ring.read(into: unit.payloads, in: unit.memory, range: range, of: file, at: part.offset) {
      [self] outcome in
      workers.note(ring)
      state.withLock { _ in
        unit.complete(number, outcome)
        unit.underWayCount -= 1
      }
      advance()
    }
  }

  /// Finds out what the bytes of a unit are, each part's rest included.
  private func complete(_ unit: ReadUnit) {
    for part in unit.parts {
      if part.isStart { failure = nil }
      if failure == nil {
        if part.direct == nil { note(part.source) }
        failure = unit.read(part)
      } else {
        unit.clear(part)
      }
      if part.isEnd, failure == nil, let source = part.source {
        failure = ExtentReader.check(source, part.scanned, extent: part.extent)
      }
      // What follows of the file is opened again, and looked at.
      if part.isEnd, failure != nil { files.close() }
      unit.add(
        ReadUnit.Piece(
          byteCount: part.byteCount,
          isEnd: part.isEnd,
          failure: part.isEnd ? failure : nil
        )
      )
    }
    unit.letGoOfSources()
  }

  private func note(_ source: SourceBytes?) {
    switch source {
    case .file: workers.noteCall(.buffered)
    case .direct: workers.noteCall(.direct)
    case .made, nil: break
    }
  }
}
