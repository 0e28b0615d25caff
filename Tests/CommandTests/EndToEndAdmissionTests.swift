import DTXCore
import DTXEngine
import DTXLinux
import Glibc
import Testing

@testable import dtx

extension EndToEndTests {
  /// What is promised before the first byte, and what becomes of it where it cannot be kept.
  @Suite struct AdmissionTests {
    /// Runs the program where its configuration and its capacity are this test's own.
    private func run(_ place: Workplace, _ arguments: String...) throws -> Run.Ending {
      try start(place, arguments).finish()
    }

    private func start(_ place: Workplace, _ arguments: [String]) throws -> Run {
      let environment = [
        "env", "XDG_CONFIG_HOME=\(place("config"))", "XDG_STATE_HOME=\(place("state"))",
      ]
      return try Run(environment + [Site.builtProgram()] + arguments, in: place)
    }

    @Test(arguments: ["push", "plan"])
    func aDeadlineThatCannotBeMetIsRefusedBeforeAnythingIsMade(_ command: String) throws {
      let place = try Workplace()
      try place.write("from/a", Trees.content(4 << 20, seed: 1))
      let options = ["--json", "--rate", "1M", "--lanes", "1", "--block-size", "1MiB"]
      let places = [place("from/"), place("new/to")]
      let ending = try start(place, [command] + options + ["--deadline", "10s"] + places).finish()
      #expect(ending.status == 6, "\(ending.messages)")
      #expect(ending.errors == ["dtx: the deadline cannot be met"])
      #expect(!place.exists("new"), "something was made")
      // 4 MiB take 34 s, and looking at the tree some of the ten that there are.
      #expect(ending.messages.contains("in all would meet it"))
    }

    @Test func aDeadlineThatCanBeMetIsNoHindrance() throws {
      let place = try Workplace()
      try place.write("from/a", "a")
      let ending = try run(
        place,
        "push",
        "--json",
        "--rate",
        "8M",
        "--deadline",
        "1h",
        place("from/"),
        place("to")
      )
      #expect(ending.status == 0, "\(ending.messages)")
      #expect(try place.text("to/a") == "a")
    }

    @Test func aLaneThatIsNotDoneWithinItsWindowIsRefused() throws {
      let place = try Workplace()
      try place.write("from/a", Trees.content(8 << 20, seed: 1))
      // 8 MiB at 1 Mb/s take a minute and more; the window ends within one.
      let end = WallTime.text(Clock.wall() + 30_000_000_000)
      let ending = try run(
        place,
        "push",
        "--lane",
        "rate=1M,reserved,name=night,until=\(end)",
        place("from/"),
        place("to")
      )
      #expect(ending.status == 6, "\(ending.messages)")
      #expect(ending.messages.contains("lane 0 (night) is not done before its window ends"))
      #expect(!place.exists("to"))
    }

    @Test func aPlanComparesWithTheDestinationAndMakesNothing() throws {
      let place = try Workplace()
      try place.write("from/a", Trees.content(100_000, seed: 1))
      try place.write("from/b", Trees.content(200_000, seed: 2))
      let options = ["--json", "--rate", "80M"]
      _ = try start(place, ["push"] + options + [place("from/a"), place("to/")]).finish()
      let before = try Tool.shell("cd '\(place("to"))' && find . | sort")
      for command in [["plan"], ["push", "-n"]] {
        let places = [place("from/a"), place("from/b"), place("to/")]
        let ending = try start(place, command + options + places).finish()
        #expect(ending.status == 0, "\(ending.messages)")
        let plan = try #require(ending.lines.first { $0.contains("\"type\":\"plan\"") })
        #expect(plan.contains("\"admitted\":true"))
      }
      #expect(try Tool.shell("cd '\(place("to"))' && find . | sort") == before)
    }

    @Test func aDestinationWithoutRoomIsRefusedAndLeftAsItWas() throws {
      let place = try Workplace()
      guard let disk = try SmallDisk(at: place("small"), byteCount: 8 << 20) else { return }
      try place.write("from/a", Trees.content(16 << 20, seed: 1))
      let before = try Tool.shell("cd '\(place("small"))' && find . | sort")
      let ending = try run(place, "push", place("from/"), place("small/new/to"))
      #expect(ending.status == 1, "\(ending.messages)")
      #expect(ending.messages.contains("bytes are too many"), "\(ending.messages)")
      #expect(try Tool.shell("cd '\(place("small"))' && find . | sort") == before)
      let dry = try run(place, "push", "-n", place("from/"), place("small/new/to"))
      #expect(dry.status == 1, "\(dry.messages)")
      disk.close()
    }

    @Test func aDestinationWithoutInodesIsRefused() throws {
      let place = try Workplace()
      guard let disk = try SmallDisk(at: place("small"), byteCount: 8 << 20, inodeCount: 2) else {
        return
      }
      try place.write("small/last", "")
      try place.write("from/a", "a")
      let ending = try run(place, "push", "-n", place("from/"), place("small"))
      #expect(ending.status == 1, "\(ending.messages)")
      #expect(ending.messages.contains("are too many"), "\(ending.messages)")
      disk.close()
    }

    // MARK: - Capacity

    private func declare(_ place: Workplace, _ more: String = "") throws {
      try place.makeDirectory("shares")
      try place.write(
        "config/dtx/config.toml",
        "capacity = \"10M\"\ncapacity-directory = \"\(place("shares"))\"\n\(more)"
      )
    }

    /// A push that takes a minute, once it has its share.
    private func startHolder(_ place: Workplace) throws -> Run {
      try place.write("slow/a", Trees.content(8 << 20, seed: 1))
      let options = ["--json", "--rate", "1M", "--block-size", "64KiB"]
      let holder = try start(place, ["push"] + options + [place("slow/"), place("slow-to")])
      try waitUntil("the share") { try !Self.shares(place).isEmpty }
      return holder
    }

    private static func shares(_ place: Workplace) throws -> [DirectoryItem] {
      try Directory.open(bytes(place("shares"))).names()
    }

    @Test func theSharesOfAllTransfersStayBelowTheCapacity() throws {
      let place = try Workplace()
      try declare(place)
      try place.write("from/a", "a")
      let holder = try startHolder(place)
      let places = [place("from/"), place("to")]
      let refused = try start(place, ["push", "--rate", "9500k"] + places).finish()
      #expect(refused.status == 6, "\(refused.messages)")
      #expect(refused.messages.contains("process \(holder.child.processID): 1M since"))
      #expect(!place.exists("to"))
      let waited = try start(
        place,
        ["push", "--rate", "9500k", "--wait-limit", "300ms"] + places
      ).finish()
      #expect(waited.status == 6, "\(waited.messages)")
      let fitting = try start(place, ["push", "--rate", "9M"] + places).finish()
      #expect(fitting.status == 0, "\(fitting.messages)")
      // A killed process holds nothing, and who waits for it goes on.
      let waiting = try start(
        place,
        ["push", "--json", "--rate", "10M", "--wait", place("from/"), place("to-2")]
      )
      #expect(try waiting.event { $0.contains("waiting for 10M") } != nil)
      kill(holder.child.processID, SIGKILL)
      #expect(try holder.finish().status == 128 + SIGKILL)
      #expect(try waiting.finish().status == 0)
      #expect(try place.text("to-2/a") == "a")
      #expect(try Self.shares(place).isEmpty)
    }

    @Test func aFarEndKeepsToTheCapacityOfItsOwnHost() throws {
      let site = try Site()
      try site.place.makeDirectory("shares")
      try site.place.write(
        "far-config/dtx/config.toml",
        "capacity = \"1M\"\ncapacity-directory = \"\(site.place("shares"))\"\n"
      )
      try site.setFar(behind: "env XDG_CONFIG_HOME='\(site.place("far-config"))'")
      try site.place.write("from/a", "a")
      let places = [site.place("from/"), site.far("to")]
      let refused = try site.start("push", ["--rate", "2M"] + places).finish()
      #expect(refused.status == 6, "\(refused.messages)")
      #expect(refused.messages.contains("the lanes are to have 2M, and the capacity of"))
      #expect(!site.place.exists("to"))
      let fitting = try site.start("push", ["--rate", "1M"] + places).finish()
      #expect(fitting.status == 0, "\(fitting.messages)")
    }

    @Test func aPlanOverSSHComparesWithTheFarEnd() throws {
      let site = try Site()
      try site.place.write("from/a", Trees.content(300_000, seed: 1))
      let places = [site.place("from/"), site.far("to")]
      let kit = ["--rsh", site.place("bin/ssh"), "--dtx-path", site.place("far"), "--json"]
      let before = try site.start("plan", kit + ["--rate", "80M"] + places).finish()
      #expect(before.status == 0, "\(before.messages)")
      let plan = try #require(before.lines.first { $0.contains("\"type\":\"plan\"") })
      #expect(Run.figure("bytes_wanted", in: plan) == 300_000)
      #expect(!site.place.exists("to"))
      #expect(try site.start("push", ["--rate", "80M"] + places).finish().status == 0)
      // Backwards: what is here already need not be fetched.
      let back = [site.far("to") + "/", site.place("from")]
      let after = try site.start("plan", kit + ["--rate", "80M"] + back).finish()
      #expect(after.status == 0, "\(after.messages)")
      #expect(after.lines.contains { $0.contains("\"bytes_wanted\":0") })
    }

    @Test func lanesWithoutARateAreLetRunUnlessTheCapacityIsStrict() throws {
      let place = try Workplace()
      try declare(place)
      try place.write("from/a", "a")
      let free = try run(place, "push", place("from/"), place("to"))
      #expect(free.status == 0, "\(free.messages)")
      #expect(free.messages.contains("the lanes, which have no rate"))
      try declare(place, "capacity-strict = true\n")
      let strict = try run(place, "push", place("from/"), place("to"))
      #expect(strict.status == 64, "\(strict.messages)")
      let above = try run(place, "push", "--rate", "11M", place("from/"), place("to"))
      #expect(above.status == 6, "\(above.messages)")
    }

    @Test func aDirectoryThatOthersCanClearIsNotUsed() throws {
      let place = try Workplace()
      try declare(place)
      try Directory.open(bytes(place("shares"))).setMode(of: [], 0o777)
      try place.write("from/a", "a")
      let ending = try run(place, "push", "--rate", "1M", place("from/"), place("to"))
      #expect(ending.status == 1, "\(ending.messages)")
      #expect(ending.messages.contains("its sticky bit is not set"))
    }
  }
}
