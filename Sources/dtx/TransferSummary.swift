import DTXCore
import DTXEngine
import DTXLinux

/// What a transfer did, in the few lines that people read at its end and as the JSON event.
struct TransferSummary {
  let report: TransferReport
  /// Whether both places are on this machine.
  let isLocal: Bool
  /// Whether it is shown how files were reached, and what the kernel took of each lane's settings.
  let isVerbose: Bool
  /// The entries that failed: of very many, the report names the first alone.
  let failures: FailureTally
  /// What was planned, in a dry run over lanes with rates.
  var plan: PlanReport?

  init(
    report: TransferReport,
    isLocal: Bool,
    isVerbose: Bool = false,
    told: FailureTally = FailureTally()
  ) {
    self.report = report
    self.isLocal = isLocal
    self.isVerbose = isVerbose
    let reported = FailureTally(report.failedEntries)
    failures = told.count > reported.count ? told : reported
  }

  var status: ExitStatus {
    if report.isStoppedByChange { return .changed }
    return ExitStatus(report.outcome, failures, signal: report.signal)
  }

  /// Lines of a label and what it says.
  var lines: [String] {
    var lines = [row("dataset", dataset), row(report.isDryRun ? "to move" : "moved", moved)]
    if report.skippedByteCount > 0 { lines.append(row("skipped", skipped)) }
    if let plan {
      lines += plan.rows.map { row($0.label, $0.text) }
    } else {
      lines += laneRows
      lines.append(row("cipher", cipher))
    }
    if report.compressedByteCount > 0 { lines.append(row("compressed", compressed)) }
    if isVerbose, let storage { lines.append(row("storage", storage)) }
    if let predicted = report.predictedNanoseconds, plan == nil {
      let took = report.isDryRun ? "" : ", took \(Figure.duration(report.nanoseconds))"
      let again =
        report.generation > 0 ? ", made anew \(Figure.count(report.generation, "time"))" : ""
      lines.append(row("plan", "predicted \(Figure.duration(predicted))\(again)\(took)"))
    }
    if failures.count > 0 {
      let count = Figure.count(failures.count, "entry", "entries")
      lines.append(row("failed", "\(count), named above\(isDone ? "; the rest is done" : "")"))
    }
    if report.isDryRun { return lines }
    if case .completed = report.outcome { lines.append(row("verified", verified)) }
    if let roots = report.roots {
      lines.append(row("root", "sha256:\(roots.full.hex(32))"))
      lines.append(row("content", "sha256:\(roots.content.hex(32))"))
    }
    if let path = report.receiptPath {
      lines.append(row("receipt", "\(EventPrinter.shown(path)), \(signed)"))
    }
    if let limiting = report.limitation?.shares.first {
      lines.append(row("limited", "by \(limiting.cause.name), \(limiting.percent) % of the time"))
    }
    return lines
  }

  private var isDone: Bool { report.outcome == .completed && !report.isDryRun }

  private var dataset: String {
    let files = Figure.count(report.fileCount, "file")
    let entries = Figure.count(report.entryCount, "entry", "entries")
    let text = "\(files) in \(entries), \(Figure.bytes(report.byteCount))"
    return report.nullSource == nil ? text : text + ", made up by the sender"
  }

  private var moved: String {
    if report.isDryRun {
      let blocks = Figure.count(report.wantedBlockCount, "block")
      return "\(Figure.bytes(report.wantedByteCount)) in \(blocks); nothing was changed"
    }
    if report.wantedByteCount == 0 {
      return "nothing, for nothing was missing; \(Figure.duration(report.nanoseconds))"
    }
    let blocks = Figure.count(report.durableBlockCount, "block")
    var text = "\(Figure.bytes(report.durableByteCount)) in \(blocks), "
    text += "\(Figure.duration(report.nanoseconds)), \(Figure.rate(report.goodputBitsPerSecond))"
    if report.resentByteCount > 0 {
      text += "; \(Figure.bytes(report.resentByteCount)) of it sent again"
    }
    return text
  }

  private var skipped: String {
    var text = "\(Figure.bytes(report.skippedByteCount)) that the destination had"
    if report.resumedByteCount > 0 {
      text += ", \(Figure.bytes(report.resumedByteCount)) of it from a run that broke off"
    }
    if report.unreadByteCount > 0 {
      text += "; \(Figure.bytes(report.unreadByteCount)) by size and time alone"
    }
    return text
  }

  /// One row for lanes that nobody rated; else a row each.
  private var laneRows: [String] {
    var rows: [String] = []
    let rated = report.lanes.contains { $0.lane.rate != nil }
    if rated || isVerbose {
      for (index, lane) in report.lanes.enumerated() {
        rows.append(row("lane \(index)", describe(lane)))
        if let conformance = lane.conformance {
          rows.append(row("", ConformanceText(conformance).line))
        }
        if isVerbose, let taken = LaneFacts(lane).line { rows.append(row("", taken)) }
      }
    } else if !report.lanes.isEmpty {
      let connections = report.lanes.reduce(0) { $0 + $1.connectionCount }
      var text = "\(report.lanes.count) best-effort without a rate, "
      text += Figure.count(connections, "connection")
      rows.append(row("lanes", text))
    }
    if report.lostConnectionCount > 0 {
      let count = Figure.count(report.lostConnectionCount, "connection")
      rows.append(row("", "lost on the way: \(count)"))
    }
    return rows
  }

  private func describe(_ lane: LaneReport) -> String {
    var text = lane.lane.name.isEmpty ? "" : "\(printable(Array(lane.lane.name.utf8))): "
    text += lane.lane.contract == .reserved ? "reserved" : "best-effort"
    if let rate = lane.lane.rate { text += " \(Figure.rate(rate.bitsPerSecond)) on the wire" }
    if let paced = lane.pacedBitsPerSecond { text += ", paced at \(Figure.rate(paced))" }
    text += "; \(Figure.bytes(lane.sentByteCount)) in \(Figure.count(lane.blockCount, "block"))"
    return text + ", \(Figure.count(lane.connectionCount, "connection"))"
  }

  private var cipher: String {
    if report.usesShellLane { return "the remote shell's own" }
    switch report.cipher {
    case .aes256GCM: return Cipher.aes256GCM.name
    case .none:
      return "none: the path was trusted" + (isLocal ? ", which does not leave this host" : "")
    }
  }

  /// What the compressed records saved; the percentage is of all that was sent.
  private var compressed: String {
    let before = report.compressedByteCount
    let after = report.compressedWireByteCount
    let saved = UInt128(before - min(after, before)) * 100
    let percent = saved / UInt128(max(report.sentByteCount, before, 1))
    let level = report.compression.blockLevel.map { " (zstd \($0))" } ?? ""
    return "\(Figure.bytes(before)) to \(Figure.bytes(after))\(level), "
      + "\(percent) % less on the wire"
  }

  /// How each end reached its files; nil where none did.
  private var storage: String? {
    let ends = [("sender", report.sender.storage), ("receiver", report.receiver.storage)]
    let told = ends.compactMap { name, use in
      use.map { "\(name) \($0.access.name), \($0.mechanism.name)" }
    }
    return told.isEmpty ? nil : told.joined(separator: "; ")
  }

  private var verified: String {
    if report.keepsNothing { return "digests checked as bytes arrived; nothing was kept" }
    switch report.verification {
    case .memory: return "memory: digests checked as bytes arrived, bytes synced to storage"
    case .durable:
      return "durable: as memory, and the published tree's lengths and metadata checked"
    case .media: return "media: as durable, and read back past the page cache"
    }
  }

  private var signed: String {
    switch (report.receipt?.statementSignature != nil, report.receipt?.endorsementSignature != nil)
    {
    case (true, true): "signed by both ends"
    case (true, false): "signed by the sender alone"
    case (false, true): "signed by the receiver alone"
    case (false, false): "signed by nobody"
    }
  }

  private func row(_ label: String, _ text: String) -> String {
    TransferSummary.row(label, text)
  }

  /// A label, and what it says in a column of its own.
  static func row(_ label: String, _ text: String) -> String {
    label + String(repeating: " ", count: max(1, 10 - label.count)) + text
  }
}

extension TransferSummary {
  /// The event of type `summary`: dtx(1), "JSON".
  var json: JSONValue {
    let outcome =
      switch report.outcome {
      case .completed: "completed"
      case .interrupted: "interrupted"
      case .failed: "failed"
      }
    return .object([
      ("type", .string("summary")),
      ("direction", .string(report.direction == .push ? "push" : "pull")),
      ("dry_run", .bool(report.isDryRun)),
      ("outcome", .string(outcome)),
      ("exit_status", .integer(status.rawValue)),
      ("entries", .integer(report.entryCount)),
      ("files", .integer(report.fileCount)),
      ("entries_failed", .integer(failures.count)),
      ("bytes", .integer(report.byteCount)),
      ("blocks", .integer(report.durableBlockCount)),
      ("blocks_wanted", .integer(report.wantedBlockCount)),
      ("bytes_wanted", .integer(report.wantedByteCount)),
      ("bytes_durable", .integer(report.durableByteCount)),
      ("bytes_sent", .integer(report.sentByteCount)),
      ("bytes_resent", .integer(report.resentByteCount)),
      ("bytes_compressed", .integer(report.compressedByteCount)),
      ("bytes_compressed_wire", .integer(report.compressedWireByteCount)),
      ("bytes_skipped", .integer(report.skippedByteCount)),
      ("bytes_resumed", .integer(report.resumedByteCount)),
      ("bytes_unread", .integer(report.unreadByteCount)),
      ("seconds", .seconds(report.nanoseconds)),
      ("goodput_bits_per_second", .integer(report.goodputBitsPerSecond)),
      ("predicted_seconds", .optional(report.predictedNanoseconds, JSONValue.seconds)),
      (
        "plan_digest",
        .optional(report.planDigest) { digest in
          let algorithm = DigestAlgorithm.xxh3
          return .string("\(algorithm.name):\(digest.hex(algorithm.byteCount))")
        }
      ),
      ("plan_generation", .integer(report.generation)),
      ("blocks_off_plan", .integer(report.offPlanBlockCount)),
      (
        "lanes",
        .array(report.lanes.enumerated().map { LaneFacts($0.element).json(index: $0.offset) })
      ),
      ("connections_lost", .integer(report.lostConnectionCount)),
      ("through_shell", .bool(report.usesShellLane)),
      ("cipher", .string(report.cipher.name)),
      ("compress", .string(report.compression.name)),
      ("source_null", .bool(report.nullSource != nil)),
      ("sink_null", .bool(report.keepsNothing)),
      ("verification", .string(report.keepsNothing ? "none" : report.verification.name)),
      ("root", .optional(report.roots) { .string("sha256:\($0.full.hex(32))") }),
      ("content_root", .optional(report.roots) { .string("sha256:\($0.content.hex(32))") }),
      report.receiptPath.map { JSONValue.name("receipt", $0) } ?? ("receipt", .null),
      ("sender_signed", .bool(report.receipt?.statementSignature != nil)),
      ("receiver_signed", .bool(report.receipt?.endorsementSignature != nil)),
      ("notices", .array(report.notices.map(JSONValue.string))),
      ("peak_memory_bytes", .integer(report.peakMemoryByteCount)),
      ("limited_by", .array((report.limitation?.shares ?? []).map(TransferSummary.json))),
      ("sender", .object(TransferSummary.sender(report.sender))),
      ("receiver", .object(TransferSummary.receiver(report.receiver))),
    ])
  }
}
