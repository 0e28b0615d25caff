import DTXCore
import Testing

@Suite struct LaneMeterTests {
  private static let id = ConnectionID(lane: 0, number: 1)
  /// 1448 bytes of payload take 1538 on the wire with Ethernet, and 1500 without.
  private static let shape = SegmentShape(segmentByteCount: 1448, isV6: false)
  private static let second = Duration.second

  /// A lane of one connection that is looked at each second.
  private struct Bench {
    var meter: LaneMeter
    var reading = ConnectionReading(
      id: LaneMeterTests.id,
      acknowledgedByteCount: 0,
      shape: LaneMeterTests.shape
    )
    var now: UInt64 = 0
    /// 1538 segments a second: 2,365,444 bytes on the wire.
    var rate: Rate? = Rate(bitsPerSecond: 1538 * 1538 * 8)

    init(counting layer: CountedLayer = .l2, connectionCount: Int = 1) {
      meter = LaneMeter(
        counting: layer,
        connectionCount: connectionCount,
        capacity: 512,
        at: Instant(nanoseconds: 0)
      )
    }

    /// A second in which so many segments are acknowledged, and the connection is busy so long.
    mutating func pass(
      _ segmentCount: UInt64,
      busy: UInt64 = 1_000_000,
      hasWork: Bool = true
    ) {
      reading.acknowledgedByteCount += segmentCount * 1448
      reading.busyMicroseconds += busy
      look([reading], hasWork: hasWork)
    }

    mutating func look(_ readings: [ConnectionReading], hasWork: Bool = true) {
      now += LaneMeterTests.second
      let instant = Instant(nanoseconds: now)
      meter.look(readings, rate: rate, hasWork: hasWork, at: instant)
    }

    var figures: LaneConformance.Figures? { meter.conformance.figures }
  }

  @Test("what is delivered counts as the contract counts, headers and all")
  func countsTheWire() {
    for (layer, size) in [(CountedLayer.l2, UInt64(1538)), (.l3, 1500)] {
      var bench = Bench(counting: layer)
      bench.pass(1000)
      #expect(bench.meter.series.intervals[0].deliveredByteCount == 1000 * size)
      #expect(bench.meter.series.intervals[0].reservedByteCount == 1538 * 1538)
    }
  }

  @Test("the seconds in which work begins and ends count for nothing")
  func countsWholeSeconds() throws {
    var bench = Bench()
    bench.pass(0, busy: 0, hasWork: false)
    bench.pass(300)
    for _ in 0..<10 { bench.pass(1538) }
    bench.pass(200, hasWork: false)
    bench.pass(0, busy: 0, hasWork: false)
    let figures = try #require(bench.figures)
    #expect(figures.owedNanoseconds == 10 * Self.second)
    #expect(figures.mean == 1000)
    #expect(figures.firstPercentile == 1000)
    #expect(figures.belowNanoseconds == 0)
    #expect(bench.meter.series.intervals.count == 14)
  }

  @Test("a lane without a rate, or that never had two seconds of work, owes nothing")
  func owesNothing() {
    var short = Bench()
    short.pass(1538)
    short.pass(500, hasWork: false)
    #expect(short.figures == nil)
    var free = Bench()
    free.rate = nil
    for _ in 0..<5 { free.pass(100) }
    #expect(free.figures == nil)
    #expect(free.meter.series.intervals.allSatisfy { $0.reservedByteCount == 0 })
  }

  @Test("time below 98 % is told, with what held the lane up")
  func tellsWhatIsMissing() throws {
    var bench = Bench()
    bench.pass(1538)
    for _ in 0..<98 { bench.pass(1538) }
    bench.reading.receiveWindowMicroseconds += 700_000
    bench.pass(769, busy: 900_000)
    bench.pass(1507)
    let figures = try #require(bench.figures)
    #expect(figures.owedNanoseconds == 100 * Self.second)
    // 1507 of 1538 are 979 thousandths.
    #expect(figures.belowNanoseconds == 2 * Self.second)
    #expect(figures.firstPercentile == 500)
    #expect(figures.mean == 994)
    #expect(figures.idle[.receiveWindow] == 700 * Duration.millisecond)
    #expect(figures.idle[.application] == 100 * Duration.millisecond)
    #expect(figures.idle.greatest == .receiveWindow)
  }

  @Test("a second in which the rate changes counts for nothing, and the next by the new rate")
  func followsTheRate() throws {
    var bench = Bench()
    for _ in 0..<4 { bench.pass(1538) }
    bench.rate = Rate(bitsPerSecond: 769 * 1538 * 8)
    bench.pass(1000)
    for _ in 0..<3 { bench.pass(769) }
    let figures = try #require(bench.figures)
    #expect(figures.owedNanoseconds == 6 * Self.second)
    #expect(figures.mean == 1000)
    #expect(figures.belowNanoseconds == 0)
  }

  @Test("what a connection did before it broke counts, and a second without one is below")
  func survivesConnections() throws {
    var bench = Bench()
    bench.pass(1538)
    bench.pass(1538)
    bench.reading.acknowledgedByteCount += 769 * 1448
    bench.meter.end(bench.reading, at: Instant(nanoseconds: bench.now + Self.second / 2))
    bench.look([])
    bench.look([])
    bench.reading = ConnectionReading(
      id: ConnectionID(lane: 0, number: 2),
      acknowledgedByteCount: 0,
      shape: Self.shape
    )
    bench.pass(1538)
    let delivered = bench.meter.series.intervals.map { $0.deliveredByteCount / 1538 }
    #expect(delivered == [1538, 1538, 769, 0, 1538])
    let figures = try #require(bench.figures)
    #expect(figures.belowNanoseconds == 2 * Self.second)
    #expect(figures.idle.greatest == .disconnected)
  }

  @Test("idle times are a mean over the lane's connections and never longer than the time")
  func sharesIdleTimes() {
    var bench = Bench(connectionCount: 4)
    bench.pass(100, busy: 500_000)
    let idle = bench.meter.series.intervals[0].idle
    #expect(idle[.disconnected] == Self.second / 4 * 3)
    #expect(idle[.application] == Self.second / 8)
  }

  @Test("no counter is a trap, whatever the kernel says")
  func survivesAnyCounter() {
    var numbers = SeededNumbers(seed: 7)
    var bench = Bench(connectionCount: 2)
    for _ in 0..<2000 {
      var reading = bench.reading
      reading.acknowledgedByteCount = numbers.next()
      reading.retransmittedByteCount = numbers.next()
      reading.roundTripMicroseconds = numbers.next()
      reading.busyMicroseconds = numbers.next()
      reading.receiveWindowMicroseconds = numbers.next()
      reading.sendBufferMicroseconds = numbers.next()
      let later = Instant(nanoseconds: bench.now + 1)
      if numbers.below(3) == 0 { bench.meter.end(reading, at: later) }
      bench.look(numbers.below(4) == 0 ? [] : [reading, reading])
      let interval = bench.meter.series.intervals[bench.meter.series.intervals.count - 1]
      for cause in IdleCause.allCases { #expect(interval.idle[cause] <= interval.nanoseconds) }
    }
  }
}
