internal import DTXCore
internal import DTXLinux

/// Writes what arrives of one block into its staged files, and judges it at its end.
///
/// The connection's thread hands over units and at last the trailer; the storage's workers take
/// them in that order, one at a time. Where there is a ring, they give it the direct writes and go on
/// to the next unit; what must wait for these is gone on with when the last one is complete, and
/// holds no worker until then. `@unchecked Sendable`: all but the steps is touched by the one thread
/// that has the block, and the steps' lock lies between one and the next.
final class BlockWriter: @unchecked Sendable {
  /// What has become of a block.
  enum Outcome: Sendable {
    /// All its bytes came, and this is what each extent turned out to be.
    case arrived([ExtentOutcome])
    /// Its connection ended before it did.
    case abandoned
    /// The destination cannot take more.
    case refused(String)
  }

  let reference: BlockReference
  let segment: Segment
  /// The wanted ones, by their index in the segment.
  let extents: [Int]

  /// Payload of the block that came; set by the connection's thread before the last step.
  private(set) var arrivedByteCount: UInt64 = 0

  private let surroundings: Surroundings
  private let ring: ConnectionRing
  private let steps = Guarded(WriteSteps())
  private let done: @Sendable (BlockWriter, Outcome) -> Void
  /// What the extents turned out to be, so far.
  private var computed: [ExtentOutcome] = []
  /// The file of the extent that is being written.
  private var staged: Destination.StagedFile?
  private var refusal: String?

  /// Makes the writer of a block that its connection has claimed.
  ///
  /// - Parameters:
  ///   - reference: the block.
  ///   - segment: the block's.
  ///   - extents: those that were asked for, by their index in the segment.
  ///   - surroundings: what the connections share.
  ///   - ring: the connection's.
  ///   - done: called once, on a worker's thread, after the last access to a file.
  init(
    _ reference: BlockReference,
    _ segment: Segment,
    _ extents: [Int],
    _ surroundings: Surroundings,
    ring: ConnectionRing,
    done: @escaping @Sendable (BlockWriter, Outcome) -> Void
  ) {
    self.reference = reference
    self.segment = segment
    self.extents = extents
    self.surroundings = surroundings
    self.ring = ring
    self.done = done
  }

  // MARK: - On the connection's thread

  /// Writes a unit's pieces and gives it back to its pool.
  func write(_ unit: WriteUnit) {
    add(.write(unit))
  }

  /// Compares what arrived with what the sender says it sent; nothing follows.
  ///
  /// - Parameters:
  ///   - sent: what each of the block's extents was at the sender.
  ///   - byteCount: payload that came.
  func end(sent: [ExtentOutcome], byteCount: UInt64) {
    arrivedByteCount = byteCount
    add(.end(sent: sent))
  }

  /// Gives the block up; nothing follows.
  ///
  /// - Parameter byteCount: payload that came.
  func abandon(byteCount: UInt64) {
    arrivedByteCount = byteCount
    add(.abandon)
  }

  private func add(_ step: WriteSteps.Step) {
    guard steps.withLock({ $0.add(step) }) else { return }
    // In the middle of a large file no worker is needed to give the ring a unit: that never waits.
    // What a write left over that has just ended comes before it, and is a worker's.
    if case .write(let unit) = step, isForRing(unit),
      let unit = steps.withLock({ $0.nextWrite() })
    {
      _ = begin(0, of: unit)
      release(unit)
      guard steps.withLock({ $0.pause() }) else { return }
    }
    surroundings.workers.run { [self] in work() }
  }

  /// Whether all of a unit goes past the cache into the file that is open, and more follows.
  private func isForRing(_ unit: WriteUnit) -> Bool {
    guard let piece = unit.pieces.first, unit.pieces.count == 1 else { return false }
    guard piece.offset > 0, piece.digest == nil, let (_, part) = direct(piece, of: unit) else {
      return false
    }
    return part.byteCount == piece.byteCount
  }

  // MARK: - On a worker's thread

  private func work() {
    while let step = steps.withLock({ $0.next() }) {
      switch step {
      case .write(let unit):
        write(unit, from: 0, written: nil)
      case .rest(let unit, let piece, let written):
        write(unit, from: piece, written: written)
      case .again(let unit, let piece, let bytes):
        write(unit.pieces[piece], bytes, of: unit)
        release(unit)
      case .failed(let extent, let error):
        fail(extent, error)
      case .end(let sent):
        done(self, conclude(sent))
      case .abandon:
        if let staged { _ = finish(staged, extent: computed.count - 1, isIntact: false) }
        surroundings.table.release(reference)
        done(self, .abandoned)
      }
    }
  }

  /// Writes the pieces of a unit, as far as none has to wait for the ring.
  ///
  /// - Parameters:
  ///   - unit: given back to its pool with its last piece.
  ///   - first: the first piece.
  ///   - written: how many of that piece's bytes are written; nil when it was not begun.
  private func write(_ unit: WriteUnit, from first: Int, written: Int?) {
    var written = written
    for index in first..<unit.pieces.count {
      let piece = unit.pieces[index]
      let count = written ?? begin(index, of: unit)
      written = nil
      if count == piece.byteCount, piece.digest == nil { continue }
      if steps.withLock({ $0.defers(.rest(unit, piece: index, written: count)) }) { return }
      write(piece, count..<piece.byteCount, of: unit)
      if refusal == nil, let digest = piece.digest { end(piece.extent, digest) }
    }
    release(unit)
  }

  /// Begins a piece, and its extent with the first one.
  ///
  /// - Returns: how many of its bytes are the ring's.
  private func begin(_ index: Int, of unit: WriteUnit) -> Int {
    guard refusal == nil else { return 0 }
    let piece = unit.pieces[index]
    if piece.offset == 0 { begin(piece.extent) }
    guard let (ring, part) = direct(piece, of: unit) else { return 0 }
    steps.withLock { $0.begin(unit) }
    ring.write(
      UnsafeRawBufferPointer(rebasing: unit.bytes(of: piece)[..<part.byteCount]),
      in: unit.buffer,
      to: part.file,
      at: position(of: piece),
      granularity: part.granularity
    ) { [self] outcome in complete(index, of: unit, part.byteCount, outcome, by: ring) }
    return part.byteCount
  }

  /// What of a piece goes past the cache by the ring; nil where there is nothing, or no ring.
  private func direct(
    _ piece: WriteUnit.Piece,
    of unit: WriteUnit
  ) -> (Ring, (file: File, byteCount: Int, granularity: Int))? {
    guard let staged, staged.access == .direct, let ring = ring.get(),
      let part = staged.directPart(of: unit.bytes(of: piece), at: position(of: piece))
    else { return nil }
    return (ring, part)
  }

  /// Where a piece lies in its file.
  private func position(of piece: WriteUnit.Piece) -> UInt64 {
    segment.extents[extents[piece.extent]].offset + piece.offset
  }

  private func release(_ unit: WriteUnit) {
    if steps.withLock({ $0.release(unit) }) { surroundings.units.give(unit) }
  }

  /// Writes bytes of a piece here and now.
  private func write(_ piece: WriteUnit.Piece, _ range: Range<Int>, of unit: WriteUnit) {
    guard refusal == nil, !range.isEmpty, let staged else { return }
    surroundings.workers.noteCall(staged.access)
    let bytes = UnsafeRawBufferPointer(rebasing: unit.bytes(of: piece)[range])
    do throws(SystemError) {
      try staged.write(bytes, at: position(of: piece) + UInt64(range.lowerBound))
    } catch {
      fail(piece.extent, error)
    }
  }

  /// An extent's file does not take its bytes; nothing is under way any more.
  private func fail(_ extent: Int, _ error: SystemError) {
    // Of several writes of an extent the first error counts.
    guard let staged else { return }
    _ = finish(staged, extent: extent, isIntact: false)
    if error.isAboutDevice { refusal = error.description }
    computed[extent] = .failed(.unwritable, error.description)
  }

  private func begin(_ extent: Int) {
    switch surroundings.destination.stage(segment, extent: extents[extent]) {
    case .file(let file):
      staged = file
      computed.append(.intact(.zero))
    case .discarded:
      computed.append(.intact(.zero))
    case .failed(let failure, let reason):
      computed.append(.failed(failure, reason))
    }
  }

  private func end(_ extent: Int, _ digest: Digest) {
    guard case .intact = computed[extent] else { return }
    computed[extent] = .intact(digest)
    if let staged, let problem = finish(staged, extent: extent, isIntact: true) {
      computed[extent] = .failed(problem.0, problem.1)
    }
  }

  private func finish(
    _ file: Destination.StagedFile,
    extent: Int,
    isIntact: Bool
  ) -> (EntryFailure, String)? {
    staged = nil
    return surroundings.destination.finish(
      file,
      segment: segment,
      extent: extents[extent],
      isIntact: isIntact
    )
  }

  private func conclude(_ sent: [ExtentOutcome]) -> Outcome {
    if let refusal { return .refused(refusal) }
    let outcomes = zip(computed, sent).map { BlockWriter.judge(computed: $0, sent: $1) }
    if outcomes.contains(.damaged) { surroundings.table.release(reference) }
    return .arrived(outcomes)
  }

  // MARK: - On the ring's thread

  /// A direct write is over.
  private func complete(
    _ index: Int,
    of unit: WriteUnit,
    _ byteCount: Int,
    _ outcome: Result<Int, SystemError>,
    by ring: Ring
  ) {
    surroundings.workers.note(ring)
    let leftover: WriteSteps.Step?
    switch outcome {
    case .success(byteCount):
      leftover = nil
    case .success(let written):
      leftover = .again(unit, piece: index, bytes: written..<byteCount)
    case .failure(let error):
      // Some file systems take the opening and refuse the write: they get it through the cache.
      // Any other error is final; a second write might succeed over bytes that are lost.
      leftover =
        error.isAboutArgument
        ? .again(unit, piece: index, bytes: 0..<byteCount)
        : .failed(extent: unit.pieces[index].extent, error)
    }
    // The unit goes first: with the last write the block may be over.
    if case .again? = leftover {} else { release(unit) }
    if steps.withLock({ $0.end(leftover: leftover) }) {
      surroundings.workers.run { [self] in work() }
    }
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
