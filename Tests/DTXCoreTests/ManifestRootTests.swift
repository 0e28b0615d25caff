import DTXCore
import Testing

@Suite struct ManifestRootTests {
  private static let block: UInt64 = 1000
  private static let header = ManifestHeader(blockByteCount: block, rootAlgorithm: .xxh3)

  /// A tree with one of everything.
  private func tree() -> Tree {
    var tree = Tree()
    tree.add("", .directory, mode: 0o755, modified: 1)
    tree.add("d", .directory, mode: 0o755, modified: 2)
    tree.add("d/f", byteCount: 1500, modified: 3)
    tree.add("d/l", .symlink, modified: 4, attributes: [.linkTarget(Array("f".utf8))])
    tree.add("p", .fifo, modified: 5)
    tree.add("s", byteCount: 5000, attributes: [.dataRanges([0..<10, 2000..<2010])])
    return tree
  }

  private func part(
    _ tree: Tree,
    index: Int = 0,
    _ range: Range<Int>? = nil,
    change: (inout [Digest]) -> Void = { _ in }
  ) -> ManifestSegment {
    let segment = Segment(
      index: index,
      isLast: true,
      inventory: tree.inventory(range),
      blockByteCount: Self.block
    )
    var digests = segment.inventedDigests
    change(&digests)
    return segment.committed(digests: digests, blockByteCount: Self.block)
  }

  private func roots(_ parts: [ManifestSegment], _ header: ManifestHeader = header) -> Roots {
    var builder = RootBuilder(header: header, hash: .xxh3)
    for part in parts { _ = builder.add(part) }
    return builder.finish()
  }

  private func roots(_ change: (inout Tree) -> Void) -> Roots {
    var changed = tree()
    change(&changed)
    return roots([part(changed)])
  }

  @Test func theSameTreeHasTheSameRoots() {
    #expect(roots { _ in } == roots { _ in })
    let once = roots { _ in }
    #expect(once.content != once.full)
  }

  @Test func theSourcesIdentityIsNoPartOfARoot() {
    let same = roots { tree in
      tree.change(2) { $0.attributes = [.sourceIdentity(99)] }
      tree.change(5) { $0.attributes.append(.sourceIdentity(98)) }
    }
    #expect(same == roots { _ in })
  }

  @Test func metadataChangesTheFullRootAlone() {
    let base = roots { _ in }
    let changes: [@Sendable (inout Tree.Node) -> Void] = [
      { $0.entry.mode ^= 1 }, { $0.entry.userID = 5 }, { $0.entry.groupID = 5 },
      { $0.entry.modified += 1 },
    ]
    for index in 0..<6 {
      for change in changes {
        let changed = roots { tree in tree.change(index) { change(&$0) } }
        #expect(changed.content == base.content, "entry \(index)")
        #expect(changed.full != base.full, "entry \(index)")
      }
    }
  }

  @Test func contentChangesBothRoots() {
    let base = roots { _ in }
    let changes: [(String, @Sendable (inout Tree) -> Void)] = [
      ("a name", { $0.change(2) { $0.path = "d/g" } }),
      ("a parent", { $0.change(2) { $0.path = "f" } }),
      ("a length", { $0.change(2) { $0.entry.byteCount = 1501 } }),
      ("a hole's length", { $0.change(5) { $0.entry.byteCount = 5001 } }),
      ("a target", { $0.change(3) { $0.attributes = [.linkTarget([0x67])] } }),
      ("a kind", { $0.change(4) { $0.entry.kind = .directory } }),
      ("a range", { $0.change(5) { $0.attributes = [.dataRanges([0..<10, 2001..<2011])] } }),
      ("an entry less", { $0.remove(4) }),
      ("an entry more", { $0.add("z", .fifo) }),
    ]
    for (what, change) in changes {
      let changed = roots(change)
      #expect(changed.content != base.content, "\(what)")
      #expect(changed.full != base.full, "\(what)")
    }
    let count = part(tree()).digests.count
    #expect(count == 4)
    for index in 0..<count {
      let other = roots([part(tree()) { $0[index].words.1 ^= 1 }])
      let unread = roots([part(tree()) { $0[index] = .zero }])
      #expect(other.content != base.content)
      #expect(other.full != base.full)
      #expect(unread.content != base.content)
      #expect(unread.full != base.full)
    }
  }

  @Test func theBlockLengthAndTheDivisionArePartOfBoth() {
    let whole = part(tree())
    let base = roots([whole])
    let other = roots([whole], ManifestHeader(blockByteCount: 1001, rootAlgorithm: .xxh3))
    #expect(other.content != base.content)
    #expect(other.full != base.full)
    let divided = roots([part(tree(), 0..<3), part(tree(), index: 1, 3..<6)])
    #expect(divided.content != base.content)
    #expect(divided.full != base.full)
  }

  @Test func aContextNamesPathsAndNothingElse() {
    let base = roots([part(tree(), 0..<3), part(tree(), index: 1, 3..<6)])
    var changed = tree()
    changed.change(1) { $0.entry.mode = 0o700 }
    let second = part(changed, index: 1, 3..<6)
    #expect(roots([part(tree(), 0..<3), second]) == base)
    changed.change(1) { $0.path = "c" }
    changed.change(2) { $0.path = "c/f" }
    changed.change(3) { $0.path = "c/l" }
    let renamed = part(changed, index: 1, 3..<6)
    #expect(roots([part(tree(), 0..<3), renamed]).content != base.content)
  }

  @Test func theBuilderTheWriterAndTheReaderAgree() throws {
    let parts = [part(tree(), 0..<3), part(tree(), index: 1, 3..<6)]
    var writer = ManifestWriter(header: Self.header, hash: .xxh3)
    var builder = RootBuilder(header: Self.header, hash: .xxh3)
    var reader = try ManifestReader(header: writer.header, hash: .xxh3)
    for part in parts {
      let (section, roots) = writer.add(part)
      let built = builder.add(part)
      #expect(built == roots)
      #expect(ManifestCodec.encode(part, roots: roots, header: Self.header) == section)
      let byteCount = try reader.readSectionHeader(Array(section.prefix(16)))
      #expect(byteCount == section.count - 16)
      guard case .segment(_, let found) = try reader.readSection(Array(section.dropFirst(16)))
      else {
        Issue.record("a segment was read as something else")
        return
      }
      #expect(found == roots)
    }
    let (trailer, summary) = writer.finish()
    #expect(summary == builder.summary())
    #expect(summary.roots == builder.finish())
    #expect(ManifestCodec.encodeTrailer(summary, header: Self.header) == trailer)
    _ = try reader.readSectionHeader(Array(trailer.prefix(16)))
    guard case .trailer(let found) = try reader.readSection(Array(trailer.dropFirst(16))) else {
      Issue.record("the trailer was read as something else")
      return
    }
    #expect(found == summary)
    #expect(found.segmentCount == 2)
    #expect(found.fileCount == 2)
  }

  @Test func countsThatNoNumberHoldsStayAtTheirMost() {
    var tree = Tree()
    for name in ["a", "b"] {
      tree.add(name, byteCount: UInt64(Int64.max), attributes: [.dataRanges([])])
    }
    let parts = (0..<3).map { part(tree, index: $0) }
    var builder = RootBuilder(header: Self.header, hash: .xxh3)
    for part in parts { _ = builder.add(part) }
    #expect(builder.summary().byteCount == .max)
    #expect(builder.summary().fileCount == 6)
  }
}
