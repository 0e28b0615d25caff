import DTXCore
import DTXLinux
import Glibc
import Testing

extension EndToEndTests {
  /// SIGKILL before and behind the calls that make a block durable, one after another.
  @Suite struct StepTests {
    private static let options = ["--block-size", "1MiB", "--rate", "200M", "--quiet"]

    /// The steps: which calls, on which files.
    private static let steps: [(call: String, pattern: String)] = [
      ("mkdirat", "*"),
      ("openat", "*.dtx-*"),
      ("pwrite", "*.dtx-*"),
      ("ftruncate", "*.dtx-*"),
      ("fdatasync", "*.dtx-*"),
      ("fchmod", "*.dtx-*"),
      ("futimens", "*.dtx-*"),
      ("fsync", "*.dtx-*"),
      ("syncfs", "*"),
      ("write", "*/journal"),
      ("fdatasync", "*/journal"),
      ("renameat*", "*.dtx-*"),
      ("symlinkat", "*"),
      ("utimensat", "*"),
      ("write", "*/journal.new"),
      ("renameat", "*/journal.new"),
      ("write", "*/manifest.partial"),
      ("pwrite", "*/manifest.partial"),
      ("fsync", "*/manifest.partial"),
      ("renameat", "*/manifest.partial"),
      ("renameat", "*/identities.partial"),
      ("unlinkat", "*/journal"),
      ("fsync", ".dtx/*"),
    ]

    @Test(arguments: ["push", "pull"])
    func afterAKillAtAnyStepTheNextRunEndsWell(_ command: String) throws {
      let seed = Dice.freshSeed()
      var dice = Dice(seed: seed)
      let place = try Workplace()
      try Trees.makeMixed(place, "from", largeByteCount: 4 << 20, smallCount: 24)
      try place.write("from/empty", "")
      try Tool.shell("ln -s large-0 '\(place("from/link"))'")
      var killCount = 0
      var resentByteCount: UInt64 = 0
      for (call, pattern) in Self.steps {
        let action: Faults.Fault.Action = dice.next() % 2 == 0 ? .killBefore : .killAfter
        var fault = Faults.Fault(action: action, call: call, pattern: pattern)
        // Of the files that there are many of, not always the first.
        if pattern == "*.dtx-*" { fault.number = 1 + Int(dice.next() % 3) }
        let what = "seed \(seed), \(command), \(fault)"
        try Tool.shell("rm -rf '\(place("to"))'")
        try place.makeDirectory("to")
        let faults = Faults(place, below: "to")
        let first = try local(place, command, Self.options, launcher: try faults.launcher(fault))
        // A call that this tree has no need of kills nobody.
        if first.status == 0 { continue }
        killCount += 1
        #expect([1, 137].contains(first.status), "\(what): \(first.messages)")
        for problem in try Remains(place).problems { Issue.record("\(what): \(problem)") }
        let next = try local(place, command, Self.options)
        #expect(next.status == 0, "\(what): \(next.messages)")
        try Trees.expectSame(place, "from", "to")
        let strays = try Tool.shell("find '\(place("to"))' -name '.*.dtx-*'")
        #expect(strays == "", "\(what)")
        resentByteCount += try next.figure("bytes_sent")
      }
      #expect(killCount >= 18, "\(killCount)")
      print("seed \(seed), \(command): \(killCount) kills, \(resentByteCount) bytes sent again")
    }
  }
}

/// What a run that was killed left at `to` of what is at `from`.
struct Remains {
  /// What must not be, in words.
  private(set) var problems: [String] = []
  /// Ranges that the journal calls durable.
  private(set) var claimedCount = 0

  init(_ place: Workplace) throws {
    let listed = try Tool.shell("cd '\(place("to"))' && find . -type f -not -path './.dtx/*'")
    for line in listed.split(separator: "\n") {
      let name = line.dropFirst(2)
      guard !name.contains(".dtx-") else { continue }
      if try place.read("to/\(name)") != place.read("from/\(name)") {
        problems.append("\(name) is not the source's")
      }
    }
    let states = try Tool.shell("ls '\(place("to"))/.dtx' 2>/dev/null || true")
    for key in states.split(separator: "\n") where place.exists("to/.dtx/\(key)/journal") {
      let replay = JournalReplay(try place.read("to/.dtx/\(key)/journal"))
      for file in replay.files { try check(file, String(key), place) }
    }
  }

  private mutating func check(_ file: JournalFile, _ key: String, _ place: Workplace) throws {
    let path = String(decoding: file.identity.path, as: UTF8.self)
    var parts = path.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    let name = parts.removeLast()
    let staged = (parts + [".\(name).dtx-\(key)"]).joined(separator: "/")
    // What was published behind its last record has its own name.
    let there = try place.read("to/\(place.exists("to/\(staged)") ? staged : path)")
    let meant = try place.read("from/\(path)")
    for extent in file.extents {
      claimedCount += 1
      let range = Int(extent.offset)..<Int(extent.end)
      guard range.upperBound <= there.count, there[range] == meant[range] else {
        problems.append("\(path) at \(range) is not what the journal says")
        continue
      }
    }
  }
}
