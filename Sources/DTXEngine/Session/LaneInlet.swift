internal import DTXCore
internal import DTXLinux

/// Where connections of lanes come from at the end that listens.
///
/// Connections that open before the session has begun wait here.
final class LaneInlet: Sendable {
  private enum State: Sendable {
    case waiting([OpenedLane])
    case delivering(@Sendable (OpenedLane) -> Void)
    case closed
  }

  private let state = Guarded(State.waiting([]))

  /// Takes a connection that has proven itself; called from any thread.
  func take(_ opened: OpenedLane) {
    let deliver: (@Sendable (OpenedLane) -> Void)? = state.withLock { state in
      switch state {
      case .waiting(let early):
        // No session has more.
        guard early.count < Limits.sessionConnectionCount else {
          opened.socket.shutdown()
          return nil
        }
        state = .waiting(early + [opened])
        return nil
      case .delivering(let deliver):
        return deliver
      case .closed:
        opened.socket.shutdown()
        return nil
      }
    }
    deliver?(opened)
  }

  /// Hands over what waits, and from now on what comes.
  func start(_ deliver: @escaping @Sendable (OpenedLane) -> Void) {
    let early: [OpenedLane] = state.withLock { state in
      guard case .waiting(let early) = state else { return [] }
      state = .delivering(deliver)
      return early
    }
    for opened in early { deliver(opened) }
  }

  /// Shuts down what waits and what comes.
  func close() {
    state.withLock { state in
      if case .waiting(let early) = state {
        for opened in early { opened.socket.shutdown() }
      }
      state = .closed
    }
  }
}
