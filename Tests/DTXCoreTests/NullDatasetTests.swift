import DTXCore
import Testing

@Suite struct NullDatasetTests {
  private static let gibibyte: UInt64 = 1 << 30

  @Test(arguments: [
    (1, 1, 1), (gibibyte - 1, 1, gibibyte - 1), (gibibyte, 1, gibibyte), (gibibyte + 1, 2, 1),
    (10 * gibibyte, 10, gibibyte), (NullDataset.byteLimit, 1_000_000, gibibyte),
  ])
  func filesAreFullButForTheLast(_ byteCount: UInt64, _ fileCount: Int, _ last: UInt64) throws {
    let null = try #require(NullDataset(byteCount: byteCount))
    #expect(null.fileCount == fileCount)
    #expect(null.byteCount(ofFile: fileCount - 1) == last)
    #expect(UInt64(fileCount - 1) * Self.gibibyte + last == byteCount)
    if fileCount > 1 { #expect(null.byteCount(ofFile: 0) == Self.gibibyte) }
  }

  @Test func nothingAndTooMuchAreRefused() {
    #expect(NullDataset(byteCount: 0) == nil)
    #expect(NullDataset(byteCount: NullDataset.byteLimit + 1) == nil)
    #expect(NullDataset(byteCount: .max) == nil)
  }

  @Test func segmentsAreThoseOfAScan() throws {
    let null = try #require(NullDataset(byteCount: 2500 * Self.gibibyte + 7))
    var boundary = SegmentBoundary()
    var index = 0
    _ = boundary.startsSegment(byteCount: 0)
    for file in 0..<null.fileCount {
      if boundary.startsSegment(byteCount: null.byteCount(ofFile: file)) {
        index += 1
        #expect(null.files(ofSegment: index).lowerBound == file)
      }
      #expect(null.files(ofSegment: index).contains(file))
    }
    // 1023 files beside the directory, a tebibyte's worth, and the rest.
    #expect(index == 2)
    #expect(null.files(ofSegment: 0) == 0..<1023)
    #expect(null.files(ofSegment: 3).isEmpty)
    for index in 0...2 {
      let segment = null.segment(index, blockByteCount: Limits.maximumBlockByteCount)
      #expect(segment.index == index)
      #expect(segment.isLast == (index == 2))
      #expect(segment.entries[0].isContext == (index > 0))
      #expect(segment.entries.count == null.files(ofSegment: index).count + 1)
      let paths = segment.entries.indices.map { segment.inventory.path(of: $0) }
      #expect(zip(paths, paths.dropFirst()).allSatisfy { Inventory.precedes($0, $1) })
    }
    #expect(NullDataset.name(ofFile: 0) == Array("null-000000".utf8))
    #expect(NullDataset.name(ofFile: 999_999) == Array("null-999999".utf8))
  }
}
