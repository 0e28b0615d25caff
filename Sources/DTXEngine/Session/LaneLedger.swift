internal import DTXCore
internal import DTXLinux

/// What each lane carried and what the kernel took of what was asked for; tunes connections as they
/// open.
///
/// Shared by the session's threads.
final class LaneLedger: Sendable {
  private let reportsByLane: Guarded<[LaneReport]>
  private let lanes: [Lane]
  private let firstTunings: [LaneTuning]
  private let dials: Bool
  private let tunings: Guarded<[LaneTuning]>
  /// For each lane, how many connections in a row lost what they sent first.
  private let swallowedCounts: Guarded<[Int]>

  /// Begins a ledger.
  ///
  /// - Parameters:
  ///   - lanes: of the session.
  ///   - tunings: what this end sets on each; fewer than lanes where nothing is to be set.
  ///   - dials: whether connections are opened by this end: their own ports are its.
  init(_ lanes: [Lane], _ tunings: [LaneTuning], dials: Bool) {
    self.dials = dials
    reportsByLane = Guarded(lanes.map { LaneReport(lane: $0) })
    self.lanes = lanes
    firstTunings = tunings
    self.tunings = Guarded(tunings)
    swallowedCounts = Guarded(lanes.map { _ in 0 })
  }

  /// Marks a connection as its lane's are to be, and notes where it comes from.
  ///
  /// - Parameter opened: the connection.
  /// - Throws: what the kernel said; a rehearsal was to find that out before.
  func opened(_ opened: OpenedLane) throws(SystemError) {
    let index = opened.identity.lane
    let tuning = tuning(index)
    // A lane through the control channel has no packets of its own.
    if !tuning.isEmpty { try tuning.apply(to: opened.socket) }
    let local = try? opened.socket.localAddress
    // The other end's is the port that all of them share.
    let dialled = dials ? local : try? opened.socket.peerAddress
    let interface = (try? opened.socket.boundInterface()) ?? nil
    reportsByLane.withLock { reports in
      reports[index].connectionCount += 1
      if let dialled { reports[index].sourcePorts.append(dialled.port) }
      reports[index].localAddress = local?.host
      reports[index].interface = interface
    }
  }

  /// Sets the pace by what the connection's segments are now, and reads back all that the kernel
  /// took.
  ///
  /// - Parameter opened: a connection at the data's sender.
  /// - Returns: what it took; nil for one that is no TCP connection.
  /// - Throws: the setting that did not take.
  func tune(_ opened: OpenedLane) throws(LaneTuning.Refusal) -> LaneTaken? {
    let tuning = tuning(opened.identity.lane)
    guard SegmentShape(of: opened.socket) != nil else { return nil }
    let asked = try tuning.pace(opened.socket)
    let taken = try tuning.taken(by: opened.socket, pacedAt: asked)
    note(taken, of: opened.identity.lane)
    try checkQueue(taken, of: opened)
    return taken
  }

  /// Demands that the queue before a device lets through what its lanes are to carry: what it holds
  /// back would look like the network's fault.
  private func checkQueue(
    _ taken: LaneTaken,
    of opened: OpenedLane
  ) throws(LaneTuning.Refusal) {
    guard let queue = taken.queue, let limit = queue.limit,
      let shape = SegmentShape(of: opened.socket)
    else { return }
    let lane = opened.identity.lane
    let same = reports().map { $0.taken?.queue?.interface == queue.interface }
    let loads = tunings.withLock { $0 }.map { tuning in
      tuning.settings.pacedRate.map {
        EgressQueue.load(of: $0, counting: tuning.settings.layer, shape)
      } ?? 0
    }
    guard loads.indices.contains(lane), loads[lane] > 0 else { return }
    let load =
      limit.isPerConnection
      ? loads[lane] / UInt64(max(1, lanes[lane].connectionCount))
      : zip(loads, same).reduce(0) { $1.1 ? $0 + $1.0 : $0 }
    guard load > limit.bytesPerSecond else { return }
    let part = limit.isPerConnection ? " of each connection" : ""
    throw LaneTuning.Refusal(
      "the rate",
      "the queue of \(printable(Array(queue.interface.utf8))) (\(queue.kind)) lets "
        + "\(limit.bytesPerSecond * 8) b/s\(part) through, and \(load * 8) were asked of it; see "
        + "'tc qdisc show'"
    )
  }

  /// Gives each lane another rate, for whatever is tuned from now on.
  ///
  /// - Parameter rates: one for each lane, as plans count them.
  func adjust(_ rates: [Rate]) {
    tunings.withLock { tunings in
      for lane in tunings.indices {
        tunings[lane].settings.pacedRate = pacedRate(of: lane, at: rates[lane])
      }
    }
  }

  /// What each lane is held to now, as its contract counts; nil for one that nobody rated.
  var rates: [Rate?] {
    tunings.withLock { tunings in
      lanes.indices.map { tunings.indices.contains($0) ? tunings[$0].settings.pacedRate : nil }
    }
  }

  /// What each lane's contract counts.
  var layers: [CountedLayer] { firstTunings.map(\.settings.layer) }

  /// As the lane's contract counts it, and as much of it as was to be used.
  private func pacedRate(of lane: Int, at rate: Rate) -> Rate {
    guard let planned = lanes[lane].rate, let first = firstTunings[lane].settings.pacedRate else {
      return rate
    }
    return first.scaled(by: rate.bitsPerSecond, over: planned.bitsPerSecond)
  }

  /// Notes that a connection lost what it sent first.
  ///
  /// - Parameter lane: its index.
  /// - Returns: how many have in a row.
  func swallowed(on lane: Int) -> Int {
    swallowedCounts.withLock { counts in
      counts[lane] += 1
      return counts[lane]
    }
  }

  /// Notes that a connection's first bytes arrived.
  func passed(on lane: Int) {
    swallowedCounts.withLock { $0[lane] = 0 }
  }

  /// Notes what the kernel took at the data's sender.
  ///
  /// - Parameters:
  ///   - taken: of one connection; the latest counts for its lane.
  ///   - lane: its index, which the other end may have made up.
  func note(_ taken: LaneTaken, of lane: Int) {
    reportsByLane.withLock { reports in
      guard reports.indices.contains(lane) else { return }
      reports[lane].taken = taken
    }
  }

  func count(_ work: BlockWork, on lane: Int) {
    reportsByLane.withLock { reports in
      reports[lane].blockCount += 1
      reports[lane].sentByteCount += work.byteCount
    }
  }

  func reports() -> [LaneReport] {
    reportsByLane.withLock { $0 }
  }

  private func tuning(_ lane: Int) -> LaneTuning {
    tunings.withLock { $0.indices.contains(lane) ? $0[lane] : LaneTuning() }
  }
}
