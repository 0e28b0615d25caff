/// Follows what a transfer does, second by second: each lane's delivery, and what became durable.
///
/// The sender's control thread looks once a second; memory does not grow with time.
package struct TransferMeter: Sendable {
  private static let pause = Duration.second

  package private(set) var lanes: [LaneMeter]
  package private(set) var progress: Series<ProgressInterval>
  private var latest: Instant
  private var durableByteCount: UInt64 = 0

  /// Begins with the session.
  ///
  /// - Parameters:
  ///   - lanes: of the session.
  ///   - layers: what the contract of each counts; the whole wire where one is missing.
  ///   - now: the session's beginning.
  package init(_ lanes: [Lane], counting layers: [CountedLayer], at now: Instant) {
    let share = Limits.receiptLaneIntervalCount / max(1, lanes.count)
    let capacity = min(Limits.receiptIntervalCount, share) & ~1
    self.lanes = lanes.enumerated().map { index, lane in
      LaneMeter(
        counting: layers.indices.contains(index) ? layers[index] : .l2,
        connectionCount: lane.connectionCount,
        capacity: capacity,
        at: now
      )
    }
    progress = Series(capacity: Limits.receiptIntervalCount)
    latest = now
  }

  /// Whether a second has passed since the last look.
  package func isDue(at now: Instant) -> Bool { now.since(latest) >= TransferMeter.pause }

  /// Takes the last reading of a connection that ends.
  package mutating func end(_ reading: ConnectionReading, at now: Instant) {
    guard lanes.indices.contains(reading.id.lane) else { return }
    lanes[reading.id.lane].end(reading, at: now)
  }

  /// Takes what happened since the last look.
  ///
  /// - Parameters:
  ///   - readings: of all connections that are open.
  ///   - rates: what each lane is held to, as its contract counts; nil for none.
  ///   - hasWork: for each lane, whether blocks wait for it or are on it.
  ///   - durableByteCount: payload that is durable by now.
  ///   - now: after the last look.
  package mutating func look(
    _ readings: [ConnectionReading],
    rates: [Rate?],
    hasWork: [Bool],
    durableByteCount: UInt64,
    at now: Instant
  ) {
    for index in lanes.indices {
      lanes[index].look(
        readings.filter { $0.id.lane == index },
        rate: rates[index],
        hasWork: hasWork[index],
        at: now
      )
    }
    let rise = durableByteCount - min(self.durableByteCount, durableByteCount)
    progress.append(
      ProgressInterval(nanoseconds: now.since(latest), durableByteCount: rise)
    )
    self.durableByteCount = durableByteCount
    latest = now
  }
}
