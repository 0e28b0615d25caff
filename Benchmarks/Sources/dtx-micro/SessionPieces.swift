internal import DTXCore

/// The sessions' events: two of the sender and one of the receiver for each block, and its share
/// of the epochs.
enum SessionPieces {
  static func measure(with stopwatch: inout Stopwatch) {
    for count in [1000, 1_000_000] {
      let segment = SampleSegments.largeFile(blockCount: count)
      var comparison = Comparison(extentCount: count)
      for extent in 0..<count { comparison.wanted[extent] = true }
      let digest = Scheduler.plan(
        segment,
        wanted: comparison.wanted,
        inputs: SampleSegments.inputs,
        generation: Generation(SampleSegments.inputs)
      ).digest(with: SampleSegments.inputs)
      stopwatch.time("sender's session, \(count) blocks", per: "block", count) {
        send(segment, comparison, planDigest: digest)
      }
      stopwatch.time("receiver's session, \(count) blocks", per: "block", count) {
        receive(segment, comparison, planDigest: digest)
      }
    }
  }

  private static let connections = (0..<4).map { ConnectionID(lane: $0, number: 1) }
  /// Blocks that become durable together.
  private static let epochBlockCount = 250
  private static let intact = [ExtentOutcome.intact(Digest(words: (1, 2, 0, 0)))]

  /// Moves all blocks of a segment through a sender's session.
  private static func send(
    _ segment: Segment,
    _ comparison: Comparison,
    planDigest: Digest
  ) -> UInt64 {
    var session = SendSession(
      configuration: SendSession.Configuration(
        inputs: SampleSegments.inputs,
        isInitiator: false,
        isDryRun: false
      ),
      now: .zero
    )
    session.handle(.scanned(segment), at: .zero)
    for page in ComparisonCodec.encode(comparison) {
      session.handle(.message(.comparison(segment: 0, page: page)), at: .zero)
    }
    session.handle(.message(.comparisonEnd(segment: 0)), at: .zero)
    session.handle(
      .message(.planned(segment: 0, generation: 0, digest: planDigest)),
      at: .zero
    )
    for connection in connections { session.handle(.connectionUp(connection), at: .zero) }
    var loadCount = 0
    var epoch: UInt32 = 0
    var gathered: [BlockReference] = []
    while let action = session.nextAction() {
      guard case .load(let connection, let work) = action else { continue }
      loadCount += 1
      session.handle(.sent(connection, work.reference, intact), at: .zero)
      session.handle(.message(.received(work.reference)), at: .zero)
      gathered.append(work.reference)
      guard gathered.count == epochBlockCount else { continue }
      epoch += 1
      session.handle(.message(.durable(epoch: epoch, blocks: gathered)), at: .zero)
      gathered.removeAll(keepingCapacity: true)
    }
    precondition(loadCount == segment.blocks.count, "each block is loaded once")
    return UInt64(loadCount)
  }

  /// Moves all blocks of a segment through a receiver's session.
  private static func receive(
    _ segment: Segment,
    _ comparison: Comparison,
    planDigest: Digest
  ) -> UInt64 {
    var session = ReceiveSession(
      configuration: ReceiveSession.Configuration(
        inputs: SampleSegments.inputs,
        isInitiator: false,
        isDryRun: false,
        blockByteCount: SampleSegments.blockByteCount
      ),
      now: .zero
    )
    let page = SampleSegments.page(of: segment.inventory)
    session.handle(.message(.inventory(segment: 0, page: page)), at: .zero)
    session.handle(.message(.inventoryEnd(segment: 0, isLast: true)), at: .zero)
    session.handle(.compared(segment: 0, comparison), at: .zero)
    session.handle(.message(.plan(segment: 0, generation: 0, digest: planDigest)), at: .zero)
    session.handle(.prepared(segment: 0, []), at: .zero)
    for connection in connections { session.handle(.connectionUp(connection), at: .zero) }
    var committed = 0
    var now = Instant.zero
    for block in segment.blocks.indices {
      let connection = connections[block % connections.count]
      let reference = BlockReference(segment: 0, block: block)
      // A million of them take less than the silence after which a session gives its peer up.
      now = now + Duration.millisecond / 100
      session.handle(.received(connection, reference, intact), at: now)
      while let action = session.nextAction() {
        guard case .commit(let work) = action else { continue }
        committed += work.blocks.count
        session.handle(.committed(epoch: work.epoch, []), at: now)
      }
    }
    precondition(committed == segment.blocks.count, "each block is committed once")
    return UInt64(committed)
  }
}
