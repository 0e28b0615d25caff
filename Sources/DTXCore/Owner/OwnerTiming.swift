/// How often an owner shows that it lives, and how long it and others take its last sign to hold.
///
/// An owner counts from before it wrote the sign, and an onlooker from when it first saw it, so the
/// onlooker, who waits for longer, is always the later one: when it has lost its patience the
/// owner's lease is long over, whatever their clocks say of the time of day.
package struct OwnerTiming: Hashable, Sendable {
  /// Nanoseconds from one sign of life to the next.
  package var beat: UInt64
  /// Nanoseconds after a sign of life for which its owner may publish.
  package var lease: UInt64
  /// Nanoseconds without a new sign after which an onlooker takes over.
  package var patience: UInt64
  /// Nanoseconds between two looks of an onlooker.
  package var pause: UInt64

  package init(beat: UInt64, lease: UInt64, patience: UInt64, pause: UInt64) {
    precondition(beat < lease && lease < patience, "an owner is the first to know of its end")
    self.beat = beat
    self.lease = lease
    self.patience = patience
    self.pause = pause
  }

  /// What all hosts keep to.
  ///
  /// The lease outlasts a few lost signs; behind a server that is away for longer an owner waits, and
  /// goes on if nobody has taken over. Between lease and patience is more
  /// than the longest that the clients of NFS and Lustre keep what they know of a file that is
  /// opened anew.
  package static let standard = OwnerTiming(
    beat: 5 * Duration.second,
    lease: 20 * Duration.second,
    patience: 60 * Duration.second,
    pause: 1 * Duration.second
  )
}
