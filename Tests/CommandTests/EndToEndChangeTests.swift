import DTXLinux
import Glibc
import Testing

extension EndToEndTests {
  /// Source files that change while they are read, or between two runs.
  @Suite struct ChangeTests {
    @Test(arguments: SourceChange.tried, ["buffered", "direct"])
    func whatChangesBetweenTwoReadsIsLeftOutAndNamed(_ change: SourceChange, _ mode: String) throws
    {
      let seed = Dice.freshSeed()
      var dice = Dice(seed: seed)
      for number in [1, 2 + Int(dice.next() % 10), 12] {
        let site = try Site()
        try Self.makeSource(site)
        let command = dice.next() % 2 == 0 ? "push" : "pull"
        let what = "seed \(seed), \(command), \(change) at read \(number), \(mode)"
        let options = ["--io", mode, "--compress", "1"]
        let ending = try Self.change(change, "victim", at: number, site, command, options)
        #expect(ending.status == 4, "\(what): \(ending.messages) \(ending.lines)")
        let named = ending.events(naming: "victim")
        #expect(named.count == 1, "\(what): \(ending.lines)")
        let isNamed = change.names.contains { named.first?.contains($0) == true }
        #expect(isNamed, "\(what): \(named)")
        #expect(!site.place.exists("to/victim"), "\(what)")
        try Self.expectOthers(site, what)
        try Self.expectNextRunCompletes(site, command, what)
      }
    }

    @Test(arguments: SourceChange.tried)
    func oneOfManySmallFilesLeavesTheOthersWhole(_ change: SourceChange) throws {
      let site = try Site()
      try Self.makeSource(site)
      let ending = try Self.change(change, "small/7", at: 1, site, "push", [])
      #expect(ending.status == 4, "\(change): \(ending.messages)")
      #expect(ending.events(naming: "small/7").count == 1, "\(change): \(ending.lines)")
      #expect(!site.place.exists("to/small/7"), "\(change)")
      for index in 0..<20 where index != 7 {
        let name = "small/\(index)"
        #expect(try site.place.read("to/\(name)") == site.place.read("from/\(name)"), "\(change)")
      }
      try Self.expectNextRunCompletes(site, "push", "\(change)")
    }

    @Test(arguments: ["push", "pull"])
    func overSshItIsTheSame(_ command: String) throws {
      let site = try Site()
      try Self.makeSource(site)
      let faults = Faults(site.place, below: "from")
      let launcher = try faults.launcher(Self.hold("victim", 5))
      let isFar = command == "pull"
      if isFar { try site.setFar(behind: launcher.map { "'\($0)'" }.joined(separator: " ")) }
      let places =
        isFar ? [site.far("from/"), site.place("to")] : [site.place("from/"), site.far("to")]
      let options = ["--block-size", "1MiB"]
      let run = try site.start(command, options + places, launcher: isFar ? [] : launcher)
      try faults.whileHeld { try SourceChange.grow.make(at: site.place("from/victim")) }
      let ending = try run.finish()
      #expect(ending.status == 4, "\(ending.messages)")
      #expect(ending.events(naming: "victim").count == 1, "\(ending.lines)")
      try site.setFar()
      let next = try site.start(command, places).finish()
      #expect(next.status == 0, "\(next.messages)")
      try Trees.expectSame(site.place, "from", "to")
    }

    @Test func aHoleThatFillsIsAChange() throws {
      let site = try Site()
      try Self.makeSource(site)
      let path = site.place("from/victim")
      try Tool.shell("fallocate -p -o 4M -l 4M '\(path)'")
      let faults = Faults(site.place, below: "from")
      let run = try site.start(
        "push",
        ["--block-size", "1MiB", site.place("from/"), site.place("to")],
        launcher: try faults.launcher(Self.hold("victim", 2))
      )
      try faults.whileHeld {
        try Tool.shell(
          """
          touch -r '\(path)' '\(path).time'
          printf filled | dd of='\(path)' bs=1 seek=5M conv=notrunc status=none
          touch -r '\(path).time' '\(path)'; rm '\(path).time'
          """
        )
      }
      let ending = try run.finish()
      #expect(ending.status == 4, "\(ending.messages)")
      #expect(!site.place.exists("to/victim"))
      try Self.expectNextRunCompletes(site, "push", "a filled hole")
    }

    @Test(arguments: [("lseek", ": > victim"), ("openat", "rm victim; : > victim")])
    func aSparseFileThatIsCutWhileItsHolesAreSoughtIsAChange(_ call: String, _ cut: String) throws {
      let site = try Site()
      try Self.makeSource(site)
      try Tool.shell("truncate -s 24M '\(site.place("from/victim"))'")
      let faults = Faults(site.place, below: "from")
      let run = try site.start(
        "push",
        [site.place("from/"), site.place("to")],
        launcher: try faults.launcher(Faults.Fault(action: .hold, call: call, pattern: "victim"))
      )
      try faults.whileHeld { try Tool.shell("cd '\(site.place("from"))'; \(cut)") }
      let ending = try run.finish()
      #expect(ending.status == 4, "\(call): \(ending.messages)")
      let named = ending.events(naming: "victim")
      #expect(named.count == 1, "\(call): \(ending.lines)")
      #expect(named.first?.contains("size, mtime, ctime") == true, "\(call): \(named)")
      #expect(!site.place.exists("to/victim"), "\(call)")
      try Self.expectOthers(site, call)
      try Self.expectNextRunCompletes(site, "push", call)
    }

    @Test func whatWasReadIsLookedAtPastTheCacheOfANetworkFileSystem() throws {
      let site = try Site()
      try Self.makeSource(site)
      let faults = Faults(site.place, below: "from")
      let places = [site.place("from/"), site.place("to")]
      let push = try site.start(
        "push",
        ["--io", "buffered", "--block-size", "1MiB"] + places,
        launcher: try faults.launcher()
      ).finish()
      #expect(push.status == 0, "\(push.messages)")
      let calls = try faults.calls()
      // AT_STATX_FORCE_SYNC of statx(2).
      let isFresh = 0x2000
      for path in ["victim", "small/7"] {
        let read = calls.lastIndex { $0.isEnd && $0.path == path && $0.name.hasPrefix("pread") }
        let looks = calls[(try #require(read, "\(path) was not read"))...].filter {
          !$0.isEnd && $0.path == path && $0.name == "statx"
        }
        #expect(!looks.isEmpty, "\(path)")
        #expect(looks.allSatisfy { $0.offset & isFresh != 0 }, "\(path): \(looks)")
      }
    }

    // MARK: - Between two runs

    @Test(arguments: SourceChange.tried, ["push", "pull"])
    func whatChangesBetweenTwoRunsIsNeverJoined(_ change: SourceChange, _ command: String) throws {
      let site = try Site()
      try Self.makeSource(site)
      let places = [site.place("from/"), site.place("to")]
      let options = ["--rate", "40Mbit", "--block-size", "1MiB"]
      let run = try site.start(command, options + places)
      let hasMoved = try run.isDurable(3 << 20)
      #expect(hasMoved, "\(change)")
      kill(run.child.processID, SIGKILL)
      _ = try run.finish()
      try change.make(at: site.place("from/victim"))
      let next = try site.start(command, ["--block-size", "1MiB"] + places).finish()
      #expect(next.status == 0, "\(change): \(next.messages)")
      #expect(try next.figure("bytes_resumed") < UInt64(1 << 20), "\(change): \(next.lines)")
      try Trees.expectSame(site.place, "from", "to")
      let strays = try Tool.shell("find '\(site.place("to"))' -name '.*.dtx-*'")
      #expect(strays == "", "\(change)")
      #expect(try site.run("verify", "--quiet", site.place("to")).status == 0, "\(change)")
    }

    // MARK: - Policies

    @Test(arguments: SourceChange.tried, ["push", "pull"])
    func aRetrySendsWhatIsThereByThen(_ change: SourceChange, _ command: String) throws {
      let site = try Site()
      try Self.makeSource(site)
      let options = ["--on-change", "retry"]
      let ending = try Self.change(change, "victim", at: 5, site, command, options)
      #expect(ending.status == 0, "\(change): \(ending.messages)")
      try Trees.expectSame(site.place, "from", "to")
    }

    @Test(arguments: ["push", "pull"])
    func withFailTheTransferStopsAndResumes(_ command: String) throws {
      let site = try Site()
      try Self.makeSource(site)
      let options = ["--on-change", "fail"]
      let ending = try Self.change(.grow, "victim", at: 5, site, command, options)
      #expect(ending.status == 4, "\(ending.messages)")
      #expect(ending.messages.contains("--on-change is fail"), "\(ending.messages)")
      let named = ending.events(naming: "victim")
      #expect(named.count == 1, "\(ending.lines)")
      try Self.expectNextRunCompletes(site, command, "after a stop")
    }

    // MARK: - The parts of a test

    /// A large file and small ones.
    private static func makeSource(_ site: Site) throws {
      try site.place.write("from/victim", Trees.content(SourceChange.byteCount, seed: 1))
      for index in 0..<20 {
        try site.place.write("from/small/\(index)", Trees.content(2000, seed: UInt64(index) + 50))
      }
    }

    private static func hold(_ name: String, _ number: Int) -> Faults.Fault {
      Faults.Fault(action: .hold, call: "pread*", pattern: name, number: number)
    }

    /// Runs a transfer in which a file changes just before it is read for the `number`th time.
    private static func change(
      _ change: SourceChange,
      _ name: String,
      at number: Int,
      _ site: Site,
      _ command: String,
      _ options: [String]
    ) throws -> Run.Ending {
      let faults = Faults(site.place, below: "from")
      let run = try site.start(
        command,
        ["--block-size", "1MiB"] + options + [site.place("from/"), site.place("to")],
        launcher: try faults.launcher(hold(name, number))
      )
      try faults.whileHeld { try change.make(at: site.place("from/\(name)")) }
      return try run.finish()
    }

    private static func expectOthers(_ site: Site, _ what: String) throws {
      for index in 0..<20 {
        let name = "small/\(index)"
        #expect(try site.place.read("to/\(name)") == site.place.read("from/\(name)"), "\(what)")
      }
    }

    private static func expectNextRunCompletes(
      _ site: Site,
      _ command: String,
      _ what: String
    ) throws {
      let next = try site.start(command, [site.place("from/"), site.place("to")]).finish()
      #expect(next.status == 0, "\(what): \(next.messages)")
      try Trees.expectSame(site.place, "from", "to")
      let strays = try Tool.shell("find '\(site.place("to"))' -name '.*.dtx-*'")
      #expect(strays == "", "\(what)")
    }
  }
}

/// What happens to a source file.
enum SourceChange: String, CaseIterable, Sendable {
  case grow, shrink, replace, vanish, becomeDirectory, closeToAll, sameSizeAndTime

  static let byteCount = 12 << 20

  /// Root alone can go on with what is closed to all.
  static var tried: [SourceChange] {
    allCases.filter { $0 != .closeToAll || Host.effectiveUserID == 0 }
  }

  /// What a message says of it: one of these.
  var names: [String] {
    switch self {
    case .grow: ["size, mtime, ctime"]
    case .shrink: ["size"]
    // Another thread may be about to open it.
    case .vanish: ["ctime", "ENOENT"]
    case .becomeDirectory: ["ctime", "type"]
    case .replace, .closeToAll, .sameSizeAndTime: ["ctime"]
    }
  }

  func make(at path: String) throws {
    let overwrite = "head -c $(stat -c %s '\(path)') /dev/zero"
    switch self {
    case .grow: try Tool.shell("printf more >> '\(path)'")
    case .shrink: try Tool.shell("truncate -s 1001 '\(path)'")
    case .replace: try Tool.shell("\(overwrite) > '\(path).new'; mv '\(path).new' '\(path)'")
    case .vanish: try Tool.shell("rm '\(path)'")
    case .becomeDirectory: try Tool.shell("rm '\(path)'; mkdir '\(path)'")
    case .closeToAll: try Tool.shell("chmod 0 '\(path)'")
    case .sameSizeAndTime:
      try Tool.shell(
        """
        touch -r '\(path)' '\(path).time'
        \(overwrite) | dd of='\(path)' bs=1M conv=notrunc status=none
        touch -r '\(path).time' '\(path)'; rm '\(path).time'
        """
      )
    }
  }
}
