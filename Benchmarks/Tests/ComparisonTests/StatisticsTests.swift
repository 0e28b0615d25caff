import Comparison
import Testing

@Suite struct StatisticsTests {
  @Test(
    arguments: [
      ([3], 3), ([1, 9], 5), ([9, 1, 2], 2), ([4, 1, 3, 2], 2.5), ([5, 5, 5, 0], 5),
    ] as [([Double], Double)]
  )
  func aMedianIsTheMiddle(_ values: [Double], _ median: Double) {
    #expect(Statistics.median(values) == median)
  }

  @Test func nothingHasNoMedian() {
    #expect(Statistics.median([]) == nil)
  }
}
