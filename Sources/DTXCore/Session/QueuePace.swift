/// How fast a queue's blocks get through, over the last quarter of a minute or two of them.
///
/// What is counted is whole blocks; what is under way counts as if it were through, so that a queue
/// that keeps its rate is never taken for one that lags, however large its blocks are.
struct QueuePace: Sendable {
  /// Long enough for some blocks of a slow lane, short enough to notice a change.
  private static let spanNanoseconds = 15 * Duration.second
  /// Below it one block is too much of what is counted.
  private static let leastNanoseconds = 3 * Duration.second

  private struct Span: Sendable {
    var since: Instant
    var byteCount: UInt64 = 0
  }

  private var spans: [Span] = []

  /// Counts a block that the receiver has.
  ///
  /// - Parameter byteCount: its payload.
  mutating func confirm(_ byteCount: UInt64) {
    guard !spans.isEmpty else { return }
    spans[spans.count - 1].byteCount += byteCount
  }

  /// Moves the time over which is counted; a queue without work has none.
  mutating func look(at now: Instant, isBusy: Bool) {
    guard isBusy else { return spans.removeAll(keepingCapacity: true) }
    if let last = spans.last, now.since(last.since) < QueuePace.spanNanoseconds { return }
    spans.append(Span(since: now))
    if spans.count > 2 { spans.removeFirst() }
  }

  /// What the queue is good for: its own rate, or what it was seen to do when that is clearly less.
  ///
  /// - Parameters:
  ///   - rate: of the lanes that are there.
  ///   - underWay: payload of one block a connection.
  ///   - inputs: tell what payload takes on the wire.
  ///   - now: when it was looked at last.
  /// - Returns: at least a thousandth of the rate, so that it can be measured again.
  func seen(of rate: Rate, underWay: UInt64, inputs: PlanInputs, at now: Instant) -> Rate {
    guard let first = spans.first else { return rate }
    let elapsed = now.since(first.since)
    guard elapsed >= QueuePace.leastNanoseconds else { return rate }
    let payload = spans.reduce(underWay) { $0 + $1.byteCount }
    let bits = UInt128(inputs.wireByteCount(payload)) * 8 * UInt128(Duration.second)
    let seen = Rate(bitsPerSecond: UInt64(clamping: bits / UInt128(elapsed)))
    if seen >= rate.scaled(by: 98, over: 100) { return rate }
    return max(seen, rate.scaled(by: 1, over: 1000), Rate(bitsPerSecond: 1))
  }
}
