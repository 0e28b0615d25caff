import DTXCore
import Testing

@Suite struct ManifestDiffTests {
  private static let block: UInt64 = 1000

  /// A tree's segments, divided where `ends` says.
  private func segments(
    _ tree: Tree,
    ends: [Int] = [],
    block: UInt64 = block,
    unread: (String) -> Bool = { _ in false }
  ) -> [ManifestSegment] {
    var parts: [ManifestSegment] = []
    var start = 0
    for end in ends.filter({ $0 < tree.nodes.count }) + [tree.nodes.count] {
      let segment = Segment(
        index: parts.count,
        isLast: end == tree.nodes.count,
        inventory: tree.inventory(start..<end),
        blockByteCount: block
      )
      let digests = segment.extents.map { extent in
        let path = segment.inventory.path(of: Int(extent.entry))
        let isUnread = unread(String(decoding: path, as: UTF8.self))
        return isUnread ? Digest.zero : digest(of: extent, in: segment.inventory)
      }
      parts.append(segment.committed(digests: digests, blockByteCount: block))
      start = end
    }
    return parts
  }

  /// All differences, each as a line of text.
  private func differences(_ old: [ManifestSegment], _ new: [ManifestSegment]) -> [String] {
    var diff = ManifestDiff()
    var olds = old[...]
    var news = new[...]
    var found: [String] = []
    while true {
      switch diff.next() {
      case .needs(.old): diff.supply(olds.popFirst(), to: .old)
      case .needs(.new): diff.supply(news.popFirst(), to: .new)
      case .difference(let difference):
        #expect((difference.old == nil) == (difference.change == .added))
        #expect((difference.new == nil) == (difference.change == .removed))
        let path = String(decoding: difference.path, as: UTF8.self)
        switch difference.change {
        case .added: found.append("+ \(path)")
        case .removed: found.append("- \(path)")
        case .changed(let aspects): found.append("! \(path) \(aspects)")
        case .unknown(let aspects): found.append("? \(path) \(aspects)")
        }
      case .finished:
        return found
      }
    }
  }

  private func tree() -> Tree {
    var tree = Tree()
    tree.add("", .directory, mode: 0o755)
    tree.add("d", .directory, mode: 0o755)
    tree.add("d/f", byteCount: 1500, modified: 3)
    tree.add("d/l", .symlink, attributes: [.linkTarget([0x66])])
    tree.add("p", .fifo)
    return tree
  }

  private func differences(
    unread: (String) -> Bool = { _ in false },
    _ change: (inout Tree) -> Void
  ) -> [String] {
    var changed = tree()
    change(&changed)
    return differences(segments(tree()), segments(changed, unread: unread))
  }

  @Test func equalManifestsHaveNoDifferences() {
    #expect(differences { _ in } == [])
    #expect(differences([], []) == [])
    #expect(
      differences(segments(tree()), []).map { $0.prefix(1) } == Array(repeating: "-", count: 5)
    )
    #expect(
      differences([], segments(tree())).map { $0.prefix(1) } == Array(repeating: "+", count: 5)
    )
  }

  @Test func everyAspectIsNamed() {
    #expect(differences { $0.change(1) { $0.entry.mode = 0o700 } } == ["! d [\(aspect(.mode))]"])
    #expect(differences { $0.change(1) { $0.entry.userID = 1 } } == ["! d [\(aspect(.owner))]"])
    #expect(differences { $0.change(1) { $0.entry.groupID = 1 } } == ["! d [\(aspect(.owner))]"])
    #expect(
      differences { $0.change(4) { $0.entry.modified = 1 } } == ["! p [\(aspect(.modified))]"]
    )
    #expect(
      differences { $0.change(3) { $0.attributes = [.linkTarget([0x67])] } }
        == ["! d/l [\(aspect(.target))]"]
    )
    #expect(
      differences { $0.change(2) { $0.entry.byteCount = 1501 } } == ["! d/f [\(aspect(.length))]"]
    )
    #expect(
      differences { tree in
        tree.change(4) {
          $0.entry.kind = .directory
          $0.entry.mode = 0
        }
      } == ["! p [\(aspect(.kind))]"]
    )
    #expect(
      differences { tree in
        tree.change(2) {
          $0.entry.byteCount = 9
          $0.entry.mode = 0
          $0.entry.userID = 1
          $0.entry.modified = 9
        }
      }
        == [
          "! d/f [\(aspect(.length)), \(aspect(.mode)), \(aspect(.owner)), \(aspect(.modified))]"
        ]
    )
  }

  private func aspect(_ aspect: ManifestDifference.Aspect) -> String {
    let list = "\([aspect])"
    return String(list.dropFirst().dropLast())
  }

  @Test func contentIsComparedByDigest() {
    let old = segments(tree())
    var digests = old[0].digests
    digests[1].words.0 ^= 1
    let new = [old[0].segment.committed(digests: digests, blockByteCount: Self.block)]
    #expect(differences(old, new) == ["! d/f [\(aspect(.content))]"])
    digests[0] = .zero
    let half = [old[0].segment.committed(digests: digests, blockByteCount: Self.block)]
    // One digest that differs is enough, whatever the one that is missing.
    #expect(differences(old, half) == ["! d/f [\(aspect(.content))]"])
  }

  @Test func aMissingDigestIsNoDifferenceAndNoAgreement() {
    let isFile = { (path: String) in path == "d/f" }
    #expect(differences(unread: isFile) { _ in } == ["? d/f []"])
    #expect(
      differences(unread: isFile) { $0.change(2) { $0.entry.mode = 0 } }
        == ["? d/f [\(aspect(.mode))]"]
    )
    #expect(
      differences(unread: isFile) { $0.change(2) { $0.entry.byteCount = 1 } }
        == ["! d/f [\(aspect(.length))]"]
    )
  }

  @Test func anotherBlockLengthLeavesLongFilesUnknown() {
    var tree = Tree()
    tree.add("long", byteCount: 5000)
    tree.add("short", byteCount: 500)
    #expect(differences(segments(tree), segments(tree, block: 2000)) == ["? long []"])
  }

  @Test func aHoleThatWasFilledLeavesAFileUnknown() {
    var old = Tree()
    old.add("f", byteCount: 3000, attributes: [.dataRanges([0..<1000, 2000..<3000])])
    var new = Tree()
    new.add("f", byteCount: 3000)
    #expect(differences(segments(old), segments(new)) == ["? f []"])
    #expect(differences(segments(new), segments(old)) == ["? f []"])
    var empty = Tree()
    empty.add("f", byteCount: 3000, attributes: [.dataRanges([])])
    #expect(differences(segments(empty), segments(empty)) == [])
    #expect(differences(segments(empty), segments(new)) == ["? f []"])
  }

  @Test(arguments: 0..<100 as Range<UInt64>)
  func itAgreesWithAComparisonOfLists(seed: UInt64) {
    var numbers = SeededNumbers(seed: seed)
    let old = Tree.random(seed: seed, count: 40, blockByteCount: Self.block)
    var new = Tree()
    var expected: [(String, String)] = []
    for node in old.nodes {
      let isLeaf = !old.nodes.contains { $0.path.hasPrefix(node.path + "/") }
      var mode = node.entry.mode
      switch numbers.below(6) {
      case 0 where isLeaf && !node.path.isEmpty:
        expected.append((node.path, "- \(node.path)"))
        continue
      case 1:
        mode ^= 0o11
        expected.append((node.path, "! \(node.path) [\(aspect(.mode))]"))
      case 2 where node.entry.kind == .directory:
        let path = node.path.isEmpty ? "new" : node.path + "/new"
        new.add(path, .fifo)
        expected.append((path, "+ \(path)"))
      default:
        break
      }
      new.add(
        node.path,
        node.entry.kind,
        byteCount: node.entry.byteCount,
        mode: mode,
        modified: node.entry.modified,
        attributes: node.attributes
      )
    }
    expected.sort { Inventory.precedes(Array($0.0.utf8), Array($1.0.utf8)) }
    let ends = { (count: Int) in
      (1..<max(2, count)).filter { _ in numbers.below(5) == 0 }
    }
    let left = segments(old, ends: ends(old.nodes.count))
    let right = segments(new, ends: ends(new.nodes.count))
    #expect(differences(left, right) == expected.map { $0.1 }, "seed \(seed)")
  }

  @Test func pathsThatAgreeAreCounted() {
    var diff = ManifestDiff()
    var olds = segments(tree(), ends: [2, 3])[...]
    var news = segments(tree(), ends: [4])[...]
    loop: while true {
      switch diff.next() {
      case .needs(.old): diff.supply(olds.popFirst(), to: .old)
      case .needs(.new): diff.supply(news.popFirst(), to: .new)
      case .difference(let difference): Issue.record("\(difference)")
      case .finished: break loop
      }
    }
    #expect(diff.sameCount == 5)
  }
}
