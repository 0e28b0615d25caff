internal import DTXCore
internal import DTXLinux

/// What a server lets a peer do.
package enum ServerAccess: Sendable {
  case readWrite
  /// Sends, and receives nothing.
  case readOnly
  /// Receives what is new, changes nothing that is there, and sends nothing.
  case appendOnly
}

/// The far end: `dtx serve --stdio`, started by whoever holds the other end of its input and output.
package struct Server: Sendable {
  /// The directory that all paths are resolved under; nil for no confinement.
  package var root: [UInt8]?
  package var access = ServerAccess.readWrite
  package var stateDirectory: [UInt8]?
  /// The peer runs on this machine: lanes go over its loopback.
  package var isLoopback = false

  package init() {}

  /// Serves one transfer over standard input and output; blocks until it has ended.
  ///
  /// Call it on the main thread while there is no other: it blocks signals for all that follow.
  ///
  /// - Returns: the exit status.
  package func run() -> Int32 {
    Signals.blockAll()
    // The session's secret must not end up in a core file.
    try? Host.dropCoreDumps()
    // Staged files and directories stay open; the soft limit is often 1024.
    try? Host.raiseDescriptorLimit()
    do throws(TransferError) {
      let channel = try ControlChannel(try Server.takeStandardStreams())
      defer { channel.close() }
      return try serve(channel)
    } catch {
      try? Host.writeAll(Array("dtx serve: \(error)\n".utf8), to: 2)
      return 1
    }
  }

  /// Takes standard input and output over, and points descriptor 1 at standard error, so that a
  /// stray print cannot damage the protocol.
  private static func takeStandardStreams() throws(TransferError) -> ByteStream {
    do {
      let input = try Descriptor.duplicate(of: 0)
      let output = try Descriptor.duplicate(of: 1)
      try Descriptor.redirect(1, to: 2)
      return try ByteStream(reading: input, writing: output)
    } catch {
      throw TransferError("standard input and output cannot be used", error)
    }
  }

  private func serve(_ channel: ControlChannel) throws(TransferError) -> Int32 {
    channel.send(Hello(implementation: Release.implementation))
    let theirs = try channel.receiveHello(isAwaited: false)
    let mine = Hello(implementation: Release.implementation)
    guard Hello.commonVersion(mine, theirs) != nil else {
      // The initiator has both versions too, and says so.
      return 5
    }
    let interruption = try Interruption.watch()
    interruption.onSignal { channel.close() }
    do throws(TransferError) {
      var request = try channel.receiveDecoded(RequestCodec.decode)
      let confinement = try confine(&request)
      try rehearse(request)
      let share = try share(for: request)
      defer { share?.release() }
      let secret = SessionSecret(wiping: &request.secret)
      let responding = Responding(
        server: self,
        channel: channel,
        request: request,
        confinement: confinement,
        secret: secret,
        interruption: interruption
      )
      return try responding.run()
    } catch {
      channel.refuse(Server.reason(error), error.lines)
      channel.finishSending()
      return 1
    }
  }

  /// Finds out before anything else whether this host takes what is asked of the lanes.
  private func rehearse(_ request: Request) throws(TransferError) {
    let isSender = request.direction == .pull
    try LaneTuning.rehearse(
      request.lanes.map { LaneTuning(settings: $0, isSender: isSender) },
      names: request.lanes.indices.map { "lane \($0)" }
    )
  }

  /// Takes a share of this host's capacity.
  ///
  /// A peer on this machine has taken one, and a dry run needs none.
  private func share(for request: Request) throws(TransferError) -> CapacityShare? {
    guard !isLoopback, !request.options.isDryRun else { return nil }
    let rates = request.lanes.compactMap(\.pacedRate?.bitsPerSecond)
    let isRated = rates.count == request.lanes.count && !rates.isEmpty
    let rate = isRated ? Rate(bitsPerSecond: rates.reduce(0, +)) : nil
    switch try HostConfiguration.current().claim(rate) {
    case .free: return nil
    case .taken(let share): return share
    case .refused(let refusal): throw refusal.error(at: Host.hostName)
    }
  }

  /// Puts the request's paths below the root, and refuses what this server is not for.
  private func confine(_ request: inout Request) throws(TransferError) -> Confinement? {
    switch (access, request.direction) {
    case (.readOnly, .push):
      throw TransferError(.refused, "this server is read-only")
    case (.appendOnly, .pull):
      throw TransferError(
        .refused,
        "this server is append-only: it takes what is new, and gives nothing"
      )
    case (.readWrite, _), (.readOnly, .pull), (.appendOnly, .push):
      break
    }
    guard let root else { return nil }
    let confinement = try Confinement(root)
    for index in request.paths.indices {
      request.paths[index] = try confinement.placed(request.paths[index])
    }
    return confinement
  }

  private static func reason(_ error: TransferError) -> StopReason {
    switch error.kind {
    case .locked: .locked
    case .refused: .protocolViolation
    case .unattainable: .unattainable
    case .failed, .integrity, .usage, .interrupted: .failed
    }
  }
}

/// One transfer at the responder.
private struct Responding {
  let server: Server
  let channel: ControlChannel
  let request: Request
  let confinement: Confinement?
  let secret: SessionSecret
  let interruption: Interruption

  func run() throws(TransferError) -> Int32 {
    switch request.direction {
    case .push: return try receive()
    case .pull: return try send()
    }
  }

  private func receive() throws(TransferError) -> Int32 {
    let reception = try listen()
    defer { reception?.close() }
    let shape = try channel.receiveDecoded(HandshakeCodec.shape)
    let placement = try Placement.of(shape, at: request.paths[0], within: confinement)
    let destination = try Destination.open(
      placement,
      shape,
      request.options,
      request.sessionID,
      stateDirectory: server.stateDirectory,
      within: confinement,
      isAppendOnly: server.access == .appendOnly
    )
    defer { destination.close() }
    try channel.sendStep(
      HandshakeCodec.encode(DestinationReply(singleFileName: placement.singleFileName))
    )
    let engine = try ReceiveEngine(destination, try settled(reception))
    interruption.onSignal { engine.cancel() }
    return status(of: try engine.run())
  }

  private func send() throws(TransferError) -> Int32 {
    let dataset = try SourceDataset.of(request.options, request.paths, within: confinement)
    let reception = try listen()
    defer { reception?.close() }
    try channel.sendStep(HandshakeCodec.encode(dataset.shape))
    let reply = try channel.receiveDecoded(HandshakeCodec.destinationReply)
    let source = reply.singleFileName.map { dataset.renamed(to: $0) } ?? dataset
    let engine = try SendEngine(source, try settled(reception))
    interruption.onSignal { engine.cancel() }
    return status(of: try engine.run())
  }

  /// Dials, where the initiator listens, and hears how the lanes run.
  private func settled(_ reception: LaneReception?) throws(TransferError) -> SessionSetup {
    var dialling: LaneDialling?
    if let doorway = request.doorway {
      let place = server.isLoopback ? nil : ListeningAddress.fromEnvironment().peer
      let call = try LaneCall(
        request,
        doorway,
        secret: secret,
        seenAddress: place,
        isConfined: confinement != nil
      )
      let report: DialReport
      (report, dialling) = call.open()
      try channel.sendStep(HandshakeCodec.encode(report))
    }
    let settlement = try channel.receiveDecoded(HandshakeCodec.settlement)
    if let problem = settlement.problem(answering: request) {
      throw TransferError(
        .refused,
        "the lanes are not those that were asked for",
        cause: problem
      )
    }
    return SessionSetup(
      options: request.options,
      paths: request.paths,
      cipher: request.cipher,
      settlement: settlement,
      tunings: settlement.usesControlChannel ? [] : tunings(settlement),
      isInitiator: false,
      isConfined: confinement != nil,
      channel: channel,
      secret: secret,
      initiatorListens: request.doorway != nil,
      inlet: reception?.inlet ?? LaneInlet(),
      dialling: settlement.usesControlChannel ? nil : dialling,
      watch: Responding.tell
    )
  }

  /// What this end sets on each lane's connections.
  private func tunings(_ settlement: LaneSettlement) -> [LaneTuning] {
    zip(request.lanes, settlement.inputs.lanes).map { settings, lane in
      LaneTuning(
        settings: settings,
        isSender: request.direction == .pull,
        connectionCount: lane.connectionCount
      )
    }
  }

  /// Says what the other end's user should know; the remote shell carries it there.
  private static func tell(_ event: TransferEvent) {
    switch event {
    case .notice(let text):
      try? Host.writeAll(Array("dtx: \(text)\n".utf8), to: 2)
    case .failed, .progress, .entry:
      break
    }
  }

  /// Listens for lanes, unless the initiator does, and says where.
  private func listen() throws(TransferError) -> LaneReception? {
    guard request.doorway == nil else {
      try channel.sendStep(HandshakeCodec.encode(Acceptance(port: 0, addresses: [])))
      return nil
    }
    var place = server.isLoopback ? ListeningAddress.loopback : .fromEnvironment()
    if request.lanesHaveAddresses { place.takeAnyWay() }
    let reception: LaneReception
    do throws(LaneError) {
      reception = try LaneReception(
        place,
        ports: request.ports,
        secret: secret,
        sessionID: request.sessionID,
        cipher: request.cipher
      )
    } catch {
      throw TransferError(
        .failed,
        "the far end cannot listen for lanes",
        cause: "\(error)",
        remedy: "name other ports with --port; nothing was moved"
      )
    }
    try channel.sendStep(HandshakeCodec.encode(reception.place))
    return reception
  }

  private func status(of report: TransferReport) -> Int32 {
    report.outcome == .completed ? 0 : 1
  }
}
