internal import DTXCore

/// When progress is told, five times a second, which is enough for a person; and what is to be told
/// of bytes and time.
struct ProgressPace {
  private static let interval = 200 * Duration.millisecond
  private(set) var next: UInt64
  private var moved: UInt64 = 0
  private var forecast = Forecast()

  init(_ now: UInt64) {
    next = now + ProgressPace.interval
  }

  mutating func isDue(_ now: UInt64) -> Bool {
    guard now >= next else { return false }
    next = now + ProgressPace.interval
    return true
  }

  /// What is to be told of the bytes that have moved: never less than before, though those of a
  /// connection that breaks go again, and never more than is wanted.
  mutating func moved(_ byteCount: UInt64, of wanted: UInt64) -> UInt64 {
    moved = max(moved, min(byteCount, wanted))
    return moved
  }

  /// What is left by all that was seen, this included.
  mutating func remainder(after sample: Forecast.Sample) -> Forecast.Remainder? {
    forecast.add(sample)
    return forecast.remainder
  }
}
