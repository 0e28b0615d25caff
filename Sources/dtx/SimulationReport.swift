import DTXCore
import DTXLinux
import DTXSimulator

/// What a simulation showed, for people and for machines; every line of it says that it is simulated.
struct SimulationReport {
  let name: String
  let scenario: Scenario
  let outcomes: [ScenarioOutcome]

  /// Whether every line moved all that it should.
  var isSound: Bool { outcomes.allSatisfy(\.isSound) }

  // MARK: - For people

  var lines: [String] {
    world + [""] + table + [""] + outcomes.indices.map(account) + publishedLines
  }

  private var world: [String] {
    let dataset = scenario.dataset
    let ceiling = PathModel.ceiling(of: scenario.path.rate, scenario.path)
    let least = ScenarioTime.text(ceiling.nanoseconds(for: dataset.byteCount))
    let blockCount = dataset.blockCount(blockByteCount: scenario.blockByteCount)
    let blocks = Figure.count(blockCount, "block")
    var lines = [
      "simulated  in virtual time, by what decides in a real transfer; no byte was moved",
      "scenario   \(name): \(visible(scenario.title))",
      "dataset    \(Figure.count(dataset.fileCount, "file")), \(Figure.bytes(dataset.byteCount)), "
        + "\(blocks) of \(Figure.binary(scenario.blockByteCount)) at most",
      "path       \(Figure.rate(scenario.path.rate.bitsPerSecond)) a port, round trip "
        + "\(Figure.milliseconds(scenario.path.roundTripNanoseconds)), packets of "
        + "\(scenario.path.packetByteCount) bytes, \(loss)",
    ]
    for (index, lane) in scenario.lanes.enumerated() {
      lines.append("lane \(index)     \(SimulationReport.text(lane))")
    }
    lines += [
      SimulationReport.text(scenario.sender, "sender   ", isReceiver: false),
      SimulationReport.text(scenario.receiver, "receiver ", isReceiver: true),
      "ceiling    \(Figure.rate(ceiling.bitsPerSecond)) of payload a port: \(least) at the least",
    ]
    return lines + scenario.faults.map { "fault      \(SimulationReport.text($0))" }
  }

  private var loss: String {
    let loss = scenario.path.lossPerBillion
    guard loss > 0 else { return "none lost" }
    return "1 in \(Figure.grouped((1_000_000_000 + loss / 2) / loss)) lost, "
      + "\(scenario.path.congestion.rawValue)"
  }

  private var table: [String] {
    let head = ["simulated", "time", "goodput", "of its rate", "of the path", "limited by"]
    return TextTable.lines(
      [head]
        + outcomes.indices.map { index in
          let outcome = outcomes[index]
          return [
            "simulated, \(visible(scenario.variants[index].name))",
            ScenarioTime.text(outcome.elapsedNanoseconds),
            Figure.rate(outcome.goodput.bitsPerSecond),
            ofRate(outcome),
            Figure.tenths(outcome.goodput.bitsPerSecond, of: outcome.pathCeiling.bitsPerSecond),
            outcome.limitation?.shares.first?.cause.name
              ?? "unknown",
          ]
        }
    )
  }

  private func ofRate(_ outcome: ScenarioOutcome) -> String {
    guard outcome.scenario.lanes.allSatisfy({ $0.rate != nil }) else { return "no rate" }
    return Figure.tenths(outcome.goodput.bitsPerSecond, of: outcome.rateCeiling.bitsPerSecond)
  }

  /// What there is to say of a line beyond its figures.
  private func account(_ index: Int) -> String {
    let outcome = outcomes[index]
    var parts = [
      "\(Figure.count(outcome.durableFileCount, "file")) and "
        + "\(Figure.bytes(outcome.durableByteCount)) durable",
      "\(Figure.bytes(outcome.resentByteCount)) sent again",
    ]
    if let predicted = outcome.predictedNanoseconds {
      parts.append("planned \(ScenarioTime.text(predicted))")
    }
    if outcome.generationCount > 0 {
      parts.append("made anew \(Figure.count(outcome.generationCount, "time"))")
    }
    if outcome.resumedByteCount > 0 {
      parts.append("\(Figure.bytes(outcome.resumedByteCount)) resumed from the journal")
    }
    if outcome.damagedBlockCount > 0 {
      parts.append("\(Figure.count(outcome.damagedBlockCount, "block")) damaged")
    }
    if outcome.lostConnectionCount > 0 {
      parts.append("\(Figure.count(outcome.lostConnectionCount, "connection")) lost")
    }
    if !outcome.isSound { parts.append("NOT DONE: \(outcome.problem ?? "some is missing")") }
    var text =
      "simulated, \(visible(scenario.variants[index].name)): " + parts.joined(separator: "; ")
    if outcome.runCount > 1 {
      let reasons = outcome.failures.map { "\"\($0)\"" }.joined(separator: ", ")
      text +=
        "\n  the command was run \(outcome.runCount) times; earlier runs ended with \(reasons)"
    }
    return text
  }

  private var publishedLines: [String] {
    guard !scenario.published.isEmpty else { return [] }
    return [""]
      + TextTable.lines(
        scenario.published.map { other in
          [
            "published, \(visible(other.name))", Figure.bytes(other.byteCount),
            ScenarioTime.text(other.nanoseconds), Figure.rate(SimulationReport.goodput(of: other)),
          ]
        }
      )
  }

  private static func goodput(of other: PublishedTransfer) -> UInt64 {
    let bits = UInt128(other.byteCount) * 8 * UInt128(Duration.second)
    return UInt64(clamping: bits / UInt128(other.nanoseconds))
  }

  private static func text(_ lane: Lane) -> String {
    let rate = lane.rate.map { Figure.rate($0.bitsPerSecond) } ?? "no rate"
    let contract = lane.contract == .reserved ? "reserved" : "best-effort"
    return "\(lane.name.isEmpty ? "" : visible(lane.name) + ": ")\(rate), \(contract), "
      + Figure.count(lane.connectionCount, "connection")
  }

  private static func text(_ host: ScenarioHost, _ name: String, isReceiver: Bool) -> String {
    let disk =
      isReceiver
      ? "writes \(Figure.bytes(host.writeSpeed))/s, a commit syncs for about "
        + Figure.milliseconds(host.syncNanoseconds)
      : "reads \(Figure.bytes(host.readSpeed))/s"
    return "\(name)  \(Figure.count(host.coreCount, "core")), each "
      + "\(Figure.bytes(host.coreSpeed))/s with encryption and digests; \(disk)"
  }

  private static func text(_ fault: ScenarioFault) -> String {
    let length = fault.lengthNanoseconds.map { " for \(Figure.duration($0))" } ?? ""
    let moment =
      switch fault.moment {
      case .nanoseconds(let time): "after \(Figure.duration(time))"
      case .share(let share): "when \(Figure.tenths(share, of: 100_000_000)) has arrived"
      }
    switch fault.kind {
    case .laneCut(let lane):
      return "\(lane.map { "lane \($0) is" } ?? "all lanes are") cut \(moment)\(length)"
    case .powerLoss: return "the receiver loses its power \(moment)\(length)"
    case .slowDisk(let speed):
      return "the receiver writes \(Figure.bytes(speed))/s at most \(moment)\(length)"
    case .corruptBlocks(let count):
      return "\(Figure.count(count, "block")) with other bytes \(moment)"
    }
  }
}

/// A scenario's words, which are its user's, as they can be shown.
private func visible(_ text: String) -> String {
  printable(Array(text.utf8))
}
