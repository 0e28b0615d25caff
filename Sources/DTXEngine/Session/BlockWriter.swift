internal import DTXCore
internal import DTXLinux

/// Writes what arrives of one block into its staged files, and judges it at its end.
///
/// The connection's thread hands over units and at last the trailer; the storage's workers take
/// them in that order, one at a time. `@unchecked Sendable`: all but the queue is touched by the one
/// worker that has the block, and the queue's lock lies between one and the next.
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

  /// What the connections of one end share.
  struct Surroundings: Sendable {
    var destination: Destination
    var table: ReceivingTable
    var workers: StorageWorkers
    var units: WriteUnitPool
    var compressed = CompressionTally()
    var times: ActivityLedger

    /// Makes the units and starts the workers.
    ///
    /// - Parameters:
    ///   - destination: where the data goes; it says how.
    ///   - table: what is expected.
    ///   - times: what the connections' threads do.
    ///   - connectionCount: connections at the same time.
    /// - Throws: `.failed` when there is no memory or no room for the threads.
    init(
      _ destination: Destination,
      _ table: ReceivingTable,
      _ times: ActivityLedger,
      connectionCount: Int
    ) throws(TransferError) {
      self.destination = destination
      self.table = table
      self.times = times
      units = try TransferError.unless("there is no memory to receive into") {
        () throws(SystemError) in try WriteUnitPool(connectionCount: connectionCount)
      }
      workers = try StorageWorkers(destination.method, connectionCount: connectionCount)
    }
  }

  let reference: BlockReference
  let segment: Segment
  /// The wanted ones, by their index in the segment.
  let extents: [Int]

  /// Payload of the block that came; set by the connection's thread before the last step.
  private(set) var arrivedByteCount: UInt64 = 0

  private enum Step: Sendable {
    case write(WriteUnit)
    case end(sent: [ExtentOutcome])
    case abandon
  }

  private struct Queue: Sendable {
    var steps: [Step] = []
    /// Whether a worker has the block, or will.
    var isTaken = false
  }

  private let surroundings: Surroundings
  private let queue = Guarded(Queue())
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
  ///   - done: called once, on a worker's thread, after the last access to a file.
  init(
    _ reference: BlockReference,
    _ segment: Segment,
    _ extents: [Int],
    _ surroundings: Surroundings,
    done: @escaping @Sendable (BlockWriter, Outcome) -> Void
  ) {
    self.reference = reference
    self.segment = segment
    self.extents = extents
    self.surroundings = surroundings
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

  private func add(_ step: Step) {
    let isFree = queue.withLock { queue in
      queue.steps.append(step)
      defer { queue.isTaken = true }
      return !queue.isTaken
    }
    if isFree { surroundings.workers.run { [self] in work() } }
  }

  // MARK: - On a worker's thread

  private func work() {
    while let step = next() {
      switch step {
      case .write(let unit):
        for piece in unit.pieces { write(piece, of: unit) }
        surroundings.units.give(unit)
      case .end(let sent):
        done(self, conclude(sent))
      case .abandon:
        if let staged { _ = finish(staged, extent: computed.count - 1, isIntact: false) }
        surroundings.table.release(reference)
        done(self, .abandoned)
      }
    }
  }

  private func next() -> Step? {
    queue.withLock { queue in
      guard queue.steps.isEmpty else { return queue.steps.removeFirst() }
      queue.isTaken = false
      return nil
    }
  }

  private func write(_ piece: WriteUnit.Piece, of unit: WriteUnit) {
    guard refusal == nil else { return }
    if piece.offset == 0 { begin(piece.extent) }
    if let staged {
      let extent = segment.extents[extents[piece.extent]]
      do throws(SystemError) {
        try staged.write(unit.bytes(of: piece), at: extent.offset + piece.offset)
      } catch {
        _ = finish(staged, extent: piece.extent, isIntact: false)
        if error.isAboutSpace { refusal = error.description }
        computed[piece.extent] = .failed(.unwritable, error.description)
      }
    }
    if let digest = piece.digest { end(piece.extent, digest) }
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

  private static func judge(computed: ExtentOutcome, sent: ExtentOutcome) -> ExtentOutcome {
    switch (computed, sent) {
    case (_, .failed): sent
    case (.failed, _): computed
    case (.intact(let here), .intact(let there)): here == there ? computed : .damaged
    case (.damaged, _), (_, .damaged): .damaged
    }
  }
}
