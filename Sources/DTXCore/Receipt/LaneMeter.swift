/// A connection's counters at one moment, from its beginning on.
package struct ConnectionReading: Equatable, Sendable {
  package var id: ConnectionID
  /// Payload that the other end's kernel has.
  package var acknowledgedByteCount: UInt64
  package var retransmittedByteCount: UInt64
  package var roundTripMicroseconds: UInt64
  /// What stands on the wire for each segment; nil for a connection that is none of its own.
  package var shape: SegmentShape?
  /// Time with something to send; what held it up meanwhile is part of it.
  package var busyMicroseconds: UInt64
  package var receiveWindowMicroseconds: UInt64
  package var sendBufferMicroseconds: UInt64
  /// Time since anything came back, where what was sent again has no answer yet; else 0.
  package var silentNanoseconds: UInt64

  package init(
    id: ConnectionID,
    acknowledgedByteCount: UInt64,
    retransmittedByteCount: UInt64 = 0,
    roundTripMicroseconds: UInt64 = 0,
    shape: SegmentShape?,
    busyMicroseconds: UInt64 = 0,
    receiveWindowMicroseconds: UInt64 = 0,
    sendBufferMicroseconds: UInt64 = 0,
    silentNanoseconds: UInt64 = 0
  ) {
    self.id = id
    self.acknowledgedByteCount = acknowledgedByteCount
    self.retransmittedByteCount = retransmittedByteCount
    self.roundTripMicroseconds = roundTripMicroseconds
    self.shape = shape
    self.busyMicroseconds = busyMicroseconds
    self.receiveWindowMicroseconds = receiveWindowMicroseconds
    self.sendBufferMicroseconds = sendBufferMicroseconds
    self.silentNanoseconds = silentNanoseconds
  }
}

/// Turns what its connections' counters say, second by second, into a lane's series and conformance.
///
/// Connections come and go; counters that go back count as standing still.
package struct LaneMeter: Sendable {
  package private(set) var series: Series<LaneInterval>
  package private(set) var conformance = LaneConformance()
  private let layer: CountedLayer
  private let connectionCount: Int
  private var earlier: [ConnectionReading] = []
  /// What connections did since the last look that are gone now.
  private var gone = LaneInterval()
  private var latest: Instant
  /// What the lane owed at the last look; nil for nothing.
  private var owed: Rate?
  private var rate: Rate?

  /// Begins at a lane's first moment.
  ///
  /// - Parameters:
  ///   - layer: that the lane's contract counts.
  ///   - connectionCount: that the lane is to have.
  ///   - capacity: intervals that the series may hold.
  ///   - now: when the lane begins.
  package init(
    counting layer: CountedLayer,
    connectionCount: Int,
    capacity: Int,
    at now: Instant
  ) {
    self.layer = layer
    self.connectionCount = max(1, connectionCount)
    series = Series(capacity: capacity)
    latest = now
  }

  /// Takes the last reading of a connection that ends.
  package mutating func end(_ reading: ConnectionReading, at now: Instant) {
    count(reading, over: now.since(latest), into: &gone)
    earlier.removeAll { $0.id == reading.id }
  }

  /// Takes what happened since the last look.
  ///
  /// - Parameters:
  ///   - readings: of the connections that are open.
  ///   - rate: that the lane is held to, as its contract counts; nil for none.
  ///   - hasWork: whether blocks wait for the lane or are on it.
  ///   - now: after the last look.
  package mutating func look(
    _ readings: [ConnectionReading],
    rate: Rate?,
    hasWork: Bool,
    at now: Instant
  ) {
    let elapsed = now.since(latest)
    guard elapsed > 0 else { return }
    var interval = gone
    for reading in readings { count(reading, over: elapsed, into: &interval) }
    interval.nanoseconds = elapsed
    interval.reservedByteCount = (self.rate ?? rate)?.byteCount(in: elapsed) ?? 0
    let missing = connectionCount - min(readings.count, connectionCount)
    interval.idle[.disconnected] = elapsed / UInt64(connectionCount) * UInt64(missing)
    // A connection and its successor are both told idle where one was.
    for cause in IdleCause.allCases { interval.idle[cause] = min(interval.idle[cause], elapsed) }
    series.append(interval)
    let owes = hasWork ? rate : nil
    if let owed, owed == owes { conformance.count(interval) }
    (owed, self.rate, latest, earlier) = (owes, rate, now, readings)
    gone = LaneInterval()
  }

  private func count(
    _ reading: ConnectionReading,
    over elapsed: UInt64,
    into interval: inout LaneInterval
  ) {
    let before = earlier.first { $0.id == reading.id }
    func rise(_ counter: KeyPath<ConnectionReading, UInt64>) -> UInt64 {
      let start = before?[keyPath: counter] ?? 0
      return reading[keyPath: counter] - min(start, reading[keyPath: counter])
    }
    /// A connection's share of the lane's time; no longer than the time that passed.
    func share(_ counter: KeyPath<ConnectionReading, UInt64>) -> UInt64 {
      let time = min(UInt128(rise(counter)) * 1000, UInt128(elapsed))
      return UInt64(time) / UInt64(connectionCount)
    }
    let delivered = rise(\.acknowledgedByteCount)
    interval.deliveredByteCount &+= wireByteCount(delivered, reading.shape)
    interval.retransmittedByteCount &+= rise(\.retransmittedByteCount)
    interval.roundTripMicroseconds = max(
      interval.roundTripMicroseconds,
      reading.roundTripMicroseconds
    )
    interval.idle[.application] += elapsed / UInt64(connectionCount) - share(\.busyMicroseconds)
    interval.idle[.receiveWindow] += share(\.receiveWindowMicroseconds)
    interval.idle[.sendBuffer] += share(\.sendBufferMicroseconds)
  }

  private func wireByteCount(_ payload: UInt64, _ shape: SegmentShape?) -> UInt64 {
    guard let shape else { return payload }
    let wire = UInt128(payload) * UInt128(shape.wireByteCount(layer))
    return UInt64(clamping: wire / UInt128(shape.segmentByteCount))
  }
}
