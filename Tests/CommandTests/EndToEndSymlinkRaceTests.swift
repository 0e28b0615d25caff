import DTXLinux
import Glibc
import Testing

extension EndToEndTests {
  /// Another process at the destination turns directories into symlinks while a transfer writes.
  @Suite struct SymlinkRaceTests {
    @Test(arguments: [UInt32(1), 2, 3, 4, 5, 6])
    func nothingIsWrittenBehindASymlink(_ seed: UInt32) throws {
      let place = try Workplace()
      for directory in 0..<4 {
        for file in 0..<60 {
          let name = "from/d\(directory)/e/f\(file)"
          try place.write(name, [UInt8](repeating: UInt8(file), count: 3000))
        }
        try place.makeDirectory("to/d\(directory)/e")
      }
      try place.makeDirectory("outside/e")
      let isOver = Guarded(false)
      let swapCount = Guarded(0)
      let attacker = try Thread(name: "attacker") {
        var state = seed
        while !isOver.withLock({ $0 }) {
          state = state &* 1_664_525 &+ 1_013_904_223
          // A directory of the top, or one below it.
          let top = "to/d\(state >> 16 & 3)"
          let name = place(state >> 20 & 1 == 0 ? top : top + "/e")
          let target = place(state >> 20 & 1 == 0 ? "outside" : "outside/e")
          guard rename(name, name + "-away") == 0 else { continue }
          if symlink(target, name) == 0 {
            swapCount.withLock { $0 += 1 }
            // For as long as some system calls of the other take.
            for _ in 0..<(state >> 24 & 63) { sched_yield() }
            unlink(name)
          }
          if rename(name + "-away", name) != 0 {
            // It has made another one meanwhile: there it is, and the old one goes.
            _ = try? Tool.shell("rm -rf '\(name)-away'")
          }
        }
      }
      let run = try Run(
        [
          "env", "XDG_STATE_HOME=\(place("state"))", "XDG_CONFIG_HOME=\(place("config"))",
          Site.builtProgram(), "push", "--json", place("from/"), place("to"),
        ],
        in: place
      )
      let ending = try run.finish()
      isOver.withLock { $0 = true }
      attacker.join()
      #expect(swapCount.withLock { $0 } > 0)
      #expect([0, 1, 2, 3].contains(ending.status), "\(ending.messages)")
      let found = try Tool.shell("find '\(place("outside"))' -mindepth 1 ! -path '*/outside/e'")
      #expect(found == "", "seed \(seed)")
    }
  }
}
