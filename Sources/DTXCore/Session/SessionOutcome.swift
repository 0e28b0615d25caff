/// How a session ended, for its end.
package enum SessionOutcome: Equatable, Sendable {
  /// Everything planned is at the requested level; single entries may have failed.
  case completed
  /// Somebody asked for it; what is durable stays.
  case interrupted
  case failed(SessionFailure)

  /// Whether the peer can be expected to end in order too.
  package var isOrderly: Bool {
    switch self {
    case .completed, .interrupted: true
    case .failed: false
    }
  }
}

/// The first cause of a session's end.
package struct SessionFailure: Equatable, Sendable {
  package enum Kind: Equatable, Sendable {
    /// The peer's process or the path to it is gone.
    case peerGone
    /// No lane could be opened, or none is left.
    case noLane
    /// A lane is not what was asked for: a setting that did not take, a path that loses large packets.
    case lane
    /// The peer said that it cannot go on.
    case peerFailed
    /// This end's disk or a system call failed.
    case storage
    /// What arrived or was sealed is not what it should be.
    case integrity
    /// The peer does what the protocol forbids.
    case protocolViolation
    /// Another run holds the destination.
    case locked
  }

  package var kind: Kind
  package var reason: String

  package init(_ kind: Kind, _ reason: String) {
    self.kind = kind
    self.reason = reason
  }
}

extension SessionFailure {
  /// What to tell the peer; nil when it is gone, or knows.
  var stopReason: StopReason? {
    switch kind {
    case .peerGone, .peerFailed: nil
    case .protocolViolation: .protocolViolation
    case .integrity: .disagreement
    case .locked: .locked
    case .noLane, .lane, .storage: .failed
    }
  }
}

/// What came of the receipt that the sender offered.
package enum ReceiptAnswer: Equatable, Sendable {
  /// The receiver's bytes behind it: `ReceiptCodec.answer`.
  case endorsed([UInt8])
  /// The receiver does not agree, for a reason for people.
  case declined(String)
  /// The receiver is gone: how it went.
  case missing(String)
}

/// An extent's fate, as the end that held its bytes last saw it.
package enum ExtentOutcome: Equatable, Sendable {
  /// The bytes are those that the source had, and these are their digest.
  case intact(Digest)
  /// What arrived is not what was sent.
  case damaged
  /// The entry cannot be part of the dataset.
  case failed(EntryFailure, String)
}

/// A block to be carried: which of its extents are wanted.
package struct BlockWork: Equatable, Sendable {
  package var reference: BlockReference
  /// Ascending ranges of extents of the segment.
  package var extents: [Range<Int>]
  /// Their bytes.
  package var byteCount: UInt64

  package init(reference: BlockReference, extents: [Range<Int>], byteCount: UInt64) {
    self.reference = reference
    self.extents = extents
    self.byteCount = byteCount
  }
}

/// A segment whose entries are all settled, ready to become part of the manifest.
package struct SealWork: Sendable {
  package var segment: Segment
  package var digests: [Digest]
  /// One bit for each entry that is not part of what was committed.
  package var excluded: BitSet
}

/// What the receiver makes durable together.
package struct EpochWork: Equatable, Sendable {
  package struct ExtentPlace: Equatable, Sendable {
    package var segment: Int
    package var extent: Int
    package var digest: Digest
  }

  package struct EntryPlace: Equatable, Sendable {
    package var segment: Int
    package var entry: Int
  }

  package var epoch: UInt32
  /// Extents of files that take several: the journal names each.
  package var extents: [ExtentPlace] = []
  /// Extents of all others, where they are to be read back.
  package var singleExtents: [ExtentPlace] = []
  /// Files whose extents are all here: to be published.
  package var complete: [EntryPlace] = []
  /// Blocks to acknowledge afterwards.
  package var blocks: [BlockReference] = []
}
