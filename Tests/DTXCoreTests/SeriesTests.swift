import DTXCore
import Testing

@Suite struct SeriesTests {
  @Test(
    "no sum changes when intervals join, and no more are kept than there is room for",
    arguments: [2, 4, 6, 64]
  )
  func keepsItsSums(capacity: Int) {
    var series = Series<ProgressInterval>(capacity: capacity)
    var nanoseconds: UInt64 = 0
    var byteCount: UInt64 = 0
    for look in 1...1000 as ClosedRange<UInt64> {
      series.append(ProgressInterval(nanoseconds: look, durableByteCount: look * look))
      nanoseconds += look
      byteCount += look * look
      #expect(series.intervals.count <= capacity)
      #expect(series.intervals.reduce(0) { $0 + $1.nanoseconds } == nanoseconds)
      #expect(series.intervals.reduce(0) { $0 + $1.durableByteCount } == byteCount)
    }
  }

  @Test("every interval but the last takes in as many looks, a power of two")
  func foldsEvenly() {
    var series = Series<ProgressInterval>(capacity: 8)
    for look in 1...500 {
      series.append(ProgressInterval(nanoseconds: 1, durableByteCount: 0))
      let lengths = series.intervals.map(\.nanoseconds)
      #expect(Set(lengths.dropLast()).count <= 1, "\(look)")
      #expect(lengths[0].nonzeroBitCount == 1 || lengths.count == 1, "\(look)")
      #expect(lengths[lengths.count - 1] <= lengths[0], "\(look)")
    }
  }
}
