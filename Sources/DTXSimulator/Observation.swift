package import DTXCore

/// What happened in a simulation, as somebody who sees both ends would tell it.
package enum Observation: Sendable {
  /// A run of the command began at both ends.
  case began(run: Int)
  /// An end's session agreed with itself on a segment's plan.
  case planned(End, Plan)
  /// An end's session began a new generation.
  case revised(End, Revision)
  /// What a run wants of a file that several extents make up, or of a small one.
  case wanted(ExtentClaim)
  /// Part of a block, or all of it, left the sender over this time.
  case transmitted(ConnectionID, BlockReference, from: Instant, to: Instant, wireByteCount: UInt64)
  case writeBegan(ConnectionID, BlockReference)
  case writeEnded(ConnectionID, BlockReference)
  /// The receiver says that a block arrived.
  case received(BlockReference, byteCount: UInt64)
  /// The receiver says that a block is not what it was, and wants it again.
  case damaged(BlockReference, byteCount: UInt64)
  /// The receiver says that a block is durable; `missing` names what is not.
  case acknowledged(BlockReference, byteCount: UInt64, missing: String?)
  /// An extent that was acknowledged.
  case safe(ExtentClaim)
  /// What was acknowledged of a path means nothing any more: it changed, or was given up.
  case forgotten([UInt8])
  case published([UInt8], isWhole: Bool)
  /// A loss of power: what the journal held, what of it was synced, and what a replay still finds.
  case journalCrashed(byteCount: Int, syncedByteCount: Int, validByteCount: Int, isPrefix: Bool)
  case faulted(Fault)
  case crashed(End)
  case ended(End, SessionOutcome)
  case sealed(End, Roots, unreadByteCount: UInt64)
}

/// A range of a version of a file.
package struct ExtentClaim: Equatable, Sendable {
  package var identity: FileIdentity
  package var offset: UInt64
  package var byteCount: UInt64
}

/// How one run of the command ended.
package struct RunResult: Equatable, Sendable {
  package var sender: SessionOutcome?
  package var receiver: SessionOutcome?
  package var isDryRun: Bool
  /// Events that it took.
  package var stepCount = 0
  /// Whether it was given up because it would not end.
  package var isStuck = false
  /// Entries that were reported as failed at either end.
  package var failures: [FailedEntry] = []

  /// Both ends say so.
  package var isCompleted: Bool { sender == .completed && receiver == .completed }
}

/// All that is known of a simulation when it is over.
package struct SimulationRecord: Sendable {
  package var world: World
  package var observations: [Observation] = []
  package var runs: [RunResult] = []
  /// Events that were handled.
  package var stepCount = 0
  /// The count at which the latest run is given up.
  package var stepLimit = 0
  /// Whether the transfer came to its end: completed at both ends, the source unchanged since.
  package var isFinished = false
  /// Virtual time from the first event to the last.
  package var elapsedNanoseconds: UInt64 = 0
  package var source: SimulatedTree
  package var disk = SimulatedDisk()
  /// Whether a rehearsal left a trace at the destination.
  package var hasDryRunChangedDisk = false
  /// Over all events, messages and observations.
  package var traceDigest: UInt64 = 0

  package init(world: World) {
    self.world = world
    source = world.tree
  }

  package mutating func trace(_ word: UInt64) {
    traceDigest = SeededRandom.mix(traceDigest &+ word ^ 0x9e37_79b9_7f4a_7c15)
  }
}
