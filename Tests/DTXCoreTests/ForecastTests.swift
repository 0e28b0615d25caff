import Testing

@testable import DTXCore

/// Transfers that a formula describes, and what is forecast of them.
@Suite struct ForecastTests {
  private static let megabyte: UInt64 = 1_000_000

  @Test(arguments: [1, 7, 50, 1000] as [UInt64], [1, 3, 11] as [UInt64])
  func aSteadyRateIsForecastExactly(_ rate: UInt64, _ period: UInt64) throws {
    var forecast = Forecast()
    let wanted = rate * 400 * Self.megabyte
    for fifth in 0..<UInt64(300 * 5) {
      // Durable in steps, a period each.
      let step = fifth / 5 / period * period
      forecast.add(
        Self.sample(fifth, durable: rate * step * Self.megabyte, of: wanted)
      )
      guard step >= 2 * period else { continue }
      let remainder = try #require(forecast.remainder)
      #expect(remainder.nanoseconds + fifth * Duration.second / 5 == 400 * Duration.second)
      #expect(remainder.bounds == remainder.nanoseconds...remainder.nanoseconds)
    }
  }

  @Test func aStepInTheRateIsFollowedWithinTheWindow() throws {
    var forecast = Forecast()
    func durable(_ second: UInt64) -> UInt64 {
      (min(second, 20) * 100 + (second - min(second, 20)) * 10) * Self.megabyte
    }
    for second in 0...60 as ClosedRange<UInt64> {
      forecast.add(Self.sample(second * 5, durable: durable(second), of: 10_000 * Self.megabyte))
    }
    let end = 20 + (10_000 - 2000) / 10
    let remainder = try #require(forecast.remainder)
    #expect(remainder.nanoseconds == UInt64(end - 60) * Duration.second)
  }

  @Test func betweenTheTwoRatesTheBoundsHoldBoth() throws {
    var forecast = Forecast()
    for second in 0...25 as ClosedRange<UInt64> {
      let durable = (min(second, 20) * 100 + (second - min(second, 20)) * 10) * Self.megabyte
      forecast.add(Self.sample(second * 5, durable: durable, of: 4050 * Self.megabyte))
    }
    let remainder = try #require(forecast.remainder)
    #expect(remainder.bounds.lowerBound < remainder.nanoseconds)
    #expect(remainder.bounds.upperBound > remainder.nanoseconds)
  }

  @Test func theBurstBeforeTheFirstStepDoesNotCount() throws {
    var forecast = Forecast()
    for second in 2...8 as ClosedRange<UInt64> {
      // 500 MB at once, then 10 MB a second.
      let durable = (500 + (second - 2) * 10) * Self.megabyte
      forecast.add(Self.sample(second * 5, durable: durable, of: 1000 * Self.megabyte))
    }
    #expect(try #require(forecast.remainder).nanoseconds == 44 * Duration.second)
  }

  /// 10 ns a byte and 1 ms a file: packs of many files first, of few later.
  @Test func filesAndBytesHaveCostsOfTheirOwn() throws {
    var forecast = Forecast()
    var time: UInt64 = 0
    var sample = Forecast.Sample(nanoseconds: 0)
    sample.wantedByteCount = 200 * 10 * Self.megabyte
    sample.isComplete = true
    let files = (0..<200).map { UInt64($0 < 50 ? 1000 - $0 * 10 : 3) }
    sample.wantedExtentCount = files.reduce(0, +)
    for index in 0..<60 {
      time += 10 * Self.megabyte * 10 + files[index] * Duration.millisecond
      sample.nanoseconds = time
      sample.durableByteCount += 10 * Self.megabyte
      sample.durableExtentCount += files[index]
      forecast.add(sample)
    }
    let left = files[60...].reduce(140 * 10 * Self.megabyte * 10) { $0 + $1 * Duration.millisecond }
    let said = try #require(forecast.remainder).nanoseconds
    #expect(said > left * 97 / 100 && said < left * 103 / 100)
  }

  @Test func whatIsOverdueMovesTheEnd() throws {
    var forecast = Forecast()
    for second in 0...10 as ClosedRange<UInt64> {
      forecast.add(
        Self.sample(second * 5, durable: second * 10 * Self.megabyte, of: 200 * Self.megabyte)
      )
    }
    var earlier = try #require(forecast.remainder).nanoseconds
    for second in 12...40 as ClosedRange<UInt64> {
      forecast.add(Self.sample(second * 5, durable: 100 * Self.megabyte, of: 200 * Self.megabyte))
      let remainder = try #require(forecast.remainder).nanoseconds
      #expect(remainder > earlier)
      earlier = remainder
    }
  }

  @Test func timeThatTheUserHoldsDoesNotCount() throws {
    var forecast = Forecast()
    for second in 0...60 as ClosedRange<UInt64> {
      let moving = second <= 50 ? min(second, 20) : second - 30
      var sample = Self.sample(
        second * 5,
        durable: moving * 10 * Self.megabyte,
        of: 1000 * Self.megabyte
      )
      sample.isPaused = second >= 20 && second < 50
      forecast.add(sample)
    }
    #expect(try #require(forecast.remainder).nanoseconds == 70 * Duration.second)
  }

  @Test func nothingIsSaidBeforeAllIsKnownOrAnythingIsDurable() {
    var forecast = Forecast()
    #expect(forecast.remainder == nil)
    for second in 0...20 as ClosedRange<UInt64> {
      var sample = Self.sample(second * 5, durable: second * 100, of: 1_000_000)
      sample.isComplete = false
      forecast.add(sample)
    }
    #expect(forecast.remainder == nil)
    var stalled = Forecast()
    for second in 0...20 as ClosedRange<UInt64> {
      stalled.add(Self.sample(second * 5, durable: 0, of: 1_000_000))
    }
    #expect(stalled.remainder == nil)
  }

  @Test func aPlanThatAgreesIsTaken() throws {
    var forecast = Forecast()
    for second in 0...50 as ClosedRange<UInt64> {
      var sample = Self.sample(
        second * 5,
        durable: second * 10 * Self.megabyte,
        of: 1000 * Self.megabyte
      )
      sample.plannedNanoseconds = 101 * Duration.second
      forecast.add(sample)
    }
    #expect(try #require(forecast.remainder).nanoseconds == 51 * Duration.second)
    var sample = Self.sample(255, durable: 510 * Self.megabyte, of: 1000 * Self.megabyte)
    sample.plannedNanoseconds = 110 * Duration.second
    forecast.add(sample)
    #expect(try #require(forecast.remainder).nanoseconds == 49 * Duration.second)
  }

  @Test func atTheEndNothingRemains() throws {
    var forecast = Forecast()
    forecast.add(Self.sample(5, durable: 7, of: 7))
    #expect(try #require(forecast.remainder) == .init(nanoseconds: 0, bounds: 0...0))
  }

  /// Every combination of extreme counters, three in a row.
  @Test func noCounterTraps() {
    let extremes: [UInt64] = [0, 1, 1 << 32, .max - 1, .max]
    for first in extremes {
      for second in extremes {
        for third in extremes {
          var forecast = Forecast()
          for (index, value) in [first, second, third, second, .max].enumerated() {
            var sample = Forecast.Sample(nanoseconds: index == 2 ? third : UInt64(index) << 34)
            sample.durableByteCount = value
            sample.durableExtentCount = third
            sample.wantedByteCount = third
            sample.wantedExtentCount = first
            sample.isComplete = true
            sample.isPaused = index == 1
            sample.plannedNanoseconds = second
            forecast.add(sample)
            if let remainder = forecast.remainder {
              #expect(remainder.bounds.contains(remainder.nanoseconds))
            }
          }
        }
      }
    }
  }

  /// Seconds come in fifths, as they do from a session.
  private static func sample(
    _ fifth: UInt64,
    durable: UInt64,
    of wanted: UInt64
  ) -> Forecast.Sample {
    var sample = Forecast.Sample(nanoseconds: fifth * (Duration.second / 5))
    sample.durableByteCount = durable
    sample.wantedByteCount = wanted
    // A file is 1 MB.
    sample.durableExtentCount = durable / megabyte
    sample.wantedExtentCount = wanted / megabyte
    sample.isComplete = true
    return sample
  }
}
