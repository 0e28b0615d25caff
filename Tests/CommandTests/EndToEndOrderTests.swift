import DTXLinux
import Testing

extension EndToEndTests {
  /// The receiver's calls, in the order that a loss of power would put to the test.
  @Suite struct OrderTests {
    /// Many files are synced with their file system, and few one by one.
    @Test(arguments: [("push", 300), ("push", 3), ("pull", 300), ("pull", 3)])
    func whatIsToldIsDurable(_ command: String, _ smallCount: Int) throws {
      for access in ["buffered", "direct"] {
        let place = try Workplace()
        try Trees.makeMixed(place, "from", largeByteCount: 6 << 20, smallCount: smallCount)
        try place.makeDirectory("to")
        let faults = Faults(place, below: "to")
        let options = ["--io", access, "--block-size", "1MiB", "--rate", "64M", "--quiet"]
        let ending = try local(place, command, options, launcher: try faults.launcher())
        #expect(ending.status == 0, "\(ending.messages)")
        let order = CommitOrder(try faults.calls())
        #expect(order.problems.isEmpty, "\(command) \(access): \(order.problems)")
        #expect(order.durableCount == 12)
        // Journal, manifest, identities and receipt as well.
        #expect(order.publishedCount >= smallCount + 2 + 4, "\(order.publishedCount)")
      }
    }
  }
}

/// Runs a transfer between two directories of this machine to its end.
func local(
  _ place: Workplace,
  _ command: String,
  _ options: [String],
  launcher: [String] = []
) throws -> Run.Ending {
  try startLocal(place, command, options, launcher: launcher).finish()
}

/// Starts a transfer between two directories of this machine.
func startLocal(
  _ place: Workplace,
  _ command: String,
  _ options: [String],
  launcher: [String] = []
) throws -> Run {
  var words = ["env", "XDG_STATE_HOME=\(place("state"))", "XDG_CONFIG_HOME=\(place("config"))"]
  words += launcher + [try Site.builtProgram(), command, "--json"] + options
  return try Run(words + [place("from/"), place("to")], in: place)
}
