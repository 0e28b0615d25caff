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

  /// The settlement, and what dials from now on, where this end dials; nil when the lane goes through
  /// the channel.
  func settle() throws(TransferError) -> (LaneSettlement, LaneDialling?) {
    let dialers = dialers()
    let trial = LaneTrial(dialers: dialers, triesAll: request.lanesHaveAddresses)
    if request.options.isDryRun {
      let isRated = request.lanes.allSatisfy { $0.lane.rate != nil }
      return (settlement(over: isRated ? trial.look() : nil), nil)
    }
    let (opened, failures) = trial.open()
    if let fallen = try judge(failures) { return (fallen, nil) }
    let path = opened.first.map { DialReport.Path(of: $0.socket) }
    return (settlement(over: path), LaneDialling(dialers: dialers, firsts: opened))
  }

  /// The settlement where this end listens and the other one has dialled.
  ///
  /// - Parameters:
  ///   - report: of its attempts.
  ///   - reception: where they came in.
  /// - Returns: how lanes run.
  /// - Throws: why they cannot.
  func settle(
    _ report: DialReport,
    at reception: LaneReception
  ) throws(TransferError) -> LaneSettlement {
    if request.options.isDryRun { return settlement(over: report.path) }
    if let fallen = try judge(report.failures) { return fallen }
    let opened = request.lanesHaveAddresses ? Array(request.lanes.indices) : [0]
    do throws(DialReport.Failure) {
      try reception.awaitConnections(of: opened)
    } catch {
      throw unopened(error)
    }
    return settlement(over: report.path)
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

  /// What becomes of lanes that could not be opened.
  ///
  /// - Parameter failures: in the order of the lanes.
  /// - Returns: another way for all of them; nil where there is nothing to do.
  /// - Throws: when there is none.
  private func judge(_ failures: [DialReport.Failure]) throws(TransferError) -> LaneSettlement? {
    guard let failure = failures.first else { return nil }
    guard failure.lane == 0 else { throw unopened(failure) }
    return try fallBack(because: failure.reason)
  }

  private func unopened(_ failure: DialReport.Failure) -> TransferError {
    // The other end may say anything.
    let lanes = request.lanes
    let lane = lanes.indices.contains(failure.lane) ? lanes[failure.lane].lane : nil
    return TransferError(
      .unattainable,
      "\(lane.map { LaneProof.name(failure.lane, $0) } ?? "a lane") cannot be opened",
      cause: printable(Array(failure.reason.utf8)),
      remedy: "see bind=, interface= and to= of --lane, --port and --listen; nothing was moved"
    )
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

  private func fallBack(because reason: String) throws(TransferError) -> LaneSettlement {
    // A lane that was to go a way of its own, or to be marked, is promised something too.
    let isPromised = request.lanes.contains { $0.lane.rate != nil || $0.route != LaneRoute() }
    guard !isPromised || request.allowsLanesThroughShell else {
      throw TransferError(
        .unattainable,
        "no lane can be opened, and a rate was promised",
        cause: printable(Array(reason.utf8)),
        remedy:
          "open a port at the end that listens (--port), let the other one listen (--listen), "
          + "or accept one lane through the remote shell with --allow-ssh-lanes; nothing was moved"
      )
    }
    let lane = Lane(contract: .bestEffort, rate: nil, connectionCount: 1, name: "shell")
    return LaneSettlement(usesControlChannel: true, inputs: PlanInputs(lanes: [lane]))
  }

  /// How lanes run on a path; on one of usual packets where nobody has seen it.
  private func settlement(over path: DialReport.Path?) -> LaneSettlement {
    let inputs = PlanInputs(
      of: request.lanes,
      path?.shape ?? .usual,
      roundTripNanoseconds: path?.roundTripNanoseconds ?? 0
    )
    return LaneSettlement(usesControlChannel: false, inputs: inputs)
  }
}

extension LaneTuning {
  /// What the initiator sets on a lane's connections.
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
