internal import DTXCore
internal import DTXLinux

/// A push or a pull from its beginning to its end, at the initiator.
package enum Transfer {
  /// Runs a transfer; blocks the calling thread until it has ended.
  ///
  /// Call it on the main thread while there is no other: it blocks signals for all that follow.
  /// The first INT, TERM or HUP stops the transfer after its epoch, a second one at once.
  ///
  /// - Parameters:
  ///   - request: what the user asked for.
  ///   - watch: is told of progress, from several threads.
  /// - Returns: what was done, however it ended once the session had begun.
  /// - Throws: why it could not begin.
  package static func run(
    _ request: TransferRequest,
    watching watch: @escaping @Sendable (TransferEvent) -> Void
  ) throws(TransferError) -> TransferReport {
    Signals.blockAll()
    // The session's secret must not end up in a core file.
    try? Host.dropCoreDumps()
    // Staged files and directories stay open; the soft limit is often 1024.
    try? Host.raiseDescriptorLimit()
    let interruption = try Interruption.watch()
    let admission = Admission(request)
    if request.options.isDryRun {
      return admission.judged(try run(request, interruption, watch))
    }
    if admission.isDemanded {
      try LaneDescription.checkWindows(request.lanes)
      let planned = admission.judged(
        try run(admission.rehearsal, interruption) { Admission.tell($0, to: watch) }
      )
      guard planned.outcome == .completed, planned.refusal == nil else { return planned }
    }
    return try runFollowingChanges(request, interruption, watch)
  }

  /// Runs sessions until one has seen no change, or the policy allows no more.
  private static func runFollowingChanges(
    _ request: TransferRequest,
    _ interruption: Interruption,
    _ watch: @escaping @Sendable (TransferEvent) -> Void
  ) throws(TransferError) -> TransferReport {
    let retryCount = request.changePolicy == .retry ? ChangePolicy.retryCount : 0
    var index = 0
    while true {
      let changes = ChangeWatch(
        request.changePolicy,
        isLast: index == retryCount,
        stop: { interruption.stop() },
        tell: watch
      )
      var report = try run(request, interruption) { changes.note($0) }
      guard changes.hasSeenChange, index < retryCount, report.outcome == .completed else {
        report.isStoppedByChange =
          request.changePolicy == .fail && changes.hasSeenChange
          && report.outcome == .interrupted && report.signal == nil
        return report
      }
      interruption.sleep(nanoseconds: ChangePolicy.pause(before: index))
      if let signal = interruption.signal {
        report.outcome = .interrupted
        report.signal = signal
        return report
      }
      index += 1
    }
  }

  private static func run(
    _ request: TransferRequest,
    _ interruption: Interruption,
    _ watch: @escaping @Sendable (TransferEvent) -> Void
  ) throws(TransferError) -> TransferReport {
    let host = try farHost(request)
    if !request.options.isDryRun { try LaneDescription.checkWindows(request.lanes) }
    try LaneTuning.rehearse(
      request.lanes.map { LaneTuning($0, isSender: request.direction == .push) },
      names: request.lanes.enumerated().map { LaneProof.name($0.offset, $0.element.lane) }
    )
    let dataset: SourceDataset? =
      request.direction == .push
      ? try SourceDataset.of(request.options, request.sources.map(\.path)) : nil
    let farEnd = try FarEnd.start(request, host: host)
    interruption.onSignal { farEnd.terminate() }
    defer { farEnd.finish() }
    do throws(TransferError) {
      let opening = Opening(request: request, host: host, farEnd: farEnd)
      var report =
        if let dataset {
          try opening.push(dataset, interruption, watch)
        } else {
          try opening.pull(interruption, watch)
        }
      report.cipher = opening.cipher
      report.signal = interruption.signal
      report.limitation = report.limited(isOneHost: host == nil)
      report.describeLanes(as: request)
      if report.usesShellLane {
        let way = host == nil ? "the control channel" : "the remote shell"
        report.notices.append("no port could be reached: one lane went through \(way)")
      }
      return report
    } catch {
      guard let signal = interruption.signal else { throw error }
      var interrupted = TransferError(
        .interrupted,
        "interrupted before the transfer began",
        remedy: "nothing was moved"
      )
      interrupted.signal = signal
      throw interrupted
    }
  }

  private static func farHost(_ request: TransferRequest) throws(TransferError) -> String? {
    switch request.direction {
    case .push:
      guard request.sources.allSatisfy({ $0.host == nil }) else {
        throw TransferError(.usage, "push moves from here; to fetch, use dtx pull")
      }
      return request.destination.host
    case .pull:
      guard request.destination.host == nil else {
        throw TransferError(.usage, "pull moves to here; to send, use dtx push")
      }
      let hosts = request.sources.map(\.host)
      guard hosts.allSatisfy({ $0 == hosts[0] }) else {
        throw TransferError(.usage, "the sources of one pull are at one host")
      }
      return hosts[0]
    }
  }
}

/// The handshake of one transfer, and the session behind it.
struct Opening {
  let request: TransferRequest
  let host: String?
  let farEnd: FarEnd
  let cipher: Cipher
  let sessionID = randomBytes(16)

  init(request: TransferRequest, host: String?, farEnd: FarEnd) {
    self.request = request
    self.host = host
    self.farEnd = farEnd
    // Nothing but this machine lies before a local destination.
    cipher = request.cipher ?? (host == nil ? .none : .aes256GCM)
  }

  var channel: ControlChannel { farEnd.channel }

  func push(
    _ dataset: SourceDataset,
    _ interruption: Interruption,
    _ watch: @escaping @Sendable (TransferEvent) -> Void
  ) throws(TransferError) -> TransferReport {
    let meeting = try request(paths: [request.destination.path])
    defer { meeting.reception?.close() }
    try channel.sendStep(HandshakeCodec.encode(dataset.shape))
    let reply = try decoded(HandshakeCodec.destinationReply)
    var source = reply.singleFileName.map { dataset.renamed(to: $0) } ?? dataset
    if host == nil { source = try source.leavingOut(destination: request.destination.path) }
    let (settlement, dialling) = try settle(meeting)
    let engine = try SendEngine(source, setup(settlement, dialling, meeting, watch))
    interruption.onSignal { engine.cancel() }
    let door = door(settlement) { engine.adjust($0) }
    defer { door?.close() }
    return try engine.run()
  }

  func pull(
    _ interruption: Interruption,
    _ watch: @escaping @Sendable (TransferEvent) -> Void
  ) throws(TransferError) -> TransferReport {
    let meeting = try request(paths: request.sources.map(\.path))
    defer { meeting.reception?.close() }
    let shape = try decoded(HandshakeCodec.shape)
    try checkAsked(shape)
    let destination: Destination
    let placement: Placement
    do throws(TransferError) {
      placement = try .of(shape, at: request.destination.path)
      destination =
        if let order = request.repair {
          try .repairing(order, shape, request.options)
        } else {
          try .open(
            placement,
            shape,
            request.options,
            sessionID,
            stateDirectory: request.stateDirectory
          )
        }
    } catch {
      channel.refuse(error.kind == .locked ? .locked : .failed, error.lines)
      throw error
    }
    defer { destination.close() }
    let reply = DestinationReply(singleFileName: placement.singleFileName)
    try channel.sendStep(HandshakeCodec.encode(reply))
    let (settlement, dialling) = try settle(meeting)
    let engine = try ReceiveEngine(
      destination,
      setup(settlement, dialling, meeting, watch)
    )
    interruption.onSignal { engine.cancel() }
    let door = door(settlement) { engine.adjust($0) }
    defer { door?.close() }
    return try engine.run()
  }

  /// Where the user reaches this transfer while it runs; a dry run is over too soon.
  private func door(
    _ settlement: LaneSettlement,
    _ adjust: @escaping @Sendable (Adjustment) -> Void
  ) -> SessionDoor? {
    if request.options.isDryRun { return nil }
    let control = SessionControl(
      title: request.title,
      asked: request.lanes.map { $0.lane },
      planned: settlement.inputs.lanes,
      usesControlChannel: settlement.usesControlChannel,
      adjust: adjust
    )
    return SessionDoor.open { control.answer($0) }
  }

  private func setup(
    _ settlement: LaneSettlement,
    _ dialling: LaneDialling?,
    _ meeting: Meeting,
    _ watch: @escaping @Sendable (TransferEvent) -> Void
  ) -> SessionSetup {
    SessionSetup(
      options: request.options,
      paths: request.direction == .push
        ? request.sources.map(\.path) : [request.destination.path],
      cipher: cipher,
      settlement: settlement,
      tunings: settlement.usesControlChannel ? [] : tunings,
      isInitiator: true,
      channel: channel,
      secret: meeting.secret,
      initiatorListens: meeting.reception != nil,
      inlet: meeting.reception?.inlet ?? LaneInlet(),
      dialling: dialling,
      watch: watch
    )
  }

  func decoded<Value>(
    _ decode: ([UInt8]) throws(FormatError) -> Value
  ) throws(TransferError) -> Value {
    try channel.receiveDecoded(decode)
  }

  /// The far end of a pull may be hostile: what it offers must be what was asked for.
  private func checkAsked(_ shape: DatasetShape) throws(TransferError) {
    // Contents are what every null dataset is.
    let isNull = request.options.nullSource != nil
    let asked = isNull ? [Array(".".utf8)] : request.sources.map(\.path)
    let lasts = asked.map { path in
      path.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).last ?? []
    }
    let meansContents = lasts.map { last in
      last.isEmpty || last.elementsEqual(".".utf8) || last.elementsEqual("..".utf8)
    }
    let isAsked =
      shape.isContents
      ? asked.count == 1 && meansContents[0]
      : meansContents.contains(true)
        || shape.names.allSatisfy { name in lasts.contains { $0.elementsEqual(name) } }
    guard isAsked else {
      channel.refuse(.protocolViolation, "the offered names are not those that were asked for")
      throw TransferError(
        .refused,
        "\(farEnd.name) offers files that nobody asked for",
        cause: shape.names.prefix(3).map(printable).joined(separator: ", "),
        remedy: "nothing was written"
      )
    }
  }
}

extension ControlChannel {
  /// Reads a step of the handshake and takes it apart.
  func receiveDecoded<Value>(
    _ decode: ([UInt8]) throws(FormatError) -> Value
  ) throws(TransferError) -> Value {
    let bytes = try receiveStep()
    do throws(FormatError) {
      return try decode(bytes)
    } catch {
      throw TransferError(
        .refused,
        "the far end sent a handshake that cannot be read",
        cause: error.description
      )
    }
  }
}

extension Destination {
  /// Opens the destination that a dataset of this shape goes to.
  static func open(
    _ placement: Placement,
    _ shape: DatasetShape,
    _ options: TransferOptions,
    _ sessionID: [UInt8],
    stateDirectory: [UInt8]?,
    within confinement: Confinement? = nil,
    isAppendOnly: Bool = false
  ) throws(TransferError) -> Destination {
    if options.keepsNothing {
      return .discarding(DestinationOptions(options, stateDirectory: nil))
    }
    let session = sessionID.prefix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    var chosen = DestinationOptions(options, stateDirectory: stateDirectory)
    chosen.confinement = confinement
    chosen.isAppendOnly = isAppendOnly
    return try Destination.open(
      root: placement.root,
      topNames: placement.topNames(shape),
      session: session,
      options: chosen
    )
  }
}

extension Destination {
  /// Opens a tree that a dataset of this shape is to put right.
  fileprivate static func repairing(
    _ order: RepairOrder,
    _ shape: DatasetShape,
    _ options: TransferOptions
  ) throws(TransferError) -> Destination {
    guard shape.isContents == order.isContents else {
      throw TransferError(
        .failed,
        "the source does not stand for what the tree was made of",
        cause: order.isContents
          ? "the tree has the contents of one directory"
          : "the tree has entries by their names, not the contents of one directory",
        remedy: "name the source as the transfer did, with a slash at its end or without; "
          + "nothing was touched"
      )
    }
    return .repairing(
      try Repairing(order, topNames: shape.isContents ? [[]] : shape.names),
      DestinationOptions(options, stateDirectory: nil)
    )
  }
}

extension DestinationOptions {
  fileprivate init(_ options: TransferOptions, stateDirectory: [UInt8]?) {
    self.init(
      // Only a privileged process may give files away.
      preservesOwner: options.preservesOwner && Host.effectiveUserID == 0,
      comparesDigests: options.comparesDigests,
      verification: options.verification,
      blockByteCount: options.blockByteCount,
      stateDirectory: stateDirectory,
      storage: options.storage,
      isDryRun: options.isDryRun,
      listsChanges: options.listsChanges
    )
  }
}

extension SourceDataset {
  /// The dataset that these options and paths stand for.
  static func of(
    _ options: TransferOptions,
    _ paths: [[UInt8]],
    within confinement: Confinement? = nil
  ) throws(TransferError) -> SourceDataset {
    if let null = options.nullSource { return .made(null) }
    return try SourceDataset.open(paths, within: confinement)
  }
}
