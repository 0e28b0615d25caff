import DTXCore
import Testing

/// What a contract leaves for payload: pure arithmetic.
@Suite struct LanePaceTests {
  @Test func aSegmentTakesWhatItsHeadersTake() {
    // Frames of 1500 and 9000 bytes: 52 of IPv4, TCP and timestamps are within the MTU.
    for (segment, l3, l2) in [(1448, 1500, 1538), (8948, 9000, 9038)] as [(UInt64, UInt64, UInt64)]
    {
      let shape = SegmentShape(segmentByteCount: segment, isV6: false)
      #expect(shape.wireByteCount(.l3) == l3)
      #expect(shape.wireByteCount(.l2) == l2)
    }
    let v6 = SegmentShape(segmentByteCount: 1428, isV6: true)
    #expect(v6.wireByteCount(.l3) == 1500)
    #expect(v6.wireByteCount(.l2) == 1538)
  }

  @Test func payloadAndWireAreEachOthersWayBack() {
    for isV6 in [false, true] {
      for layer in CountedLayer.allCases {
        for segment in [536, 1428, 1448, 8948, 65483] as [UInt64] {
          let shape = SegmentShape(segmentByteCount: segment, isV6: isV6)
          for bits in [1, 1000, 9_540_000, 1_000_000_007, 100_000_000_000, 1 << 55] as [UInt64] {
            let rate = Rate(bitsPerSecond: bits)
            let payload = shape.payload(of: rate, counting: layer)
            #expect(payload < rate)
            let back = shape.wire(of: payload, counting: layer)
            // Never more than the contract, and less by what rounding takes alone.
            #expect(back <= rate)
            #expect(rate.bitsPerSecond - back.bitsPerSecond <= 2)
          }
        }
      }
    }
  }

  @Test func aContractThatCountsLessLeavesMore() {
    let shape = SegmentShape(segmentByteCount: 1448, isV6: false)
    let rate = Rate(bitsPerSecond: 1_500_000_000)
    #expect(shape.payload(of: rate, counting: .l3).bitsPerSecond == 1_448_000_000)
    #expect(shape.payload(of: rate, counting: .l2).bitsPerSecond == 1_412_223_667)
  }

  @Test func aShareIsOfWhatTheContractCounts() {
    let rate = Rate(bitsPerSecond: 25_000_000_000)
    let policed = LanePace(layer: .l3, percent: LanePace.policedPercent)
    #expect(policed.used(of: rate).bitsPerSecond == 24_250_000_000)
    #expect(LanePace().used(of: rate) == rate)
    // Plans count with Ethernet's bytes, whatever the contract does.
    let shape = SegmentShape(segmentByteCount: 8948, isV6: false)
    #expect(LanePace().planned(rate, shape) == rate)
    let planned = policed.planned(rate, shape)
    #expect(planned.bitsPerSecond == 24_352_388_888)
    #expect(shape.payload(of: planned, counting: .l2).bitsPerSecond <= 24_109_888_888)
  }

  @Test func connectionsShareALanesPace() {
    let shape = SegmentShape(segmentByteCount: 8948, isV6: false)
    for count in 1...64 {
      let used = Rate(bitsPerSecond: 9_038_000_000)
      let each = LanePace.payloadBytesPerSecond(
        used: used,
        connectionCount: count,
        counting: .l2,
        shape
      )
      let all = each * UInt64(count)
      // 8.948 Gb/s of payload; each connection loses less than a byte a second and a bit or two.
      #expect(all <= 1_118_500_000)
      #expect(all >= 1_118_500_000 - 2 * UInt64(count))
    }
    let least = LanePace.payloadBytesPerSecond(
      used: Rate(bitsPerSecond: 1),
      connectionCount: 1,
      counting: .l2,
      shape
    )
    #expect(least == 1)
  }
}

/// Windows, and the times that they are written in.
@Suite struct LaneWindowTests {
  @Test(
    arguments: [
      ("1970-01-01T00:00:00Z", 0, 0), ("2000-02-29T00:00:00Z", 951_782_400, 0),
      ("2026-11-23T18:00:00Z", 1_795_456_800, 0), ("2026-11-23t18:00:00z", 1_795_456_800, 0),
      ("2026-11-23 19:00:00+01:00", 1_795_456_800, 0),
      ("2026-11-23T12:29:59.5-05:30", 1_795_456_799, 500_000_000),
      ("2026-12-31T23:59:59.1234567891Z", 1_798_761_599, 123_456_789),
      ("1969-12-31T23:59:59Z", -1, 0), ("0000-01-01T00:00:00Z", -62_167_219_200, 0),
      ("0001-01-01T00:00:00Z", -62_135_596_800, 0), ("9999-12-31T23:59:59Z", 253_402_300_799, 0),
      ("2100-03-01T00:00:00Z", 4_107_542_400, 0), ("1900-03-01T00:00:00Z", -2_203_891_200, 0),
    ] as [(String, Int64, UInt32)]
  )
  func aTimeIsWhatOthersTakeItFor(_ text: String, _ seconds: Int64, _ nanoseconds: UInt32) {
    #expect(WallInstant(text) == WallInstant(seconds: seconds, nanoseconds: nanoseconds))
  }

  @Test(arguments: [
    "", "2026-11-23", "2026-11-23T18:00:00", "2026-11-23T18:00Z", "2026-13-01T00:00:00Z",
    "2026-00-01T00:00:00Z", "2026-02-29T00:00:00Z", "1900-02-29T00:00:00Z", "2026-04-31T00:00:00Z",
    "2026-11-00T00:00:00Z", "2026-11-23T24:00:00Z", "2026-11-23T18:60:00Z", "2026-11-23T18:00:60Z",
    "2026-11-23T18:00:00.Z", "2026-11-23T18:00:00+1:00", "2026-11-23T18:00:00+24:00",
    "2026-11-23T18:00:00+01:60", "2026-11-23T18:00:00Z ", "026-11-23T18:00:00Z",
  ])
  func whatIsNoTimeIsRefused(_ text: String) {
    #expect(WallInstant(text) == nil)
  }

  @Test func everyDayFollowsTheOneBefore() {
    // Four centuries repeat themselves: all days of them, and the years around.
    var expected: Int64 = -2_208_988_800
    for year in 1900...2301 {
      for month in 1...12 {
        for day in 1...31 {
          let text = "\(year)-\(month < 10 ? "0" : "")\(month)-\(day < 10 ? "0" : "")\(day)"
          guard let instant = WallInstant(text + "T00:00:00Z") else { continue }
          #expect(instant.seconds == expected, "\(text)")
          expected += 86400
        }
      }
    }
  }

  @Test func aWindowHoldsFromItsBeginningToBeforeItsEnd() throws {
    let begin = WallInstant(seconds: 100)
    let end = WallInstant(seconds: 200, nanoseconds: 5)
    let window = try #require(LaneWindow(from: begin, until: end))
    #expect(!window.holds(at: WallInstant(seconds: 99, nanoseconds: 999_999_999)))
    #expect(window.holds(at: begin))
    #expect(window.holds(at: WallInstant(seconds: 200, nanoseconds: 4)))
    #expect(!window.holds(at: end))
    #expect(LaneWindow(from: nil, until: nil)?.holds(at: begin) == true)
    #expect(LaneWindow(from: end, until: begin) == nil)
    #expect(LaneWindow(from: begin, until: begin) == nil)
  }
}
