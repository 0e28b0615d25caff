// The end of a session: roots, the manifest, and other ways to end.
extension SendSession {
  mutating func sealed(_ roots: Roots) {
    guard phase == .sealing else { return }
    emit(.send(.sealed(roots)))
    self.roots = roots
    if let theirs = earlyRoots {
      phase = .comparingRoots(roots)
      compareRoots(theirs: theirs)
    } else {
      phase = .comparingRoots(roots)
    }
  }

  mutating func compareRoots(theirs: Roots) {
    switch phase {
    case .sealing:
      earlyRoots = theirs
    case .comparingRoots(let mine):
      guard mine == theirs else {
        let reason = "the ends sealed different manifests"
        return fail(SessionFailure(.integrity, reason))
      }
      areRootsEqual = true
    case .moving:
      // The receiver is done with all segments while this end's threads have yet to report.
      guard isScanComplete, segments.allSatisfy({ $0.isCommitted }), earlyRoots == nil else {
        return violation("roots before the end of the data")
      }
      earlyRoots = theirs
    case .storing, .stating, .attesting, .stopping, .finished:
      violation("roots a second time")
    }
  }

  /// The receiver has stored its manifest: this end stores its own.
  mutating func receiverFinished(_ totals: EndTotals) {
    guard case .comparingRoots = phase, areRootsEqual else {
      if case .stopping = phase { return finish(.interrupted) }
      return violation("its end before that of the transfer")
    }
    receiverTotals = totals
    phase = .storing
    emit(.storeManifest)
  }

  mutating func stored(_ totals: EndTotals) {
    guard phase == .storing else { return }
    phase = .stating(totals)
    emit(.stateReceipt)
  }

  mutating func stated(_ offer: [UInt8]) {
    guard case .stating(let totals) = phase else { return }
    phase = .attesting(totals)
    if let peerLoss { return attested(.missing(peerLoss)) }
    emit(.send(.receipt(offer)))
  }

  /// The receiver has answered the receipt, or never will: all else is done.
  mutating func attested(_ answer: ReceiptAnswer) {
    guard case .attesting(let totals) = phase else {
      return violation("its word on a receipt that it has not been sent")
    }
    emit(.storeReceipt(answer))
    emit(.send(.finished(totals)))
    finish(.completed)
  }

  mutating func stopped(_ reason: StopReason, _ text: String) {
    switch reason {
    case .interrupted:
      finish(.interrupted)
    case .locked:
      finish(.failed(SessionFailure(.locked, text)))
    case .disagreement:
      finish(.failed(SessionFailure(.integrity, text)))
    case .failed, .protocolViolation, .unattainable:
      finish(.failed(SessionFailure(.peerFailed, text)))
    }
  }
}
