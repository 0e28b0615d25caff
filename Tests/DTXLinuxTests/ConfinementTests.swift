import DTXLinux
import Glibc
import Synchronization
import Testing

/// No name leads out of a directory, whatever was planted below it.
@Suite struct ConfinementTests {
  /// One way to touch an entry.
  struct Attempt: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var run: @Sendable (Directory, [UInt8]) throws(SystemError) -> Void

    init(
      _ name: String,
      _ run: @escaping @Sendable (Directory, [UInt8]) throws(SystemError) -> Void
    ) {
      testDescription = name
      self.run = run
    }
  }

  /// Calls that would follow a link in the last component if they were let.
  static let opening: [Attempt] = [
    Attempt("openDirectory") { root, name throws(SystemError) in _ = try root.openDirectory(name) },
    Attempt("read") { root, name throws(SystemError) in _ = try root.openFile(name, .read) },
    Attempt("readWrite") { root, name throws(SystemError) in
      _ = try root.openFile(name, .readWrite)
    },
    Attempt("create") { root, name throws(SystemError) in _ = try root.openFile(name, .create) },
    Attempt("append") { root, name throws(SystemError) in _ = try root.openFile(name, .append) },
    Attempt("setMode") { root, name throws(SystemError) in try root.setMode(of: name, 0o777) },
  ]

  /// Calls that act on a link itself when it is the last component.
  static let acting: [Attempt] = [
    Attempt("createExclusive") { root, name throws(SystemError) in
      _ = try root.openFile(name, .createExclusive)
    },
    Attempt("status") { root, name throws(SystemError) in _ = try root.status(of: name) },
    Attempt("statusIfPresent") { root, name throws(SystemError) in
      _ = try root.statusIfPresent(of: name)
    },
    Attempt("makeDirectory") { root, name throws(SystemError) in
      try root.makeDirectory(name, permissions: 0o700)
    },
    Attempt("makeSymlink") { root, name throws(SystemError) in
      try root.makeSymlink(name, target: [0x78])
    },
    Attempt("readSymlink") { root, name throws(SystemError) in _ = try root.readSymlink(name) },
    Attempt("makeHardLink from") { root, name throws(SystemError) in
      try root.makeHardLink([0x78], to: name)
    },
    Attempt("makeHardLink to") { root, name throws(SystemError) in
      try root.makeHardLink(name, to: [0x66])
    },
    Attempt("makeNode") { root, name throws(SystemError) in
      try root.makeNode(name, kind: .fifo, permissions: 0o600)
    },
    Attempt("rename from") { root, name throws(SystemError) in try root.rename(name, to: [0x78]) },
    Attempt("rename to") { root, name throws(SystemError) in try root.rename([0x66], to: name) },
    Attempt("unlink") { root, name throws(SystemError) in try root.unlink(name) },
    Attempt("removeDirectory") { root, name throws(SystemError) in try root.removeDirectory(name) },
    Attempt("setTimes") { root, name throws(SystemError) in
      try root.setTimes(of: name, modified: 1)
    },
    Attempt("setOwner") { root, name throws(SystemError) in
      try root.setOwner(of: name, user: 1, group: 1)
    },
  ]

  /// A root with a file "f" and links that lead to a directory beside it, which must not change.
  struct Trap {
    let bench: Workbench
    let root: Directory
    let outside: Directory
    let before: [FileStatus]

    init(_ resolver: PathResolver) throws {
      bench = try Workbench(resolver: resolver)
      for name in ["root", "root/inside", "outside", "outside/d"] {
        try bench.root.makeDirectory(bytes(name), permissions: 0o755)
      }
      try bench.makeFile("outside/secret", "secret")
      try bench.makeFile("root/f")
      root = try bench.root.openDirectory(bytes("root"))
      outside = try bench.root.openDirectory(bytes("outside"))
      let absolute = bench.path + bytes("/outside")
      try root.makeSymlink(bytes("relative"), target: bytes("../outside"))
      try root.makeSymlink(bytes("absolute"), target: absolute)
      try root.makeSymlink(bytes("inside/deep"), target: bytes("../../outside"))
      try root.makeSymlink(bytes("file"), target: bytes("../outside/secret"))
      try root.makeSymlink(bytes("new"), target: bytes("../outside/new"))
      try root.makeSymlink(bytes("home"), target: bytes("inside"))
      before = try Trap.state(outside)
    }

    static func state(_ outside: Directory) throws -> [FileStatus] {
      try [outside.status(of: [])] + outside.names().map { try outside.status(of: $0.name) }
    }

    func expectUntouched() throws { #expect(try Trap.state(outside) == before) }
  }

  @Test(arguments: DirectoryTests.resolvers, opening + acting)
  func aLinkInTheMiddleIsRefused(_ resolver: PathResolver, _ attempt: Attempt) throws {
    let trap = try Trap(resolver)
    // "home" stays within the root, and is refused all the same.
    for name in [
      "relative/secret", "absolute/secret", "inside/deep/secret", "relative/new", "relative/d",
      "absolute/d/x", "inside/deep/d/x", "home/x",
    ] {
      let number = errorNumber { () throws(SystemError) in try attempt.run(trap.root, bytes(name)) }
      #expect(number == ELOOP, "\(name)")
    }
    try trap.expectUntouched()
  }

  @Test(arguments: DirectoryTests.resolvers, opening)
  func aLinkAtTheEndIsNotOpened(_ resolver: PathResolver, _ attempt: Attempt) throws {
    let trap = try Trap(resolver)
    let expected = attempt.testDescription == "setMode" ? EOPNOTSUPP : ELOOP
    for name in ["file", "new", "relative", "absolute", "inside/deep", "home"] {
      let number = errorNumber { () throws(SystemError) in try attempt.run(trap.root, bytes(name)) }
      #expect(number == expected, "\(name)")
    }
    try trap.expectUntouched()
  }

  @Test(arguments: DirectoryTests.resolvers, acting)
  func aLinkAtTheEndIsNotFollowed(_ resolver: PathResolver, _ attempt: Attempt) throws {
    let trap = try Trap(resolver)
    for name in ["file", "new", "relative", "absolute", "inside/deep"] {
      // Some succeed, on the link itself.
      _ = errorNumber { () throws(SystemError) in try attempt.run(trap.root, bytes(name)) }
    }
    try trap.expectUntouched()
  }

  @Test(arguments: DirectoryTests.resolvers, opening + acting)
  func namesThatAreNoPlainPathAreRefused(_ resolver: PathResolver, _ attempt: Attempt) throws {
    let trap = try Trap(resolver)
    let absolute = String(decoding: trap.bench.path, as: UTF8.self) + "/outside/secret"
    for name in [
      "..", "../outside", "../outside/secret", "inside/..", "inside/../../outside/secret", ".",
      "./f", "inside/.", "/", "//", "inside//f", "inside/", absolute, "f\0x", "inside/\0",
    ] {
      let number = errorNumber { () throws(SystemError) in try attempt.run(trap.root, bytes(name)) }
      #expect(number == EINVAL, "\(name)")
    }
    try trap.expectUntouched()
  }

  @Test(arguments: ["...", "..a", ".a", "a.", "a..", ".. ", "inside/..."])
  func dotsWithinANameAreOrdinary(_ name: String) throws {
    let trap = try Trap(.automatic)
    try trap.root.makeDirectory(bytes(name), permissions: 0o700)
    #expect(try trap.root.status(of: bytes(name)).kind == .directory)
  }

  @Test func aNamedPipeInAFilesPlaceCannotHang() throws {
    let bench = try Workbench()
    try bench.root.makeNode(bytes("p"), kind: .fifo, permissions: 0o600)
    let file = try bench.root.openFile(bytes("p"), .read)
    #expect(try file.status().kind == .fifo)
  }

  /// A thread swaps a directory for a link to the outside and back while files are made below it.
  ///
  /// It goes on until some were made and some were refused, so that both were seen to happen.
  @Test(arguments: DirectoryTests.resolvers)
  func aLinkThatAppearsMeanwhileIsNeverFollowed(_ resolver: PathResolver) throws {
    let trap = try Trap(resolver)
    let root = trap.root
    try root.makeDirectory(bytes("a"), permissions: 0o700)
    let isDone = StopFlag()
    let swapper = try Thread(name: "swapper") {
      while !isDone.isSet {
        try? root.rename(bytes("a"), to: bytes("hidden"))
        try? root.makeSymlink(bytes("a"), target: bytes("../outside"))
        try? root.unlink(bytes("a"))
        try? root.rename(bytes("hidden"), to: bytes("a"))
      }
    }
    var made = 0
    var refused = 0
    var others: Set<Int32> = []
    let limit = soon()
    while made < 50 || refused < 50, Clock.now() < limit {
      let name = bytes("a/new\(made % 100)")
      switch errorNumber({ () throws(SystemError) in _ = try root.openFile(name, .create) }) {
      case nil: made += 1
      case ELOOP: refused += 1
      case ENOENT: break
      case .some(let number): others.insert(number)
      }
    }
    isDone.set()
    swapper.join()
    #expect(made >= 50 && refused >= 50, "\(made) made, \(refused) refused")
    // The walk asks what stopped it, and by then it may be a directory again.
    #expect(others.isSubset(of: [ENOTDIR]))
    try trap.expectUntouched()
  }
}

final class StopFlag: Sendable {
  private let value = Atomic<Bool>(false)
  var isSet: Bool { value.load(ordering: .acquiring) }
  func set() { value.store(true, ordering: .releasing) }
}
