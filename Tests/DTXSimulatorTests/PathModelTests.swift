import DTXCore
import DTXSimulator
import Testing

/// What TCP makes of a path, held against figures that others have found.
@Suite struct PathModelTests {
  @Test("a jumbo frame leaves 99.0 % to the payload, a common one 94.1 %")
  func ceilings() {
    var path = ScenarioPath()
    let rate = Rate(bitsPerSecond: 100_000_000_000)
    path.packetByteCount = 9000
    #expect(PathModel.ceiling(of: rate, path).bitsPerSecond / 10_000_000 == 9900)
    #expect(
      PathModel.ceiling(of: rate, path).nanoseconds(for: 72_000_000_000_000) / 1_000_000_000 == 5817
    )
    path.packetByteCount = 1500
    #expect(PathModel.ceiling(of: rate, path).bitsPerSecond / 10_000_000 == 9414)
  }

  @Test("one Reno flow at 30 ms and one loss in 410 carries 9.55 Mb/s")
  func mathis() throws {
    var path = ScenarioPath()
    path.delayNanoseconds = 15 * Duration.millisecond
    path.packetByteCount = 1500
    path.lossPerBillion = 2_440_000
    path.congestion = .reno
    let rate = try #require(PathModel.lossLimit(path))
    #expect((9_540_000...9_560_000).contains(rate.bitsPerSecond))
  }

  @Test("a fourth of the loss doubles Reno's rate, and half of the round trip too")
  func mathisScales() throws {
    var path = ScenarioPath()
    path.congestion = .reno
    path.lossPerBillion = 4000
    let slow = try #require(PathModel.lossLimit(path)).bitsPerSecond
    path.lossPerBillion = 1000
    let fast = try #require(PathModel.lossLimit(path)).bitsPerSecond
    #expect((1990...2010).contains(fast * 1000 / slow))
    path.delayNanoseconds /= 2
    let near = try #require(PathModel.lossLimit(path)).bitsPerSecond
    #expect((1999...2001).contains(near * 1000 / fast))
  }

  @Test("one CUBIC flow at 12 ms and a loss of a millionth carries 7 Gb/s with jumbo frames")
  func cubic() throws {
    var path = ScenarioPath()
    path.delayNanoseconds = 6 * Duration.millisecond
    path.packetByteCount = 9000
    path.lossPerBillion = 1000
    let rate = try #require(PathModel.lossLimit(path))
    #expect((7_000_000_000...7_400_000_000).contains(rate.bitsPerSecond))
    // Where Reno's window is the larger one, it is CUBIC's too.
    path.lossPerBillion = 2_440_000
    let lossy = try #require(PathModel.lossLimit(path))
    path.congestion = .reno
    #expect(try #require(PathModel.lossLimit(path)) == lossy)
  }

  @Test func withoutLossNothingLimits() {
    var path = ScenarioPath()
    #expect(PathModel.lossLimit(path) == nil)
    path.lossPerBillion = 10_000_000
    path.congestion = .bbr
    #expect(PathModel.lossLimit(path) == nil)
  }

  @Test("more loss or a longer way never carries more", arguments: CongestionControl.allCases)
  func isMonotonous(_ control: CongestionControl) {
    var path = ScenarioPath()
    path.congestion = control
    for delay in [UInt64(0), 1, 1000, 1_000_000, 600_000_000_000] {
      path.delayNanoseconds = delay
      var before = UInt64.max
      var loss: UInt64 = 10
      while loss <= 500_000_000 {
        path.lossPerBillion = loss
        let rate = PathModel.lossLimit(path)?.bitsPerSecond ?? .max
        #expect(rate > 0 && rate <= before, "\(delay) ns, \(loss)")
        before = rate
        loss *= 3
      }
    }
  }

  @Test func slowStartDoublesEachRoundTrip() {
    var path = ScenarioPath()
    path.delayNanoseconds = 5 * Duration.millisecond
    path.packetByteCount = 1500
    // Ten segments a round trip are there at once.
    let first = Rate(bitsPerSecond: 10 * 1448 * 8 * 100)
    #expect(PathModel.slowStartNanoseconds(to: first, path) == 0)
    let eightfold = first.scaled(by: 8, over: 1)
    #expect(PathModel.slowStartNanoseconds(to: eightfold, path) == 30 * Duration.millisecond)
  }

  @Test func aBufferIsCarriedOnceARoundTrip() {
    var path = ScenarioPath()
    path.delayNanoseconds = 50 * Duration.millisecond
    #expect(PathModel.bufferLimit(1_250_000, path)?.bitsPerSecond == 100_000_000)
    path.delayNanoseconds = 0
    #expect(PathModel.bufferLimit(1, path) == nil)
  }
}
