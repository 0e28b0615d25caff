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
    if request.options.isDryRun {
      return (
        LaneSettlement(usesControlChannel: false, inputs: PlanInputs(lanes: request.lanes)), nil
      )
    }
    let dialer = LaneDialer(
      hosts: hosts(),
      port: acceptance.port,
      secret: secret,
      sessionID: sessionID,
      cipher: cipher
    )
    do throws(LaneError) {
      let first = try dialer.dial(LaneIdentity(lane: 0, number: 1))
      let settlement = LaneSettlement(usesControlChannel: false, inputs: inputs(measured: first))
      let dialling = LaneDialling(dialer: dialer, laneCount: request.lanes.count, first: first)
      return (settlement, dialling)
    } catch {
      return (try fallBack(because: error), nil)
    }
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
    let isPromised = request.lanes.contains { $0.rate != nil }
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
  private func inputs(measured first: OpenedLane) -> PlanInputs {
    var inputs = PlanInputs(lanes: request.lanes)
    guard let info = try? first.socket.tcpInfo() else { return inputs }
    inputs.roundTripNanoseconds = UInt64(info.minimumRoundTripMicroseconds) * 1000
    let segment = UInt64(max(info.segmentByteCount, 536))
    let record = UInt64(RecordLayout.maximumPayloadByteCount)
    let recordOverhead = UInt64(RecordLayout.byteCount(payloadByteCount: 0))
    inputs.overheadNumerator = (segment + LaneLedger.segmentOverhead) * (record + recordOverhead)
    inputs.overheadDenominator = segment * record
    return inputs
  }
}
