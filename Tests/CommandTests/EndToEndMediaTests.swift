import DTXLinux
import Glibc
import Testing

extension EndToEndTests {
  /// Reading back from the device what was written to it.
  @Suite struct MediaTests {
    private static let options = ["--verify", "media", "--block-size", "1MiB", "--quiet"]

    private static let rotten = ["large-0", "small/3/3"]

    @Test("a block that the device does not keep is sent again", arguments: ["push", "pull"])
    func whatDoesNotReadBackIsSentAgain(_ command: String) throws {
      for name in Self.rotten {
        let place = try Workplace()
        try Trees.makeMixed(place, "from", largeByteCount: 6 << 20, smallCount: 24)
        try place.makeDirectory("to")
        let path = name.split(separator: "/").last.map(String.init) ?? name
        let fault = Faults.Fault(action: .rot, call: "pread*", pattern: "*.\(path).dtx-*")
        let launcher = try Faults(place, below: "to").launcher(fault)
        let ending = try local(place, command, Self.options, launcher: launcher)
        #expect(ending.status == 0, "\(ending.messages)")
        #expect(try ending.figure("bytes_resent") > 0)
        #expect(try ending.figure("bytes_resent") <= 1 << 20, "one block and no more")
        try Trees.expectSame(place, "from", "to")
        let verified = try Run(
          [try Site.builtProgram(), "verify", "--quiet", place("to")],
          in: place
        ).finish()
        #expect(verified.status == 0, "\(verified.messages)")
      }
    }

    @Test("a device that keeps nothing ends the transfer, and nothing wrong gets a name")
    func aDeviceThatKeepsNothingIsFound() throws {
      let place = try Workplace()
      try Trees.makeMixed(place, "from", largeByteCount: 6 << 20, smallCount: 24)
      try place.makeDirectory("to")
      let fault = Faults.Fault(action: .rotOn, call: "pread*", pattern: "*.large-*.dtx-*")
      let launcher = try Faults(place, below: "to").launcher(fault)
      let ending = try local(place, "push", Self.options, launcher: launcher)
      #expect(ending.status == 3, "\(ending.messages)")
      #expect(ending.messages.contains("damaged"), "\(ending.messages)")
      let remains = try Remains(place)
      #expect(remains.problems.isEmpty, "\(remains.problems)")
      #expect(!place.exists("to/large-0") && !place.exists("to/large-1"))
      #expect(try local(place, "push", Self.options).status == 0)
      try Trees.expectSame(place, "from", "to")
    }

    @Test("what was written is read from the device, whole", arguments: ["buffered", "direct"])
    func allIsReadBack(_ access: String) throws {
      let place = try Workplace()
      try Trees.makeMixed(place, "from", largeByteCount: (6 << 20) + 5, smallCount: 24)
      try place.makeDirectory("to")
      let faults = Faults(place, below: "to")
      let options = Self.options + ["--io", access]
      let ending = try local(place, "push", options, launcher: try faults.launcher())
      #expect(ending.status == 0, "\(ending.messages)")
      #expect(try ending.figure("bytes_resent") == 0)
      let read = try faults.calls().filter { $0.isEnd && $0.name.hasPrefix("pread") }
        .reduce(0) { $0 + max(0, $1.result) }
      #expect(read >= Int(try ending.figure("bytes_durable")))
      try Trees.expectSame(place, "from", "to")
    }

    /// The kernel may still hold in memory what an earlier run has written.
    @Test func whatAnEarlierRunHasStagedIsReadFromTheDeviceToo() throws {
      if let obstacle = LoopDisk.obstacle(.ext4) { try Test.cancel("\(obstacle)") }
      let site = try Site()
      let disk = try LoopDisk(.ext4, site.place, at: "disk", byteCount: 64 << 20)
      let content = Trees.content(16 << 20, seed: 3)
      try site.place.write("from/large", content)
      let places = ["--block-size", "1MiB", site.place("from/"), site.place("disk/to")]
      let run = try site.start(
        "push",
        ["--rate", "40M", "--lanes", "1", "--io", "buffered"] + places
      )
      let hasMoved = try run.isDurable(3 << 20)
      #expect(hasMoved)
      kill(run.child.processID, SIGKILL)
      _ = try run.finish()
      try disk.rot(content[(1 << 20)...].prefix(32))
      let next = try site.start("push", ["--verify", "media"] + places).finish()
      #expect(next.status == 0, "\(next.messages)")
      #expect(try next.figure("bytes_skipped") > 0 && next.figure("bytes_sent") > 0)
      try disk.unmount()
      try disk.mount()
      try Trees.expectSame(site.place, "from", "disk/to")
    }

    @Test func whereThereIsNoDeviceItIsRefused() throws {
      let place = try Workplace()
      guard let disk = try SmallDisk(at: place("small"), byteCount: 8 << 20) else { return }
      try place.write("from/a", "a")
      let words = ["env", "XDG_STATE_HOME=\(place("state"))", "XDG_CONFIG_HOME=\(place("config"))"]
      let program = try Site.builtProgram()
      let ending = try Run(
        words + [program, "push", "--verify", "media", place("from/"), place("small")],
        in: place
      ).finish()
      #expect(ending.status == 1)
      #expect(ending.messages.contains("it is in memory"), "\(ending.messages)")
      #expect(!place.exists("small/a"))
      disk.close()
    }
  }
}
