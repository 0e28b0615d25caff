/// The steps by which a run becomes the one owner of a destination, where a lock of one host means
/// nothing on another.
///
/// Each owner has a file of its own, whose name has a number, and the highest number is the
/// owner's. Making a file that must not be there is what a shared file system does for one of all
/// hosts alone; so of those who find an owner's file abandoned one alone gets the number behind it.
/// Numbers only rise: the number is the token that everything of the owner's bears, and what an
/// owner does that has slept through its end meets none of its successor's files.
///
/// It decides, and touches nothing: `begin` and each answer give the next action.
package struct OwnerClaiming: Hashable, Sendable {
  /// An owner file as it was seen.
  package struct Sighting: Hashable, Sendable {
    package var number: UInt64
    /// Its bytes, whatever they are.
    package var line: [UInt8]
    /// The random number of its record; nil while that is being written.
    package var claim: UInt64?
    /// Whether its owner gave it back, or is known to be gone.
    package var isOver: Bool

    /// Whether it was listed, and removed before it could be read: there is a higher number then.
    package var isGone = false

    package init(number: UInt64, line: [UInt8], claim: UInt64?, isOver: Bool) {
      self.number = number
      self.line = line
      self.claim = claim
      self.isOver = isOver
    }

    /// One that was listed and then gone.
    package static func gone(_ number: UInt64) -> Sighting {
      var sighting = Sighting(number: number, line: [], claim: nil, isOver: false)
      sighting.isGone = true
      return sighting
    }
  }

  package enum Action: Hashable, Sendable {
    /// Read all owner files; answered by `saw`.
    case look
    /// Wait for the timing's pause, and look.
    case rest
    /// Make the file of this number, which must not be there yet; answered by `made`.
    case make(UInt64)
    /// Remove the file of this number; answered by `removed`.
    case withdraw(UInt64)
    /// Remove the files of all lower numbers; answered by `removed`.
    case clear(below: UInt64)
    /// The destination is this run's, with this token.
    case claimed(UInt64)
    /// The destination is another's, whose file this is.
    case held(Sighting)
  }

  private enum Phase: Hashable, Sendable {
    case looking
    case making(UInt64, over: Sighting?)
    /// The file is made: was the number still the next one, and has nobody come back to life?
    case confirming(UInt64, over: Sighting?)
    case withdrawing(foundAlive: Sighting?)
    case clearing(UInt64)
    case ended
  }

  private let claim: UInt64
  private let timing: OwnerTiming
  private var phase = Phase.looking
  /// The owner that was seen first, and when.
  private var watched: Watched?

  private struct Watched: Hashable, Sendable {
    var sighting: Sighting
    var since: UInt64
    var lastLook: UInt64
  }

  /// Begins a claim.
  ///
  /// - Parameters:
  ///   - claim: the random number of the run's record.
  ///   - timing: what owners and onlookers keep to.
  package init(claim: UInt64, _ timing: OwnerTiming) {
    self.claim = claim
    self.timing = timing
  }

  package func begin() -> Action { .look }

  /// The owner files, as they were between `look` and now.
  ///
  /// - Parameters:
  ///   - sightings: in any order.
  ///   - now: when the look was over.
  /// - Returns: what is to be done next.
  package mutating func saw(_ sightings: [Sighting], at now: UInt64) -> Action {
    let top = sightings.max { $0.number < $1.number }
    switch phase {
    case .looking:
      return sightings.contains { $0.isGone } ? .look : consider(top, at: now)
    case .confirming(let number, let over):
      // A file of this number that is another's is not this one's to remove.
      guard sightings.contains(where: { $0.number == number && $0.claim == claim }) else {
        phase = .looking
        return .look
      }
      guard top?.number == number else { return withdraw(number, foundAlive: nil) }
      let before = over.flatMap { over in sightings.first { $0.number == over.number } }
      if let over, let before, !over.isOver, !before.isOver, !before.isGone,
        before.line != over.line
      {
        return withdraw(number, foundAlive: before)
      }
      phase = .clearing(number)
      return .clear(below: number)
    case .making, .withdrawing, .clearing, .ended:
      preconditionFailure("a look that nobody asked for")
    }
  }

  /// Whether the file could be made; false where it was there already.
  package mutating func made(_ isMade: Bool) -> Action {
    guard case .making(let number, let over) = phase else {
      preconditionFailure("a file that nobody asked for")
    }
    phase = isMade ? .confirming(number, over: over) : .looking
    return .look
  }

  /// The files are gone.
  package mutating func removed() -> Action {
    switch phase {
    case .withdrawing(let alive):
      if let alive {
        phase = .ended
        return .held(alive)
      }
      phase = .looking
      return .look
    case .clearing(let number):
      phase = .ended
      return .claimed(number)
    case .looking, .making, .confirming, .ended:
      preconditionFailure("a removal that nobody asked for")
    }
  }

  private mutating func consider(_ top: Sighting?, at now: UInt64) -> Action {
    guard let top else { return make(1, over: nil) }
    if top.isOver { return make(top.number + 1, over: top) }
    let since = watched?.since ?? now
    let lastLook = watched?.lastLook ?? now
    guard watched?.sighting ?? top == top else {
      phase = .ended
      return .held(top)
    }
    // A server that answered nobody for so long says nothing of the owner, who hung as well.
    let isCutOff = now - lastLook > timing.patience / 2
    watched = Watched(sighting: top, since: isCutOff ? now : since, lastLook: now)
    guard !isCutOff, now >= since + timing.patience else { return .rest }
    return make(top.number + 1, over: top)
  }

  private mutating func make(_ number: UInt64, over: Sighting?) -> Action {
    phase = .making(number, over: over)
    return .make(number)
  }

  private mutating func withdraw(_ number: UInt64, foundAlive alive: Sighting?) -> Action {
    phase = .withdrawing(foundAlive: alive)
    return .withdraw(number)
  }
}
