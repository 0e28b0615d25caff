internal import DTXCore
internal import DTXLinux

/// Where the connections of a session's lanes come in, at the end that listens.
final class LaneReception: Sendable {
  /// What it takes for a connection that the other end has proven to be handed over here, too: its
  /// last message is under way then.
  private static let arrivalNanoseconds = 5 * Duration.second

  /// Hands them to the session.
  let inlet = LaneInlet()
  /// Where it may be dialled.
  let place: Acceptance

  private struct Arrivals: Sendable {
    var lanes: Set<Int> = []
    /// What a lane's connection is that it was not to be.
    var refusals: [Int: LaneTuning.Refusal] = [:]
  }

  private let listener: LaneListener
  private let arrivals: Guarded<Arrivals>

  /// Starts to listen.
  ///
  /// - Parameters:
  ///   - address: where, and for whom.
  ///   - ports: the first free one is taken; 0 stands for any.
  ///   - secret: of the session.
  ///   - sessionID: 16 bytes, public.
  ///   - cipher: as agreed on the control channel.
  ///   - tunings: of the lanes whose connections have to come to an address or a device of this end's;
  ///     those of lanes that are not among them may come as they like.
  /// - Throws: when no port could be had.
  init(
    _ address: ListeningAddress,
    ports: ClosedRange<UInt16>,
    secret: SessionSecret,
    sessionID: [UInt8],
    cipher: Cipher,
    tunings: [LaneTuning] = []
  ) throws(LaneError) {
    let arrivals = Guarded(Arrivals())
    self.arrivals = arrivals
    let inlet = self.inlet
    listener = try LaneListener(
      host: address.host,
      ports: ports,
      secret: secret,
      sessionID: sessionID,
      cipher: cipher,
      allowedPeer: address.peer
    ) { opened in
      let lane = opened.identity.lane
      do throws(LaneTuning.Refusal) {
        if tunings.indices.contains(lane) { try tunings[lane].receive(opened.socket) }
      } catch {
        opened.socket.shutdown()
        return arrivals.withLockAndSignal { $0.refusals[lane] = error }
      }
      inlet.take(opened)
      arrivals.withLockAndSignal { _ = $0.lanes.insert(lane) }
    }
    place = Acceptance(port: listener.port, addresses: address.addresses)
  }

  /// Waits for connections that the other end has opened.
  ///
  /// - Parameter lanes: theirs.
  /// - Throws: the first that is not as it was to be, or has not come.
  func awaitConnections(of lanes: [Int]) throws(DialReport.Failure) {
    let deadline = Clock.now() + LaneReception.arrivalNanoseconds
    _ = arrivals.wait(
      until: { arrivals in
        let isKnown = lanes.allSatisfy {
          arrivals.lanes.contains($0) || arrivals.refusals[$0] != nil
        }
        return isKnown ? true : nil
      },
      deadline: deadline
    )
    let found = arrivals.withLock { $0 }
    for lane in lanes {
      if let refusal = found.refusals[lane] {
        let reason = "\(refusal.setting) did not take: \(refusal.cause)"
        throw DialReport.Failure(lane: lane, reason: reason)
      }
      guard found.lanes.contains(lane) else {
        throw DialReport.Failure(lane: lane, reason: "the far end opened it, and nothing came here")
      }
    }
  }

  /// Ends the listening.
  func close() {
    listener.close()
  }
}
