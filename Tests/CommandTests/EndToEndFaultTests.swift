import DTXLinux
import Glibc
import Testing

extension EndToEndTests {
  /// Disks that refuse, break or stall, call by call.
  @Suite struct FaultTests {
    private static let options = ["--block-size", "1MiB", "--rate", "200M"]

    /// A fault, where it strikes, and what comes of it.
    struct Case: Sendable, CustomStringConvertible {
      var root = "to"
      var fault: Faults.Fault
      var status: Int32
      /// Part of the one message.
      var message: String

      init(
        _ action: Faults.Fault.Action,
        _ call: String,
        _ pattern: String,
        _ number: Int = 1,
        at root: String = "to",
        status: Int32,
        _ message: String
      ) {
        self.root = root
        fault = Faults.Fault(action: action, call: call, pattern: pattern, number: number)
        self.status = status
        self.message = message
      }

      var description: String { "\(root) \(fault)" }
    }

    private static let cases: [Case] = [
      // The receiver's disk.
      Case(.fail(EIO), "pwrite", "*large-0.dtx-*", 3, status: 2, "large-0"),
      Case(.fail(EIO), "pwrite", "small/*.dtx-*", 2, status: 2, "EIO"),
      Case(.fail(EIO), "openat", "*large-1.dtx-*", status: 2, "large-1"),
      Case(.fail(EIO), "f*sync", "*.dtx-*", status: 1, "EIO"),
      Case(.fail(EIO), "syncfs", "*", status: 1, "EIO"),
      Case(.fail(EIO), "write", "*/journal", status: 1, "journal"),
      Case(.fail(EIO), "fdatasync", "*/journal", status: 1, "journal"),
      Case(.fail(EIO), "renameat*", "*large-0.dtx-*", status: 1, "EIO"),
      Case(.fail(EIO), "renameat", "*/manifest.partial", status: 1, "manifest"),
      Case(.failOn(ENOSPC), "pwrite", "*.dtx-*", 4, status: 1, "ENOSPC"),
      Case(.failOn(EDQUOT), "pwrite", "*.dtx-*", 4, status: 1, "EDQUOT"),
      Case(.failOn(EROFS), "openat", "*.dtx-*", 3, status: 1, "EROFS"),
      Case(.failOn(ENOSPC), "write", "*/journal", status: 1, "ENOSPC"),
      Case(.failOn(ENOSPC), "write", "*/journal.new", status: 1, "ENOSPC"),
      // The sender's.
      Case(.fail(EIO), "pread*", "large-0", 2, at: "from", status: 2, "large-0"),
      Case(.fail(EIO), "openat", "small/3/3", at: "from", status: 2, "small/3/3"),
      Case(.failOn(EIO), "pread*", "small/*", 5, at: "from", status: 2, "EIO"),
    ]

    @Test(arguments: cases)
    func itIsNamedAndTheNextRunEndsWell(_ example: Case) throws {
      for command in ["push", "pull"] {
        let place = try Workplace()
        try Trees.makeMixed(place, "from", largeByteCount: 4 << 20, smallCount: 24)
        try place.makeDirectory("to")
        let faults = Faults(place, below: example.root)
        let launcher = try faults.launcher(example.fault)
        let first = try local(place, command, Self.options, launcher: launcher)
        #expect(first.status == example.status, "\(command): \(first.messages)")
        let told = first.lines.filter { !$0.contains("\"progress\"") } + [first.messages]
        #expect(told.contains { $0.contains(example.message) }, "\(command): \(told)")
        let remains = try Remains(place)
        #expect(remains.problems.isEmpty, "\(command): \(remains.problems)")
        let next = try local(place, command, Self.options)
        #expect(next.status == 0, "\(command): \(next.messages)")
        try Trees.expectSame(place, "from", "to")
      }
    }

    @Test("what a failed sync covered is written again, and not synced again alone")
    func aFailedSyncIsFinal() throws {
      let place = try Workplace()
      try Trees.makeMixed(place, "from", largeByteCount: 8 << 20, largeCount: 1, smallCount: 0)
      try place.makeDirectory("to")
      let fault = Faults.Fault(action: .fail(EIO), call: "f*sync", pattern: "*.dtx-*")
      let launcher = try Faults(place, below: "to").launcher(fault)
      #expect(try local(place, "push", Self.options, launcher: launcher).status == 1)
      let watch = Faults(place, below: "to")
      let next = try local(place, "push", Self.options, launcher: try watch.launcher())
      #expect(next.status == 0, "\(next.messages)")
      #expect(try next.figure("bytes_sent") == 8 << 20, "nothing of it was known to be durable")
      let order = CommitOrder(try watch.calls())
      #expect(order.problems.isEmpty, "\(order.problems)")
      try Trees.expectSame(place, "from", "to")
    }

    @Test("an extent that cannot be read again excludes its file, whatever the others are")
    func aKeptFileThatCannotBeReadIsLeftAlone() throws {
      for command in ["push", "pull"] {
        let place = try Workplace()
        try Trees.makeMixed(place, "from", largeByteCount: 4 << 20, smallCount: 4)
        #expect(try local(place, command, Self.options).status == 0)
        try place.damage(place("to/large-0"), at: 5)
        let fault = Faults.Fault(
          action: .failOn(EIO),
          call: "pread*",
          pattern: "large-0",
          number: 3
        )
        let launcher = try Faults(place, below: "to").launcher(fault)
        let ending = try local(place, command, Self.options + ["--checksum"], launcher: launcher)
        #expect(ending.status == 2, "\(command): \(ending.messages)")
        #expect(ending.events(naming: "large-0").joined().contains("EIO"), "\(ending.lines)")
        let next = try local(place, command, Self.options + ["--checksum"])
        #expect(next.status == 0, "\(command): \(next.messages)")
        try Trees.expectSame(place, "from", "to")
      }
    }

    /// What fails at its publishing is complete, and stays so.
    private static let unpublished = Faults.Fault(
      action: .failOn(ENOSPC),
      call: "renameat*",
      pattern: "*.dtx-*"
    )

    @Test("what is complete stays until it can be published")
    func aCompleteFileStaysStaged() throws {
      let place = try Workplace()
      try Trees.makeMixed(place, "from", largeByteCount: 4 << 20, largeCount: 1, smallCount: 0)
      try place.makeDirectory("to")
      for run in 1...2 {
        let launcher = try Faults(place, below: "to").launcher(Self.unpublished)
        let ending = try local(place, "push", Self.options, launcher: launcher)
        #expect(ending.status == 1, "run \(run): \(ending.messages)")
        expectOneMessage(ending, "ENOSPC")
      }
      let last = try local(place, "push", Self.options)
      #expect(last.status == 0, "\(last.messages)")
      #expect(try last.figure("bytes_sent") == 0)
      try Trees.expectSame(place, "from", "to")
    }

    @Test("what was staged and cannot be read back is sent again")
    func aStagedFileThatCannotBeReadIsBegunAnew() throws {
      let place = try Workplace()
      try Trees.makeMixed(place, "from", largeByteCount: 4 << 20, largeCount: 1, smallCount: 0)
      try place.makeDirectory("to")
      let first = try Faults(place, below: "to").launcher(Self.unpublished)
      #expect(try local(place, "push", Self.options, launcher: first).status == 1)
      let fault = Faults.Fault(
        action: .fail(EIO),
        call: "pread*",
        pattern: "*.dtx-*",
        number: 2
      )
      let second = try Faults(place, below: "to").launcher(fault)
      let ending = try local(place, "push", Self.options, launcher: second)
      #expect(ending.status == 0, "\(ending.messages)")
      #expect(try ending.figure("bytes_sent") == 1 << 20, "the one that cannot be read")
      try Trees.expectSame(place, "from", "to")
    }

    @Test("a disk that hangs for half a minute is waited for", arguments: ["f*sync", "pwrite"])
    func aStallIsWaitedFor(_ call: String) throws {
      let place = try Workplace()
      try Trees.makeMixed(place, "from", largeByteCount: 8 << 20, smallCount: 24)
      try place.makeDirectory("to")
      var fault = Faults.Fault(action: .stall(milliseconds: 30_000), call: call, pattern: "*.dtx-*")
      fault.number = 2
      let launcher = try Faults(place, below: "to").launcher(fault)
      let ending = try local(place, "push", Self.options, launcher: launcher)
      #expect(ending.status == 0, "\(ending.messages)")
      #expect(try ending.figure("connections_lost") == 0)
      try Trees.expectSame(place, "from", "to")
    }
  }
}
