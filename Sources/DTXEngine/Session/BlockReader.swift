internal import DTXCore
internal import DTXLinux

/// Reads the blocks of one connection ahead of it, unit by unit.
///
/// The connection's thread says what will be wanted and takes the units in order; the storage's
/// workers fill them, one at a time for each connection. `@unchecked Sendable`: `files` and `cursor`
/// are touched by whoever has set `isReading`, and the lock lies between one and the next.
final class BlockReader: @unchecked Sendable {
  /// A block that will be sent.
  private struct Expected: Sendable {
    let scanned: ScannedSegment
    let extents: [Range<Int>]
  }

  private struct State: Sendable {
    /// Blocks that are not read to their ends.
    var blocks: [Expected] = []
    var free: [ReadUnit] = []
    /// Units that are full, or hold a block's end, in order.
    var ready: [ReadUnit] = []
    /// Whether a worker has the files, or will.
    var isReading = false

    var canRead: Bool { !blocks.isEmpty && !free.isEmpty }
  }

  /// Where the present block has been read to.
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

  private let workers: StorageWorkers
  private let state: Guarded<State>
  private let files: ExtentReader
  private var cursor: Cursor?

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
    var state = State()
    if method.isInline {
      // One record at a time, which stays in the core's cache from its reading to its sending.
      state.free = [try ReadUnit(byteCount: RecordLayout.maximumPayloadByteCount)]
    } else {
      for _ in 0..<UnitShape.countPerConnection {
        state.free.append(try ReadUnit(byteCount: shape.byteCount))
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
    state.withLock { $0.blocks.append(Expected(scanned: scanned, extents: extents)) }
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

  /// Lets go of the source, when no block is expected.
  func rest() {
    guard state.withLock({ state in begin(&state, if: state.blocks.isEmpty) }) else { return }
    workers.run { [self] in
      files.close()
      state.withLock { $0.isReading = false }
      advance()
    }
  }

  private func advance() {
    guard state.withLock({ state in begin(&state, if: state.canRead) }) else { return }
    workers.run { [self] in work() }
  }

  /// Takes the right to read, if it is free and there is a reason.
  private func begin(_ state: inout State, if isWanted: Bool) -> Bool {
    guard isWanted, !state.isReading else { return false }
    state.isReading = true
    return true
  }

  // MARK: - On a worker's thread

  private func work() {
    while let (unit, block) = take() {
      fill(unit, from: block)
      state.withLockAndSignal { state in
        if unit.isLast { state.blocks.removeFirst() }
        state.ready.append(unit)
      }
    }
  }

  /// Takes what is to be filled, and from what; else gives the right to read back.
  private func take() -> (ReadUnit, Expected)? {
    state.withLock { state in
      guard state.canRead, let unit = state.free.popLast() else {
        state.isReading = false
        return nil
      }
      return (unit, state.blocks[0])
    }
  }

  private func fill(_ unit: ReadUnit, from block: Expected) {
    var place = cursor ?? Cursor(block)
    while unit.freeByteCount > 0, place.next < place.extents.count { read(into: unit, &place) }
    cursor = unit.isLast ? nil : place
  }

  /// Reads as much of the present extent as there is room for.
  private func read(into unit: ReadUnit, _ place: inout Cursor) {
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
    if let failure = unit.read(count, from: place.source, at: extent.offset + place.done) {
      place.failure = failure
      place.source = nil
    }
    place.done += UInt64(count)
    let isEnd = place.done == UInt64(extent.byteCount)
    if isEnd {
      place.failure = place.failure ?? files.check(scanned, extent: index)
      if place.failure != nil { files.close() }
      place.next += 1
      place.done = 0
    }
    unit.add(
      ReadUnit.Piece(byteCount: count, isEnd: isEnd, failure: isEnd ? place.failure : nil),
      isLast: place.next == place.extents.count
    )
  }
}
