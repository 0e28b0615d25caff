internal import DTXCore

extension SessionFailure {
  /// What ends a session at this end, as its own report and the peer's will say it.
  init(_ error: TransferError) {
    let kind: Kind =
      switch error.kind {
      case .integrity: .integrity
      case .locked: .locked
      case .failed, .refused, .unattainable, .usage, .interrupted: .storage
      }
    self.init(kind, [error.sentence, error.remedy].compactMap { $0 }.joined(separator: "; "))
  }
}
