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
      parts.append("\(address)\(device), port \(ports.joined(separator: " "))\(more)")
    }
    if let target = lane.route.target { parts.append("to \(target)") }
    if let taken = lane.taken {
      parts.append("dscp \(taken.codePoint)")
      parts.append(printable(Array(taken.congestionControl.utf8)))
      parts.append("MSS \(taken.segmentByteCount), path MTU \(taken.pathMTU)")
    }
    if lane.pace != LanePace() {
      parts.append("\(lane.pace.percent) % of the rate, which counts \(lane.pace.layer.name)")
    }
    return parts.isEmpty ? nil : parts.joined(separator: "; ")
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
      ("local_address", .optional(lane.localAddress, JSONValue.string)),
      ("interface", .optional(lane.interface, JSONValue.string)),
      ("source_ports", .array(lane.sourcePorts.map { .integer($0) })),
      ("to", .optional(lane.route.target) { .string($0.description) }),
      ("dscp", .optional(lane.taken) { .string($0.codePoint.description) }),
      ("congestion_control", .optional(lane.taken) { .string($0.congestionControl) }),
      ("segment_bytes", .optional(lane.taken) { .integer($0.segmentByteCount) }),
      ("path_mtu_bytes", .optional(lane.taken) { .integer($0.pathMTU) }),
      ("blocks", .integer(lane.blockCount)),
      ("bytes_sent", .integer(lane.sentByteCount)),
      ("conformance", .optional(lane.conformance) { ConformanceText($0).json }),
    ])
  }
}
