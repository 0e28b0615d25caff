package import DTXLinux

/// Why a command could not do what it was asked: what failed, why, and what to do next.
package struct TransferError: Error, Equatable, Sendable {
  /// Decides the exit status: DESIGN's table, dtx(1) "EXIT STATUS".
  package enum Kind: Equatable, Sendable {
    case failed
    case integrity
    case refused
    case unattainable
    case locked
    case usage
    case interrupted
  }

  package var kind: Kind
  /// What failed, on which path, lane or host.
  package var summary: String
  /// Why, with the errno's name where there is one.
  package var cause: String?
  /// What to do next, and what is already safe.
  package var remedy: String?
  /// The signal that asked for the end, when the kind is `interrupted`.
  package var signal: Int32?

  package init(_ kind: Kind, _ summary: String, cause: String? = nil, remedy: String? = nil) {
    self.kind = kind
    self.summary = summary
    self.cause = cause
    self.remedy = remedy
  }

  /// A failed system call, in a command that cannot go on without it.
  package init(_ summary: String, _ error: SystemError, remedy: String? = nil) {
    self.init(
      .failed,
      summary,
      cause: "\(error.operation): \(error.explanation) (\(error.name))",
      remedy: remedy
    )
  }
}

extension TransferError: CustomStringConvertible {
  package var description: String {
    [summary, cause, remedy].compactMap { $0 }.joined(separator: "\n  ")
  }
}

extension TransferError {
  /// Summary and cause, for a line that says something else as well.
  var sentence: String {
    [summary, cause].compactMap { $0 }.joined(separator: ": ")
  }

  /// Summary, cause and remedy, a line each, as they travel to the other end.
  var lines: String {
    [summary, cause ?? "", remedy ?? ""].map { $0.replacing("\n", with: " ") }
      .joined(separator: "\n")
  }
}
