/// What must hold of every simulation, whatever its faults.
package enum Invariant: String, Sendable, CaseIterable {
  /// Each wanted block is acknowledged once in a run that completes, and what is at the
  /// destination then is what the source has.
  case conserved
  /// A block travels on the lanes of the queue that the plan put it into.
  case pinned
  /// Over every span of time a lane carries no more than its rate allows, and one record.
  case reserved
  /// What is called durable survives a loss of power at that moment.
  case durableBeforeAcknowledged
  /// After a crash the journal is a beginning of what was written, with all that was synced.
  case journalPrefix
  /// The work is at most so many events a block; the transfer ends.
  case bounded
  /// What arrived and is not durable is at most two epochs and what the buffers hold.
  case resendBounded
  /// What was acknowledged is never asked for again.
  case acknowledgedStays
  /// A file under its own name is whole.
  case wholeFiles
  /// When all is done, nothing is staged, and no journal is left.
  case noOrphan
  /// No two threads write one block at a time.
  case singleWriter
  /// Two honest ends never accuse each other, and a rehearsal touches nothing.
  case honest
  /// The same seed gives the same events.
  case seedIdentical
  /// Other faults give the same tree, and the same manifest.
  case faultInvariant
}

/// An invariant that does not hold, and what shows it.
package struct Finding: Equatable, Sendable, CustomStringConvertible {
  package var invariant: Invariant
  package var evidence: String

  package var description: String { "\(invariant.rawValue): \(evidence)" }
}
