internal import DTXCore
internal import DTXLinux

/// Dials connections in the background, one at a time on each lane: of two on one lane the higher
/// number might arrive first and make the lower one void.
final class LaneDialling: Sendable {
  private let dialer: LaneDialer
  private let turns: [Guarded<Void>]
  /// The connection that was opened to find out whether any can be.
  private let first: Guarded<OpenedLane?>

  init(dialer: LaneDialer, laneCount: Int, first: OpenedLane?) {
    self.dialer = dialer
    turns = (0..<laneCount).map { _ in Guarded(()) }
    self.first = Guarded(first)
  }

  /// Opens a connection and tells how it went, on a thread of its own.
  func dial(
    _ id: ConnectionID,
    done: @escaping @Sendable (Result<OpenedLane, LaneError>) -> Void
  ) {
    let identity = LaneIdentity(lane: id.lane, number: id.number)
    let opened: OpenedLane? = first.withLock { first in
      guard first?.identity == identity else { return nil }
      defer { first = nil }
      return first
    }
    if let opened { return done(.success(opened)) }
    let turn = turns[id.lane]
    let dialer = self.dialer
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
