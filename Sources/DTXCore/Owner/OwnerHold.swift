/// An owner's hold on its destination: for how long it may publish, and whether it has lost it.
///
/// An owner writes a sign of life, looks at all owner files, and then counts the lease from before
/// it wrote. Who wants to take over makes a file, and then looks whether there is a new sign: of the
/// two one at least sees the other.
package struct OwnerHold: Hashable, Sendable {
  package let number: UInt64
  private let claim: UInt64
  private let timing: OwnerTiming
  private var end: UInt64
  /// Whether another has taken over; this never holds again.
  package private(set) var isLost = false

  /// Begins with the owner's claim.
  ///
  /// - Parameters:
  ///   - number: the token that the claim came to.
  ///   - claim: the random number of the owner's record.
  ///   - start: when its file began to be made: nanoseconds of a clock that counts the time for
  ///     which the host sleeps.
  ///   - timing: what the owner keeps to.
  package init(number: UInt64, claim: UInt64, from start: UInt64, _ timing: OwnerTiming) {
    self.number = number
    self.claim = claim
    self.timing = timing
    end = start + timing.lease
  }

  /// Whether all owner files, as they were just seen, leave the destination to this one.
  ///
  /// A higher number beside it may yet be withdrawn. Who claims for good removes this owner's file.
  package mutating func isSupported(by sightings: [OwnerClaiming.Sighting]) -> Bool {
    let own = sightings.first { $0.number == number && !$0.isGone }
    // Without a claim it is this owner's own, half written.
    if own.map({ $0.claim ?? claim }) != claim { isLost = true }
    return !isLost && !sightings.contains { $0.number > number }
  }

  /// A sign was written whole that began to be written at `start`, and supported afterwards.
  package mutating func renew(from start: UInt64) {
    end = max(end, start + timing.lease)
  }

  /// Whether nobody can have taken over yet.
  package func holds(at now: UInt64) -> Bool { !isLost && now < end }
}
