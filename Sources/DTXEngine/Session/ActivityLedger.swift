internal import DTXCore
internal import DTXLinux
internal import Synchronization

/// What all threads of one end did: nanoseconds of each activity, and what was sent without a copy.
///
/// Any thread adds and reads; nothing waits for anything.
final class ActivityLedger: Sendable {
  // An array has no room for atomics, which do not move; a class each is cheap where a session
  // has twenty.
  private final class Counter: Sendable {
    let nanoseconds = Atomic<UInt64>(0)
  }

  private let hostAtStart = Host.processorNanoseconds()
  private let counters = Activity.counted.map { _ in Counter() }
  private let zeroCopyByteCount = Atomic<UInt64>(0)

  func add(_ nanoseconds: UInt64, to activity: Activity) {
    guard activity != .idle else { return }
    counters[activity.rawValue].nanoseconds.add(nanoseconds, ordering: .relaxed)
  }

  /// Counts bytes that were sent without a copy.
  func addZeroCopy(_ byteCount: Int) {
    zeroCopyByteCount.add(UInt64(byteCount), ordering: .relaxed)
  }

  /// Counts the time that a call takes.
  func timing<Result, Failure: Error>(
    _ activity: Activity,
    _ body: () throws(Failure) -> Result
  ) throws(Failure) -> Result {
    var clock = ActivityClock(self, activity)
    defer { clock.enter(.idle) }
    return try body()
  }

  /// What was counted so far; an activity that lasts counts when it ends.
  var times: ActivityTimes {
    var times = ActivityTimes()
    for activity in Activity.counted {
      times[activity] = counters[activity.rawValue].nanoseconds.load(ordering: .relaxed)
    }
    return times
  }

  /// What this end says of itself, but for what a receiver alone knows.
  var totals: EndTotals {
    var totals = EndTotals()
    totals.peakMemoryByteCount = Host.resourceUsage().peakResidentByteCount
    totals.processorNanoseconds = Clock.processCPU()
    totals.processorCount = UInt64(max(Host.processorCount, 1))
    let host = Host.processorNanoseconds()
    totals.hostProcessorNanoseconds = host - min(hostAtStart, host)
    totals.times = times
    totals.zeroCopyByteCount = zeroCopyByteCount.load(ordering: .relaxed)
    return totals
  }
}

/// One thread's activity: at any moment there is one.
///
/// A change reads the monotonic clock, some 25 ns without a system call.
struct ActivityClock {
  private let ledger: ActivityLedger
  private var current: Activity
  private var since = Clock.monotonic()

  init(_ ledger: ActivityLedger, _ activity: Activity = .idle) {
    self.ledger = ledger
    current = activity
  }

  /// Ends the present activity and begins another one.
  mutating func enter(_ next: Activity) {
    guard next != current else { return }
    lap()
    current = next
  }

  /// Counts the present activity up to now.
  mutating func lap() {
    let now = Clock.monotonic()
    ledger.add(now - since, to: current)
    since = now
  }

  /// Ends the present activity with a call that may wait; `enter` follows.
  ///
  /// What the processor worked on it counts apart from what the thread waited. The processor's
  /// clock takes two system calls, little beside the one of the call itself.
  ///
  /// - Parameters:
  ///   - waiting: what waiting is.
  ///   - working: what the processor's part is.
  ///   - body: the call.
  /// - Returns: what the call returns.
  /// - Throws: what the call throws.
  mutating func wait<Result, Failure: Error>(
    _ waiting: Activity,
    working: Activity,
    _ body: () throws(Failure) -> Result
  ) throws(Failure) -> Result {
    lap()
    current = .idle
    let start = Clock.threadCPU()
    defer {
      let now = Clock.monotonic()
      let worked = min(Clock.threadCPU() - start, now - since)
      ledger.add(worked, to: working)
      ledger.add(now - since - worked, to: waiting)
      since = now
    }
    return try body()
  }
}
