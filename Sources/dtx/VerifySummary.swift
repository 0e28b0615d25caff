import DTXCore
import DTXEngine
import DTXLinux

/// What a verification found, as people and machines read it.
struct VerifySummary {
  let report: VerifyReport

  var status: ExitStatus { ExitStatus(report) }

  /// A line for each entry that is not what the manifest says.
  ///
  /// What changes no status is named only when that is asked for: of a tree that was restored
  /// without its owners it may be every entry.
  func findings(isVerbose: Bool) -> [String] {
    var lines = report.differing.map { row("differs", "\(shown($0.path)): \(describe($0))") }
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

  private var verdict: String {
    var parts: [String] = []
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
    if parts.isEmpty { parts.append("nothing differs") }
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
    let blocks = difference.blocks.map { block in
      "block \(block.index) at \(block.offset) (\(block.byteCount) bytes)"
    }
    return what + ": " + blocks.joined(separator: ", ")
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
        ("bytes_unread", .integer(report.unreadByteCount)),
        ("differing", .integer(report.differing.count)),
        ("missing", .integer(report.missing.count)),
        ("metadata", .integer(report.changedMetadata.count)),
        ("extra", .integer(report.extra.count)),
        ("entries_failed", .integer(report.failedEntries.count)),
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
