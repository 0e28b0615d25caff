/// The epochs that are open: one that fills, and perhaps one that is being made durable.
struct EpochLedger: Sendable {
  /// What arrived since the last epoch closed; its number is the next one's.
  private(set) var filling = EpochWork(epoch: 1)
  private var began: Instant?
  private(set) var syncing: EpochWork?
  /// What the latest epoch's syncs took; the first epoch is short, to find out.
  private var syncNanoseconds: UInt64 = 0
  /// Files with which an epoch is full.
  private var fileLimit = Limits.firstEpochFileCount
  var isPaused = false

  var isIdle: Bool { filling.blocks.isEmpty && syncing == nil }

  /// When the epoch that fills has lasted long enough.
  var due: Instant? {
    guard syncing == nil || !isPaused else { return nil }
    return began.map { $0 + Limits.epochNanoseconds }
  }

  func isFull(at now: Instant) -> Bool {
    guard let began else { return false }
    return filling.complete.count >= fileLimit || now >= began + Limits.epochNanoseconds
  }

  /// Whether the epoch that fills is worth a sync, though it is not full.
  func isWorthSync(at now: Instant) -> Bool {
    guard let began, filling.complete.count >= Limits.cheapEpochFileCount else { return false }
    return now.since(began) / Limits.cheapEpochSyncCount >= syncNanoseconds
  }

  mutating func add(at now: Instant, _ change: (inout EpochWork) -> Void) {
    if began == nil { began = now }
    change(&filling)
  }

  /// Closes the epoch that fills, unless another is still being made durable or nothing came.
  mutating func close() -> EpochWork? {
    guard syncing == nil, !filling.blocks.isEmpty else { return nil }
    let closed = filling
    syncing = closed
    filling = EpochWork(epoch: closed.epoch + 1)
    began = nil
    return closed
  }

  /// Takes files of a segment out of what the epoch that fills would publish: they are not whole
  /// after all.
  mutating func withhold(_ segment: Int, where isIncomplete: (_ entry: Int) -> Bool) {
    filling.complete.removeAll { $0.segment == segment && isIncomplete($0.entry) }
  }

  mutating func finish(_ epoch: UInt32, syncNanoseconds: UInt64) -> EpochWork? {
    guard let done = syncing, done.epoch == epoch else { return nil }
    syncing = nil
    self.syncNanoseconds = syncNanoseconds
    adapt(to: syncNanoseconds, fileCount: done.complete.count)
    return done
  }

  /// Where small files are slow to sync, an epoch has fewer of them: a crash costs less, and whoever
  /// waits sees sooner how fast they become durable.
  ///
  /// A long sync of few files is no reason: it took its time for their bytes.
  private mutating func adapt(to nanoseconds: UInt64, fileCount: Int) {
    let longest = Limits.epochSyncNanoseconds
    if nanoseconds > longest, fileCount >= fileLimit / 2 {
      let fitting = UInt128(fileCount) * UInt128(longest) / UInt128(nanoseconds)
      fileLimit = max(Limits.smallestEpochFileCount, min(fileLimit, Int(fitting)))
    } else if nanoseconds < longest / 2 {
      fileLimit = min(Limits.epochFileCount, fileLimit * 4)
    }
  }
}
