internal import DTXCore

// Connections: dialled, carrying blocks, broken, and given up by either end.
extension Simulation {
  func index(of id: ConnectionID) -> Int? {
    connections.firstIndex { $0.id == id }
  }

  private var initiator: End { world.isSenderInitiator ? .sender : .receiver }

  private func isRunning(_ end: End) -> Bool {
    end == .sender ? sender != nil : receiver != nil
  }

  // MARK: - Up and down

  /// A dial has reached the acceptor, which checks the proof.
  mutating func dialled(_ id: ConnectionID) {
    let isRefused = receiver?.barred.contains(id) ?? false
    let isDown = lanes[id.lane].downUntil > now
    guard isRunning(initiator), isRunning(initiator.other), !isDown, !isRefused else {
      let delay = transit()
      return tellLost(id, "the dial failed", to: initiator, after: delay)
    }
    connections.append(SimulatedConnection(id: id))
    let answer = transit()
    schedule(.up(id, initiator.other), after: 0)
    schedule(.up(id, initiator), after: answer)
  }

  /// A connection has proven itself for an end's thread, which tells its session in its own time.
  mutating func up(_ id: ConnectionID, at end: End) {
    guard let index = index(of: id), isRunning(end) else { return }
    let isBarred = end == .receiver && (receiver?.barred.contains(id) ?? false)
    guard !connections[index].isCut, !isBarred else {
      // The acceptor may have been told already: it notices by itself.
      cut(index, isSilent: false)
      return tellLost(id, "the connection broke while it opened", to: end, after: 0)
    }
    connections[index][end].isOpen = true
    let report = now + mailboxDelay()
    connections[index][end].latestReport = report
    switch end {
    case .sender: heap.push(.sender(.connectionUp(id)), at: report)
    case .receiver:
      heap.push(.receiver(.connectionUp(id)), at: report)
      takeIncoming(id)
    }
  }

  private mutating func tellLost(
    _ id: ConnectionID,
    _ reason: String,
    to end: End,
    after delay: UInt64
  ) {
    switch end {
    case .sender: schedule(.sender(.connectionLost(id, reason: reason)), after: delay)
    case .receiver: schedule(.receiver(.connectionLost(id, reason: reason)), after: delay)
    }
  }

  /// Nothing passes any more; each end's thread notices in its own time.
  mutating func cut(_ index: Int, isSilent: Bool) {
    guard !connections[index].isCut else { return }
    connections[index].isCut = true
    abandonTransmission(index)
    connections[index].outgoing = []
    // Where the sender hears of its other lanes it does not wait for that.
    if isSilent, networkRandom.happens(Ratio(1, in: 2)) {
      let silence = Limits.lanePatienceNanoseconds
      let event = SendSession.Event.connectionSilent(connections[index].id, nanoseconds: silence)
      schedule(.sender(event), after: silence + transit())
    }
    for end in End.allCases {
      // Twenty seconds stand for TCP_USER_TIMEOUT and keep-alive.
      let patience = isSilent ? 20 * Duration.second : 0
      let delay = patience + transit()
      if world.sabotage != .silentLoss {
        schedule(.broken(connections[index].id, end), after: delay)
      }
    }
  }

  mutating func broken(_ id: ConnectionID, at end: End) {
    guard let index = index(of: id), connections[index][end].isOpen, isRunning(end) else { return }
    connections[index][end].isEnding = true
    switch end {
    case .sender: endThread(index, .sender)
    case .receiver: endReceiverIfIdle(index)
    }
  }

  /// Ends a thread; its session hears of it behind all that the thread said before.
  private mutating func endThread(_ index: Int, _ end: End) {
    guard connections[index][end].isOpen else { return }
    connections[index][end].isOpen = false
    let report = max(connections[index][end].latestReport, now + mailboxDelay())
    connections[index][end].latestReport = report
    tellLost(connections[index].id, "the connection broke", to: end, after: report.since(now))
  }

  private mutating func endReceiverIfIdle(_ index: Int) {
    let connection = connections[index]
    guard connection.receiver.isEnding || connection.isClosing, connection.writing == nil,
      connection.incoming.isEmpty
    else { return }
    endThread(index, .receiver)
  }

  mutating func closeAtSender(_ id: ConnectionID) {
    guard let index = index(of: id) else { return }
    cut(index, isSilent: false)
    endThread(index, .sender)
  }

  /// Ends a receiving thread, or bars a connection that is not up yet: `connectionLost` follows in
  /// either case.
  mutating func closeAtReceiver(_ id: ConnectionID) {
    guard let index = index(of: id), connections[index].receiver.isOpen else {
      receiver?.barred.append(id)
      // Not before what its thread has still to say, if it had one.
      let latest = index(of: id).map { connections[$0].receiver.latestReport } ?? now
      let report = max(latest, now + mailboxDelay())
      return tellLost(id, "the connection was closed", to: .receiver, after: report.since(now))
    }
    connections[index].isClosing = true
    connections[index].incoming = []
    cut(index, isSilent: false)
    if world.sabotage == .fencesEarly { return endThread(index, .receiver) }
    endReceiverIfIdle(index)
  }

  // MARK: - Sending

  mutating func load(_ id: ConnectionID, _ work: BlockWork) {
    guard let index = index(of: id), !connections[index].isCut else { return }
    connections[index].outgoing.append(work)
    schedule(.pump(id), after: 0)
  }

  /// Begins with the next block when the one before has left and the buffers have room.
  mutating func pump(_ id: ConnectionID) {
    guard let index = index(of: id) else { return }
    let connection = connections[index]
    guard connection.sender.isOpen, !connection.isCut, connection.transmission == nil,
      connection.inFlightCount < world.windowBlockCount, let work = connection.outgoing.first
    else { return }
    let stalledUntil = lanes[id.lane].stalledUntil
    guard stalledUntil <= now else { return heap.push(.pump(id), at: stalledUntil) }
    connections[index].outgoing.removeFirst()
    let wireByteCount = world.inputs.wireByteCount(work.byteCount)
    let shares = UInt64(world.inputs.lanes[id.lane].connectionCount)
    var rate = world.rate(ofLane: id.lane).scaled(by: 1, over: shares)
    if world.sabotage == .exceedsRate { rate = rate.scaled(by: 2, over: 1) }
    let serial = connection.nextSerial
    connections[index].nextSerial += 1
    let time = rate.nanoseconds(for: wireByteCount)
    connections[index].transmission = SimulatedConnection.Transmission(
      work: work,
      serial: serial,
      began: now,
      ends: now + time,
      wireByteCount: wireByteCount
    )
    schedule(.transmitted(id, serial: serial), after: time)
  }

  /// What had left of a block counts on the lane, though nobody will take it.
  private mutating func abandonTransmission(_ index: Int) {
    guard let transmission = connections[index].transmission else { return }
    connections[index].transmission = nil
    let whole = max(1, transmission.ends.since(transmission.began))
    let part = UInt128(transmission.wireByteCount) * UInt128(now.since(transmission.began))
    let byteCount = UInt64(clamping: part / UInt128(whole))
    observe(
      .transmitted(
        connections[index].id,
        transmission.work.reference,
        from: transmission.began,
        to: now,
        wireByteCount: byteCount
      )
    )
  }

  mutating func transmitted(_ id: ConnectionID, serial: Int) {
    guard let index = index(of: id), let transmission = connections[index].transmission,
      transmission.serial == serial, isRunning(.sender)
    else { return }
    connections[index].transmission = nil
    let block = transmission.work.reference
    var carrier = id
    if world.sabotage == .wanders { carrier.lane = (id.lane + 1) % lanes.count }
    observe(
      .transmitted(
        carrier,
        block,
        from: transmission.began,
        to: now,
        wireByteCount: transmission.wireByteCount
      )
    )
    let (outcomes, contents) = read(transmission.work)
    let report = max(connections[index].sender.latestReport, now + mailboxDelay())
    connections[index].sender.latestReport = report
    heap.push(.sender(.sent(id, block, outcomes)), at: report)
    connections[index].inFlightCount += 1
    let arrival = max(connections[index].latestArrival, now + transit())
    connections[index].latestArrival = arrival
    let delivery = Delivery(block: block, outcomes: outcomes, contents: contents)
    heap.push(.arrived(id, delivery), at: arrival)
    pump(id)
  }

  // MARK: - Receiving

  mutating func arrived(_ id: ConnectionID, _ delivery: Delivery) {
    guard let index = index(of: id), !connections[index].isCut, isRunning(.receiver) else { return }
    connections[index].incoming.append(delivery)
    takeIncoming(id)
  }

  mutating func takeIncoming(_ id: ConnectionID) {
    let isPaused = receiver?.isPaused ?? true
    guard !isPaused || world.sabotage == .ignoresPause, let index = index(of: id) else { return }
    let connection = connections[index]
    guard connection.receiver.isOpen, connection.writing == nil, !connection.isClosing,
      let delivery = connection.incoming.first
    else { return endReceiverIfIdle(index) }
    connections[index].incoming.removeFirst()
    connections[index].writing = delivery
    observe(.writeBegan(id, delivery.block))
    schedule(.windowOpened(id), after: transit())
    let byteCount = claims(of: delivery.block).reduce(UInt64(0)) { $0 + $1.byteCount }
    let time = world.diskRate.nanoseconds(for: byteCount) + diskSlowUntil.since(now)
    schedule(.written(id), after: time)
  }

  mutating func written(_ id: ConnectionID) {
    guard let index = index(of: id), let delivery = connections[index].writing,
      isRunning(.receiver)
    else { return }
    connections[index].writing = nil
    observe(.writeEnded(id, delivery.block))
    guard !isDiskFull else {
      isDiskFull = false
      return tellReceiver(.failed(SessionFailure(.storage, "pwrite: ENOSPC")))
    }
    let outcomes = store(delivery, lane: id.lane)
    let report = max(connections[index].receiver.latestReport, now + mailboxDelay())
    connections[index].receiver.latestReport = report
    heap.push(.receiver(.received(id, delivery.block, outcomes)), at: report)
    if connections[index].isClosing || connections[index].incoming.isEmpty {
      endReceiverIfIdle(index)
    }
    takeIncoming(id)
  }
}
