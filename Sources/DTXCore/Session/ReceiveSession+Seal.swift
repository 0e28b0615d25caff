// The end of a session at the receiver.
extension ReceiveSession {
  mutating func finalized(_ roots: Roots) {
    guard phase == .finalizing else { return }
    emit(.send(.sealed(roots)))
    phase = .comparingRoots(roots)
    if let theirs = earlyRoots { compareRoots(theirs: theirs) }
  }

  mutating func compareRoots(theirs: Roots) {
    switch phase {
    case .finalizing:
      earlyRoots = theirs
    case .comparingRoots(let mine):
      guard mine == theirs else {
        return fail(SessionFailure(.integrity, "the ends sealed different manifests"))
      }
      phase = .storing
      emit(.storeManifest)
    case .moving, .storing, .done, .stopping, .finished:
      violation("roots before the end of the data")
    }
  }

  mutating func stored(_ totals: EndTotals) {
    guard phase == .storing else { return }
    emit(.send(.finished(totals)))
    phase = .done
  }

  /// The sender has stored its manifest too, and says what was moved and how.
  mutating func offered(_ offer: [UInt8]) {
    guard phase == .done, !isReceiptOffered else { return violation("a receipt out of turn") }
    isReceiptOffered = true
    emit(.endorse(offer))
  }

  mutating func endorsed(_ answer: ReceiptAnswer) {
    guard phase == .done else { return }
    switch answer {
    case .endorsed(let bytes): emit(.send(.endorsed(bytes)))
    case .declined(let reason): emit(.send(.declined(reason)))
    case .missing: preconditionFailure("this end is here")
    }
  }

  /// The sender has its receipt too, or ends a dry run.
  mutating func senderFinished(_ totals: EndTotals) {
    let isDryRunOver = configuration.isDryRun && isInventoryComplete && segments.isEmpty
    guard phase == .done || isDryRunOver else {
      return violation("its end before that of the transfer")
    }
    senderTotals = totals
    finish(.completed)
  }

  mutating func stopped(_ reason: StopReason, _ text: String, at now: Instant) {
    let outcome: SessionOutcome =
      switch reason {
      case .interrupted: .interrupted
      case .locked: .failed(SessionFailure(.locked, text))
      case .disagreement: .failed(SessionFailure(.integrity, text))
      case .failed, .protocolViolation, .unattainable: .failed(SessionFailure(.peerFailed, text))
      }
    stop(as: outcome, at: now)
  }
}
