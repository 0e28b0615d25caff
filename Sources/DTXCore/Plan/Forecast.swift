/// When a transfer will be done, judged by what was seen of it, whatever limits it.
///
/// A plan knows the end only where lanes have rates and nothing else is slower. A forecast is fed
/// with the session's counters and asks nothing of their cause.
///
/// The rule. Durable bytes count, not those that a cache or a socket took: the burst at the start
/// is in none of them, and the time of commits is in all. Counters of durable bytes move in steps,
/// an epoch each, so only the moments at which they moved are kept, and what remains is counted from
/// the latest one. Of those moments a recent window counts: half the time so far, 10 s at the least
/// and a minute at the most. A transfer costs time by the byte and by the extent (a small file is
/// one); if what remains has another mixture than the window, `ForecastMixture` divides the window's
/// time between the two. A step that is overdue counts as time without progress. Where the window's
/// forecast and the plan's end differ by no more than a fiftieth of the whole or a second, the plan
/// is right, since it knows what the last blocks of each lane take.
///
/// Time in which the user holds the transfer does not count. Memory is bounded; nothing traps,
/// whatever the counters say.
package struct Forecast: Sendable {
  /// What a session knows at a moment; counters are from its beginning and do not go back.
  package struct Sample: Equatable, Sendable {
    package var nanoseconds: UInt64
    package var durableByteCount: UInt64 = 0
    package var durableExtentCount: UInt64 = 0
    /// What is to be moved, as far as it is known.
    package var wantedByteCount: UInt64 = 0
    package var wantedExtentCount: UInt64 = 0
    /// Nothing more will be wanted.
    package var isComplete = false
    /// The user holds the transfer.
    package var isPaused = false
    /// When all is done by the plan; nil without rates.
    package var plannedNanoseconds: UInt64?

    package init(nanoseconds: UInt64) {
      self.nanoseconds = nanoseconds
    }
  }

  /// What remains, in nanoseconds, and between which bounds.
  package struct Remainder: Equatable, Sendable {
    package var nanoseconds: UInt64
    /// What remains if it goes on as in the faster and in the slower part of the window.
    package var bounds: ClosedRange<UInt64>

    package init(nanoseconds: UInt64, bounds: ClosedRange<UInt64>) {
      self.nanoseconds = nanoseconds
      self.bounds = bounds
    }
  }

  /// The shortest and the longest time that is looked back.
  package static let shortestWindow = 10 * Duration.second
  package static let longestWindow = 60 * Duration.second
  /// Steps whose span is shorter say nothing.
  static let shortestSpan = 1 * Duration.second
  /// Steps in a window, about; those that come faster are joined.
  private static let resolution: UInt64 = 64
  private static let capacity = 256

  private var steps: [ForecastStep] = []
  private var latest = Sample(nanoseconds: 0)
  /// Time so far in which the user held the transfer.
  private var heldNanoseconds: UInt64 = 0

  package init() {}

  /// Takes the next sample.
  ///
  /// - Parameter sample: not older than the one before; an older one is passed over.
  package mutating func add(_ sample: Sample) {
    guard sample.nanoseconds >= latest.nanoseconds else { return }
    if latest.isPaused { heldNanoseconds += sample.nanoseconds - latest.nanoseconds }
    latest = sample
    note(
      ForecastStep(
        nanoseconds: sample.nanoseconds - heldNanoseconds,
        byteCount: sample.durableByteCount,
        extentCount: sample.durableExtentCount
      )
    )
  }

  private mutating func note(_ step: ForecastStep) {
    guard let last = steps.last else {
      if step.byteCount > 0 || step.extentCount > 0 { steps.append(step) }
      return
    }
    guard step.byteCount >= last.byteCount, step.extentCount >= last.extentCount else {
      // Counters that go back are another transfer's.
      steps = [step]
      return
    }
    guard step.byteCount > last.byteCount || step.extentCount > last.extentCount else { return }
    let window = Forecast.window(at: step.nanoseconds)
    if steps.count > 1,
      step.nanoseconds - steps[steps.count - 2].nanoseconds < window / Forecast.resolution
    {
      steps[steps.count - 1] = step
    } else {
      steps.append(step)
    }
    // One step at or before the window's beginning stays, so that the window is full.
    let beginning = step.nanoseconds - min(window, step.nanoseconds)
    let outside = steps.dropFirst().prefix { $0.nanoseconds <= beginning }.count
    steps.removeFirst(max(outside, steps.count - Forecast.capacity))
  }

  private static func window(at nanoseconds: UInt64) -> UInt64 {
    max(shortestWindow, min(nanoseconds / 2, longestWindow))
  }

  // MARK: - What it says

  /// What remains from the latest sample on; nil while nothing can be said.
  package var remainder: Remainder? {
    guard latest.isComplete else { return nil }
    let byteCount = latest.wantedByteCount - min(latest.durableByteCount, latest.wantedByteCount)
    let extentCount =
      latest.wantedExtentCount - min(latest.durableExtentCount, latest.wantedExtentCount)
    if byteCount == 0, extentCount == 0 { return Remainder(nanoseconds: 0, bounds: 0...0) }
    let planned = latest.plannedNanoseconds.map { $0 - min($0, latest.nanoseconds) }
    guard let seen = seen(byteCount, extentCount) else {
      // Before anything was seen, the plan is all there is.
      return planned.flatMap { $0 > 0 ? Remainder(nanoseconds: $0, bounds: $0...$0) : nil }
    }
    guard let planned, planned > 0, Forecast.agree(planned, seen.nanoseconds, latest) else {
      return seen
    }
    let bounds = min(planned, seen.bounds.lowerBound)...max(planned, seen.bounds.upperBound)
    return Remainder(nanoseconds: planned, bounds: bounds)
  }

  private static func agree(_ planned: UInt64, _ seen: UInt64, _ sample: Sample) -> Bool {
    let difference = planned > seen ? planned - seen : seen - planned
    let whole = max(sample.plannedNanoseconds ?? 0, sample.nanoseconds)
    return difference <= max(whole / 50, Duration.second)
  }

  /// What the window says.
  private func seen(_ byteCount: UInt64, _ extentCount: UInt64) -> Remainder? {
    guard let first = steps.first, let last = steps.last, steps.count > 1,
      last.nanoseconds - first.nanoseconds >= Forecast.shortestSpan
    else { return nil }
    let now = latest.nanoseconds - heldNanoseconds
    let waited = now - min(last.nanoseconds, now)
    let overdue = waited > longestGap ? waited - longestGap : 0
    let mixture = ForecastMixture(steps)
    func remaining(_ steps: ArraySlice<ForecastStep>, overdue: UInt64) -> UInt64? {
      guard let from = steps.first, let to = steps.last else { return nil }
      let time = to.nanoseconds - from.nanoseconds
      guard time > 0 else { return nil }
      let whole = mixture.nanoseconds(
        for: byteCount,
        extentCount,
        given: ForecastStep(
          nanoseconds: time.addingReportingOverflow(overdue).partialValue,
          byteCount: to.byteCount - from.byteCount,
          extentCount: to.extentCount - from.extentCount
        )
      )
      // Counted from the latest step on; what has passed since is gone.
      return whole.map { $0 - min($0, waited - overdue) }
    }
    guard let likely = remaining(steps[...], overdue: overdue) else { return nil }
    let middle = steps.count / 2
    let parts = [steps[...middle], steps[middle...]].compactMap { remaining($0, overdue: overdue) }
    let lower = parts.reduce(likely) { min($0, $1) }
    let upper = parts.reduce(likely) { max($0, $1) }
    return Remainder(nanoseconds: likely, bounds: lower...upper)
  }

  /// The longest time from one step to the next.
  private var longestGap: UInt64 {
    zip(steps, steps.dropFirst()).reduce(0) { max($0, $1.1.nanoseconds - $1.0.nanoseconds) }
  }
}

/// A moment at which something had become durable, and how much there was.
struct ForecastStep: Equatable, Sendable {
  var nanoseconds: UInt64
  var byteCount: UInt64
  var extentCount: UInt64
}
