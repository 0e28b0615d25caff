package import DTXCore

// dtx-scenario(5), table by table.
extension Scenario {
  /// Reads a scenario's text.
  ///
  /// - Parameter text: the file's.
  /// - Throws: the first problem, with its line.
  package init(parsing text: String) throws(ScenarioError) {
    let tables = try ScenarioText(text).tables
    var hasDataset = false
    for table in tables {
      var values = ScenarioTable(table)
      try Scenario.checkBrackets(table)
      switch table.name {
      case "": try readSession(&values)
      case "dataset":
        dataset = try Scenario.dataset(&values)
        hasDataset = true
      case "sender": sender = try Scenario.host(&values, isReceiver: false)
      case "receiver": receiver = try Scenario.host(&values, isReceiver: true)
      case "path": path = try Scenario.path(&values)
      case "lane": lanes.append(try Scenario.lane(&values))
      case "competitor": competitors.append(try Scenario.competitor(&values))
      case "fault": faults.append(try Scenario.fault(&values))
      case "variant": variants.append(try Scenario.variant(&values))
      case "published": published.append(try Scenario.publication(&values))
      default: preconditionFailure("a table that was let through: \(table.name)")
      }
      try values.finish()
    }
    guard hasDataset else { throw ScenarioError(line: 0, "there is no [dataset]") }
    if variants.isEmpty {
      var plain = ScenarioVariant()
      plain.name = "as written"
      variants = [plain]
    }
    try check(tables)
  }

  private static let singleTables = ["dataset", "sender", "receiver", "path"]
  private static let repeatedTables = ["lane", "competitor", "fault", "variant", "published"]

  private static func checkBrackets(_ table: ScenarioText.Table) throws(ScenarioError) {
    let isKnown = singleTables.contains(table.name) || table.name.isEmpty
    if table.isRepeated ? repeatedTables.contains(table.name) : isKnown { return }
    let known = singleTables.map { "[\($0)]" } + repeatedTables.map { "[[\($0)]]" }
    let name = table.isRepeated ? "[[\(table.name)]]" : "[\(table.name)]"
    throw ScenarioError(
      line: table.line,
      "there is no \(name); there are \(known.joined(separator: ", "))"
    )
  }

  /// What several tables have to do with each other.
  private func check(_ tables: [ScenarioText.Table]) throws(ScenarioError) {
    func line(_ name: String, _ index: Int = 0) -> Int {
      let places = tables.filter { $0.name == name }.map { $0.line }
      return index < places.count ? places[index] : 0
    }
    if let problem = Lane.problem(in: lanes) { throw ScenarioError(line: line("lane"), problem) }
    let reserved = lanes.filter { $0.contract == .reserved }
    let sum = reserved.reduce(UInt64(0)) { $0 + ($1.rate?.bitsPerSecond ?? 0) }
    guard sum <= path.totalRate.bitsPerSecond else {
      throw ScenarioError(line: line("lane"), "the reserved lanes need more than the path carries")
    }
    for (index, fault) in faults.enumerated() {
      guard case .laneCut(let lane?) = fault.kind, lane >= lanes.count else { continue }
      throw ScenarioError(line: line("fault", index), "there is no lane \(lane)")
    }
    for (index, variant) in variants.enumerated() {
      guard let problem = Lane.problem(in: variant.lanes(of: self)) else { continue }
      throw ScenarioError(line: line("variant", index), problem)
    }
  }

  private mutating func readSession(_ values: inout ScenarioTable) throws(ScenarioError) {
    title = try values.text("title") ?? title
    seed = try values.number("seed", in: 0...UInt64.max) ?? seed
    let blocks = Limits.minimumBlockByteCount...Limits.maximumBlockByteCount
    blockByteCount = try values.byteCount("block-size", in: blocks) ?? blockByteCount
    startNanoseconds = try values.duration("start") ?? startNanoseconds
    retryNanoseconds = try values.duration("retry") ?? retryNanoseconds
  }

  private static func dataset(
    _ values: inout ScenarioTable
  ) throws(ScenarioError) -> ScenarioDataset {
    let bytes = try values.byteCount("bytes", in: 1...ScenarioDataset.byteLimit)
    let files = try values.count("files", in: 1...ScenarioDataset.fileLimit)
    return ScenarioDataset(
      byteCount: try values.required("bytes", bytes),
      fileCount: try values.required("files", files)
    )
  }

  private static func host(
    _ values: inout ScenarioTable,
    isReceiver: Bool
  ) throws(ScenarioError) -> ScenarioHost {
    var host = ScenarioHost()
    host.coreCount = try values.number("cores", in: 1...4096) ?? host.coreCount
    host.cipherSpeed = try values.speed("cipher") ?? host.cipherSpeed
    host.digestSpeed = try values.speed("digest") ?? host.digestSpeed
    host.copySpeed = try values.speed("copy") ?? host.copySpeed
    host.readSpeed = try values.speed("read") ?? host.readSpeed
    if isReceiver {
      host.writeSpeed = try values.speed("write") ?? host.writeSpeed
      host.syncNanoseconds = try values.duration("sync") ?? host.syncNanoseconds
    }
    host.entryRate =
      try values.number("entries-per-second", in: 1...1_000_000_000)
      ?? host.entryRate
    host.bufferByteCount =
      try values.byteCount("buffer", in: 4096...(1 << 40)) ?? host.bufferByteCount
    return host
  }

  private static func path(_ values: inout ScenarioTable) throws(ScenarioError) -> ScenarioPath {
    var path = ScenarioPath()
    path.delayNanoseconds = try values.duration("delay") ?? path.delayNanoseconds
    guard path.delayNanoseconds <= 600 * Duration.second else {
      throw ScenarioError(line: values.line, "'delay' is at most 10 minutes")
    }
    path.packetByteCount = try values.number("mtu", in: 576...65_535) ?? path.packetByteCount
    path.rate = try values.rate("rate") ?? path.rate
    // A millionth of a per cent is ten thousand millionths.
    path.lossPerBillion = (try values.share("loss", in: 0...50) ?? 0) * 10
    if let name = try values.text("congestion") {
      guard let control = CongestionControl(rawValue: name) else {
        throw ScenarioError(line: values.line, "'congestion' is \"reno\", \"cubic\" or \"bbr\"")
      }
      path.congestion = control
    }
    return path
  }

  private static func lane(_ values: inout ScenarioTable) throws(ScenarioError) -> Lane {
    let rate = try values.rate("rate")
    let connections = try values.count("connections", in: 1...UInt64(Limits.connectionCount))
    return Lane(
      contract: try values.flag("reserved") ?? false ? .reserved : .bestEffort,
      rate: rate,
      connectionCount: connections ?? Lane.connectionCount(for: rate),
      name: try values.text("name") ?? ""
    )
  }

  private static func competitor(
    _ values: inout ScenarioTable
  ) throws(ScenarioError) -> ScenarioCompetitor {
    var competitor = ScenarioCompetitor()
    competitor.flowCount = try values.count("flows", in: 1...100_000) ?? competitor.flowCount
    competitor.rate = try values.rate("rate")
    competitor.fromNanoseconds = try values.duration("from") ?? competitor.fromNanoseconds
    competitor.untilNanoseconds = try values.duration("until")
    if let end = competitor.untilNanoseconds, end <= competitor.fromNanoseconds {
      throw ScenarioError(line: values.line, "'until' comes after 'from'")
    }
    return competitor
  }

  private static func fault(_ values: inout ScenarioTable) throws(ScenarioError) -> ScenarioFault {
    let name = try values.required("kind", try values.text("kind"))
    let moment = try values.required("at", try values.moment("at"))
    switch name {
    case "lane-cut":
      let lane = try values.count("lane", in: 0...UInt64(Limits.laneCount))
      let length = try values.required("for", try values.duration("for"))
      return ScenarioFault(.laneCut(lane: lane), at: moment, for: length)
    case "power-loss":
      let length = try values.required("for", try values.duration("for"))
      return ScenarioFault(.powerLoss, at: moment, for: length)
    case "slow-disk":
      let speed = try values.required("write", try values.speed("write"))
      let length = try values.duration("for")
      return ScenarioFault(.slowDisk(bytesPerSecond: speed), at: moment, for: length)
    case "corrupt-block":
      let most = UInt64(Limits.damagedBlockCount(receivedByteCount: 0))
      let count = try values.count("blocks", in: 1...most) ?? 1
      return ScenarioFault(.corruptBlocks(count: count), at: moment)
    default:
      throw ScenarioError(
        line: values.line,
        "'kind' is \"lane-cut\", \"power-loss\", \"slow-disk\" or \"corrupt-block\""
      )
    }
  }

  private static func variant(
    _ values: inout ScenarioTable
  ) throws(ScenarioError) -> ScenarioVariant {
    var variant = ScenarioVariant()
    variant.name = try values.required("name", try values.text("name"))
    variant.rateShare = try values.share("rate", in: 0...100) ?? variant.rateShare
    variant.portCount = try values.count("ports", in: 1...16) ?? variant.portCount
    let most = UInt64(Limits.connectionCount)
    variant.connectionCount = try values.count("connections", in: 1...most)
    return variant
  }

  private static func publication(
    _ values: inout ScenarioTable
  ) throws(ScenarioError) -> PublishedTransfer {
    var transfer = PublishedTransfer()
    transfer.name = try values.required("name", try values.text("name"))
    let bytes = try values.byteCount("bytes", in: 1...ScenarioDataset.byteLimit)
    transfer.byteCount = try values.required("bytes", bytes)
    transfer.nanoseconds = try values.required("time", try values.duration("time"))
    guard transfer.nanoseconds > 0 else {
      throw ScenarioError(line: values.line, "'time' is longer than nothing")
    }
    return transfer
  }
}

extension ScenarioVariant {
  /// The lanes that a scenario has in this line of the answer.
  package func lanes(of scenario: Scenario) -> [Lane] {
    var lanes: [Lane] = []
    for _ in 0..<portCount {
      for lane in scenario.lanes {
        var lane = lane
        lane.rate = lane.rate?.scaled(by: rateShare, over: 100_000_000)
        lane.connectionCount = connectionCount ?? lane.connectionCount
        lanes.append(lane)
      }
    }
    return lanes
  }

  /// The scenario of this line.
  package func applied(to scenario: Scenario) -> Scenario {
    var changed = scenario
    changed.lanes = lanes(of: scenario)
    changed.path.portCount = portCount
    return changed
  }
}
