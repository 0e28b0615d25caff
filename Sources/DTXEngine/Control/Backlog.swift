internal import DTXCore
internal import DTXLinux

/// What has come over the control channel and waits for the session to hear it.
///
/// A peer may send without reading what it is answered. The session then waits for room in the
/// channel, and what comes meanwhile would pile up without an end. The receiver reads no further
/// once it has so much; a sender, which must not wait as well, takes no more at all.
final class Backlog: Sendable {
  /// What happens when there is too much.
  enum Rule: Sendable {
    /// Whoever brings more waits.
    case wait
    /// More is turned away.
    case refuse
  }

  /// What became of a message.
  enum Entrance: Sendable {
    case entered
    /// There is too much of it already.
    case refused
    /// The session has ended and hears no more.
    case closed
  }

  private struct State {
    /// What each one counts for, from `head` on.
    var byteCounts: [Int] = []
    var head = 0
    var total = 0
    var isClosed = false
  }

  /// What a message takes here besides its bytes.
  private static let messageByteCount = 256

  private let rule: Rule
  private let limit: Int
  private let state = Guarded(State())

  /// Nothing waits yet; beyond the limit in bytes the rule decides.
  init(_ rule: Rule, limit: Int) {
    self.rule = rule
    self.limit = limit
  }

  /// Counts a message in.
  ///
  /// - Parameter byteCount: the length of its frame.
  /// - Returns: what became of it.
  func enter(_ byteCount: Int) -> Entrance {
    let entrance: Entrance? = state.wait { state in
      if state.isClosed { return .closed }
      if state.total >= limit { return rule == .wait ? nil : .refused }
      let weight = byteCount + Backlog.messageByteCount
      state.byteCounts.append(weight)
      state.total += weight
      return .entered
    }
    return entrance ?? .closed
  }

  /// Counts the oldest message out, when the session takes it.
  func leave() {
    state.withLockAndSignal { state in
      guard state.head < state.byteCounts.count else { return }
      state.total -= state.byteCounts[state.head]
      state.head += 1
      // Moving the rest once half of the array is spent costs each message a constant on average.
      if state.head * 2 >= state.byteCounts.count {
        state.byteCounts.removeSubrange(..<state.head)
        state.head = 0
      }
    }
  }

  /// Holds nobody back any more: the session has ended.
  func close() {
    state.withLockAndSignal { $0.isClosed = true }
  }
}
