import DTXCore
import DTXEngine
import DTXLinux

/// An error as people read it: what failed on what; why; what to do next and what is already safe.
enum ErrorReport {
  /// One to three lines without the last one's end; nothing in them disturbs a terminal.
  static func text(_ error: TransferError) -> String {
    var lines = ["dtx: \(visible(error.summary))"]
    if let cause = error.cause { lines.append("  why:  \(visible(cause))") }
    if let remedy = error.remedy { lines.append("  next: \(visible(remedy))") }
    return lines.joined(separator: "\n")
  }

  /// The event of type `error`: dtx(1), "JSON".
  static func json(_ error: TransferError, status: ExitStatus) -> JSONValue {
    .object([
      ("type", .string("error")),
      ("kind", .string(name(error.kind))),
      ("summary", .string(error.summary)),
      ("cause", .optional(error.cause, JSONValue.string)),
      ("remedy", .optional(error.remedy, JSONValue.string)),
      ("exit_status", .integer(status.rawValue)),
    ])
  }

  /// What a person can do after a transfer that failed so, where the failure itself does not say.
  static func transferRemedy(_ kind: TransferError.Kind) -> String {
    switch kind {
    case .failed:
      "what is durable at the destination stays: run the same command again to go on"
    case .integrity:
      "run the same command again, then 'dtx verify': what is damaged is sent again"
    case .refused: "nothing was moved"
    case .unattainable: "nothing was moved: promise less, or see --port and --lane-host in dtx(1)"
    case .locked: "wait until the other run has ended; 'dtx status' shows what it does"
    case .usage: "see 'dtx help'"
    case .interrupted:
      "what is durable at the destination stays: run the same command again to resume"
    }
  }

  /// The error that a session's failure is, for the same three lines.
  static func error(_ failure: SessionFailure, _ report: TransferReport) -> TransferError {
    let summary =
      switch failure.kind {
      case .peerGone: "the far end is gone"
      case .noLane: "no lane to the far end is left"
      case .lane: "a lane is not what was asked for"
      case .peerFailed: "the far end failed"
      case .storage: "this end's storage failed"
      case .integrity: "what arrived is not what was sent"
      case .protocolViolation: "the far end does what the protocol forbids"
      case .locked: "another run holds the destination"
      }
    let kind: TransferError.Kind =
      switch failure.kind {
      case .peerGone, .noLane, .lane, .peerFailed, .storage, .protocolViolation: .failed
      case .integrity: .integrity
      case .locked: .locked
      }
    return TransferError(
      kind,
      summary,
      cause: failure.reason,
      remedy: remedy(kind, report)
    )
  }

  /// The error that stands for a run that a signal or a changed file ended.
  static func interruption(_ report: TransferReport) -> TransferError {
    if report.isStoppedByChange {
      return TransferError(
        .interrupted,
        "stopped",
        cause: "a source file changed while it was read, and --on-change is fail",
        remedy: remedy(.interrupted, report)
      )
    }
    let name =
      switch ExitStatus(signal: report.signal) {
      case .hungUp: "HUP"
      case .terminated: "TERM"
      default: "INT"
      }
    return TransferError(
      .interrupted,
      "interrupted",
      cause: "signal \(name)",
      remedy: remedy(.interrupted, report)
    )
  }

  private static func remedy(_ kind: TransferError.Kind, _ report: TransferReport) -> String {
    if report.keepsNothing { return "nothing was kept: run the same command again" }
    return durable(report) + transferRemedy(kind)
  }

  /// How much is safe, as the beginning of a sentence; empty when nothing was wanted.
  private static func durable(_ report: TransferReport) -> String {
    guard report.wantedByteCount > 0 else { return "" }
    let percent = Figure.percent(report.durableByteCount, of: report.wantedByteCount)
    return "\(Figure.bytes(report.durableByteCount)) (\(percent) %) became durable in this run; "
  }

  private static func name(_ kind: TransferError.Kind) -> String {
    switch kind {
    case .failed: "failed"
    case .integrity: "integrity"
    case .refused: "refused"
    case .unattainable: "unattainable"
    case .locked: "locked"
    case .usage: "usage"
    case .interrupted: "interrupted"
    }
  }

  private static func visible(_ text: String) -> String {
    printable(Array(text.utf8))
  }
}
