internal import DTXCore
internal import DTXLinux

/// The lanes of a session at a responder that dials: the initiator listens.
struct LaneCall {
  private let dialers: [LaneDialer]
  private let request: Request

  /// Makes the dialers of all lanes.
  ///
  /// - Parameters:
  ///   - request: of the initiator.
  ///   - doorway: where it may be dialled.
  ///   - secret: of the session.
  ///   - seenAddress: from where it reached this end, in digits; nil where nobody knows.
  ///   - isConfined: whether nothing but that address is dialled where it is known: who may see one
  ///     directory of this host is not to look from it at other hosts.
  /// - Throws: `.refused` for lanes that lead elsewhere than they may.
  init(
    _ request: Request,
    _ doorway: Doorway,
    secret: SessionSecret,
    seenAddress: String?,
    isConfined: Bool
  ) throws(TransferError) {
    self.request = request
    let seen = seenAddress.map { [$0] } ?? []
    let isBound = isConfined && !seen.isEmpty
    let elsewhere = doorway.targets.compactMap { $0?.host }.first { !seen.contains($0) }
    if isBound, let elsewhere {
      throw TransferError(
        .refused,
        "a lane leads to \(printable(Array(elsewhere.utf8)))",
        cause: "this server connects to none but the address that it was called from"
      )
    }
    let others = doorway.place.addresses.filter { !isBound && !seen.contains($0) }
    let hosts = seen + others
    dialers = zip(doorway.targets, request.lanes).map { target, settings in
      var dialer = LaneDialer(
        hosts: target.map { [$0.host] } ?? hosts,
        port: target?.port ?? doorway.place.port,
        secret: secret,
        sessionID: request.sessionID,
        cipher: request.cipher
      )
      dialer.tuning = LaneTuning(settings: settings, isSender: request.direction == .pull)
      return dialer
    }
  }

  /// Opens the first connections, or only looks at the path where nothing is to be moved.
  ///
  /// - Returns: what the initiator is told, and what dials from now on.
  func open() -> (DialReport, LaneDialling?) {
    guard !dialers.isEmpty else { return (DialReport(path: nil, failures: []), nil) }
    let trial = LaneTrial(dialers: dialers, triesAll: request.lanesHaveAddresses)
    if request.options.isDryRun {
      let isRated = request.lanes.allSatisfy { $0.pacedRate != nil }
      return (DialReport(path: isRated ? trial.look() : nil, failures: []), nil)
    }
    let (opened, failures) = trial.open()
    let path = opened.first.map { DialReport.Path(of: $0.socket) }
    return (
      DialReport(path: path, failures: failures),
      LaneDialling(dialers: dialers, firsts: opened)
    )
  }
}
