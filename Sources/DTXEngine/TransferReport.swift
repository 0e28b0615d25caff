package import DTXCore

/// What a transfer did, for people and machines.
///
/// Byte counts are payload unless said otherwise.
package struct TransferReport: Sendable {
  package var outcome: SessionOutcome
  package var direction: Direction
  package var isDryRun = false
  /// Entries of the dataset, and of these the files.
  package var entryCount = 0
  package var fileCount = 0
  /// Lengths of the files, holes included.
  package var byteCount: UInt64 = 0
  package var wantedBlockCount = 0
  package var wantedByteCount: UInt64 = 0
  package var wantedExtentCount: UInt64 = 0
  package var durableBlockCount = 0
  package var durableByteCount: UInt64 = 0
  /// Payload handed to the lanes, with what was sent again.
  package var sentByteCount: UInt64 = 0
  package var resentByteCount: UInt64 = 0
  /// What the user chose, how much of the payload went compressed, and what it was then.
  package var compression: Compression = .auto
  package var compressedByteCount: UInt64 = 0
  package var compressedWireByteCount: UInt64 = 0
  /// Not sent because the destination had it: `resumed` of it in staged files.
  package var skippedByteCount: UInt64 = 0
  package var resumedByteCount: UInt64 = 0
  /// Skipped bytes whose digest nobody knows.
  package var unreadByteCount: UInt64 = 0
  package var nanoseconds: UInt64 = 0
  package var lanes: [LaneReport] = []
  package var lostConnectionCount = 0
  package var cipher: Cipher = .aes256GCM
  /// Whether the one lane went through the remote shell.
  package var usesShellLane = false
  package var roots: Roots?
  /// Where this end's copy of the receipt is, and what it says; nil where none is kept.
  package var receiptPath: [UInt8]?
  package var receipt: Receipt?
  package var verification: VerificationLevel = .durable
  /// When the plan says that the last byte is there; nil without rates.
  package var predictedNanoseconds: UInt64?
  /// What each lane was to do; nil without rates.
  package var prediction: Prediction?
  /// Why nothing was moved though all could have been: the plan breaks what was promised.
  package var refusal: AdmissionRefusal?
  /// What was left until the deadline when the plan was ready; nil without one.
  package var remainingNanoseconds: UInt64?
  /// One digest over those of all plans, in order, of 16 bytes each; nil without plans.
  package var planDigest: Digest?
  /// How often the plan was made anew, because lanes were not as it had them.
  package var generation: UInt32 = 0
  /// Blocks that arrived over a lane which the plan does not give them; the receiver counts.
  package var offPlanBlockCount = 0
  package var failedEntries: [FailedPath] = []
  /// Things a person should know that stopped nothing: skipped special files, a slower fallback.
  package var notices: [String] = []
  package var peakMemoryByteCount: UInt64 = 0
  package var sender = EndTotals()
  package var receiver = EndTotals()
  /// What kept it from being faster; nil unless it was completed and both ends have said all.
  package var limitation: Limitation?
  /// What was made up at the sender; nil for a source.
  package var nullSource: NullDataset?
  /// Whether the receiver kept nothing.
  package var keepsNothing = false
  /// The signal that asked to stop; nil when none came.
  package var signal: Int32?

  /// Whether it was stopped because a source file changed, as was asked for.
  package var isStoppedByChange = false

  package init(outcome: SessionOutcome, direction: Direction) {
    self.outcome = outcome
    self.direction = direction
  }

  /// Payload bits per second, over the whole time; 0 when nothing moved.
  package var goodputBitsPerSecond: UInt64 {
    guard nanoseconds > 0 else { return 0 }
    let bits = UInt128(durableByteCount) * 8 * UInt128(Duration.second)
    return UInt64(clamping: bits / UInt128(nanoseconds))
  }
}

/// What one lane carried.
package struct LaneReport: Sendable {
  package var lane: Lane
  package var sentByteCount: UInt64 = 0
  package var blockCount = 0
  package var connectionCount = 0
  /// Ports of its connections at the end that dialled, as link aggregation hashes them.
  package var sourcePorts: [UInt16] = []
  /// Where its connections have this end, in digits, and the device that they are bound to.
  package var localAddress: String?
  package var interface: String?
  /// What the kernel took for one of its connections at the data's sender; nil while unknown.
  package var taken: LaneTaken?
  /// Which end listened.
  package var listening: ListeningEnd = .remote
  /// What was asked for.
  package var route = LaneRoute()
  package var pace = LanePace()
  /// How well it kept its rate; nil where it owed none.
  package var conformance: LaneConformance.Figures?

  package init(lane: Lane) {
    self.lane = lane
  }

  /// What the kernel took as pacing rate, in bits per second over all connections, as the lane's
  /// contract counts them; nil without.
  package var pacedBitsPerSecond: UInt64? {
    guard let taken, let pace = taken.pacedBytesPerSecond, taken.segmentByteCount > 0 else {
      return nil
    }
    let isV6 = localAddress?.contains(":") ?? false
    let shape = SegmentShape(segmentByteCount: UInt64(taken.segmentByteCount), isV6: isV6)
    // All connections' bits; a limit keeps the pace far from what would not fit.
    let payload = Rate(bitsPerSecond: pace * 8).bitsPerSecond * UInt64(lane.connectionCount)
    return shape.wire(of: Rate(bitsPerSecond: payload), counting: self.pace.layer).bitsPerSecond
  }
}

/// An entry that is not part of what was committed, by its path.
package struct FailedPath: Equatable, Sendable {
  package var path: [UInt8]
  package var failure: EntryFailure
  package var reason: String

  package init(path: [UInt8], failure: EntryFailure, reason: String) {
    self.path = path
    self.failure = failure
    self.reason = reason
  }
}

/// Where a transfer stands; made a few times a second.
package struct TransferProgress: Sendable {
  package var phase: String
  /// What is known so far; grows until the scan is complete.
  package var entryCount = 0
  package var byteCount: UInt64 = 0
  package var isScanComplete = false
  package var wantedByteCount: UInt64 = 0
  package var movedByteCount: UInt64 = 0
  package var durableByteCount: UInt64 = 0
  package var nanoseconds: UInt64 = 0
  package var openConnectionCount = 0
  /// When the plan says that the last byte is there; nil without rates.
  package var predictedNanoseconds: UInt64?
  /// What is left by what was seen so far; nil while nothing can be said.
  package var remainder: Forecast.Remainder?

  package init(phase: String) {
    self.phase = phase
  }
}

/// What a running transfer tells whoever watches.
package enum TransferEvent: Sendable {
  case progress(TransferProgress)
  case failed(FailedPath)
  /// An entry that is to be moved, made or changed; only when asked for.
  case entry([UInt8], EntryKind)
  case notice(String)
}
