import DTXCore
import Testing

@Suite struct ChunkerTests {
  private func segment(_ tree: Tree, _ blockByteCount: UInt64) -> Segment {
    Segment(index: 0, isLast: true, inventory: tree.inventory(), blockByteCount: blockByteCount)
  }

  /// Blocks as text: each extent's path, offset and length.
  private func text(_ segment: Segment) -> [String] {
    segment.blocks.map { block in
      segment.extents[block.extents].map { extent in
        let path = segment.inventory.path(of: Int(extent.entry))
        return "\(String(decoding: path, as: UTF8.self)):\(extent.offset)+\(extent.byteCount)"
      }
      .joined(separator: " ")
    }
  }

  @Test func aLongFileIsCutAtMultiplesOfTheBlock() {
    var tree = Tree()
    tree.add("a", byteCount: 2500)
    tree.add("b", byteCount: 1000)
    tree.add("c", byteCount: 1001)
    #expect(
      text(segment(tree, 1000)) == [
        "a:0+1000", "a:1000+1000", "a:2000+500", "b:0+1000", "c:0+1000", "c:1000+1",
      ]
    )
  }

  @Test func aBlockOfALongFileLiesWithinOneDataRange() {
    var tree = Tree()
    tree.add("a", byteCount: 9000, attributes: [.dataRanges([10..<20, 990..<2010, 3000..<3001])])
    tree.add("hollow", byteCount: 9000, attributes: [.dataRanges([])])
    #expect(
      text(segment(tree, 1000)) == [
        "a:10+10", "a:990+10", "a:1000+1000", "a:2000+10", "a:3000+1",
      ]
    )
  }

  @Test func shortFilesOfADirectoryShareABlockAcrossItsSubdirectories() {
    var tree = Tree()
    tree.add("", .directory)
    tree.add("a", byteCount: 300)
    tree.add("d", .directory)
    tree.add("d/x", byteCount: 300)
    tree.add("d/y", byteCount: 300)
    tree.add("e", byteCount: 0)
    tree.add("f", byteCount: 900, attributes: [.dataRanges([0..<100, 200..<300])])
    tree.add("g", byteCount: 600)
    #expect(
      text(segment(tree, 1000)) == ["a:0+300 f:0+100 f:200+100", "d/x:0+300 d/y:0+300", "g:0+600"]
    )
  }

  @Test func aPackHoldsAtMost1024Files() {
    var tree = Tree()
    // Names that end no pack by themselves.
    var index = 0
    while tree.nodes.count < Limits.packFileCount + 1 {
      let name = "\(10_000 + index)"
      index += 1
      if !Chunker.endsPack(Array(name.utf8)[...]) { tree.add(name, byteCount: 1) }
    }
    let cut = segment(tree, 1 << 20)
    #expect(cut.blocks.map { Int($0.extentCount) } == [Limits.packFileCount, 1])
  }

  @Test func aFileWithThousandsOfHolesKeepsItsExtentsTogether() {
    // The first pack is open when the long file's blocks come, and has no room for all the ranges.
    let ranges = (0..<UInt64(Limits.blockExtentCount) + 10).map { 3 * $0..<3 * $0 + 1 }
    var tree = Tree()
    tree.add("a", byteCount: 5)
    tree.add("b", byteCount: 90_000)
    tree.add("c", byteCount: 20_000, attributes: [.dataRanges(ranges)])
    tree.add("d", byteCount: 5)
    let cut = segment(tree, 65536)
    #expect(cut.blocks.allSatisfy { $0.extentCount <= Limits.blockExtentCount })
    for (index, entry) in cut.entries.enumerated() {
      let extents = cut.extents[entry.extents]
      #expect(extents.allSatisfy { Int($0.entry) == index })
    }
    #expect(cut.extents[cut.entries[2].extents].map { $0.offset..<$0.end } == ranges)
  }

  @Test func oneAddedFileMovesThePacksUpToTheNextNameAlone() {
    var tree = Tree()
    for index in 0..<4000 { tree.add("\(10_000 + index)", byteCount: 7) }
    let before = text(segment(tree, 1 << 20))
    #expect(before.count > 6)
    tree.add("11500x", byteCount: 7)
    let after = text(segment(tree, 1 << 20))
    let gone = before.filter { !after.contains($0) }
    #expect(gone.count <= 2)
    #expect(before.last == after.last)
  }

  @Test(arguments: ["", "img_", "run-2024/"])
  func namesThatCountUpEndPacksAsOftenAsOthers(prefix: String) {
    // One in 512: 195 of 100,000 on average, and a gap of 12 times that once in 160,000.
    let ends = (100_000..<200_000).filter { Chunker.endsPack(Array("\(prefix)\($0)".utf8)[...]) }
    #expect(ends.count > 140)
    #expect(ends.count < 260)
    let gaps = zip(ends, ends.dropFirst()).map { $1 - $0 }
    #expect(gaps.allSatisfy { $0 < 12 * 512 })
    #expect(gaps.filter { $0 < 10 }.count < 15)
  }

  @Test func namesThatEndAPackAreSettled() {
    // FNV-1a of one name; a change here would move the blocks of every dataset.
    let names = (0..<4000).map { "\($0).fits" }.filter { Chunker.endsPack(Array($0.utf8)[...]) }
    #expect(names == ChunkerTests.packEndingNames)
  }

  @Test(arguments: 0..<100 as Range<UInt64>)
  func extentsCoverTheDataOnceAndInOrder(seed: UInt64) {
    let block: UInt64 = 1000
    let cut = segment(Tree.random(seed: seed, count: 80, blockByteCount: block), block)
    for index in cut.entries.indices {
      let entry = cut.entries[index]
      guard entry.kind == .regular else {
        #expect(entry.extents.isEmpty)
        continue
      }
      var ranges: [Range<UInt64>] = []
      for extent in cut.extents[entry.extents] {
        #expect(Int(extent.entry) == index, "seed \(seed)")
        if let last = ranges.last, last.upperBound == extent.offset {
          #expect(extent.offset % block == 0, "seed \(seed)")
          ranges[ranges.count - 1] = last.lowerBound..<extent.end
        } else {
          ranges.append(extent.offset..<extent.end)
        }
      }
      #expect(ranges == cut.inventory.dataRanges(of: index), "seed \(seed)")
    }
    var next = 0
    for piece in cut.blocks {
      #expect(piece.extents.lowerBound == next)
      next = piece.extents.upperBound
      let sum = cut.extents[piece.extents].reduce(UInt64(0)) { $0 + UInt64($1.byteCount) }
      #expect(sum == piece.byteCount)
      #expect(sum > 0)
      #expect(sum <= block, "seed \(seed)")
    }
    #expect(next == cut.extents.count)
    #expect(cut.dataByteCount == cut.blocks.reduce(0) { $0 + $1.byteCount })
  }

  @Test func segmentsBeginShortAndGrow() {
    #expect(SegmentBoundary.entryLimit(ofSegment: 0) == 1 << 10)
    #expect(SegmentBoundary.entryLimit(ofSegment: 1) == 1 << 10)
    #expect(SegmentBoundary.entryLimit(ofSegment: 2) == 2 << 10)
    #expect(SegmentBoundary.entryLimit(ofSegment: 19) == Limits.segmentEntryCount / 2)
    #expect(SegmentBoundary.entryLimit(ofSegment: 20) == Limits.segmentEntryCount)
    #expect(SegmentBoundary.entryLimit(ofSegment: 1_000_000) == Limits.segmentEntryCount)
    var boundary = SegmentBoundary()
    var starts: [Int] = []
    for index in 0..<30_000 where boundary.startsSegment(byteCount: 1) { starts.append(index) }
    #expect(starts == [1, 2, 4, 6, 10, 14, 22].map { $0 << 10 })
    boundary = SegmentBoundary()
    let lengths = [Limits.segmentByteCount, 1, UInt64(Int64.max), UInt64(Int64.max), 0]
    #expect(
      lengths.map { boundary.startsSegment(byteCount: $0) } == [false, true, true, true, true]
    )
  }

  private static let packEndingNames = [
    "287.fits", "581.fits", "2228.fits", "2821.fits", "3129.fits", "3332.fits", "3607.fits",
  ]
}
