internal import DTXLinux

/// Which of a connection's sends without a copy the kernel is not done with, and whether such sends
/// pay.
///
/// Where the kernel copies after all, as on the way to the same host or while somebody listens in,
/// they cost more than a plain send. So one is tried, and the rest goes by what came of it.
struct ZeroCopyLedger {
  enum Verdict: Equatable {
    case untried
    /// One is under way.
    case awaited
    case pays
    case copies
  }

  private(set) var verdict: Verdict
  private let ignoresCopies: Bool
  /// Calls that were made so far.
  private(set) var callCount: UInt64 = 0
  /// All calls below are done with.
  private var doneCount: UInt64 = 0
  /// Calls beyond that are done with: notifications may come out of order.
  private var ahead: [Range<UInt64>] = []

  /// - Parameter ignoresCopies: whether it pays whatever the kernel says: for tests, on paths that
  ///   copy.
  init(ignoresCopies: Bool = false) {
    self.ignoresCopies = ignoresCopies
    verdict = ignoresCopies ? .pays : .untried
  }

  /// Notes calls that were made; none where the kernel had no room for any.
  mutating func note(callCount count: Int) {
    callCount += UInt64(count)
    if verdict == .untried { verdict = count > 0 ? .awaited : .copies }
  }

  /// Takes the kernel's word; what it says twice or of calls that were not made counts for nothing.
  mutating func take(_ notification: ZeroCopyNotification) {
    // The nearest call of that number: 2^31 are never under way.
    let distance = Int32(bitPattern: notification.first &- UInt32(truncatingIfNeeded: doneCount))
    let length = UInt64(notification.last &- notification.first) + 1
    guard distance >= 0 else { return }
    let first = doneCount + UInt64(distance)
    guard first < callCount, length <= callCount - first else { return }
    ahead.append(first..<first + length)
    while let index = ahead.firstIndex(where: { $0.lowerBound <= doneCount }) {
      doneCount = max(doneCount, ahead.remove(at: index).upperBound)
    }
    guard !ignoresCopies, verdict != .copies else { return }
    verdict = notification.isCopied ? .copies : .pays
  }

  /// Whether the kernel is done with the first so many calls.
  func isDone(callCount: UInt64) -> Bool { callCount <= doneCount }
}
