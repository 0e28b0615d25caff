/// A bug that the simulated surroundings have on purpose: each invariant must find its own.
package enum Sabotage: Equatable, Sendable, CaseIterable {
  /// The disk forgets a write and says nothing.
  case forgetsWrite
  /// A block goes out on a lane of another queue.
  case wanders
  /// A lane is paced at twice its rate.
  case exceedsRate
  /// An epoch counts as durable before anything is synced.
  case acknowledgesBeforeSync
  /// The journal's sync returns before the bytes are safe.
  case lyingJournalSync
  /// A file is published when the first of its extents is there.
  case publishesEarly
  /// A broken connection is noticed by neither end.
  case silentLoss
  /// Something outside the seed has a say.
  case unseeded(UInt64)
  /// The receiver does not look at digests.
  case trustsBytes
  /// The receiver does not look at what it reads back.
  case trustsMedium
  /// What is staged stays when the transfer is done.
  case keepsStaged
  /// A connection is said to be over while its thread still writes.
  case fencesEarly
  /// The receiver takes blocks while it should pause, and its disk never gets done.
  case ignoresPause
  /// A journal is started anew at every run.
  case forgetsJournal
  /// The receiver announces more than it has received.
  case inventsAcknowledgement

  package static var allCases: [Sabotage] {
    [
      .forgetsWrite, .wanders, .exceedsRate, .acknowledgesBeforeSync, .lyingJournalSync,
      .publishesEarly, .silentLoss, .unseeded(1), .trustsBytes, .trustsMedium, .keepsStaged,
      .fencesEarly, .ignoresPause, .forgetsJournal, .inventsAcknowledgement,
    ]
  }
}
