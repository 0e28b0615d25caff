import ArgumentParser
import DTXCore
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
      A lane of its own: rate=2G[,reserved][,connections=2][,name=x]. May be repeated; excludes \
      --lanes and --rate.
      """,
      valueName: "lane"
    ),
    transform: LaneArguments.lane
  )
  var ownLanes: [Lane] = []

  @Option(
    help: ArgumentHelp(
      "Port, or range of ports, that the far end may listen on: 5000-5009. (default: any)",
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
      "aes-256-gcm, or none for a path that is trusted. (default: aes-256-gcm)",
      valueName: "cipher"
    ),
    transform: ArgumentValue.cipher
  )
  var cipher: Cipher?

  func validate() throws {
    if !ownLanes.isEmpty, lanes != nil || rate != nil {
      throw ValidationError("--lane says all about a lane: give neither --lanes nor --rate with it")
    }
    if let problem = Lane.problem(in: chosen) {
      throw ValidationError("these lanes cannot be planned: \(problem)")
    }
  }

  /// The lanes of a transfer whose far end is another host, for all that anybody knows.
  var chosen: [Lane] { chosen(isLocal: false) }

  /// The lanes of the transfer.
  ///
  /// Where both ends share the processors, more lanes than these only drive each other's bytes out
  /// of the cache: 4 cost two processors 11 % more time than 2 did.
  ///
  /// - Parameter isLocal: whether source and destination are both on this machine.
  /// - Returns: what the user asked for, or as many as suit.
  func chosen(isLocal: Bool) -> [Lane] {
    guard ownLanes.isEmpty else { return ownLanes }
    let isFree = isLocal && rate == nil
    let most = isFree ? Host.processorCount : LaneArguments.defaultLaneCount
    return Lane.split(rate, over: lanes ?? min(most, LaneArguments.defaultLaneCount))
  }

  /// Reads `rate=2G,reserved,connections=2,name=x`, in any order.
  private static func lane(_ text: String) throws -> Lane {
    var lane = Lane(contract: .bestEffort, rate: nil, connectionCount: 0)
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      let value = pair.count == 2 ? String(pair[1]) : nil
      switch (pair.first ?? "", value) {
      case ("rate", let value?): lane.rate = try ArgumentValue.rate(value)
      case ("reserved", nil): lane.contract = .reserved
      case ("connections", let value?):
        guard let count = Int(value), (1...Limits.connectionCount).contains(count) else {
          throw ValidationError("a lane has 1 to \(Limits.connectionCount) connections")
        }
        lane.connectionCount = count
      case ("name", let value?):
        guard value.utf8.count <= Limits.nameByteCount else {
          throw ValidationError("a name has at most \(Limits.nameByteCount) bytes")
        }
        lane.name = value
      default:
        throw ValidationError("a lane is rate=2G[,reserved][,connections=2][,name=x]")
      }
    }
    guard lane.rate != nil else { throw ValidationError("a lane of its own has a rate=") }
    if lane.connectionCount == 0 { lane.connectionCount = Lane.connectionCount(for: lane.rate) }
    return lane
  }
}
