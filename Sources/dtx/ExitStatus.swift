import DTXCore
import DTXEngine

/// How a command ends for whoever called it: dtx(1), "EXIT STATUS".
enum ExitStatus: Int32, CaseIterable {
  /// Done, at the requested verification level.
  case success = 0
  case failed = 1
  /// Some entries could not be read or written; each is named on the standard error stream.
  case partial = 2
  /// What was read back, or what arrived, differs.
  case integrity = 3
  /// A source file changed while it was read.
  case changed = 4
  /// The peer refused: authentication, version, permission.
  case refused = 5
  /// What was promised cannot be met; nothing was moved.
  case unattainable = 6
  /// Another run holds the destination.
  case locked = 7
  case usage = 64
  /// 128 and the signal's number, as shells have it.
  case hungUp = 129
  case interrupted = 130
  case terminated = 143
}

extension ExitStatus {
  /// The status of a command that could not do what it was asked.
  init(_ kind: TransferError.Kind) {
    self =
      switch kind {
      case .failed: .failed
      case .integrity: .integrity
      case .refused: .refused
      case .unattainable: .unattainable
      case .locked: .locked
      case .usage: .usage
      case .interrupted: .interrupted
      }
  }

  /// The same, with the signal that ended it.
  init(_ error: TransferError) {
    self = error.kind == .interrupted ? ExitStatus(signal: error.signal) : ExitStatus(error.kind)
  }

  /// The status of a session that broke off.
  init(_ kind: SessionFailure.Kind) {
    self =
      switch kind {
      case .peerGone, .noLane, .lane, .peerFailed, .storage, .protocolViolation: .failed
      case .integrity: .integrity
      case .locked: .locked
      }
  }

  /// The status of a transfer that a signal ended.
  init(signal: Int32?) {
    self = signal.flatMap { ExitStatus(rawValue: 128 + $0) } ?? .interrupted
  }

  /// The status of a transfer that came to an end, in which these entries failed.
  init(_ outcome: SessionOutcome, _ failures: FailureTally, signal: Int32?) {
    switch outcome {
    case .completed: self = failures.status
    case .interrupted: self.init(signal: signal)
    case .failed(let failure): self.init(failure.kind)
    }
  }

  /// The status of a verification: what differs or is missing outweighs what could not be read.
  init(_ report: VerifyReport) {
    let isDifferent = !report.differing.isEmpty || !report.missing.isEmpty
    self = isDifferent ? .integrity : FailureTally(report.failedEntries).status
  }
}
