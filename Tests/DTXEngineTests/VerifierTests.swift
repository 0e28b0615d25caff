@testable import DTXCore
@testable import DTXEngine
import DTXLinux
import Testing

@Suite struct VerifierTests {
  static let samples: [Sample] = [
    .root(), .file("a", 100), .file("big", 300_000), .directory("d"), .file("d/f", 50),
    .directory("d/e"), .file("d/e/g", 10), .symlink("l", "a"), .sparse("s", 200_000, [0..<4096]),
    .file("zero", 0),
  ]

  static func tree() throws -> TestTree {
    let tree = try TestTree()
    var transfer = try TestTransfer(tree, TestDataset(samples))
    try transfer.run()
    return tree
  }

  static func verify(_ tree: TestTree, _ against: [UInt8]? = nil) throws -> VerifyReport {
    try TreeVerifier.run(directory: tree.path, against: against) { _ in }
  }

  @Test func nothingDiffersAfterATransfer() throws {
    let report = try Self.verify(try Self.tree())
    #expect(report.differing.isEmpty)
    #expect(report.missing.isEmpty)
    #expect(report.extra.isEmpty)
    #expect(report.failedEntries.isEmpty)
    #expect(report.checkedFileCount == 6)
    #expect(report.checkedByteCount == 100 + 300_000 + 50 + 10 + 4096)
    #expect(report.unreadByteCount == 0)
    #expect(report.summary?.entryCount == UInt64(Self.samples.count))
  }

  @Test func eachBlockThatDiffersIsNamed() throws {
    let tree = try Self.tree()
    try tree.flip(Array("big".utf8), at: 70_000)
    try tree.flip(Array("big".utf8), at: 299_999)
    try tree.flip(Array("d/f".utf8), at: 0)
    let report = try Self.verify(tree)
    #expect(report.differing.map { printable($0.path) } == ["big", "d/f"])
    #expect(report.differing.map { $0.blocks.map(\.index) } == [[1, 4], [0]])
    #expect(report.differing[0].blocks[1].offset == 4 * TestDataset.blockByteCount)
    #expect(report.differing[0].blocks[1].byteCount == 300_000 - 4 * TestDataset.blockByteCount)
  }

  @Test func whatIsMissingOrMoreOrOfAnotherKindIsNamed() throws {
    let tree = try Self.tree()
    try tree.root.unlink(Array("a".utf8))
    try tree.root.rename(Array("d/e".utf8), to: Array("d/moved".utf8))
    try tree.write("d/z", [1])
    try tree.write("new", [1])
    try tree.root.unlink(Array("l".utf8))
    try tree.write("l", [1])
    try tree.root.openFile(Array("zero".utf8), .readWrite).setByteCount(1)
    let report = try Self.verify(tree)
    #expect(report.missing.map { printable($0) } == ["a", "d/e", "d/e/g"])
    #expect(report.extra.map { printable($0) } == ["d/moved", "d/z", "new"])
    #expect(report.differing.map { printable($0.path) } == ["l", "zero"])
  }

  @Test func otherMetadataOrTargetsAreToldApart() throws {
    let tree = try Self.tree()
    try tree.root.setMode(of: Array("a".utf8), 0o600)
    try tree.root.setTimes(of: Array("d".utf8), modified: 5)
    try tree.root.unlink(Array("l".utf8))
    try tree.root.makeSymlink(Array("l".utf8), target: Array("b".utf8))
    let report = try Self.verify(tree)
    #expect(report.differing.map { printable($0.path) } == ["l"])
    let changed = Dictionary(
      uniqueKeysWithValues: report.changedMetadata.map { (printable($0.path), $0.what) }
    )
    #expect(changed["a"]?.contains("mode") == true)
    #expect(changed["d"]?.contains("time") == true)
  }

  @Test func dataInAHoleIsADifference() throws {
    let tree = try Self.tree()
    try tree.flip(Array("s".utf8), at: 150_000)
    let report = try Self.verify(tree)
    #expect(report.differing.map(\.what) == ["it has data where the dataset has a hole"])
  }

  @Test func aLinkInTheMiddleIsNotFollowed() throws {
    let tree = try Self.tree()
    let other = try Self.tree()
    try tree.root.rename(Array("d".utf8), to: Array("away".utf8))
    try tree.root.makeSymlink(Array("d".utf8), target: other.path("d"))
    let report = try Self.verify(tree)
    #expect(report.differing.map { printable($0.path) } == ["d"])
    #expect(report.missing.map { printable($0) } == ["d/e", "d/e/g", "d/f"])
  }

  @Test func anotherTreesManifestServesToo() throws {
    let tree = try Self.tree()
    let other = try Self.tree()
    try other.flip(Array("a".utf8), at: 1)
    #expect(try Self.verify(other, tree.path).differing.count == 1)
    let report = try Self.verify(
      tree,
      tree.path(".dtx/\(StagedName.key(topNames: [[]]))/manifest")
    )
    #expect(report.differing.isEmpty)
  }

  @Test func unreadBytesAreCountedAndNotCompared() throws {
    let tree = try TestTree()
    try tree.write("f", Sample.file("f", 100).content, modified: Sample.time)
    var transfer = try TestTransfer(tree, TestDataset([.root(), .file("f", 100)]))
    try transfer.run()
    let report = try Self.verify(tree)
    #expect(report.unreadByteCount == 100)
    #expect(report.checkedByteCount == 0)
    #expect(report.differing.isEmpty)
  }
}
