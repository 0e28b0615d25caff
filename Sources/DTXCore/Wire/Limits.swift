/// Every maximum, with its reason.
///
/// What a peer exceeds is a named failure.
package enum Limits {
  /// Linux's PATH_MAX without its NUL: a longer path cannot be opened in one call.
  package static let pathByteCount = 4095
  /// Linux's NAME_MAX.
  package static let nameByteCount = 255
  /// One segment's entries: at about 100 bytes each it fits beside its successor in 256 MiB.
  package static let segmentEntryCount = 1 << 20
  /// One segment's bytes: 64 Ki blocks of the default size.
  package static let segmentByteCount: UInt64 = 1 << 40
  /// Extents in a segment: their indices are 32 bits wide, and a peer's file of 2^60 bytes must
  /// not make us cut it.
  package static let segmentExtentCount = 1 << 24
  /// Attributes of a segment's entries, together: a kibibyte each for 2^20 symlinks, and their
  /// offsets are 32 bits wide.
  package static let segmentAttributeByteCount = 1 << 30
  /// Segments that are open at once: one being sent, one being compared, one being scanned.
  package static let openSegmentCount = 3
  /// The default block: 16 MiB takes 1.3 ms at 100 Gb/s, and a second at 134 Mb/s.
  package static let defaultBlockByteCount: UInt64 = 16 << 20
  /// The smallest block: below it headers and acknowledgements cost more than a few per cent.
  package static let minimumBlockByteCount: UInt64 = 64 << 10
  /// The largest block: what a broken connection sends again.
  package static let maximumBlockByteCount: UInt64 = 1 << 30
  /// Files in one packed block: what one damaged record can make move again.
  package static let packFileCount = 1024
  /// Extents of one block: its trailer must fit a record.
  package static let blockExtentCount = 4096
  /// Consecutive blocks of one file that one connection carries, at most.
  package static let runByteCount: UInt64 = 1 << 30
  /// Lanes of a session; each has one connection and two threads at the least.
  package static let laneCount = 256
  /// A lane's rate: the sum over all lanes fits 64 bits.
  package static let laneBitsPerSecond: UInt64 = 1 << 55
  /// Connections of one lane.
  package static let connectionCount = 64
  /// Connections of all lanes: 2.5 Tb/s at 5 Gb/s each, and each has memory and threads at both ends.
  package static let sessionConnectionCount = 512
  /// Connections of a lane beyond those that it is planned with.
  ///
  /// An end dials again while the other one still takes the lost connection for open. There are few,
  /// since each holds a part of the receiver's memory, which is there for what is planned.
  package static let spareConnectionCount = 2
  /// The name of a congestion control: Linux's TCP_CA_NAME_MAX without its NUL.
  package static let congestionControlByteCount = 15
  /// A frame on the control channel: small enough that a heartbeat is never long delayed by one.
  package static let controlFrameByteCount = 1 << 20
  /// A record's payload: fits the L2 cache of one core together with its socket buffer.
  package static let recordByteCount = 256 << 10
  /// Attributes of one entry, and the bytes that they take: extended attributes are at most 64 KiB.
  package static let attributeCount = 64
  package static let attributeByteCount = 128 << 10
  /// An epoch ends after so long: what a crash may cost.
  package static let epochNanoseconds = Duration.second
  /// An epoch ends with so many files, though it is younger.
  package static let epochFileCount = 4096
  /// Where it would take longer to sync so many than this, it ends with fewer, down to the
  /// smallest; the first ones have a quarter, until syncs were seen.
  package static let epochSyncNanoseconds = 2 * Duration.second
  package static let firstEpochFileCount = 1024
  package static let smallestEpochFileCount = 128
  /// An epoch also ends with so many files once it has lasted this many times as long as the sync of
  /// the one before: where syncs cost little, publishing goes on beside receiving and little of it
  /// is left for the end.
  package static let cheapEpochFileCount = 512
  package static let cheapEpochSyncCount: UInt64 = 8
  /// A journal record: a path, an identity and a digest.
  package static let journalRecordByteCount = 8 << 10
  /// What is read of a journal: the blocks of 500 TB in one file.
  package static let journalByteCount: UInt64 = 4 << 30
  /// The lengths of a dataset's files together, holes included: no file is longer, and what is
  /// counted on the way (extents rounded up to pages, a record of each) stays below 2^64.
  package static let datasetByteCount: UInt64 = 1 << 63
  /// Heartbeats on the control channel, and when their absence means a dead peer.
  package static let heartbeatNanoseconds = 5 * Duration.second
  package static let peerSilenceNanoseconds = 60 * Duration.second
  /// What a session that was interrupted, or has failed, takes to make durable what has come, and to
  /// say so.
  package static let stoppingNanoseconds = 10 * Duration.second
  /// What an orderly end can take: for a peer that is done as well to take what is under way to it,
  /// and to end its own direction.
  package static let endingNanoseconds = 15 * Duration.second
  /// A step of the handshake, from the peer's first byte on: a minute for a greeting; for the others
  /// what a peer may take to dial 64 addresses at 3 s each, or to watch an owner for 60 s.
  package static let greetingNanoseconds = 60 * Duration.second
  package static let handshakeNanoseconds = 300 * Duration.second
  /// What has come over the control channel and waits for its session.
  ///
  /// Beyond this the receiver reads no further, and a sender ends, since two ends that both wait
  /// would do so for ever.
  package static let waitingReceiverByteCount = 64 << 20
  package static let waitingSenderByteCount = 1 << 30
  /// Connections given up before they were here that an end remembers, and notices that a report
  /// keeps: an honest session has some, and a peer may say any number.
  package static let barredConnectionCount = 4096
  package static let keptNoticeCount = 1000
  /// A lane is lost after so long without a connection; until then its blocks wait for it.
  package static let lanePatienceNanoseconds = 10 * Duration.second
  /// A lane that lags is relieved this long after the plan was made at the earliest: what was seen
  /// of the new one must tell.
  package static let reliefPauseNanoseconds = 5 * Duration.second
  /// Runs of blocks in one message: each takes eight bytes at most.
  package static let remainingRunCount = 64 << 10
  /// When a queue is free in a generation that a peer announces, at most: 834 days from the first
  /// byte, so that products with rates fit 128 bits.
  package static let planNanoseconds: UInt64 = 1 << 56
  /// Connections that have not proven themselves yet, and the time each has for it.
  package static let unprovenConnectionCount = 64
  package static let unprovenNanoseconds = 5 * Duration.second
  /// Blocks that may arrive damaged before the transfer ends with an integrity failure: eight, and
  /// one more for each TiB that has arrived, since a path that damages so few is slower by nothing.
  package static func damagedBlockCount(receivedByteCount: UInt64) -> Int {
    8 + Int(receivedByteCount >> 40)
  }
  /// What the threads of an end spent on one activity, in its report: 834 days of one thread, so
  /// that sums and products of such times fit 128 bits.
  package static let activityNanoseconds: UInt64 = 1 << 56
  /// A receipt: it travels in one control frame.
  package static let receiptByteCount = 768 << 10
  /// Intervals of a lane's series in a receipt, and of all lanes: at ten bytes for each of nine
  /// numbers they take half of it.
  package static let receiptIntervalCount = 512
  package static let receiptLaneIntervalCount = 4096
  /// What the names and reasons of missing entries take in a receipt.
  package static let receiptMissingByteCount = 128 << 10
  /// Sources that a receipt names.
  package static let receiptPathCount = 16
}
