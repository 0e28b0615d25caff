import ArgumentParser
import DTXCore
import DTXEngine
import DTXLinux

/// The options that say which lanes there are and how they are reached.
struct LaneArguments: ParsableArguments {
  /// Lanes without `--lanes`: enough to fill a few cores at each end.
  static let defaultLaneCount = 4

  @Option(
    help: ArgumentHelp(
      "Number of lanes. (default: 4, locally no more than processors)",
      valueName: "n"
    ),
    transform: ArgumentValue.laneCount
  )
  var lanes: Int?

  @Option(
    help: ArgumentHelp(
      "Rate of all lanes together, in bits per second on the wire: 10G, 50Mbit.",
      valueName: "rate"
    ),
    transform: ArgumentValue.rate
  )
  var rate: Rate?

  @Option(
    name: .customLong("lane"),
    help: ArgumentHelp(
      """
      A lane of its own: rate=2G[,reserved][,name=x][,bind=192.0.2.7]... May be repeated; excludes \
      --lanes and --rate.
      """,
      valueName: "lane"
    ),
    transform: LaneOption.lane
  )
  var ownLanes: [LaneDescription] = []

  @Option(
    help: ArgumentHelp("Read lanes of their own from this file, in TOML.", valueName: "file"),
    completion: .file(),
    transform: LaneOption.file
  )
  var lanesFile: [LaneDescription]?

  @Option(
    help: ArgumentHelp(
      "Move nothing unless the plan is done by then: 2h, or 2026-11-23T18:00:00Z.",
      valueName: "time"
    ),
    transform: ArgumentValue.deadline
  )
  var deadline: Deadline?

  @Option(
    help: ArgumentHelp(
      "End that listens for lanes, while the other one connects: local or remote. (default: remote)",
      valueName: "end"
    ),
    transform: ArgumentValue.listeningEnd
  )
  var listen: ListeningEnd?

  @Option(
    help: ArgumentHelp(
      "Port, or range of ports, that the end that listens may have: 5000-5009. (default: any)",
      valueName: "ports"
    ),
    transform: ArgumentValue.ports
  )
  var port: ClosedRange<UInt16>?

  @Option(
    help: ArgumentHelp("Host to connect lanes to, instead of ssh's.", valueName: "host"),
    transform: ArgumentValue.word
  )
  var laneHost: String?

  @Flag(help: "Go on with one lane through ssh where no port can be reached, despite a rate.")
  var allowSshLanes = false

  @Option(
    help: ArgumentHelp(
      "aes-256-gcm, or none for a path that is trusted. (default: aes-256-gcm; within one machine "
        + "none)",
      valueName: "cipher"
    ),
    transform: ArgumentValue.cipher
  )
  var cipher: Cipher?

  func validate() throws {
    if !ownLanes.isEmpty || lanesFile != nil, lanes != nil || rate != nil {
      let option = lanesFile == nil ? "--lane" : "--lanes-file"
      throw ValidationError(
        "\(option) says all about a lane: give neither --lanes nor --rate with it"
      )
    }
    if let problem = LaneDescription.problem(in: chosen) {
      throw ValidationError("these lanes cannot be planned: \(problem)")
    }
    if deadline != nil, chosen.contains(where: { $0.lane.rate == nil }) {
      throw ValidationError(
        "a deadline needs the lanes' rates, for without them nobody knows when all is done: give "
          + "--rate, --lane or --lanes-file"
      )
    }
    try LaneOption.check(chosen, hasPort: port != nil)
  }

  /// The ports that the end that listens may have; nil for any.
  ///
  /// A lane that names the port it goes to asks for that one, unless the user says where that end
  /// listens: then something on the way leads from the one to the other.
  var ports: ClosedRange<UInt16>? {
    if let port { return port }
    return chosen.lazy.compactMap { $0.route.target?.port }.first.map { $0...$0 }
  }

  /// The lanes of a transfer whose far end is another host, for all that anybody knows.
  var chosen: [LaneDescription] { chosen(isLocal: false) }

  /// The lanes of the transfer.
  ///
  /// Where both ends share the processors, more lanes than these only drive each other's bytes out
  /// of the cache: 4 cost two processors 11 % more time than 2 did.
  ///
  /// - Parameter isLocal: whether source and destination are both on this machine.
  /// - Returns: what the user asked for, or as many as suit.
  func chosen(isLocal: Bool) -> [LaneDescription] {
    let own = ownLanes + (lanesFile ?? [])
    guard own.isEmpty else { return own }
    let isFree = isLocal && rate == nil
    let most = isFree ? Host.processorCount : LaneArguments.defaultLaneCount
    let count = lanes ?? min(most, LaneArguments.defaultLaneCount)
    return Lane.split(rate, over: count).map { LaneDescription($0) }
  }
}
