@testable import DTXCore
@testable import DTXEngine
import DTXLinux
import Testing

@Suite struct RepairTests {
  private static let names = ["a", "b", "*", "?x", "[a]", "\\", "a\\*", " "].map { Array($0.utf8) }

  @Test func theSourceScansTheDamagedFilesAndWhatTheyAreInAlone() throws {
    let tree = try Self.tree()
    let slash = Array("/".utf8)
    // Every file of two levels, and every pair of them, against every path that there could be.
    let paths = Self.names + Self.names.flatMap { top in Self.names.map { top + slash + $0 } }
    for path in paths {
      let filter = Filter(try Self.order(tree, [path]).filters)
      let parent = path.firstIndex(of: slash[0]).map { Array(path[..<$0]) }
      for other in paths {
        let isWanted = other == path || other == parent
        #expect(filter.keeps(other, isDirectory: false) == isWanted, "\(path) \(other)")
      }
    }
  }

  @Test func tooManyRulesAreNone() throws {
    let tree = try Self.tree()
    let few = (0..<1000).map { Array("f\($0)".utf8) }
    #expect(try Self.order(tree, few).filters.count == 1001)
    let many = (0..<1025).map { Array("f\($0)".utf8) }
    #expect(try Self.order(tree, many).filters.isEmpty)
  }

  @Test func whatIsRightIsWrittenInItsPlaceAlone() throws {
    let tree = try Self.tree()
    let file = try Self.damaged(tree, part: 4096..<8192, holding: 7)
    var writing = RepairWriting(root: tree.root, aside: try Self.aside(tree, 7))
    try writing.repair(file, from: [0])
    let expected =
      Self.content[..<4096] + [UInt8](repeating: 7, count: 4096) + Self.content[8192...]
    #expect(try Self.read(tree) == Array(expected))
    #expect(try tree.root.status(of: Array("f".utf8)).modified == 5)
  }

  @Test func otherBytesThanTheManifestsTouchNothing() throws {
    let tree = try Self.tree()
    let file = try Self.damaged(tree, part: 4096..<8192, holding: 7)
    var writing = RepairWriting(root: tree.root, aside: try Self.aside(tree, 8))
    let failure = #expect(throws: RepairWriting.Failure.self) {
      try writing.repair(file, from: [0])
    }
    #expect(failure?.failure == .conflict)
    #expect(try Self.read(tree) == Self.content)
    #expect(try tree.root.status(of: Array("f".utf8)) == file.status)
  }

  @Test func anotherFileInItsPlaceIsNotTouched() throws {
    let tree = try Self.tree()
    let file = try Self.damaged(tree, part: 4096..<8192, holding: 7)
    try tree.root.unlink(Array("f".utf8))
    try tree.write("f", Self.content)
    var writing = RepairWriting(root: tree.root, aside: try Self.aside(tree, 7))
    let failure = #expect(throws: RepairWriting.Failure.self) {
      try writing.repair(file, from: [0])
    }
    #expect(failure?.failure == .conflict)
    #expect(try Self.read(tree) == Self.content)
  }

  @Test func aVersionThatWasWrittenSinceIsNotTouched() throws {
    let tree = try Self.tree()
    let file = try Self.damaged(tree, part: 4096..<8192, holding: 7)
    var edited = file.status
    edited.changed -= 1
    let earlier = DamagedFile(path: file.path, status: edited, modified: 5, parts: file.parts)
    var writing = RepairWriting(root: tree.root, aside: try Self.aside(tree, 7))
    #expect(throws: RepairWriting.Failure.self) { try writing.repair(earlier, from: [0]) }
    #expect(try Self.read(tree) == Self.content)
  }

  @Test func memoryIsNeverCalledAMedium() throws {
    // A file system that is nothing but page cache has nothing to read past it.
    let name = Array("/dev/shm/dtx-media-\(Host.processID)".utf8)
    let file = try File.open(name, .create)
    defer { try? Directory.open(Array("/dev/shm".utf8)).unlink(Array(name[9...])) }
    try file.write(Self.content, at: 0)
    #expect(try file.dropCached(offset: 0, length: UInt64(Self.content.count)) == false)
  }

  private static let content = (0..<12_288).map { UInt8(truncatingIfNeeded: $0 / 7) }

  private static func tree() throws -> TestTree {
    let tree = try TestTree()
    try tree.write("f", content)
    return tree
  }

  private static func read(_ tree: TestTree) throws -> [UInt8] {
    try tree.root.openFile(Array("f".utf8), .read).read(byteCount: 20_000, at: 0)
  }

  private static func aside(_ tree: TestTree, _ byte: UInt8) throws -> File {
    let file = try tree.root.openFile(Array("aside".utf8), .create)
    try file.write([UInt8](repeating: byte, count: 4096), at: 0)
    return file
  }

  private static func damaged(
    _ tree: TestTree,
    part: Range<UInt64>,
    holding byte: UInt8
  ) throws -> DamagedFile {
    let digest = Digest.xxh3(of: [UInt8](repeating: byte, count: part.count))
    return DamagedFile(
      path: Array("f".utf8),
      status: try tree.root.status(of: Array("f".utf8)),
      modified: 5,
      parts: [
        DamagedFile.Part(
          index: 1,
          offset: part.lowerBound,
          byteCount: UInt64(part.count),
          digest: digest
        )
      ]
    )
  }

  private static func order(_ tree: TestTree, _ paths: [[UInt8]]) throws -> RepairOrder {
    let status = try tree.root.status(of: Array("f".utf8))
    return RepairOrder(
      directory: tree.path,
      files: paths.map { DamagedFile(path: $0, status: status, modified: 0, parts: []) },
      isContents: true
    )
  }
}
