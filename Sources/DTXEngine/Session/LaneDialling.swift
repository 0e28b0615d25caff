internal import DTXCore
internal import DTXLinux

/// Dials connections in the background, one at a time on each lane: of two on one lane the higher
/// number might arrive first and make the lower one void.
final class LaneDialling: Sendable {
  /// One for each lane.
  private let dialers: [LaneDialer]
  private let turns: [Guarded<Turn>]
  /// The connections that were opened to find out whether any can be.
  private let firsts: Guarded<[OpenedLane]>

  init(dialers: [LaneDialer], firsts: [OpenedLane]) {
    self.dialers = dialers
    turns = dialers.map { _ in Guarded(Turn()) }
    self.firsts = Guarded(firsts)
  }

  /// Opens a connection and tells how it went, on a thread of its own.
  func dial(
    _ id: ConnectionID,
    done: @escaping @Sendable (Result<OpenedLane, LaneError>) -> Void
  ) {
    let identity = LaneIdentity(lane: id.lane, number: id.number)
    let opened: OpenedLane? = firsts.withLock { firsts in
      firsts.firstIndex { $0.identity == identity }.map { firsts.remove(at: $0) }
    }
    if let opened { return done(.success(opened)) }
    let turn = turns[id.lane]
    let dialer = dialers[id.lane]
    do {
      _ = try Thread(name: "dtx-dial-\(id.lane)") {
        let result = turn.withLock { _ in
          Result { () throws(LaneError) in try dialer.dial(identity) }
        }
        done(result)
      }
    } catch {
      done(.failure(.system(error)))
    }
  }
}
