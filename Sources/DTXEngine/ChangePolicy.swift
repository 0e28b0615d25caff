internal import DTXCore
internal import DTXLinux

/// What becomes of a transfer in which a source file changes while it is read.
///
/// In no case does a mixture get a name: the file is left out of what is committed. The initiator
/// alone follows the policy, as both ends tell it of every entry that fails; the far end needs not
/// know of it.
package enum ChangePolicy: String, CaseIterable, Sendable {
  /// Stops after the epoch, to be resumed by the same command.
  case fail
  /// Runs another session when the first has ended, for what changed then is as if it were new.
  ///
  /// Sizes and block boundaries were announced before the first byte was read, so a file that has
  /// others by now cannot join the session that left it out.
  case retry
  /// Leaves the file out, and moves all others.
  case skip

  /// How often `retry` runs another session at the most.
  package static let retryCount = 3

  /// How long the files are left alone before a session that is a retry, in nanoseconds.
  ///
  /// - Parameter index: of the retry, from 0.
  /// - Returns: 1 s, 2 s, 4 s.
  static func pause(before index: Int) -> UInt64 {
    precondition(index < retryCount, "a retry beyond the last")
    return Duration.second << UInt64(index)
  }
}

/// What one session said of files that changed, and what that leads to.
final class ChangeWatch: Sendable {
  private let policy: ChangePolicy
  private let isLast: Bool
  private let changedCount = Guarded(0)
  private let stop: @Sendable () -> Void
  private let tell: @Sendable (TransferEvent) -> Void

  /// Begins with no change.
  ///
  /// - Parameters:
  ///   - policy: what is done about one.
  ///   - isLast: whether no session follows that could send a file again.
  ///   - stop: ends the session after its epoch.
  ///   - tell: takes events for the user.
  init(
    _ policy: ChangePolicy,
    isLast: Bool,
    stop: @escaping @Sendable () -> Void,
    tell: @escaping @Sendable (TransferEvent) -> Void
  ) {
    self.policy = policy
    self.isLast = isLast
    self.stop = stop
    self.tell = tell
  }

  /// Whether any file has changed.
  var hasSeenChange: Bool { changedCount.withLock { $0 > 0 } }

  /// Takes an event of the session, on whichever thread made it.
  func note(_ event: TransferEvent) {
    guard case .failed(let entry) = event, entry.failure == .changed else { return tell(event) }
    let isFirst = changedCount.withLock { count in
      count += 1
      return count == 1
    }
    if policy == .retry, !isLast {
      tell(.notice("\(printable(entry.path)): \(entry.reason); it is sent again as it is then"))
    } else {
      tell(event)
    }
    if policy == .fail, isFirst { stop() }
  }
}
