// Generations: who notices that the plan no longer fits, and what follows.
extension SendSession {
  /// Whether there is something to look at each second: lanes that can differ from their plan.
  private var isWatching: Bool {
    guard phase == .moving, !configuration.isDryRun, !isPaused, laneRates[0] != nil else {
      return false
    }
    return isOutdated || generation.queues.count > 1 || laneRates.count > 1
  }

  /// When to look at the lanes again; nil when there is nothing to see.
  var lookDeadline: Instant? {
    isWatching ? latestLook + Duration.second : nil
  }

  /// Looks at the lanes each second, and begins a generation when the plan does not fit them.
  mutating func look(at now: Instant) {
    guard isWatching, now.since(latestLook) >= Duration.second else { return }
    latestLook = now
    for queue in queues.indices {
      let isBusy = connections.contains { $0.queue == queue && !$0.unconfirmed.isEmpty }
      paces[queue].look(at: now, isBusy: isBusy)
    }
    // One generation after another; and what a lost lane has under way is for the receiver to tell.
    guard !segments.contains(where: { $0.phase == .moving && !$0.isAgreed }) else { return }
    let lost = lostLanes(at: now)
    let isTaken = connections.contains { $0.isFencing && lost[$0.id.lane] }
    guard !isTaken, lost.contains(false), hasPending || !isScanComplete else { return }
    let next = candidate(without: lost, at: now)
    guard next.queues.contains(where: { $0.isOpen }) else { return }
    // While a lane may still come back, the others are not measured against it.
    let isSettled =
      now.since(latestBegin) >= Limits.reliefPauseNanoseconds
      && lost.indices.allSatisfy { lost[$0] || roster.downSince([$0]) == nil }
    if isOutdated || lost != plannedLosses || isSettled && isBetter(next, at: now) {
      latestBegin = now
      begin(next, without: lost)
    }
  }

  /// Does what the user wants of a transfer that runs.
  mutating func adjust(_ adjustment: Adjustment) {
    guard phase == .moving, !configuration.isDryRun else { return }
    switch adjustment {
    case .rates(let rates):
      // More than a lane began with was never asked of the network that reserves, nor of the hosts'
      // capacities; an honest receiver asks for no more.
      guard rates.count == laneRates.count,
        zip(rates, configuration.inputs.lanes).allSatisfy({ rate, lane in
          rate.bitsPerSecond >= UInt64(lane.connectionCount) && rate <= lane.rate ?? rate
        })
      else { return violation("rates that its lanes cannot have") }
      laneRates = rates
      emit(.pace(rates))
      isOutdated = true
    case .pause:
      isPaused = true
    case .resume:
      guard isPaused else { return }
      isPaused = false
      isOutdated = laneRates[0] != nil
      for queue in queues.indices { paces[queue] = QueuePace() }
      fillAll()
    }
  }

  private var hasPending: Bool {
    segments.contains { $0.plan == nil } || pendingByteCounts.contains { $0 > 0 }
  }

  /// Lanes that have had no connection for longer than a reconnection takes.
  private func lostLanes(at now: Instant) -> [Bool] {
    configuration.inputs.lanes.indices.map { lane in
      guard let since = roster.downSince([lane]) else { return false }
      return now.since(since) >= Limits.lanePatienceNanoseconds
    }
  }

  /// Payload of each queue that is planned, and on no connection.
  private var pendingByteCounts: [UInt64] {
    var counts = work.map { $0.pending.byteCount }
    for segment in segments where segment.phase == .agreeing {
      for (queue, planned) in (segment.plan?.queues ?? []).enumerated() {
        counts[queue] += planned.byteCount
      }
    }
    return counts
  }

  /// What the next generation would be: the lanes that are there, at the rates that they are good
  /// for.
  private func candidate(without lost: [Bool], at now: Instant) -> Generation {
    let elapsed = firstLoad.map { now.since($0) } ?? 0
    var next = Generation(number: generation.number &+ 1, queues: [])
    for (index, queue) in queues.enumerated() {
      var bits: UInt64 = 0
      for lane in queue.lanes where !lost[lane] {
        bits += laneRates[lane]?.bitsPerSecond ?? 0
      }
      var underWay: UInt64 = 0
      var first: UInt64 = 0
      for connection in connections where connection.queue == index {
        underWay += byteCount(of: connection.unconfirmed[...])
        first += byteCount(of: connection.unconfirmed.prefix(1))
      }
      let inputs = configuration.inputs
      let seen = paces[index].seen(
        of: Rate(bitsPerSecond: bits),
        underWay: first,
        inputs: inputs,
        at: now
      )
      var planned = Generation.Queue(rate: bits == 0 ? Rate(bitsPerSecond: 0) : seen, free: elapsed)
      if planned.isOpen { planned.free = planned.finish(of: inputs.wireByteCount(underWay)) }
      planned.free = min(planned.free, Limits.planNanoseconds)
      next.queues.append(planned)
    }
    return next
  }

  private func byteCount(of blocks: ArraySlice<LoadedBlock>) -> UInt64 {
    blocks.reduce(0) { sum, loaded in
      guard let index = index(ofSegment: loaded.block.segment) else { return sum }
      return sum + segments[index].wantedByteCounts[loaded.block.block]
    }
  }

  /// Whether a new plan would end earlier by more than a second, and more than 2 % of what remains.
  ///
  /// What connections have taken already stays with them, and does not count.
  private func isBetter(_ next: Generation, at now: Instant) -> Bool {
    let pending = pendingByteCounts
    guard queues.count > 1, pending.contains(where: { $0 > 0 }) else { return false }
    var latest: UInt64 = 0
    var total: UInt64 = 0
    for (index, queue) in next.queues.enumerated() where pending[index] > 0 {
      let byteCount = configuration.inputs.wireByteCount(pending[index])
      total = total.addingClamped(byteCount)
      latest = max(latest, queue.finish(of: byteCount))
    }
    let elapsed = firstLoad.map { now.since($0) } ?? 0
    guard let level = next.level(wireByteCount: total) else { return false }
    let margin = max(Duration.second, (max(latest, elapsed) - elapsed) / 50)
    guard latest > level, latest - level > margin else { return false }
    // Blocks are not water: what is left may be too little to be levelled.
    let plans = Scheduler.replan(remainders(), inputs: configuration.inputs, generation: next)
    var planned: UInt64 = 0
    for plan in plans {
      for queue in plan.queues where queue.byteCount > 0 {
        planned = max(planned, queue.finish ?? 0)
      }
    }
    return latest > planned && latest - planned > margin
  }

  private func remainders() -> [Remainder] {
    segments.compactMap { $0.remainder }
  }

  /// Announces a generation with what is left, and its plans.
  private mutating func begin(_ next: Generation, without lost: [Bool]) {
    let before = generation
    generation = next
    plannedLosses = lost
    let isAsked = isOutdated
    isOutdated = false
    let left = remainders()
    emit(.send(.revise(next, segmentCount: left.count, isAsked: isAsked)))
    for remainder in left {
      var runs = remainder.blocks.runs(in: 0..<remainder.blocks.count)[...]
      while !runs.isEmpty {
        let page = Array(runs.prefix(Limits.remainingRunCount))
        emit(.send(.remaining(segment: remainder.segment.index, blocks: page)))
        runs = runs.dropFirst(page.count)
      }
    }
    let plans = Scheduler.replan(left, inputs: configuration.inputs, generation: next)
    var movedByteCount: UInt64 = 0
    for plan in plans {
      guard let index = index(ofSegment: plan.segment) else { continue }
      let digest = plan.digest(with: configuration.inputs)
      movedByteCount += segments[index].revise(plan, digest)
      generation.advance(behind: plan)
      emit(.send(.plan(segment: plan.segment, generation: plan.generation, digest: digest)))
    }
    let revision = Revision(
      from: before,
      to: next,
      plans: plans,
      movedByteCount: movedByteCount,
      isAsked: isAsked
    )
    emit(.revised(revision))
    requeue()
    fillAll()
  }

  /// Makes the queues anew from the plans: what is held until the receiver agrees is passed over.
  mutating func requeue() {
    for place in connections.indices { connections[place].run = nil }
    var fresh = queues.map { _ in QueueWork() }
    for segment in segments where segment.phase == .moving {
      for (block, state) in segment.states.enumerated() where state == .pending {
        fresh[Int(segment.owners[block])].pending.add(segment.wantedByteCounts[block])
      }
      for (queue, planned) in (segment.plan?.queues ?? []).enumerated() {
        for run in planned.runs {
          fresh[queue].planned.append(
            AssignedRun(segment: segment.segment.index, blocks: run.blocks)
          )
        }
      }
    }
    // What came back since the plan was made is in none.
    for queue in queues.indices { fresh[queue].returned = work[queue].returned }
    work = fresh
  }
}

/// What a new generation changed, for whoever tells people.
package struct Revision: Equatable, Sendable {
  package var from: Generation
  package var to: Generation
  /// What was left of each open segment.
  package var plans: [Plan]
  /// Payload that goes over another queue than before.
  package var movedByteCount: UInt64
  /// A user wants it.
  package var isAsked: Bool
}
