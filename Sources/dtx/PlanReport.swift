import DTXCore
import DTXEngine
import DTXLinux

/// What a plan of the whole says before a byte moves, for people and as the JSON event.
struct PlanReport {
  let prediction: Prediction
  /// As the user described them.
  let lanes: [LaneDescription]
  let path: PlanPath
  /// The buffers that this host's sockets may have.
  let sockets: SocketLimits
  /// What is left until the deadline; nil without one.
  var remainingNanoseconds: UInt64?
  var refusal: AdmissionRefusal?

  /// Rows of a label and what it says: lanes, end, disks, path, deadline.
  var rows: [(label: String, text: String)] {
    var rows = prediction.lanes.indices.map { ("lane \($0)", text(ofLane: $0)) }
    rows.append(("plan", "done \(ScenarioTime.text(prediction.finish)) after its start"))
    let speed = "\(Figure.bytes(bytesPerSecond))/s"
    rows.append(("disks", "\(speed) to be read at the source and written at the destination"))
    rows.append(("path", path.text(prediction.inputs)))
    rows += bufferRows
    if let standing { rows.append(("deadline", standing)) }
    return rows
  }

  /// Payload a second while lanes are busy: what both ends' disks must keep up with.
  var bytesPerSecond: UInt64 {
    prediction.inputs.queues.reduce(0) { sum, queue in
      let inputs = prediction.inputs
      let payload = queue.rate?
        .scaled(by: inputs.overheadDenominator, over: inputs.overheadNumerator)
      return sum + (payload?.bitsPerSecond ?? 0) / 8
    }
  }

  private func text(ofLane index: Int) -> String {
    let lane = prediction.lanes[index]
    let known = prediction.inputs.lanes[index]
    var text = known.name.isEmpty ? "" : "\(printable(Array(known.name.utf8))): "
    text += known.contract == .reserved ? "reserved" : "best-effort"
    // What the user wrote, where it is known; of it, a share may be used.
    let rate = index < lanes.count ? lanes[index].lane.rate : known.rate
    if let rate { text += " \(Figure.rate(rate.bitsPerSecond))" }
    text += ", \(Figure.count(known.connectionCount, "connection")): "
    text += "\(Figure.bytes(lane.byteCount)) in \(Figure.count(lane.blockCount, "block"))"
    guard lane.byteCount > 0 else { return text }
    return text + ", \(Figure.duration(lane.start)) to \(ScenarioTime.text(lane.finish))"
  }

  // MARK: - Socket buffers

  /// Whether every connection's window fits the buffers; nil while the round trip is not known.
  var hasRoom: Bool? {
    guard prediction.inputs.roundTripNanoseconds > 0 else { return nil }
    return bounds.allSatisfy { $0.byteCount >= window }
  }

  /// Bytes that the widest connection has on the way.
  var window: UInt64 {
    let inputs = prediction.inputs
    let rates = inputs.lanes.map { lane in
      (lane.rate?.bitsPerSecond ?? 0) / UInt64(lane.connectionCount)
    }
    return Rate(bitsPerSecond: rates.max() ?? 0).byteCount(in: inputs.roundTripNanoseconds)
  }

  /// Bytes that all lanes have on the way: the bandwidth-delay product.
  var bandwidthDelay: UInt64 {
    let inputs = prediction.inputs
    let sum = inputs.queues.reduce(0) { $0 + ($1.rate?.bitsPerSecond ?? 0) }
    return Rate(bitsPerSecond: sum).byteCount(in: inputs.roundTripNanoseconds)
  }

  /// What limits a connection's window on this host, by its part in the transfer.
  private var bounds: [(name: String, byteCount: UInt64)] {
    var bounds: [(String, UInt64)] = []
    if path.role != .receiver, let most = sockets.automaticSendByteCount {
      bounds.append(("net.ipv4.tcp_wmem", most))
    }
    // Of a receive buffer the kernel keeps half for itself (tcp_adv_win_scale, tcp(7)).
    if path.role != .sender, let most = sockets.automaticReceiveByteCount {
      bounds.append(("net.ipv4.tcp_rmem", most / 2))
    }
    return bounds
  }

  private var bufferRows: [(label: String, text: String)] {
    let inputs = prediction.inputs
    guard inputs.roundTripNanoseconds > 0 else { return [] }
    let need =
      "\(Figure.bytes(bandwidthDelay)) are on the way, "
      + "\(Figure.bytes(window)) a connection"
    let short = bounds.filter { $0.byteCount < window }
    guard !short.isEmpty else {
      return [("window", need + "; this host's socket buffers allow it")]
    }
    return [("window", need)]
      + short.map { bound in
        let most = Rate(
          bitsPerSecond: UInt64(
            clamping: UInt128(bound.byteCount) * 8 * UInt128(Duration.second)
              / UInt128(inputs.roundTripNanoseconds)
          )
        )
        return (
          "",
          "TOO MUCH for this host: \(bound.name) allows \(Figure.bytes(bound.byteCount)), "
            + "\(Figure.rate(most.bitsPerSecond)) a connection; raise it, or give lanes more "
            + "connections"
        )
      }
  }

  // MARK: - Deadline

  private var standing: String? {
    guard let remaining = remainingNanoseconds else { return nil }
    guard case .late(let late, let needed) = refusal else {
      let spare = remaining - min(remaining, prediction.finish)
      return "met, with \(Figure.duration(spare)) to spare"
    }
    let rate = needed.map { "; \($0.argument) in all would meet it" } ?? ""
    return "missed by \(Figure.duration(late))\(rate)"
  }
}

/// What is known of the path between the ends.
struct PlanPath: Equatable {
  enum Role {
    case sender, receiver
    /// Whatever this host may be one day.
    case either
  }

  var role: Role

  func text(_ inputs: PlanInputs) -> String {
    let share = Figure.tenths(inputs.overheadDenominator, of: inputs.overheadNumerator)
    let payload = "\(share) of the wire is payload"
    guard inputs.roundTripNanoseconds > 0 else { return "\(payload); its round trip is not known" }
    return "round trip \(Figure.milliseconds(inputs.roundTripNanoseconds)), \(payload)"
  }
}

extension PlanReport {
  /// The event of type `plan`: dtx(1), "JSON".
  func json(fileCount: Int, byteCount: UInt64) -> JSONValue {
    .object([
      ("type", .string("plan")),
      ("files", .integer(fileCount)),
      ("bytes", .integer(byteCount)),
      ("bytes_wanted", .integer(prediction.byteCount)),
      ("blocks_wanted", .integer(prediction.blockCount)),
      ("predicted_seconds", .seconds(prediction.finish)),
      ("lanes", .array(prediction.lanes.indices.map(json(ofLane:)))),
      ("disk_bytes_per_second", .integer(bytesPerSecond)),
      ("round_trip_seconds", .seconds(prediction.inputs.roundTripNanoseconds)),
      ("bandwidth_delay_bytes", .integer(bandwidthDelay)),
      ("window_bytes", .integer(window)),
      ("socket_send_bytes", .optional(sockets.automaticSendByteCount) { .integer($0) }),
      ("socket_receive_bytes", .optional(sockets.automaticReceiveByteCount) { .integer($0) }),
      ("window_fits", .optional(hasRoom, JSONValue.bool)),
      ("deadline_seconds", .optional(remainingNanoseconds, JSONValue.seconds)),
      ("admitted", .bool(refusal == nil)),
      ("needed_bits_per_second", .optional(neededRate) { .integer($0.bitsPerSecond) }),
    ])
  }

  private var neededRate: Rate? {
    guard case .late(_, let needed) = refusal else { return nil }
    return needed
  }

  private func json(ofLane index: Int) -> JSONValue {
    let lane = prediction.lanes[index]
    let known = prediction.inputs.lanes[index]
    let rate = index < lanes.count ? lanes[index].lane.rate : known.rate
    return .object([
      ("index", .integer(index)),
      ("name", .string(known.name)),
      ("contract", .string(known.contract == .reserved ? "reserved" : "best-effort")),
      ("rate_bits_per_second", .optional(rate) { .integer($0.bitsPerSecond) }),
      ("connections", .integer(known.connectionCount)),
      ("bytes", .integer(lane.byteCount)),
      ("bytes_wire", .integer(lane.wireByteCount)),
      ("blocks", .integer(lane.blockCount)),
      ("start_seconds", .seconds(lane.start)),
      ("finish_seconds", .seconds(lane.finish)),
    ])
  }
}
