import ArgumentParser
import DTXCore
import DTXEngine
import DTXLinux
import DTXSimulator

/// `dtx plan`: when a transfer would be done, before a byte of it moves.
struct PlanCommand: ParsableCommand, JSONReporting {
  static let configuration = CommandConfiguration(
    commandName: "plan",
    abstract: "Say when a transfer would be done, and change nothing.",
    usage: """
      dtx plan [<options>] <source> ... <destination>
      dtx plan [<options>] --bytes <size> [--files <n>]
      """,
    discussion: """
      Scans the source and compares it with the destination as push and pull would, whose options \
      it takes, and plans all that is missing there on lanes with rates. With --bytes it plans a \
      dataset that nobody has yet.

      Examples:
        dtx plan --rate 10G --deadline 2h /data/run7/ archive:/mnt/run7
        dtx plan --bytes 72TB --files 36000 --rate 100G --mtu 9000 --rtt 12ms
      """
  )

  @Argument(
    help: ArgumentHelp(
      "The sources, and last the destination: a path or [user@]host:path.",
      valueName: "path"
    ),
    completion: .file(),
    transform: ArgumentValue.endpoint
  )
  var places: [Endpoint] = []

  @OptionGroup(title: "A Dataset to Come") var imagined: ImaginedArguments

  @OptionGroup var transfer: TransferArguments

  var isJSON: Bool { transfer.output.json }

  func validate() throws {
    guard transfer.lanes.chosen.allSatisfy({ $0.lane.rate != nil }) else {
      throw ValidationError("a plan needs the lanes' rates: give --rate, --lane or --lanes-file")
    }
    let capacity = transfer.capacity
    if capacity.capacity != nil || capacity.wait || capacity.waitLimit != nil {
      throw ValidationError("a plan takes nothing of a capacity: --capacity is for push and pull")
    }
    if transfer.dataset.sinkNull {
      throw ValidationError("a plan moves nothing that --sink-null could drop")
    }
    if imagined.bytes != nil {
      guard places.isEmpty, transfer.dataset.sourceNull == nil else {
        throw ValidationError("--bytes stands for a source, and compares with no destination")
      }
      return
    }
    try imagined.checkUnused()
    let sourceCount = places.count - (transfer.dataset.sourceNull == nil ? 1 : 0)
    guard places.count >= 1, sourceCount >= 1 else {
      throw ValidationError("plan takes at least one source and a destination, or --bytes")
    }
    if transfer.dataset.sourceNull != nil, places.count > 1, places[0].host == nil {
      throw ValidationError("--source-null is the source: plan takes the destination alone")
    }
    if places[places.count - 1].host != nil, places.dropLast().contains(where: { $0.host != nil }) {
      throw ValidationError("one of source and destination is on this machine")
    }
  }

  func run() throws {
    guard let dataset = imagined.dataset else { return try runRehearsal() }
    let console = Console()
    let report = PlanReport(
      prediction: try prediction(of: dataset),
      lanes: transfer.lanes.chosen,
      path: PlanPath(role: .either),
      sockets: .read()
    )
    try print(judged(report), of: dataset, to: console)
  }

  // MARK: - Between two places

  private func runRehearsal() throws {
    var transfer = transfer
    transfer.dataset.dryRun = true
    let isPull = places.dropLast().contains { $0.host != nil }
    try transfer.run(
      isPull ? .pull : .push,
      from: Array(places.dropLast()),
      to: places[places.count - 1]
    )
  }

  // MARK: - Of a dataset to come

  private func prediction(of dataset: ScenarioDataset) throws -> Prediction {
    let inputs = PlanInputs(
      of: transfer.lanes.chosen,
      SegmentShape(segmentByteCount: imagined.segmentByteCount, isV6: false),
      roundTripNanoseconds: imagined.rtt ?? 0
    )
    guard var prediction = Prediction(inputs) else {
      throw ValidationError("a plan needs the lanes' rates")
    }
    var generation = Generation(inputs)
    let blockByteCount = transfer.dataset.blockSize ?? Limits.defaultBlockByteCount
    for index in 0..<dataset.segmentCount {
      let segment = dataset.segment(index, blockByteCount: blockByteCount)
      let wanted = BitSet(count: segment.extents.count, filled: true)
      let plan = Scheduler.plan(segment, wanted: wanted, inputs: inputs, generation: generation)
      generation.advance(behind: plan)
      prediction.add(plan, of: segment, wanted: wanted)
    }
    return prediction
  }

  private func judged(_ report: PlanReport) -> PlanReport {
    let now = WallInstant.now()
    var judged = report
    judged.remainingNanoseconds = transfer.lanes.deadline?.remaining(asked: now, at: now)
    let terms = AdmissionTerms(
      lanes: report.lanes,
      remainingNanoseconds: judged.remainingNanoseconds,
      now: now
    )
    judged.refusal = report.prediction.refusal(terms)
    return judged
  }

  private func print(
    _ report: PlanReport,
    of dataset: ScenarioDataset,
    to console: Console
  ) throws {
    let output = transfer.output
    if output.json {
      let event = report.json(fileCount: dataset.fileCount, byteCount: dataset.byteCount)
      console.report(event.line)
    } else if !output.quiet {
      let files = Figure.count(dataset.fileCount, "file")
      let blocks = Figure.count(report.prediction.blockCount, "block")
      let rows =
        [("dataset", "\(files), \(Figure.bytes(dataset.byteCount)) in \(blocks)")] + report.rows
      console.report(rows.map { TransferSummary.row($0.0, $0.1) }.joined(separator: "\n"))
    }
    if let failure = console.finish() {
      throw TransferError("the report could not be written", failure)
    }
    if let refusal = report.refusal {
      throw AdmissionText.error(refusal, report.prediction, report.lanes)
    }
  }
}

/// The options that describe a dataset and a path that there is nothing of yet.
struct ImaginedArguments: ParsableArguments {
  @Option(
    help: ArgumentHelp("Plan a dataset of this size instead of a source.", valueName: "size"),
    transform: ImaginedArguments.byteCount
  )
  var bytes: UInt64?

  @Option(
    help: ArgumentHelp("Number of files that it is in. (default: 1)", valueName: "n"),
    transform: ImaginedArguments.fileCount
  )
  var files: Int?

  @Option(
    help: ArgumentHelp("Round-trip time of its path: 12ms.", valueName: "time"),
    transform: ArgumentValue.duration
  )
  var rtt: UInt64?

  @Option(
    help: ArgumentHelp("Bytes of a packet on its path. (default: 1500)", valueName: "bytes"),
    transform: ImaginedArguments.packetByteCount
  )
  var mtu: UInt64?

  /// The dataset, where one was described.
  var dataset: ScenarioDataset? {
    bytes.map { ScenarioDataset(byteCount: $0, fileCount: files ?? 1) }
  }

  /// Payload of a full segment: what IPv4, TCP and its timestamps leave of a packet.
  var segmentByteCount: UInt64 {
    (mtu ?? 1500) - CountedLayer.l3.overheadByteCount(isV6: false)
  }

  /// Demands that nothing is said of a dataset that there is.
  func checkUnused() throws {
    guard files == nil, rtt == nil, mtu == nil else {
      throw ValidationError("--files, --rtt and --mtu describe what --bytes plans")
    }
  }

  private static func byteCount(_ text: String) throws -> UInt64 {
    guard let byteCount = Quantity.byteCount(text),
      (1...ScenarioDataset.byteLimit).contains(byteCount)
    else { throw ValidationError("a size is in bytes, such as 72TB, and at most 1EB") }
    return byteCount
  }

  private static func fileCount(_ text: String) throws -> Int {
    guard let count = Int(text), count > 0, count <= ScenarioDataset.fileLimit else {
      throw ValidationError("there are 1 to \(ScenarioDataset.fileLimit) files")
    }
    return count
  }

  private static func packetByteCount(_ text: String) throws -> UInt64 {
    // What IPv4 demands (RFC 791), and what it can say.
    guard let count = UInt64(text), (576...65_535).contains(count) else {
      throw ValidationError("a packet has 576 to 65535 bytes")
    }
    return count
  }
}
