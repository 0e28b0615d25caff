internal import DTXCore

// Connections: dialled, carrying blocks, broken, and given up by either end.
extension ScenarioRun {
  private func index(of id: ConnectionID) -> Int? {
    connectionIDs.lastIndex(of: id)
  }

  // MARK: - Up and down

  /// A dial has reached the receiver, or nobody.
  mutating func dialled(_ id: ConnectionID) {
    guard receiver != nil, !isDown[id.lane] else {
      let event = SendSession.Event.connectionLost(id, reason: "nothing answered")
      return schedule(event, after: ScenarioRun.dialPatience)
    }
    connections.append(ScenarioConnection(id: id))
    connectionIDs.append(id)
    schedule(.up(connections.count - 1), after: scenario.path.delayNanoseconds)
    tellReceiver(.connectionUp(id))
  }

  mutating func up(_ index: Int) {
    guard sender != nil else { return }
    let id = connections[index].id
    guard !connections[index].isCut else {
      return tellSender(.connectionLost(id, reason: "the connection broke while it opened"))
    }
    let slowStart = PathModel.slowStartNanoseconds(to: rates[id.lane], scenario.path)
    connections[index].readyAt = now + slowStart
    connections[index].freeSince = now
    connections[index].isSenderUp = true
    tellSender(.connectionUp(id))
  }

  /// Nothing passes any more; each end's thread notices after a while.
  mutating func cut(_ index: Int, after nanoseconds: UInt64) {
    guard !connections[index].isCut else { return }
    let id = connections[index].id
    connections[index].isCut = true
    connections[index].transmission = nil
    connections[index].outgoing.removeAll()
    connections[index].transit.removeAll()
    connections[index].heldCount = 0
    let reason = "the connection broke"
    if connections[index].isSenderUp {
      connections[index].isSenderUp = false
      schedule(SendSession.Event.connectionLost(id, reason: reason), after: nanoseconds)
    }
    if connections[index].isReceiverUp {
      connections[index].isReceiverUp = false
      schedule(ReceiveSession.Event.connectionLost(id, reason: reason), after: nanoseconds)
    }
  }

  mutating func closeAtSender(_ id: ConnectionID) {
    guard let index = index(of: id) else { return }
    cut(index, after: 0)
  }

  /// Ends a receiving thread: `connectionLost` follows in any case.
  mutating func closeAtReceiver(_ id: ConnectionID) {
    if let index = index(of: id), connections[index].isReceiverUp { return cut(index, after: 0) }
    schedule(ReceiveSession.Event.connectionLost(id, reason: "the connection was closed"), after: 0)
  }

  // MARK: - Sending

  mutating func load(_ id: ConnectionID, _ work: BlockWork) {
    guard let index = index(of: id), !connections[index].isCut else { return }
    readFree =
      max(readFree, now)
      + ScenarioHost.nanoseconds(for: work.byteCount, at: scenario.sender.readSpeed)
    connections[index].outgoing.append((work, readFree))
    beginBlock(on: index)
  }

  /// Begins with the next block when the one before has left, the source has been read and the
  /// buffers have room.
  mutating func beginBlock(on index: Int) {
    guard connections[index].isSenderUp, connections[index].transmission == nil,
      let next = connections[index].outgoing.first
    else { return }
    let unconfirmed = connections[index].unconfirmedByteCount
    // What the socket buffers hold, and a block in the thread's hands at either end.
    let room = scenario.receiver.bufferByteCount + 2 * scenario.blockByteCount
    guard unconfirmed == 0 || unconfirmed + next.work.byteCount <= room else {
      connections[index].isStalled = true
      return
    }
    let earliest = max(next.readAt, connections[index].readyAt)
    guard earliest <= now else { return events.push(.begin(index), at: earliest) }
    _ = connections[index].outgoing.popFirst()
    countGap(index, readAt: next.readAt)
    let serial = connections[index].nextSerial
    connections[index].nextSerial += 1
    connections[index].transmission = ScenarioConnection.Transmission(
      work: next.work,
      serial: serial,
      began: now,
      paceBegan: now,
      leftByteCount: next.work.byteCount
    )
    scheduleEnd(index, serial, next.work.byteCount)
  }

  private mutating func scheduleEnd(_ index: Int, _ serial: Int, _ byteCount: UInt64) {
    let rate = rates[connections[index].id.lane]
    guard rate.bitsPerSecond > 0 else { return }
    let time = rate.nanoseconds(for: byteCount)
    schedule(.transmitted(index, serial: serial), after: time)
  }

  /// What the sender's thread did since its last block.
  private mutating func countGap(_ index: Int, readAt: Instant) {
    let free = connections[index].freeSince
    let reading = min(now.since(free), readAt.since(free))
    tally.sender.times[.reading] += reading
    if connections[index].isStalled {
      tally.sender.times[.blocked] += now.since(free) - reading
      connections[index].isStalled = false
    }
  }

  /// Lanes have other rates from now on: what is under way goes on at them.
  mutating func changePace() {
    let before = rates
    rates = path.rates(at: now, isDown: isDown)
    for index in connections.indices {
      let lane = connections[index].id.lane
      guard rates[lane] != before[lane], var transmission = connections[index].transmission else {
        continue
      }
      let sent = before[lane].byteCount(in: now.since(transmission.paceBegan))
      transmission.leftByteCount -= min(sent, transmission.leftByteCount)
      transmission.paceBegan = now
      transmission.serial = connections[index].nextSerial
      connections[index].nextSerial += 1
      connections[index].transmission = transmission
      scheduleEnd(index, transmission.serial, transmission.leftByteCount)
    }
  }

  mutating func transmitted(_ index: Int, serial: Int) {
    guard let transmission = connections[index].transmission, transmission.serial == serial else {
      return
    }
    connections[index].transmission = nil
    connections[index].freeSince = now
    let work = transmission.work
    let id = connections[index].id
    tally.countSent(work.byteCount, lane: id.lane, in: now.since(transmission.began), scenario)
    let delay = scenario.path.delayNanoseconds
    let delivery = ScenarioDelivery(
      work: work,
      outcomes: read(work),
      began: transmission.began + delay,
      arrived: now + delay
    )
    let writing = ScenarioHost.nanoseconds(for: work.byteCount, at: writeSpeed)
    writeFree = max(writeFree + writing, delivery.arrived)
    connections[index].transit.append(delivery)
    connections[index].unconfirmed.append(work.byteCount)
    connections[index].unconfirmedByteCount += work.byteCount
    events.push(.written(index), at: writeFree)
    tellSender(.sent(id, work.reference, delivery.outcomes))
    beginBlock(on: index)
  }

  /// What the sender's thread makes of a block's extents.
  private func read(_ work: BlockWork) -> [ExtentOutcome] {
    let number = work.reference.segment
    guard let segment = sentSegments[number] else { return [] }
    var outcomes: [ExtentOutcome] = []
    for range in work.extents {
      for index in range {
        let extent = segment.extents[index]
        let file = scenario.dataset.file(ofEntry: Int(extent.entry), inSegment: number) ?? 0
        let digest = ScenarioDataset.digest(ofFile: file, offset: extent.offset)
        outcomes.append(.intact(digest))
      }
    }
    return outcomes
  }

  // MARK: - Receiving

  mutating func written(_ index: Int) {
    guard receiver != nil, connections[index].isReceiverUp else { return }
    guard receiver?.pausedSince == nil else {
      connections[index].heldCount += 1
      return
    }
    guard let delivery = connections[index].transit.popFirst() else { return }
    tally.countReceived(delivery, since: connections[index].receiverFreeSince, until: now, scenario)
    connections[index].receiverFreeSince = now
    let isDamaged = corruptionCount > 0
    if isDamaged { corruptionCount -= 1 }
    receiver?.reporting = index
    let outcomes = isDamaged ? delivery.outcomes.map { _ in .damaged } : delivery.outcomes
    let id = connections[index].id
    tellReceiver(.received(id, delivery.work.reference, outcomes))
    tally.arrivedByteCount += isDamaged ? 0 : delivery.work.byteCount
    takeShareFaults()
  }

  mutating func confirmed(_ index: Int, _ block: BlockReference, isIntact: Bool) {
    if let byteCount = connections[index].unconfirmed.popFirst() {
      connections[index].unconfirmedByteCount -= byteCount
    }
    tellSender(.message(isIntact ? .received(block) : .damaged(block)))
    if connections[index].isStalled { beginBlock(on: index) }
  }
}
