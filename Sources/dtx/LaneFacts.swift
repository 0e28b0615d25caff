import DTXCore
import DTXEngine
import DTXLinux

/// What is known of one lane at a transfer's end, for people and as JSON.
struct LaneFacts {
  private let lane: LaneReport

  init(_ lane: LaneReport) {
    self.lane = lane
  }

  /// What the kernel took of the lane's settings; nil where nothing was read back.
  var line: String? {
    var parts: [String] = []
    if let address = lane.localAddress {
      let ports = lane.sourcePorts.prefix(LaneFacts.shownPortCount).map(String.init)
      let more = lane.sourcePorts.count > ports.count ? " ..." : ""
      let device = lane.interface.map { " on \(printable(Array($0.utf8)))" } ?? ""
      let way = lane.listening == .local ? "listening, from port" : "port"
      parts.append("\(address)\(device), \(way) \(ports.joined(separator: " "))\(more)")
    }
    if let target = lane.route.target { parts.append("to \(target)") }
    if let taken = lane.taken {
      parts.append("dscp \(taken.codePoint)")
      parts.append(printable(Array(taken.congestionControl.utf8)))
      parts.append("MSS \(taken.segmentByteCount), path MTU \(taken.pathMTU)")
      if let queue = taken.queue { parts.append(LaneFacts.text(queue)) }
    }
    if lane.pace != LanePace() {
      parts.append("\(lane.pace.percent) % of the rate, which counts \(lane.pace.layer.name)")
    }
    return parts.isEmpty ? nil : parts.joined(separator: "; ")
  }

  private static func text(_ queue: EgressQueue) -> String {
    let names = "queue \(printable(Array("\(queue.kind) of \(queue.interface)".utf8)))"
    guard let limit = queue.limit else { return names }
    let rate = Figure.rate(bitsPerSecond(limit))
    return "\(names), at most \(rate)\(limit.isPerConnection ? " a connection" : "")"
  }

  /// The other end may say anything.
  private static func bitsPerSecond(_ limit: EgressQueue.Limit) -> UInt64 {
    let (bits, isTooMuch) = limit.bytesPerSecond.multipliedReportingOverflow(by: 8)
    return isTooMuch ? .max : bits
  }

  /// Ports of a lane that reconnects often fill the screen.
  private static let shownPortCount = 8

  /// A member of `lanes`: dtx(1), "JSON".
  func json(index: Int) -> JSONValue {
    .object([
      ("index", .integer(index)),
      ("name", .string(lane.lane.name)),
      ("contract", .string(lane.lane.contract == .reserved ? "reserved" : "best-effort")),
      ("rate_bits_per_second", .optional(lane.lane.rate) { .integer($0.bitsPerSecond) }),
      ("layer", .string(lane.pace.layer.name)),
      ("pace_percent", .integer(lane.pace.percent)),
      ("paced_bits_per_second", .optional(lane.pacedBitsPerSecond) { .integer($0) }),
      ("connections", .integer(lane.connectionCount)),
      ("listen", .string(lane.listening.rawValue)),
      ("local_address", .optional(lane.localAddress, JSONValue.string)),
      ("interface", .optional(lane.interface, JSONValue.string)),
      ("source_ports", .array(lane.sourcePorts.map { .integer($0) })),
      ("to", .optional(lane.route.target) { .string($0.description) }),
      ("dscp", .optional(lane.taken) { .string($0.codePoint.description) }),
      ("congestion_control", .optional(lane.taken) { .string($0.congestionControl) }),
      ("segment_bytes", .optional(lane.taken) { .integer($0.segmentByteCount) }),
      ("path_mtu_bytes", .optional(lane.taken) { .integer($0.pathMTU) }),
      ("queue", .optional(lane.taken?.queue) { .string($0.kind) }),
      ("queue_interface", .optional(lane.taken?.queue) { .string($0.interface) }),
      (
        "queue_bits_per_second",
        .optional(lane.taken?.queue?.limit) { .integer(LaneFacts.bitsPerSecond($0)) }
      ),
      (
        "queue_limits_connections",
        .optional(lane.taken?.queue?.limit) { .bool($0.isPerConnection) }
      ),
      ("blocks", .integer(lane.blockCount)),
      ("bytes_sent", .integer(lane.sentByteCount)),
      ("conformance", .optional(lane.conformance) { ConformanceText($0).json }),
    ])
  }
}
