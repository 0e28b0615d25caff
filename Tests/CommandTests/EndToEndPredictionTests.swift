import Testing

extension EndToEndTests {
  /// A plan, the simulator and a real transfer of the same dataset over the same lanes.
  @Suite struct PredictionTests {
    private static let fileCount = 12
    private static let fileByteCount = 2 << 20

    @Test(arguments: [[48, 24], [96, 64, 32], [160, 160, 80, 80]])
    func planSimulationAndTransferAgree(_ megabits: [UInt64]) throws {
      let site = try Site()
      for file in 0..<Self.fileCount {
        try site.place.write("from/\(file)", Trees.content(Self.fileByteCount, seed: UInt64(file)))
      }
      let lanes = megabits.flatMap { ["--lane", "rate=\($0)M,reserved"] }
      let options = ["--block-size", "1MiB"] + lanes
      let ends = [site.place("from/"), site.place("to")]
      let planned = try Self.fields(
        try site.start("plan", ["--json"] + options + ends).finish(),
        "plan"
      )
      let simulated = try Self.fields(
        try site.start("simulate", ["--json", try Self.scenario(megabits, site)]).finish(),
        "simulation"
      )
      let moved = try Self.fields(
        try site.start("push", ["--compress", "off"] + options + ends).finish(),
        "summary"
      )

      // What is to go is the same everywhere, and reserved lanes carry what the plan gave them.
      let byteCount = UInt64(Self.fileCount * Self.fileByteCount)
      #expect(planned.figure("bytes_wanted") == byteCount)
      #expect(simulated.figure("bytes_durable") == byteCount)
      #expect(moved.figure("bytes_durable") == byteCount)
      #expect(planned.lanes("bytes").reduce(0, +) == byteCount)
      if moved.figure("plan_generation") == 0, moved.figure("bytes_resent") == 0 {
        #expect(moved.lanes("bytes_sent") == planned.lanes("bytes"))
      }

      // A session plans with the round trip that it measures; the other two with what they are told.
      let plan = try #require(planned.milliseconds("predicted_seconds"))
      let session = try #require(moved.milliseconds("predicted_seconds"))
      let simulation = try #require(simulated.milliseconds("seconds"))
      if moved.figure("plan_generation") == 0 { #expect(Self.isNear(session, plan)) }
      #expect(Self.isNear(simulation, plan), "simulated \(simulation), planned \(plan) ms")

      // No lane is faster than its rate: the bytes that it carried say when it can be done at best.
      let took = try #require(moved.milliseconds("seconds"))
      for (byteCount, rate) in zip(moved.lanes("bytes_sent"), megabits) {
        let least = byteCount * 8 / (rate * 1000)
        #expect(took + 250 >= least, "\(took) ms, not less than \(least)")
      }
    }

    /// The files, the lanes and this machine, in the simulator's words.
    private static func scenario(_ megabits: [UInt64], _ site: Site) throws -> String {
      var text = """
        title = "the same lanes"
        block-size = "1MiB"
        start = "0s"
        [dataset]
        bytes = "\(fileCount * fileByteCount)"
        files = \(fileCount)
        [path]
        rate = "10G"
        delay = "0.05ms"
        mtu = 65535

        """
      for rate in megabits { text += "[[lane]]\nrate = \"\(rate)M\"\nreserved = true\n" }
      try site.place.write("lanes.scenario", text)
      return site.place("lanes.scenario")
    }

    /// Within 3 per cent and what the ends' last words take.
    private static func isNear(_ left: UInt64, _ right: UInt64) -> Bool {
      max(left, right) - min(left, right) <= right * 3 / 100 + 150
    }

    private static func fields(_ ending: Run.Ending, _ type: String) throws -> Fields {
      #expect(ending.status == 0, "\(ending.messages)")
      let line = ending.lines.last { $0.contains("\"type\":\"\(type)\"") }
      return Fields(line: try #require(line, "\(ending)"))
    }
  }

  /// Members of one JSON line.
  private struct Fields {
    let line: String

    func figure(_ name: String) -> UInt64? { Run.figure(name, in: line) }

    /// A time in seconds, whose decimals are nine.
    func milliseconds(_ name: String) -> UInt64? {
      let parts = line.split(separator: "\"\(name)\":")
      guard parts.count > 1 else { return nil }
      let number = parts[1].prefix { $0.isNumber || $0 == "." }.split(separator: ".")
      guard number.count == 2, let whole = UInt64(number[0]), let part = UInt64(number[1].prefix(3))
      else { return nil }
      return whole * 1000 + part
    }

    /// A figure of each lane.
    func lanes(_ name: String) -> [UInt64] {
      line.split(separator: "{\"index\":").dropFirst().compactMap {
        Run.figure(name, in: String($0))
      }
    }
  }
}
