import DTXCore
import Testing

@Suite struct AnnouncementTests {
  private func segment(fileCount: Int) -> Segment {
    var tree = Tree()
    for index in 0..<fileCount { tree.add("file-\(index)", byteCount: UInt64(index)) }
    return Segment(index: 3, isLast: false, inventory: tree.inventory(), blockByteCount: 1000)
  }

  /// The pages, in order; what comes behind them must be the end.
  private func pages(_ messages: [Message]) throws -> [[UInt8]] {
    guard case .inventoryEnd(segment: 3, isLast: false) = messages.last else {
      Issue.record("it does not end with its end")
      return []
    }
    return try messages.dropLast().map { message in
      var found: [UInt8]?
      if case .inventory(segment: 3, let page) = message { found = page }
      return try #require(found, "another message than a page")
    }
  }

  @Test func pagesHoldAllEntriesInTheirOrder() throws {
    let segment = segment(fileCount: 20)
    var whole: [Message] = []
    segment.announce { whole.append($0) }
    let one = try pages(whole)
    #expect(one.count == 1)
    for most in 1...22 {
      var messages: [Message] = []
      segment.announce(isFull: { _, count in count == most }) { messages.append($0) }
      let several = try pages(messages)
      #expect(several.count == (segment.entries.count + most - 1) / most)
      #expect(several.allSatisfy { !$0.isEmpty })
      #expect(several.flatMap { $0 } == one.first)
    }
  }

  @Test func aPageFitsAFrame() throws {
    var messages: [Message] = []
    segment(fileCount: 40_000).announce { messages.append($0) }
    let pages = try pages(messages)
    #expect(pages.count > 1)
    #expect(pages.dropLast().allSatisfy { $0.count >= Limits.controlFrameByteCount / 2 })
    #expect(pages.allSatisfy { $0.count < Limits.controlFrameByteCount })
  }
}
