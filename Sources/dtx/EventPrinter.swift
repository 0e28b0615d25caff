import DTXCore
import DTXEngine
import DTXLinux

/// Prints what a running command tells, for people or as JSON lines.
///
/// Any thread may call it.
final class EventPrinter: Sendable {
  private struct State {
    var line = ProgressLine()
    /// When the latest progress event was printed, by the transfer's own clock.
    var reported: UInt64?
    /// As many as a report keeps, which are the first ones.
    var notices: [String] = []
    var failures = FailureTally()
  }

  /// A progress event is printed at most so often.
  private static let intervalNanoseconds: UInt64 = 1_000_000_000

  private let console: Console
  private let isJSON: Bool
  private let isQuiet: Bool
  private let state = Guarded(State())

  init(_ console: Console, isJSON: Bool, isQuiet: Bool) {
    self.console = console
    self.isJSON = isJSON
    self.isQuiet = isQuiet
  }

  func print(_ event: TransferEvent) {
    switch event {
    case .progress(let progress): show(progress)
    case .failed(let entry): show(entry)
    case .entry(let path, let kind): show(path, kind)
    case .notice(let text): show(notice: text)
    }
  }

  /// The entries that failed so far.
  var failures: FailureTally { state.withLock { $0.failures } }

  /// Prints those of a report's notices that did not come as events.
  func printMissing(_ notices: [String]) {
    for notice in notices where !state.withLock({ $0.notices.contains(notice) }) {
      show(notice: notice)
    }
  }

  private func show(_ progress: TransferProgress) {
    if isQuiet { return }
    if !isJSON {
      console.draw(state.withLock { $0.line.line(progress) })
      return
    }
    let isDue = state.withLock { state in
      if let reported = state.reported,
        progress.nanoseconds < reported + EventPrinter.intervalNanoseconds
      {
        return false
      }
      state.reported = progress.nanoseconds
      return true
    }
    if isDue { console.report(EventPrinter.json(progress).line) }
  }

  private func show(_ entry: FailedPath) {
    state.withLock { $0.failures.add(entry.failure) }
    if isJSON {
      console.report(EventPrinter.json(entry).line)
    } else {
      let reason = printable(Array(entry.reason.utf8))
      console.message("dtx: \(EventPrinter.shown(entry.path)): \(reason)")
    }
  }

  private func show(_ path: [UInt8], _ kind: EntryKind) {
    if isJSON {
      console.report(EventPrinter.json(entry: path, kind).line)
    } else {
      // As rsync's list has it.
      console.report(EventPrinter.shown(path) + (kind == .directory ? "/" : ""))
    }
  }

  private func show(notice text: String) {
    state.withLock { state in
      if state.notices.count < Limits.keptNoticeCount { state.notices.append(text) }
    }
    if isJSON {
      console.report(EventPrinter.json(notice: text).line)
    } else if !isQuiet {
      console.message("dtx: \(printable(Array(text.utf8)))")
    }
  }

  /// An entry's path as people see it; the dataset's root is `.`.
  static func shown(_ path: [UInt8]) -> String {
    path.isEmpty ? "." : printable(path)
  }
}

/// The events: dtx(1), "JSON".
extension EventPrinter {
  static func json(_ entry: FailedPath) -> JSONValue {
    .object([
      ("type", .string("entry_failed")), JSONValue.path(entry.path),
      ("failure", .string(name(entry.failure))), ("reason", .string(entry.reason)),
    ])
  }

  static func json(entry path: [UInt8], _ kind: EntryKind) -> JSONValue {
    .object([("type", .string("entry")), JSONValue.path(path), ("kind", .string(kind.name))])
  }

  static func json(notice text: String) -> JSONValue {
    .object([("type", .string("notice")), ("text", .string(text))])
  }

  static func json(_ progress: TransferProgress) -> JSONValue {
    /// When it ends, from the beginning on as all times here.
    func forecast(_ left: (Forecast.Remainder) -> UInt64) -> JSONValue {
      .optional(progress.remainder) { remainder in
        let (end, overflow) = progress.nanoseconds.addingReportingOverflow(left(remainder))
        return .seconds(overflow ? .max : end)
      }
    }
    return .object([
      ("type", .string("progress")),
      ("phase", .string(progress.phase)),
      ("seconds", .seconds(progress.nanoseconds)),
      ("entries", .integer(progress.entryCount)),
      ("bytes", .integer(progress.byteCount)),
      ("scan_complete", .bool(progress.isScanComplete)),
      ("bytes_wanted", .integer(progress.wantedByteCount)),
      ("bytes_moved", .integer(progress.movedByteCount)),
      ("bytes_durable", .integer(progress.durableByteCount)),
      ("connections", .integer(progress.openConnectionCount)),
      ("predicted_seconds", .optional(progress.predictedNanoseconds, JSONValue.seconds)),
      ("forecast_seconds", forecast { $0.nanoseconds }),
      ("forecast_earliest_seconds", forecast { $0.bounds.lowerBound }),
      ("forecast_latest_seconds", forecast { $0.bounds.upperBound }),
    ])
  }

  private static func name(_ failure: EntryFailure) -> String {
    switch failure {
    case .unreadable: "unreadable"
    case .changed: "changed"
    case .unwritable: "unwritable"
    case .conflict: "conflict"
    }
  }
}
