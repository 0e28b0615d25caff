import DTXCore
import DTXEngine
import DTXLinux

/// What a verification found, as people and machines read it.
struct VerifySummary {
  let report: VerifyReport
  /// Why a repair could not begin.
  var refusal: TransferError?

  /// That a repair did not do what it was asked for outweighs what is still wrong.
  var status: ExitStatus { repairError.map { ExitStatus($0) } ?? ExitStatus(report) }

  /// Why a repair could not begin, or broke off; nil when there was none, or it came to its end.
  var repairError: TransferError? {
    if let refusal { return refusal }
    guard let transfer = report.repair?.transfer else { return nil }
    let remedy = "what was repaired is durable: run the same command again"
    switch transfer.outcome {
    case .completed: return nil
    case .interrupted:
      var error = TransferError(.interrupted, "the repair was interrupted", remedy: remedy)
      error.signal = transfer.signal
      return error
    case .failed(let failure):
      let kind: TransferError.Kind = failure.kind == .integrity ? .integrity : .failed
      return TransferError(kind, "the repair broke off", cause: failure.reason, remedy: remedy)
    }
  }

  /// A line for each entry that is not what the manifest says.
  ///
  /// What changes no status is named only when that is asked for: of a tree that was restored
  /// without its owners it may be every entry.
  func findings(isVerbose: Bool) -> [String] {
    var lines = (report.repair?.repaired ?? []).map { difference in
      row("repaired", "\(shown(difference.path)): \(blocks(difference))")
    }
    lines += report.differing.map { row("differs", "\(shown($0.path)): \(describe($0))") }
    lines += report.missing.map { row("missing", shown($0)) }
    if isVerbose {
      lines += report.changedMetadata.map { difference in
        row("metadata", "\(shown(difference.path)): \(describe(difference))")
      }
      lines += report.extra.map { row("extra", shown($0)) }
    }
    return lines
  }

  /// What was checked, and the verdict last.
  var lines: [String] {
    var lines: [String] = []
    let files = Figure.count(report.checkedFileCount, "file")
    let bytes = Figure.bytes(report.checkedByteCount)
    lines.append(row("checked", "\(files), \(bytes) in \(Figure.duration(report.nanoseconds))"))
    if let origin { lines.append(row("read", origin)) }
    if let repair = report.repair, repair.movedBlockCount > 0 {
      let blocks = Figure.count(repair.movedBlockCount, "block")
      lines.append(row("fetched", "\(blocks), \(Figure.bytes(repair.movedByteCount))"))
    }
    if report.unreadByteCount > 0 {
      let unread = Figure.bytes(report.unreadByteCount)
      lines.append(row("unknown", "\(unread) whose digest the manifest does not have"))
    }
    if let summary = report.summary {
      lines.append(row("root", "sha256:\(summary.roots.full.hex(32))"))
      lines.append(row("content", "sha256:\(summary.roots.content.hex(32))"))
    }
    lines.append(row("verdict", verdict))
    return lines
  }

  /// Where the bytes came from; nil where none was read.
  private var origin: String? {
    if report.checkedByteCount == 0 { return nil }
    let rest = report.checkedByteCount - report.deviceByteCount
    if rest == 0 { return "past the page cache" }
    let through = "through the page cache, which may hide what is on the device"
    return report.deviceByteCount == 0 ? through : "\(Figure.bytes(rest)) of it \(through)"
  }

  private var verdict: String {
    var parts: [String] = []
    if let count = report.repair?.repaired.count, count > 0 {
      parts.append("\(Figure.count(count, "file")) \(count == 1 ? "was" : "were") repaired")
    }
    if !report.differing.isEmpty {
      let count = Figure.count(report.differing.count, "entry", "entries")
      parts.append("\(count) \(report.differing.count == 1 ? "differs" : "differ")")
    }
    if !report.missing.isEmpty {
      let count = Figure.count(report.missing.count, "entry", "entries")
      parts.append("\(count) \(report.missing.count == 1 ? "is" : "are") missing")
    }
    if !report.failedEntries.isEmpty {
      let count = Figure.count(report.failedEntries.count, "entry", "entries")
      parts.append("\(count) could not be read")
    }
    let isSame = report.differing.isEmpty && report.missing.isEmpty && report.failedEntries.isEmpty
    if isSame { parts.append(parts.isEmpty ? "nothing differs" : "nothing differs any more") }
    if !report.changedMetadata.isEmpty {
      let count = Figure.count(report.changedMetadata.count, "entry", "entries")
      parts.append("the metadata of \(count) differs")
    }
    if !report.extra.isEmpty {
      let count = Figure.count(report.extra.count, "entry", "entries")
      parts.append("\(count) \(report.extra.count == 1 ? "is" : "are") not in the manifest")
    }
    return parts.joined(separator: ", ")
  }

  /// Blocks are numbered within the file, from 0.
  private func describe(_ difference: VerifyDifference) -> String {
    let what = printable(Array(difference.what.utf8))
    if difference.blocks.isEmpty { return what }
    return "\(what): \(blocks(difference))"
  }

  private func blocks(_ difference: VerifyDifference) -> String {
    difference.blocks.map { "block \($0.index) at \($0.offset) (\($0.byteCount) bytes)" }
      .joined(separator: ", ")
  }

  private func shown(_ path: [UInt8]) -> String { EventPrinter.shown(path) }

  private func row(_ label: String, _ text: String) -> String {
    label + String(repeating: " ", count: 10 - label.count) + text
  }
}

extension VerifySummary {
  /// An event for each finding, and the summary last: dtx(1), "JSON".
  var json: [JSONValue] {
    var events = report.differing.map { difference in
      JSONValue.object([
        ("type", .string("differs")), JSONValue.path(difference.path),
        ("what", .string(difference.what)),
        ("blocks", .array(difference.blocks.map(VerifySummary.json))),
      ])
    }
    events += (report.repair?.repaired ?? []).map { difference in
      .object([
        ("type", .string("repaired")), JSONValue.path(difference.path),
        ("blocks", .array(difference.blocks.map(VerifySummary.json))),
      ])
    }
    events += report.changedMetadata.map { difference in
      .object([
        ("type", .string("metadata")), JSONValue.path(difference.path),
        ("what", .string(difference.what)),
      ])
    }
    events += report.missing.map { .object([("type", .string("missing")), JSONValue.path($0)]) }
    events += report.extra.map { .object([("type", .string("extra")), JSONValue.path($0)]) }
    events.append(
      .object([
        ("type", .string("summary")),
        ("exit_status", .integer(status.rawValue)),
        ("files", .integer(report.checkedFileCount)),
        ("bytes", .integer(report.checkedByteCount)),
        ("bytes_device", .integer(report.deviceByteCount)),
        ("bytes_unread", .integer(report.unreadByteCount)),
        ("differing", .integer(report.differing.count)),
        ("missing", .integer(report.missing.count)),
        ("metadata", .integer(report.changedMetadata.count)),
        ("extra", .integer(report.extra.count)),
        ("entries_failed", .integer(report.failedEntries.count)),
        ("repaired", .integer(report.repair?.repaired.count ?? 0)),
        ("blocks_moved", .integer(report.repair?.movedBlockCount ?? 0)),
        ("bytes_moved", .integer(report.repair?.movedByteCount ?? 0)),
        ("seconds", .seconds(report.nanoseconds)),
        ("root", .optional(report.summary) { .string("sha256:\($0.roots.full.hex(32))") }),
        (
          "content_root",
          .optional(report.summary) { .string("sha256:\($0.roots.content.hex(32))") }
        ),
      ])
    )
    return events
  }

  private static func json(_ block: VerifyDifference.Block) -> JSONValue {
    .object([
      ("index", .integer(block.index)), ("offset", .integer(block.offset)),
      ("bytes", .integer(block.byteCount)),
    ])
  }
}
