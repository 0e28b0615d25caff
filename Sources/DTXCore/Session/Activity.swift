/// What a thread that works for a transfer is doing, or what an end as a whole waits for.
///
/// The order is that of the numbers in `finished`: dtx-protocol(7).
package enum Activity: Int, Sendable, CaseIterable {
  // The sender's session, which is at one of these at any time.
  /// No connection is open yet.
  case opening
  /// Nothing can be sent before more of the source is scanned.
  case scanning
  /// Nothing can be sent before the receiver has compared and prepared a segment.
  case comparing
  /// Blocks are under way.
  case moving
  /// All that was sent has arrived; it is not durable yet.
  case settling
  /// Everything is durable; directories and manifest are finished.
  case sealing

  // A connection's thread at the sender.
  /// In calls that read the source.
  case reading
  /// Digests, seals.
  case encoding
  /// The processor's part of sending: the kernel takes bytes over.
  case sending
  /// The rest of sending: nothing more can be taken over.
  case blocked

  // A connection's thread at the receiver, within a block.
  /// Nothing has come.
  case awaiting
  /// The processor's part of receiving: the kernel hands bytes over.
  case receiving
  /// Opens and digests.
  case decoding
  /// In calls that stage, write and finish files.
  case writing
  /// Two epochs are full: nothing is taken before one is durable.
  case paused

  // Other threads.
  /// The sender walks its tree.
  case walking
  /// The receiver looks at its tree.
  case looking
  /// The receiver makes directories, links and empty files.
  case preparing
  /// The receiver makes an epoch durable: syncs, journal, publishing.
  case committing
  /// Between two blocks, or with nothing to do; counted nowhere.
  case idle

  /// Those that are counted, in order.
  package static let counted = allCases.filter { $0 != .idle }
}

/// Nanoseconds of each activity, summed over the threads of an end.
package struct ActivityTimes: Equatable, Sendable {
  private var nanoseconds = [UInt64](repeating: 0, count: Activity.counted.count)

  package init() {}

  /// The time of one activity; that of idling is never known.
  package subscript(activity: Activity) -> UInt64 {
    get { activity == .idle ? 0 : nanoseconds[activity.rawValue] }
    set { if activity != .idle { nanoseconds[activity.rawValue] = newValue } }
  }

  /// The time of several activities together.
  package func sum(_ activities: Activity...) -> UInt64 {
    activities.reduce(0) { $0 + self[$1] }
  }

  /// The times of both ends: each counts what the other does not have.
  package func joined(with other: ActivityTimes) -> ActivityTimes {
    var joined = self
    for activity in Activity.counted { joined[activity] = max(self[activity], other[activity]) }
    return joined
  }
}
