import DTXCore
import Testing

@Suite struct ManifestSegmentTests {
  private static let block: UInt64 = 1000

  private func segment(_ inventory: Inventory, index: Int = 0) -> Segment {
    Segment(index: index, isLast: true, inventory: inventory, blockByteCount: Self.block)
  }

  @Test(arguments: 0..<100 as Range<UInt64>)
  func whatIsLeftOutLeavesNoTrace(seed: UInt64) {
    var numbers = SeededNumbers(seed: seed)
    let tree = Tree.random(seed: seed, count: 60, blockByteCount: Self.block)
    let nodes = tree.sorted
    let whole = segment(tree.inventory())
    let excluded = nodes.indices.dropFirst().filter { _ in numbers.below(6) == 0 }
    let part = whole.committed(excluding: excluded, blockByteCount: Self.block)

    var rest = Tree()
    let gone = excluded.map { nodes[$0].path }
    for node in nodes {
      let isGone = gone.contains { node.path == $0 || node.path.hasPrefix($0 + "/") }
      if isGone { continue }
      rest.add(
        node.path,
        node.entry.kind,
        byteCount: node.entry.byteCount,
        mode: node.entry.mode,
        modified: node.entry.modified,
        attributes: node.attributes
      )
    }
    let expected = segment(rest.inventory()).committed(blockByteCount: Self.block)
    #expect(lines(part.inventory) == lines(expected.inventory), "seed \(seed)")
    #expect(part.segment.extents == expected.segment.extents, "seed \(seed)")
    #expect(part.segment.blocks == expected.segment.blocks, "seed \(seed)")
    #expect(part.digests == expected.digests, "seed \(seed)")
    #expect(part.entryCount == rest.nodes.count)
    #expect(part.byteCount == rest.nodes.reduce(0) { $0 + $1.entry.byteCount })
  }

  @Test("a segment of which nothing is left out is the same as one cut anew", arguments: 0..<24)
  func whatIsWholeIsNotCutAnew(start: Int) {
    var tree = Tree()
    tree.add("", .directory)
    for directory in ["a", "a/b", "c", "d"] {
      tree.add(directory, .directory, mode: 0o750, modified: 3)
      for number in 0..<5 {
        tree.add("\(directory)/f\(number)", byteCount: UInt64(number * 450))
      }
    }
    var longer = tree
    longer.add("z", byteCount: 7)
    let index = start == 0 ? 0 : 1
    let whole = segment(tree.inventory(start..<tree.nodes.count), index: index)
    let added = segment(longer.inventory(start..<longer.nodes.count), index: index)
    let part = whole.committed(blockByteCount: Self.block)
    let anew = added.committed(
      excluding: [added.entries.count - 1],
      blockByteCount: Self.block
    )
    #expect(lines(part.inventory) == lines(anew.inventory))
    #expect(part.segment.extents == anew.segment.extents)
    #expect(part.segment.blocks == anew.segment.blocks)
    #expect(part.digests == anew.digests)
    #expect(part.entryCount == anew.entryCount)
    #expect(part.entries.filter { $0.isContext }.allSatisfy { $0.mode == 0 && $0.modified == 0 })
  }

  @Test func contextsAreBareAndLeadToSomething() {
    var tree = Tree()
    tree.add("", .directory)
    tree.add("a", .directory, mode: 0o700, modified: 5)
    tree.add("a/b", .directory)
    tree.add("a/b/x", byteCount: 10)
    tree.add("a/c", byteCount: 20)
    tree.add("d", byteCount: 30)
    let second = segment(tree.inventory(3..<6), index: 1)
    #expect(second.entries.count == 6)
    let whole = second.committed(blockByteCount: Self.block)
    #expect(whole.entryCount == 3)
    #expect(whole.entries[1].isContext)
    #expect(whole.entries[1].mode == 0)
    #expect(whole.entries[1].modified == 0)
    // Without x nothing is left in a/b; without a nothing in a.
    let paths = { (part: ManifestSegment) in
      part.entries.indices.map { String(decoding: part.inventory.path(of: $0), as: UTF8.self) }
    }
    let withoutX = second.committed(excluding: [3], blockByteCount: Self.block)
    #expect(paths(withoutX) == ["", "a", "a/c", "d"])
    let withoutA = second.committed(excluding: [1], blockByteCount: Self.block)
    #expect(paths(withoutA) == ["", "d"])
    let withoutAll = second.committed(excluding: [0], blockByteCount: Self.block)
    #expect(withoutAll.entries.isEmpty)
    #expect(withoutAll.digests.isEmpty)
  }

  @Test(arguments: 0..<40 as Range<UInt64>)
  func everyPathIsFoundAndNoOther(seed: UInt64) {
    let tree = Tree.random(seed: seed, count: 40, blockByteCount: Self.block)
    let count = tree.nodes.count
    let part = segment(tree.inventory(count / 2..<count), index: 1)
      .committed(blockByteCount: Self.block)
    for (index, node) in tree.sorted.enumerated() {
      let path = Array(node.path.utf8)
      let found = part.entry(at: path)
      #expect((found != nil) == (index >= count / 2), "seed \(seed), \(node.path)")
      if let found { #expect(part.inventory.path(of: found) == path) }
      #expect(part.entry(at: path + [0x21]) == nil)
    }
  }

  @Test func unreadExtentsAreCountedAndMakeTheirBlockUnread() {
    var tree = Tree()
    tree.add("a", byteCount: 2500)
    tree.add("b", byteCount: 100)
    tree.add("c", byteCount: 200)
    let whole = segment(tree.inventory())
    var digests = whole.inventedDigests
    #expect(digests.count == 5)
    let read = whole.committed(digests: digests, blockByteCount: Self.block)
    #expect(read.unreadByteCount == 0)
    #expect(read.isUnread(0) == false)
    digests[2] = .zero
    digests[4] = .zero
    let part = whole.committed(digests: digests, blockByteCount: Self.block)
    #expect(part.unreadByteCount == 700)
    #expect(part.entries.indices.map { part.isUnread($0) } == [true, false, true])
    #expect(part.digests(of: 1) == [digests[3]])
    let blocks = whole.blocks.indices.map { part.blockDigest($0) }
    #expect(blocks.map { $0 == .zero } == [false, false, true, true])
    #expect(blocks[0] == read.blockDigest(0))
  }

  @Test func aBlocksDigestIsOverLengthsAndDigests() {
    let extents = [
      Extent(entry: 0, offset: 0, byteCount: 0x0102),
      Extent(entry: 1, offset: 5, byteCount: 3),
    ]
    let digests = [Digest(words: (1, 2, 0, 0)), Digest(words: (3, 4, 0, 0))]
    let bytes = hex(
      """
      0201000000000000 00000000000000010000000000000002
      0300000000000000 00000000000000030000000000000004
      """
    )
    #expect(Digest.block(extents, digests) == Digest.xxh3(of: bytes))
    #expect(Digest.block(extents, [digests[0], .zero]) == .zero)
  }

  @Test func whatServesATransferAloneIsDropped() {
    var tree = Tree()
    let target = Attribute.linkTarget([0x78])
    tree.add("f", byteCount: 10, attributes: [.sourceIdentity(9)])
    tree.add("l", .symlink, attributes: [target, .sourceIdentity(9)])
    let part = segment(tree.inventory()).committed(blockByteCount: Self.block)
    #expect(part.inventory.attributes(of: 0) == [])
    #expect(part.inventory.attributes(of: 1) == [target])
  }
}
