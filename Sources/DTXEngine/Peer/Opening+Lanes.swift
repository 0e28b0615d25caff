internal import DTXCore
internal import DTXLinux

/// How the lanes of a transfer come to be, as far as its initiator has a part in it.
extension Opening {
  /// What this end sets on each lane's connections.
  var tunings: [LaneTuning] {
    request.lanes.map { LaneTuning($0, isSender: request.direction == .push) }
  }

  /// What the ends know of each other once a request is accepted.
  struct Meeting {
    var acceptance: Acceptance
    var secret: SessionSecret
    /// Where this end listens, if it does.
    var reception: LaneReception?
  }

  /// Asks for the transfer, and says where this end listens for lanes, if it does.
  func request(paths: [[UInt8]]) throws(TransferError) -> Meeting {
    try farEnd.greet()
    var bytes = randomBytes(SessionSecret.byteCount)
    let secret = bytes.withUnsafeBytes { SessionSecret(bytes: $0) }
    defer { bytes.wipe() }
    let reception = try listen(secret)
    let wire = Request(
      direction: request.direction,
      paths: paths,
      options: request.options,
      secret: bytes,
      sessionID: sessionID,
      ports: request.ports,
      cipher: cipher,
      lanesHaveAddresses: request.lanesHaveAddresses,
      lanes: request.lanes.map(\.settings),
      doorway: reception.map { Doorway(place: $0.place, targets: targets) }
    )
    try channel.sendStep(RequestCodec.encode(wire))
    let acceptance = try decoded(HandshakeCodec.acceptance)
    return Meeting(acceptance: acceptance, secret: secret, reception: reception)
  }

  /// Listens for lanes where the user wants this end to.
  private func listen(_ secret: SessionSecret) throws(TransferError) -> LaneReception? {
    guard request.listening == .local else { return nil }
    var place = host == nil ? ListeningAddress.loopback : .anyAddress()
    if request.lanesHaveAddresses { place.takeAnyWay() }
    do throws(LaneError) {
      return try LaneReception(
        place,
        ports: request.ports,
        secret: secret,
        sessionID: sessionID,
        cipher: cipher,
        tunings: tunings
      )
    } catch {
      throw TransferError(
        .failed,
        "this end cannot listen for lanes",
        cause: "\(error)",
        remedy: "name other ports with --port; nothing was moved"
      )
    }
  }

  /// Where the far end dials each lane, as far as the user said so.
  private var targets: [LaneTarget?] {
    request.lanes.map { description in
      let route = description.route
      let host = route.bindAddress ?? request.laneHost
      return route.target ?? host.map { LaneTarget(host: $0, port: nil) }
    }
  }

  /// Finds out whether lanes can be opened, and says how they run.
  func settle(_ meeting: Meeting) throws(TransferError) -> (LaneSettlement, LaneDialling?) {
    let setup = LaneSetup(
      request: request,
      acceptance: meeting.acceptance,
      host: host,
      secret: meeting.secret,
      sessionID: sessionID,
      cipher: cipher
    )
    do throws(TransferError) {
      var dialling: LaneDialling?
      let settlement: LaneSettlement
      if let reception = meeting.reception {
        let report = try decoded(HandshakeCodec.dialReport)
        settlement = try setup.settle(report, at: reception)
      } else {
        (settlement, dialling) = try setup.settle()
      }
      try channel.sendStep(HandshakeCodec.encode(settlement))
      return (settlement, dialling)
    } catch {
      channel.refuse(.failed, error.lines)
      throw error
    }
  }
}
