internal import DTXCore
internal import DTXLinux

/// How the initiator finds out whether lanes can be opened, and settles what they are.
struct LaneSetup {
  let request: TransferRequest
  let acceptance: Acceptance
  let host: String?
  let secret: SessionSecret
  let sessionID: [UInt8]
  let cipher: Cipher

  /// The settlement, and what dials from now on; nil when the lane goes through the channel.
  func settle() throws(TransferError) -> (LaneSettlement, LaneDialling?) {
    let dialers = dialers()
    if request.options.isDryRun {
      return (LaneSettlement(usesControlChannel: false, inputs: dryInputs(dialers[0])), nil)
    }
    let first: OpenedLane
    do throws(LaneError) {
      first = try dialers[0].dial(LaneIdentity(lane: 0, number: 1))
    } catch {
      return (try fallBack(because: error), nil)
    }
    let others = try openOthers(dialers)
    let inputs = inputs(measured: first.socket)
    let settlement = LaneSettlement(usesControlChannel: false, inputs: inputs)
    return (settlement, LaneDialling(dialers: dialers, firsts: [first] + others))
  }

  /// What this end sets on each lane's connections.
  func tunings() -> [LaneTuning] {
    request.lanes.map { LaneTuning($0, isSender: request.direction == .push) }
  }

  private func dialers() -> [LaneDialer] {
    let hosts = hosts()
    return zip(request.lanes, tunings()).map { description, tuning in
      let target = description.route.target
      var dialer = LaneDialer(
        hosts: target.map { [$0.host] } ?? hosts,
        port: target?.port ?? acceptance.port,
        secret: secret,
        sessionID: sessionID,
        cipher: cipher
      )
      dialer.source = tuning.source
      dialer.interface = tuning.interface
      dialer.tuning = tuning
      return dialer
    }
  }

  /// Opens a connection of each other lane that goes a way of its own, all at the same time: that
  /// the first lane could be opened says nothing of these.
  private func openOthers(_ dialers: [LaneDialer]) throws(TransferError) -> [OpenedLane] {
    guard request.lanes.contains(where: { $0.route.hasAddresses }) else { return [] }
    let others = dialers.indices.dropFirst()
    let results = Guarded([Result<OpenedLane, LaneError>?](repeating: nil, count: dialers.count))
    for lane in others {
      let dialer = dialers[lane]
      let dial: @Sendable () -> Void = {
        let result = Result { () throws(LaneError) in
          try dialer.dial(LaneIdentity(lane: lane, number: 1))
        }
        results.withLockAndSignal { $0[lane] = result }
      }
      do throws(SystemError) {
        _ = try Thread(name: "dtx-dial-\(lane)", dial)
      } catch {
        results.withLock { $0[lane] = .failure(.system(error)) }
      }
    }
    let all = results.wait(until: { results in
      let opened = results.dropFirst()
      return opened.contains { $0 == nil } ? nil : opened.compactMap { $0 }
    })
    var opened: [OpenedLane] = []
    for (lane, result) in zip(others, all ?? []) {
      switch result {
      case .success(let one): opened.append(one)
      case .failure(let error):
        throw TransferError(
          .unattainable,
          "\(LaneProof.name(lane, request.lanes[lane].lane)) cannot be opened",
          cause: "\(error)",
          remedy: "see bind=, interface= and to= of --lane, and --port; nothing was moved"
        )
      }
    }
    return opened
  }

  /// Where to dial, in order: what the user said, what ssh says, what the far end saw.
  private func hosts() -> [String] {
    if let chosen = request.laneHost { return [chosen] }
    guard let host else { return acceptance.addresses }
    let name = host.split(separator: "@").last.map(String.init) ?? host
    var hosts = [RemoteShell.hostName(request.remoteShell, host: host) ?? name]
    hosts += acceptance.addresses.filter { !hosts.contains($0) }
    return hosts
  }

  private func fallBack(because error: LaneError) throws(TransferError) -> LaneSettlement {
    // A lane that was to go a way of its own, or to be marked, is promised something too.
    let isPromised = request.lanes.contains { $0.lane.rate != nil || $0.route != LaneRoute() }
    guard !isPromised || request.allowsLanesThroughShell else {
      throw TransferError(
        .unattainable,
        "no lane can be opened, and a rate was promised",
        cause: "\(error)",
        remedy: "open a port at the far end (--port), or accept one lane through the remote "
          + "shell with --allow-ssh-lanes; nothing was moved"
      )
    }
    let lane = Lane(contract: .bestEffort, rate: nil, connectionCount: 1, name: "shell")
    return LaneSettlement(usesControlChannel: true, inputs: PlanInputs(lanes: [lane]))
  }

  /// The plan's inputs, with what the first connection shows of the path.
  private func inputs(measured first: Socket) -> PlanInputs {
    let shape = SegmentShape(of: first) ?? .usual
    var roundTrip: UInt64 = 0
    if let info = try? first.tcpInfo() {
      roundTrip = UInt64(info.minimumRoundTripMicroseconds) * 1000
    }
    return PlanInputs(of: request.lanes, shape, roundTripNanoseconds: roundTrip)
  }

  /// The same where no lane is opened: a connection that proves nothing and is closed at once shows
  /// the path as well.
  ///
  /// Where nothing answers, the path is taken to be one of usual packets.
  private func dryInputs(_ dialer: LaneDialer) -> PlanInputs {
    let isRated = request.lanes.allSatisfy { $0.lane.rate != nil }
    guard isRated, let socket = dialer.look() else {
      return PlanInputs(of: request.lanes, .usual, roundTripNanoseconds: 0)
    }
    return inputs(measured: socket)
  }
}

extension LaneTuning {
  /// What the end that dials sets on a lane's connections.
  init(_ description: LaneDescription, isSender: Bool) {
    self.init(
      settings: description.settings,
      isSender: isSender,
      connectionCount: description.lane.connectionCount,
      source: description.route.bindAddress.flatMap { SocketAddress(numericHost: $0, port: 0) },
      interface: description.route.interface
    )
  }

  /// Tries what is asked of all lanes at this end.
  ///
  /// - Parameters:
  ///   - tunings: of the lanes, in their order.
  ///   - names: what messages call them.
  /// - Throws: `.failed` with the first setting that this host does not take.
  static func rehearse(_ tunings: [LaneTuning], names: [String]) throws(TransferError) {
    for (tuning, name) in zip(tunings, names) {
      do throws(Refusal) {
        try tuning.rehearse()
      } catch {
        throw TransferError(
          .failed,
          "\(name): \(error.setting) did not take at \(Host.hostName)",
          cause: error.cause,
          remedy: "see what this host has with 'ip address' and "
            + "'sysctl net.ipv4.tcp_available_congestion_control'; nothing was moved"
        )
      }
    }
  }
}

extension LaneDescription {
  /// Demands that every lane's contract holds now: a reservation is a rate and a time.
  ///
  /// - Parameter lanes: of a transfer that is about to begin.
  /// - Throws: `.unattainable` with the first one whose window is shut.
  static func checkWindows(_ lanes: [LaneDescription]) throws(TransferError) {
    let now = WallInstant.now()
    for (index, description) in lanes.enumerated() {
      guard let window = description.window, !window.holds(at: now) else { continue }
      let isOver = window.until.map { $0 <= now } ?? false
      throw TransferError(
        .unattainable,
        "\(LaneProof.name(index, description.lane)): its window \(isOver ? "is over" : "is not open yet")",
        cause: "the network keeps its contract only from from= until until= of --lane",
        remedy: "run this within that time, or ask the network for another; nothing was moved"
      )
    }
  }
}
