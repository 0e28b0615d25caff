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
  private let tunings: Guarded<[LaneTuning]>
  /// For each lane, how many connections in a row lost what they sent first.
  private let swallowedCounts: Guarded<[Int]>

  /// Begins a ledger.
  ///
  /// - Parameters:
  ///   - lanes: of the session.
  ///   - tunings: what this end sets on each; fewer than lanes where nothing is to be set.
  init(_ lanes: [Lane], _ tunings: [LaneTuning]) {
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
    let interface = (try? opened.socket.boundInterface()) ?? nil
    reportsByLane.withLock { reports in
      reports[index].connectionCount += 1
      if let local {
        reports[index].sourcePorts.append(local.port)
        reports[index].localAddress = local.host
      }
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
    return taken
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
