import DTXCore
import DTXEngine
import DTXLinux

/// A receipt as lines for people and as JSON: dtx(1), "JSON".
struct ReceiptText {
  private let receipt: Receipt
  private var statement: ReceiptStatement { receipt.statement }

  init(_ receipt: Receipt) {
    self.receipt = receipt
  }

  var lines: [String] {
    var lines = [
      row("began", WallTime.text(statement.started)),
      row("sender", describe(statement.sender)),
      row("receiver", receipt.endorsement.map { describe($0.receiver) } ?? "did not endorse it"),
      row("dataset", dataset),
      row("moved", moved),
    ]
    if statement.skippedByteCount > 0 { lines.append(row("skipped", skipped)) }
    if statement.missingCount > 0 { lines += missing }
    for (index, lane) in statement.lanes.enumerated() {
      lines.append(row("lane \(index)", describe(lane)))
      if let figures = lane.figures { lines.append(row("", ConformanceText(figures).line)) }
    }
    lines.append(row("plan", plan))
    lines.append(row("cipher", statement.usesShellLane ? "the shell's" : statement.cipher.name))
    lines.append(row("verified", statement.verification.name))
    lines.append(row("root", "sha256:\(statement.roots.full.hex(32))"))
    lines.append(row("content", "sha256:\(statement.roots.content.hex(32))"))
    lines.append(row("signed", signed))
    return lines
  }

  private var dataset: String {
    let files = Figure.count(statement.fileCount, "file")
    let entries = Figure.count(statement.entryCount, "entry", "entries")
    return "\(files) in \(entries), \(Figure.bytes(statement.byteCount))"
  }

  private var moved: String {
    let blocks = Figure.count(statement.movedBlockCount, "block")
    var text = "\(Figure.bytes(statement.movedByteCount)) in \(blocks), "
    text += Figure.duration(statement.nanoseconds)
    if statement.resentByteCount > 0 {
      text += "; \(Figure.bytes(statement.resentByteCount)) of it sent again"
    }
    return text
  }

  private var skipped: String {
    var text = "\(Figure.bytes(statement.skippedByteCount)) that the destination had"
    if statement.unreadByteCount > 0 {
      text += "; \(Figure.bytes(statement.unreadByteCount)) by size and time alone"
    }
    return text
  }

  private var missing: [String] {
    var lines = [row("missing", Figure.count(statement.missingCount, "entry", "entries"))]
    for entry in statement.missing {
      let reason = printable(Array(entry.reason.utf8))
      lines.append(row("", "\(EventPrinter.shown(entry.path)): \(reason)"))
    }
    let unnamed =
      statement.missingCount - min(statement.missingCount, UInt64(statement.missing.count))
    if unnamed > 0 { lines.append(row("", "and \(Figure.grouped(unnamed)) more")) }
    return lines
  }

  private var plan: String {
    let digest = statement.planDigest.hex(DigestAlgorithm.xxh3.byteCount)
    var text = "\(DigestAlgorithm.xxh3.name):\(digest)"
    if statement.generation > 0 {
      text += ", made anew \(Figure.count(statement.generation, "time"))"
    }
    if let predicted = statement.predictedNanoseconds {
      text += "; predicted \(Figure.duration(predicted))"
      text += ", took \(Figure.duration(statement.nanoseconds))"
    }
    return text
  }

  private var signed: String {
    switch (receipt.statementSignature != nil, receipt.endorsementSignature != nil) {
    case (true, true): "by both ends; dtx receipt verify checks it"
    case (true, false): "by the sender alone"
    case (false, true): "by the receiver alone"
    case (false, false): "by nobody"
    }
  }

  private func describe(_ party: ReceiptParty) -> String {
    let paths = party.paths.map(EventPrinter.shown).joined(separator: ", ")
    let host = printable(Array(party.host.utf8))
    return "\(host): \(paths) (\(printable(Array(party.implementation.utf8))))"
  }

  private func describe(_ lane: LaneStatement) -> String {
    var text = lane.lane.name.isEmpty ? "" : "\(printable(Array(lane.lane.name.utf8))): "
    text += lane.lane.contract == .reserved ? "reserved" : "best-effort"
    if let rate = lane.lane.rate { text += " \(Figure.rate(rate.bitsPerSecond)) on the wire" }
    text += "; \(Figure.bytes(lane.byteCount)) in \(Figure.count(lane.blockCount, "block"))"
    return text
  }

  private func row(_ label: String, _ text: String) -> String {
    TransferSummary.row(label, text)
  }
}

extension ReceiptText {
  /// The whole receipt but for its signatures' bytes.
  var json: JSONValue {
    .object([
      ("type", .string("receipt")),
      ("started", .string(WallTime.text(statement.started))),
      ("seconds", .seconds(statement.nanoseconds)),
      ("predicted_seconds", .optional(statement.predictedNanoseconds, JSONValue.seconds)),
      ("sender", ReceiptText.json(statement.sender)),
      ("receiver", .optional(receipt.endorsement) { ReceiptText.json($0.receiver) }),
      ("sender_signed", .bool(receipt.statementSignature != nil)),
      ("receiver_signed", .bool(receipt.endorsementSignature != nil)),
      ("root", .string("sha256:\(statement.roots.full.hex(32))")),
      ("content_root", .string("sha256:\(statement.roots.content.hex(32))")),
      ("block_bytes", .integer(statement.blockByteCount)),
      ("entries", .integer(statement.entryCount)),
      ("files", .integer(statement.fileCount)),
      ("bytes", .integer(statement.byteCount)),
      ("bytes_moved", .integer(statement.movedByteCount)),
      ("blocks_moved", .integer(statement.movedBlockCount)),
      ("bytes_resent", .integer(statement.resentByteCount)),
      ("bytes_skipped", .integer(statement.skippedByteCount)),
      ("bytes_unread", .integer(statement.unreadByteCount)),
      ("entries_missing", .integer(statement.missingCount)),
      ("missing", .array(statement.missing.map(ReceiptText.json))),
      ("verification", .string(statement.verification.name)),
      ("cipher", .string(statement.cipher.name)),
      ("through_shell", .bool(statement.usesShellLane)),
      ("compress", .string(statement.compression.name)),
      (
        "plan_digest",
        .string("\(DigestAlgorithm.xxh3.name):\(statement.planDigest.hex(16))")
      ),
      ("plan_generation", .integer(statement.generation)),
      (
        "blocks_off_plan",
        .optional(receipt.endorsement) { .integer($0.offPlanBlockCount) }
      ),
      (
        "lanes",
        .array(
          statement.lanes.enumerated().map { ReceiptText.json($0.element, index: $0.offset) }
        )
      ),
      ("progress", .array(statement.progress.map(ReceiptText.json))),
    ])
  }

  private static func json(_ party: ReceiptParty) -> JSONValue {
    .object([
      ("implementation", .string(party.implementation)),
      ("host", .string(party.host)),
      ("paths", .array(party.paths.map { .object([JSONValue.path($0)]) })),
      ("key", .optional(party.key) { .string(PublicKeyText($0).hexadecimal) }),
    ])
  }

  private static func json(_ entry: MissingEntry) -> JSONValue {
    .object([
      JSONValue.path(entry.path), ("reason", .string(entry.reason)),
    ])
  }

  private static func json(_ lane: LaneStatement, index: Int) -> JSONValue {
    .object([
      ("index", .integer(index)),
      ("name", .string(lane.lane.name)),
      ("contract", .string(lane.lane.contract == .reserved ? "reserved" : "best-effort")),
      ("rate_bits_per_second", .optional(lane.lane.rate) { .integer($0.bitsPerSecond) }),
      ("layer", .string(lane.layer.name)),
      ("local_address", .string(lane.address)),
      ("source_ports", .array(lane.ports.map { .integer($0) })),
      ("dscp", .optional(lane.taken) { .string($0.codePoint.description) }),
      ("congestion_control", .optional(lane.taken) { .string($0.congestionControl) }),
      ("segment_bytes", .optional(lane.taken) { .integer($0.segmentByteCount) }),
      ("path_mtu_bytes", .optional(lane.taken) { .integer($0.pathMTU) }),
      ("bytes_sent", .integer(lane.byteCount)),
      ("blocks", .integer(lane.blockCount)),
      ("predicted_bytes", .optional(lane.prediction) { .integer($0.byteCount) }),
      ("predicted_seconds", .optional(lane.prediction) { .seconds($0.finish) }),
      ("conformance", .optional(lane.figures) { ConformanceText($0).json }),
      ("intervals", .array(lane.intervals.map(json))),
    ])
  }

  private static func json(_ interval: LaneInterval) -> JSONValue {
    .object([
      ("seconds", .seconds(interval.nanoseconds)),
      ("bytes_reserved", .integer(interval.reservedByteCount)),
      ("bytes_delivered", .integer(interval.deliveredByteCount)),
      ("bytes_retransmitted", .integer(interval.retransmittedByteCount)),
      ("round_trip_microseconds", .integer(interval.roundTripMicroseconds)),
      ("idle_seconds", ConformanceText.json(interval.idle)),
    ])
  }

  private static func json(_ interval: ProgressInterval) -> JSONValue {
    .object([
      ("seconds", .seconds(interval.nanoseconds)),
      ("bytes_durable", .integer(interval.durableByteCount)),
    ])
  }
}
