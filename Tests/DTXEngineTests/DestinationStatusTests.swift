@testable import DTXCore
@testable import DTXEngine
import DTXLinux
import Testing

@Suite struct DestinationStatusTests {
  static func read(_ tree: TestTree) throws -> [SessionStatus] {
    try StatusReader.read(directory: tree.path, stateDirectory: nil)
  }

  @Test func aTreeWithoutStateHasNoSessions() throws {
    let tree = try TestTree()
    #expect(try Self.read(tree).isEmpty)
    #expect(try tree.root.names().isEmpty)
  }

  @Test func aBrokenOffSessionIsShownAndDiscarded() throws {
    let tree = try TestTree()
    let dataset = TestDataset(DestinationResumeTests.samples)
    let key = try DestinationResumeTests.interrupt(tree, dataset)
    let left = StagedName(key: key).name(for: Array("small".utf8)[...])
    try tree.makeDirectory("d")
    try tree.root.openFile(Array("d/".utf8) + left, .create).close()
    try tree.root.setTimes(of: Array("d".utf8), modified: 5)
    let before = Clock.wall()
    let session = try #require(try Self.read(tree).first)
    #expect(session.key == key)
    #expect(!session.isLocked)
    #expect(session.files.map { printable($0.path) } == ["big"])
    #expect(session.durableByteCount == 3 * TestDataset.blockByteCount)
    #expect(session.files.first?.byteCount == 300_000)
    #expect(session.finishedManifest == nil)
    let started = try #require(session.startedWall)
    #expect(started < before)
    let discarded = try StatusReader.discard(directory: tree.path, stateDirectory: nil)
    #expect(discarded.map(\.key) == [key])
    #expect(try tree.paths() == ["d"])
    #expect(try tree.status("d")?.modified == 5)
    #expect(try Self.read(tree).isEmpty)
    #expect(try StatusReader.discard(directory: tree.path, stateDirectory: nil).isEmpty)
  }

  @Test func aRunningSessionIsLeftAlone() throws {
    let tree = try TestTree()
    let transfer = try TestTransfer(tree, TestDataset([.root(), .file("f", 5)]))
    let session = try #require(try Self.read(tree).first)
    #expect(session.isLocked)
    #expect(session.holder?.hasPrefix("pid=\(Host.processID) ") == true)
    #expect(try StatusReader.discard(directory: tree.path, stateDirectory: nil).isEmpty)
    #expect(try tree.status(".dtx/\(session.key)/journal") != nil)
    transfer.destination.close()
    #expect(try Self.read(tree).first?.isLocked == false)
  }

  @Test func aFinishedSessionHasItsManifest() throws {
    let tree = try TestTree()
    var transfer = try TestTransfer(tree, TestDataset([.root(), .file("f", 5)]))
    let (roots, _) = try transfer.run()
    let session = try #require(try Self.read(tree).first)
    #expect(session.finishedManifest?.roots == roots)
    #expect(session.files.isEmpty)
    #expect(session.startedWall == nil)
    #expect(try StatusReader.discard(directory: tree.path, stateDirectory: nil).isEmpty)
  }

  @Test func sessionsOfOtherDestinationsInTheSamePlaceAreNotShown() throws {
    let state = try TestTree()
    let options = DestinationOptions(
      blockByteCount: TestDataset.blockByteCount,
      stateDirectory: state.path
    )
    let trees = [try TestTree(), try TestTree()]
    for tree in trees {
      var transfer = try TestTransfer(
        tree,
        TestDataset([.root(), .file("f", 5)]),
        options: options
      )
      try transfer.run()
    }
    #expect(try state.root.names().count == 2)
    let found = try StatusReader.read(directory: trees[0].path, stateDirectory: state.path)
    #expect(found.count == 1)
  }
}
