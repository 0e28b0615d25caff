internal import DTXCore

/// When progress is told: five times a second are enough for a person.
struct ProgressPace {
  private static let interval = 200 * Duration.millisecond
  private(set) var next: UInt64

  init(_ now: UInt64) {
    next = now + ProgressPace.interval
  }

  mutating func isDue(_ now: UInt64) -> Bool {
    guard now >= next else { return false }
    next = now + ProgressPace.interval
    return true
  }
}
