import DTXCore
import DTXLinux
import Testing

@testable import DTXEngine

@Suite struct SourceDatasetTests {
  @Test func aDirectoryThatIsNamedManyTimesIsMovedOnceAndFewWordsAreMadeOfIt() throws {
    let tree = try TestTree()
    try tree.makeDirectory("d")
    for name in ["d/b", "d/a"] { try tree.write(name, []) }
    let paths = Array(repeating: tree.path("d/"), count: 10_000)
    let dataset = try SourceDataset.open(paths)
    #expect(dataset.shape.names == ["a", "b"].map { Array($0.utf8) })
    #expect(dataset.missing.isEmpty)
    #expect(dataset.notices.count == Limits.keptNoticeCount)
    let first = "\(printable(tree.path("d/"))): its contents are a source already"
    #expect(dataset.notices.first == first)
    #expect(
      dataset.notices.last == "9000 more sources: others are called so; the first ones are moved"
    )
  }

  @Test func ofSourcesWithOneNameTheFirstIsMovedAndTheOthersAreSaid() throws {
    let tree = try TestTree()
    for name in ["d", "e"] {
      try tree.makeDirectory(name)
      for number in 0..<1500 { try tree.write("\(name)/\(number)", []) }
    }
    let dataset = try SourceDataset.open([tree.path("e/"), tree.path("d/")])
    #expect(dataset.shape.names.count == 1500)
    let first = try tree.root.status(of: Array("e".utf8))
    for top in dataset.tops { #expect(try top.parent.status(of: []).isSameFile(as: first)) }
    #expect(dataset.notices.count == Limits.keptNoticeCount)
    let said = "\(printable(tree.path("d/"))): another source is called so; the first one is moved"
    #expect(dataset.notices.dropLast().allSatisfy { $0 == said })
    #expect(
      dataset.notices.last == "501 more sources: others are called so; the first ones are moved"
    )
  }

  @Test func eachOfManyNamesIsFound() throws {
    let tree = try TestTree()
    let directories = try ["d", "e"].map { name in
      try tree.makeDirectory(name)
      return try tree.root.openDirectory(Array(name.utf8))
    }
    let count = 20_000
    for number in 0..<count {
      try directories[number % 2].makeSymlink(Array("\(number)".utf8), target: [0x78])
    }
    let dataset = try SourceDataset.open([tree.path("d/"), tree.path("e/")])
    #expect(dataset.shape.names.count == count)
    #expect(dataset.notices.isEmpty)
    for number in stride(from: 0, to: count, by: 97) {
      let name = Array("\(number)".utf8)
      let (parent, path) = try #require(dataset.locate(name + Array("/x".utf8)))
      #expect(path == name + Array("/x".utf8))
      let status = try parent.status(of: [])
      #expect(try status.isSameFile(as: directories[number % 2].status(of: [])))
    }
    for absent in ["", "/", "0x", "20000", "19999.", "x"] {
      #expect(dataset.locate(Array(absent.utf8)) == nil, "\(absent)")
    }
  }
}
