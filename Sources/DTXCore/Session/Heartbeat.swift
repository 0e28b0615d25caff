/// Keeps the control channel alive, and notices when the peer has gone silent.
package struct Heartbeat: Sendable {
  /// When the next beat is due.
  package private(set) var nextBeat: Instant
  private var silentAt: Instant

  package init(now: Instant) {
    nextBeat = now + Limits.heartbeatNanoseconds
    silentAt = now + Limits.peerSilenceNanoseconds
  }

  /// The peer was there then; what was heard later stays.
  package mutating func heard(at instant: Instant) {
    silentAt = max(silentAt, instant + Limits.peerSilenceNanoseconds)
  }

  /// Whether a beat is due; it then counts as sent.
  package mutating func takeBeat(at now: Instant) -> Bool {
    guard now >= nextBeat else { return false }
    nextBeat = now + Limits.heartbeatNanoseconds
    return true
  }

  package func isSilent(at now: Instant) -> Bool { now >= silentAt }

  package var nextDeadline: Instant { min(nextBeat, silentAt) }
}
