/// Names one TCP connection of a lane.
///
/// Numbers only rise within a session.
package struct ConnectionID: Hashable, Comparable, Sendable {
  package var lane: Int
  package var number: UInt32

  package init(lane: Int, number: UInt32) {
    self.lane = lane
    self.number = number
  }

  package static func < (left: ConnectionID, right: ConnectionID) -> Bool {
    (left.lane, left.number) < (right.lane, right.number)
  }
}

/// Why an entry is not part of what was committed.
package enum EntryFailure: UInt8, Sendable, CaseIterable {
  /// The source could not be opened or read.
  case unreadable = 1
  /// The source is not what it was when it was scanned, or changed while it was read.
  case changed = 2
  /// The destination could not be written.
  case unwritable = 3
  /// What stands in its place at the destination is of another kind, or not what it belongs to.
  case conflict = 4
}

/// An entry that failed, by its place, with the reason for people.
package struct FailedEntry: Equatable, Sendable {
  package var segment: Int
  package var entry: Int
  package var failure: EntryFailure
  package var reason: String

  package init(segment: Int, entry: Int, failure: EntryFailure, reason: String) {
    self.segment = segment
    self.entry = entry
    self.failure = failure
    self.reason = reason
  }
}

/// The two names of what was committed.
package struct Roots: Equatable, Sendable {
  /// Paths, kinds, lengths and digests.
  package var content: Digest
  /// The same with all metadata.
  package var full: Digest

  package init(content: Digest, full: Digest) {
    self.content = content
    self.full = full
  }
}

/// Why an end stops the session.
package enum StopReason: UInt8, Sendable {
  /// A person or a signal asked for it; what is durable stays, and the next run goes on.
  case interrupted = 1
  /// This end cannot go on; the text says why.
  case failed = 2
  /// The peer did what the protocol forbids.
  case protocolViolation = 3
  /// The ends do not hold the same: plans or roots differ.
  case disagreement = 4
  /// Another run holds the destination.
  case locked = 5
  /// What was promised cannot be kept at this end.
  case unattainable = 6
}

/// Figures that only one end knows, for the report of both.
package struct EndTotals: Equatable, Sendable {
  package var peakMemoryByteCount: UInt64 = 0
  package var processorNanoseconds: UInt64 = 0
  /// Processors that this end may use.
  package var processorCount: UInt64 = 0
  /// What all processes of this end's machine used of its processors meanwhile; 0 when unknown.
  package var hostProcessorNanoseconds: UInt64 = 0
  /// What the end's threads did; each end counts its own activities.
  package var times = ActivityTimes()
  /// How the end reached its files; nil where it touched none.
  package var storage: StorageUse?
  // Of the sender alone.
  /// Bytes that the kernel sent without a copy.
  package var zeroCopyByteCount: UInt64 = 0
  // Of the receiver alone.
  package var epochCount: UInt64 = 0
  package var syncNanoseconds: UInt64 = 0
  package var rereadByteCount: UInt64 = 0

  package init() {}
}

/// What the ends say to each other on the control channel once the lanes are being opened.
package enum Message: Equatable, Sendable {
  // From the sender.
  /// A page of a segment's entries.
  case inventory(segment: Int, page: [UInt8])
  /// All entries of the segment were sent.
  case inventoryEnd(segment: Int, isLast: Bool)
  /// An entry that could not be scanned, and is part of no segment.
  case omitted(path: [UInt8], failure: EntryFailure, reason: String)
  /// Files whose digests differ from those that the receiver read: all of them is sent. Comes
  /// between the comparison and the plan, when digests are compared. Entries ascend over all
  /// messages of a segment.
  case demand(segment: Int, entries: [Int])
  /// A new generation begins, `isAsked` when a user wants it: what is left of so many segments follows, `remaining`, and then the
  /// plan of each.
  case revise(Generation, segmentCount: Int, isAsked: Bool)
  /// Blocks of a planned segment that no connection has taken yet: ascending runs, in one or
  /// several messages.
  case remaining(segment: Int, blocks: [Range<Int>])
  /// The plan that the sender computed.
  case plan(segment: Int, generation: UInt32, digest: Digest)
  /// The connection is dead for the sender: say when nothing more will be taken from it.
  case fence(ConnectionID)
  /// What the kernel took for a connection that is about to carry blocks.
  case tuned(ConnectionID, LaneTaken)
  /// What the sender says of the transfer, when both ends have stored their manifests:
  /// `ReceiptCodec.offer`.
  case receipt([UInt8])

  // From the receiver.
  /// A page of what the receiver lacks and what it has: see `ComparisonCodec`.
  case comparison(segment: Int, page: [UInt8])
  /// Entries that are made or changed at the receiver, data or not. Comes before the end of the
  /// comparison, when the sender's user asked for a list. Entries ascend over all messages of a
  /// segment.
  case changed(segment: Int, entries: [Int])
  /// An entry that cannot be written.
  case refused(FailedEntry)
  /// The comparison is complete.
  case comparisonEnd(segment: Int)
  /// The plan that the receiver computed.
  case planned(segment: Int, generation: UInt32, digest: Digest)
  /// A block arrived whole, its digests right.
  case received(BlockReference)
  /// A block arrived damaged, and is forgotten.
  case damaged(BlockReference)
  /// Blocks that the receiver holds durably.
  case durable(epoch: UInt32, blocks: [BlockReference])
  /// Nothing more will be taken from a connection; all that it delivered was reported before.
  case fenced(ConnectionID)
  /// What the user changes, who is at the receiver's end.
  case adjust(Adjustment)
  /// All of a segment is committed, and no entry of it will be refused any more.
  case committed(segment: Int)
  /// What the receiver puts behind the sender's receipt: `ReceiptCodec.answer`.
  case endorsed([UInt8])
  /// The receiver endorses nothing, for a reason for people.
  case declined(String)

  // From both.
  /// The roots that this end sealed.
  case sealed(Roots)
  /// This end is done, its manifest is stored.
  case finished(EndTotals)
  case heartbeat
  case stop(StopReason, String)
}
