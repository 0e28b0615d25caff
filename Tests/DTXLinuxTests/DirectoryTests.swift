import DTXLinux
import Glibc
import Testing

/// Everything here holds for both ways of resolving names.
@Suite struct DirectoryTests {
  static let resolvers: [PathResolver] = [.automatic, .walk]

  @Test(arguments: resolvers)
  func namesAreSortedByBytesWithTheirKinds(_ resolver: PathResolver) throws {
    let bench = try Workbench(resolver: resolver)
    let odd: [UInt8] = [0xFF, 0x0A, 0x20]
    try bench.makeFile("b")
    try bench.root.makeDirectory(bytes("a"), permissions: 0o755)
    try bench.root.makeSymlink(bytes("é"), target: bytes("nowhere"))
    try bench.root.makeNode(bytes("Z"), kind: .fifo, permissions: 0o600)
    _ = try bench.root.openFile(odd, .createExclusive)
    let items = try bench.root.names()
    #expect(items.map(\.name) == [bytes("Z"), bytes("a"), bytes("b"), bytes("é"), odd])
    #expect(items.map(\.kind) == [.fifo, .directory, .regular, .symlink, .regular])
  }

  @Test func aLongListIsComplete() throws {
    let bench = try Workbench()
    let expected = (0..<3000).map {
      bytes("a rather long name, to need several reads \(10_000 + $0)")
    }
    for name in expected { try bench.root.openFile(name, .createExclusive).close() }
    #expect(try bench.root.names().map(\.name) == expected)
    #expect(try bench.root.names().count == 3000, "a second list starts anew")
  }

  @Test(arguments: resolvers)
  func statusTellsAllAttributes(_ resolver: PathResolver) throws {
    let bench = try Workbench(resolver: resolver)
    try bench.root.makeDirectory(bytes("d"), permissions: 0o755)
    try bench.makeFile("d/f", "hello")
    try bench.root.setMode(of: bytes("d/f"), 0o4751)
    try bench.root.setTimes(of: bytes("d/f"), modified: 1_234_567_890_987_654_321)
    try bench.root.makeHardLink(bytes("g"), to: bytes("d/f"))
    let status = try bench.root.status(of: bytes("d/f"))
    #expect(status.kind == .regular)
    #expect(status.mode == 0o4751)
    #expect(status.byteCount == 5)
    #expect(status.linkCount == 2)
    #expect(status.modified == 1_234_567_890_987_654_321)
    #expect(status.userID == Host.effectiveUserID)
    #expect(status.changed > 1_700_000_000_000_000_000)
    #expect(try bench.root.status(of: bytes("g")) == status)
    let itself = try bench.root.status(of: [])
    #expect(itself.kind == .directory)
    #expect(itself.device == status.device && itself.inode != status.inode)
  }

  @Test(arguments: [0, -1, -1_000_000_000, -1_500_000_000, 999_999_999, 4_000_000_000_123_456_789])
  func timesOfAnySignArePreserved(_ instant: Int64) throws {
    let bench = try Workbench()
    let file = try bench.makeFile("f")
    try file.setTimes(modified: instant)
    #expect(try file.status().modified == instant)
  }

  @Test(arguments: resolvers)
  func whatIsMissingHasNoStatus(_ resolver: PathResolver) throws {
    let bench = try Workbench(resolver: resolver)
    try bench.makeFile("f")
    for name in ["x", "x/y", "f/y", "f/y/z"] {
      #expect(try bench.root.statusIfPresent(of: bytes(name)) == nil, "\(name)")
    }
    #expect(try bench.root.statusIfPresent(of: bytes("f")) != nil)
    let number = errorNumber { () throws(SystemError) in _ = try bench.root.status(of: bytes("x/y"))
    }
    #expect(number == ENOENT)
  }

  @Test(arguments: resolvers)
  func entriesAreRenamedAndRemoved(_ resolver: PathResolver) throws {
    let bench = try Workbench(resolver: resolver)
    let root = bench.root
    for name in ["a", "a/b", "c"] { try root.makeDirectory(bytes(name), permissions: 0o700) }
    try bench.makeFile("a/b/f", "new")
    try bench.makeFile("c/f", "old")
    try root.rename(bytes("a/b/f"), to: bytes("c/f"))
    #expect(try bench.content("c/f") == "new")
    try root.openDirectory(bytes("c")).rename(
      bytes("f"),
      to: bytes("b/g"),
      in: root.openDirectory(bytes("a"))
    )
    #expect(try bench.content("a/b/g") == "new")
    try root.unlink(bytes("a/b/g"))
    try root.removeDirectory(bytes("a/b"))
    #expect(try root.openDirectory(bytes("a")).names().isEmpty)
    try root.sync()
    try root.syncFileSystem()
  }

  @Test func aRenameToAFreeNameReplacesNothing() throws {
    let bench = try Workbench()
    let root = bench.root
    for name in ["a", "b"] { try root.openFile(bytes(name), .create).write(bytes(name), at: 0) }
    let failure = #expect(throws: SystemError.self) {
      _ = try root.renameToFree(bytes("a"), bytes("b"))
    }
    #expect(failure?.name == "EEXIST")
    #expect(try bench.content("a") == "a")
    #expect(try bench.content("b") == "b")
    // A file system without such a call has done nothing.
    let isRenamed = try root.renameToFree(bytes("a"), bytes("c"))
    #expect(try bench.content(isRenamed ? "c" : "a") == "a")
  }

  @Test func linksAreMadeReadAndDatedThemselves() throws {
    let bench = try Workbench()
    let target = [UInt8](repeating: 0x78, count: 4000)
    try bench.root.makeSymlink(bytes("l"), target: target)
    #expect(try bench.root.readSymlink(bytes("l")) == target)
    try bench.root.setTimes(of: bytes("l"), modified: 5_000_000_007)
    try bench.root.setOwner(
      of: bytes("l"),
      user: Host.effectiveUserID,
      group: try bench.root.status(of: []).groupID
    )
    let status = try bench.root.status(of: bytes("l"))
    #expect(status.kind == .symlink && status.modified == 5_000_000_007)
    let number = errorNumber { () throws(SystemError) in
      try bench.root.setMode(of: bytes("l"), 0o777)
    }
    #expect(number == EOPNOTSUPP)
  }

  @Test(arguments: resolvers)
  func pathsLongerThanOneCallTakesAreResolved(_ resolver: PathResolver) throws {
    let bench = try Workbench(resolver: resolver)
    let component = [UInt8](repeating: 0x64, count: 200)
    var name: [UInt8] = []
    var directory = bench.root
    for _ in 0..<30 {
      try directory.makeDirectory(component, permissions: 0o700)
      directory = try directory.openDirectory(component)
      name += (name.isEmpty ? [] : [0x2F]) + component
    }
    #expect(try bench.root.status(of: name) == directory.status(of: []))
    #expect(try bench.root.openDirectory(name).status(of: []) == directory.status(of: []))
  }

  @Test func theFileSystemTellsItsSpace() throws {
    let bench = try Workbench()
    #expect(try bench.root.freeSpace().availableBytes > 0)
    #expect(try bench.root.fileSystemType() != 0)
  }

  @Test func errorsNameTheWholePath() throws {
    let bench = try Workbench()
    do {
      _ = try bench.root.openFile(bytes("x/y\n"), .read)
      Issue.record("it opened")
    } catch {
      #expect(error.operation == "open")
      #expect(error.subject == printable(bench.path) + "/x/y\\x0a")
      #expect(error.number == ENOENT)
    }
  }
}
