// Blocks on connections: handing out, confirming, taking back.
extension SendSession {
  mutating func connectionUp(_ id: ConnectionID) {
    guard id.lane < configuration.inputs.lanes.count,
      let queue = queues.firstIndex(where: { $0.lanes.contains(id.lane) })
    else { return emit(.close(id)) }
    // One that is here already has its blocks, or its fence to wait for.
    guard !connections.contains(where: { $0.id == id }) else { return }
    roster.opened(id)
    connections.append(SendingConnection(id: id, queue: queue))
    connections.sort { $0.id < $1.id }
    fillAll()
  }

  /// This end's socket is dead.
  ///
  /// What it carried goes on only after the receiver says that nothing more will be taken from it:
  /// a block has one writer at a time.
  mutating func connectionLost(_ id: ConnectionID, reason: String, at now: Instant) {
    let wasUp = roster.lost(id, reason: reason, at: now)
    guard wasUp, let index = connections.firstIndex(where: { $0.id == id }) else { return }
    count { $0.lostConnectionCount += 1 }
    guard phase == .moving, !connections[index].isFencing else { return }
    connections[index].isFencing = true
    emit(.send(.fence(id)))
  }

  /// A connection is given up, like one that broke when it fell silent.
  mutating func connectionSilent(_ id: ConnectionID, _ nanoseconds: UInt64, at now: Instant) {
    guard phase == .moving, roster.up.contains(id) else { return }
    emit(.close(id))
    let seconds = nanoseconds / Duration.second
    connectionLost(id, reason: "nothing came back over it for \(seconds) s", at: now)
    roster.fellSilent(id.lane, before: nanoseconds)
  }

  /// The receiver takes nothing more from a connection: its unconfirmed blocks go elsewhere.
  mutating func fenced(_ id: ConnectionID, at now: Instant) {
    guard let index = connections.firstIndex(where: { $0.id == id }) else { return }
    if roster.lost(id, reason: "the receiver closed the connection", at: now) {
      emit(.close(id))
      count { $0.lostConnectionCount += 1 }
    }
    let connection = connections.remove(at: index)
    var returned: [AssignedRun] = []
    for loaded in connection.unconfirmed where giveBack(loaded.block, to: connection.queue) {
      let block = loaded.block
      returned.append(AssignedRun(segment: block.segment, blocks: block.block..<block.block + 1))
    }
    if let run = connection.run { returned.append(run) }
    work[connection.queue].returned.insert(contentsOf: returned, at: 0)
    fillAll()
  }

  /// A block left this end.
  ///
  /// What became of its extents counts once the receiver has this very copy: a block that goes
  /// again is read again, and another reading may end otherwise.
  mutating func sent(_ id: ConnectionID, _ block: BlockReference, _ outcomes: [ExtentOutcome]) {
    guard let index = index(ofSegment: block.segment) else { return }
    let byteCount = segments[index].wantedByteCounts[block.block]
    count { $0.sentByteCount += byteCount }
    if let late = overtaken.firstIndex(where: { $0.connection == id && $0.block == block }) {
      overtaken.remove(at: late)
      settle(block, outcomes)
    }
    guard let place = connections.firstIndex(where: { $0.id == id }) else { return }
    connections[place].unsentBlockCount -= 1
    connections[place].unsentByteCount -= byteCount
    if let loaded = connections[place].unconfirmed.firstIndex(where: { $0.block == block }) {
      connections[place].unconfirmed[loaded].outcomes = outcomes
    }
    fill(place)
  }

  /// Takes over what the copy of a block held that the receiver has.
  private mutating func settle(_ block: BlockReference, _ outcomes: [ExtentOutcome]) {
    guard let index = index(ofSegment: block.segment) else { return }
    for (extent, outcome) in zip(segments[index].work(block.block).extents.joined(), outcomes) {
      record(outcome, of: extent, in: index)
    }
    segments[index].unreported[block.block] = false
    sealSettled()
  }

  private mutating func record(_ outcome: ExtentOutcome, of extent: Int, in index: Int) {
    let failure: EntryFailure
    let reason: String
    switch outcome {
    case .intact(let digest):
      segments[index].digests[extent] = digest
      return
    case .failed(let kind, let text):
      (failure, reason) = (kind, text)
    case .damaged:
      preconditionFailure("the sender sees no damage")
    }
    let entry = Int(segments[index].segment.extents[extent].entry)
    let number = segments[index].segment.index
    exclude(
      FailedEntry(segment: number, entry: entry, failure: failure, reason: reason),
      in: index
    )
  }

  mutating func confirmed(_ block: BlockReference) {
    guard let index = loadedSegment(of: block), let carrier = forget(block) else {
      return violation("word of a block that is not under way")
    }
    segments[index].states[block.block] = .received
    let byteCount = segments[index].wantedByteCounts[block.block]
    if let place = connections.firstIndex(where: { $0.id == carrier.connection }) {
      connections[place].confirmedByteCount += byteCount
    }
    paces[carrier.queue].confirm(byteCount)
    count { $0.receivedByteCount += byteCount }
    if let outcomes = carrier.outcomes {
      settle(block, outcomes)
    } else {
      overtaken.append(OvertakenBlock(connection: carrier.connection, block: block))
    }
  }

  /// A block is not what it was: it did not arrive so, or did not read back so.
  mutating func damaged(_ block: BlockReference) {
    guard let queue = takeBack(block) else {
      return violation("damage of a block that is not under way")
    }
    damagedCount += 1
    let allowed = Limits.damagedBlockCount(receivedByteCount: progress.receivedByteCount)
    guard damagedCount <= allowed else {
      let reason = "\(damagedCount) blocks were damaged; the path, a disk or a host is faulty"
      return fail(SessionFailure(.integrity, reason))
    }
    let run = AssignedRun(segment: block.segment, blocks: block.block..<block.block + 1)
    work[queue].returned.append(run)
    fillAll()
  }

  /// Makes a damaged block pending again.
  ///
  /// - Returns: its queue; nil for a block that is neither under way nor received.
  private mutating func takeBack(_ block: BlockReference) -> Int? {
    if let index = loadedSegment(of: block), let carrier = forget(block) {
      // It passed, and counts no more.
      if let place = connections.firstIndex(where: { $0.id == carrier.connection }) {
        connections[place].confirmedByteCount += segments[index].wantedByteCounts[block.block]
      }
      return giveBack(block, to: carrier.queue) ? carrier.queue : nil
    }
    guard let index = index(ofSegment: block.segment),
      block.block < segments[index].states.count,
      segments[index].states[block.block] == .received
    else { return nil }
    let queue = Int(segments[index].owners[block.block])
    let byteCount = segments[index].wantedByteCounts[block.block]
    count { $0.receivedByteCount -= byteCount }
    // Its lane may be lost since, and be in no plan any more.
    if !generation.queues[queue].isOpen { isOutdated = true }
    return giveBack(block, to: queue) ? queue : nil
  }

  mutating func durable(_ block: BlockReference) {
    guard let index = index(ofSegment: block.segment),
      block.block < segments[index].states.count,
      segments[index].states[block.block] == .received
    else { return violation("durability of a block that it has not received") }
    segments[index].states[block.block] = .durable
    segments[index].unsettledBlockCount -= 1
    let byteCount = segments[index].wantedByteCounts[block.block]
    let extentCount = segments[index].wantedExtentCount(of: block.block)
    count { progress in
      progress.durableByteCount += byteCount
      progress.durableExtentCount += extentCount
      progress.durableBlockCount += 1
    }
  }

  /// What the receiver has had of each open connection in whole blocks, for whoever counts the
  /// bytes between.
  package var confirmedByteCounts: [(id: ConnectionID, byteCount: UInt64)] {
    connections.filter { !$0.isFencing }.map { ($0.id, $0.confirmedByteCount) }
  }

  // MARK: - Patience

  /// When a connection is to be dialled, or patience with the lanes ends.
  var laneDeadline: Instant? {
    let end = roster.downSinceAll.map { $0 + Limits.peerSilenceNanoseconds }
    return [roster.nextDial, end].compactMap { $0 }.min()
  }

  mutating func checkLanes(at now: Instant) {
    guard let since = roster.downSinceAll, now.since(since) >= Limits.peerSilenceNanoseconds else {
      return
    }
    fail(SessionFailure(.noLane, "no connection could be opened: \(roster.latestReason)"))
  }

  // MARK: - Handing out

  mutating func fillAll() {
    for place in connections.indices { fill(place) }
  }

  private mutating func fill(_ place: Int) {
    guard phase == .moving, !isPaused else { return }
    let queue = connections[place].queue
    let sharers = queues[queue].lanes.reduce(0) {
      $0 + configuration.inputs.lanes[$1].connectionCount
    }
    while !connections[place].isFencing,
      !connections[place].isFull(
        pendingBlockCount: work[queue].pending.blockCount,
        connectionCount: sharers
      ),
      let block = takeBlock(for: place), let index = index(ofSegment: block.segment)
    {
      segments[index].states[block.block] = .loaded
      let work = segments[index].work(block.block)
      self.work[queue].pending.remove(work.byteCount)
      connections[place].unconfirmed.append(LoadedBlock(block: block))
      connections[place].unsentBlockCount += 1
      connections[place].unsentByteCount += work.byteCount
      emit(.load(connections[place].id, work))
    }
  }

  /// The next pending block: of the connection's run, of the queue, or of the longest run that
  /// another connection of the queue has left.
  private mutating func takeBlock(for place: Int) -> BlockReference? {
    while true {
      if let block = takeFromRun(of: place) { return block }
      if let run = work[connections[place].queue].takeRun() {
        connections[place].run = run
        continue
      }
      guard let victim = longestRun(besides: place), let run = connections[victim].run else {
        return nil
      }
      let last = run.blocks.upperBound - 1
      connections[victim].run?.blocks = run.blocks.lowerBound..<last
      connections[place].run = AssignedRun(segment: run.segment, blocks: last..<last + 1)
    }
  }

  private mutating func takeFromRun(of place: Int) -> BlockReference? {
    guard var run = connections[place].run else { return nil }
    guard let index = index(ofSegment: run.segment) else {
      connections[place].run = nil
      return nil
    }
    while let block = run.blocks.first {
      run.blocks = block + 1..<run.blocks.upperBound
      connections[place].run = run.blocks.isEmpty ? nil : run
      // A run that came back may be older than the latest generation.
      if segments[index].states[block] == .pending,
        Int(segments[index].owners[block]) == connections[place].queue
      {
        return BlockReference(segment: run.segment, block: block)
      }
    }
    connections[place].run = nil
    return nil
  }

  private func longestRun(besides place: Int) -> Int? {
    var best: Int?
    for (other, connection) in connections.enumerated()
    where other != place && connection.queue == connections[place].queue {
      guard let run = connection.run, !run.blocks.isEmpty else { continue }
      if run.blocks.count > (best.flatMap { connections[$0].run?.blocks.count } ?? 0) {
        best = other
      }
    }
    return best
  }

  /// Makes a block pending again that is on a connection, or was.
  private mutating func giveBack(_ block: BlockReference, to queue: Int) -> Bool {
    guard let index = index(ofSegment: block.segment),
      [.loaded, .received].contains(segments[index].states[block.block])
    else { return false }
    segments[index].states[block.block] = .pending
    let byteCount = segments[index].wantedByteCounts[block.block]
    work[queue].pending.add(byteCount)
    count { $0.resentByteCount += byteCount }
    return true
  }

  /// The open segment of a block that is on a connection.
  private func loadedSegment(of block: BlockReference) -> Int? {
    guard let index = index(ofSegment: block.segment),
      block.block < segments[index].states.count,
      segments[index].states[block.block] == .loaded
    else { return nil }
    return index
  }

  /// Takes a block off the connection that carried it.
  ///
  /// - Returns: that connection, and what it said of the block; nil when no connection has it.
  private mutating func forget(
    _ block: BlockReference
  ) -> (connection: ConnectionID, queue: Int, outcomes: [ExtentOutcome]?)? {
    for (place, connection) in connections.enumerated() {
      let loaded = connection.unconfirmed.firstIndex { $0.block == block }
      guard let loaded else { continue }
      let outcomes = connections[place].unconfirmed.remove(at: loaded).outcomes
      return (connection.id, connection.queue, outcomes)
    }
    return nil
  }
}
