@testable import DTXCore
import Testing

@Suite struct EpochLedgerTests {
  private func fill(_ ledger: inout EpochLedger, _ count: Int, at nanoseconds: UInt64) {
    ledger.add(at: Instant(nanoseconds: nanoseconds)) { work in
      for _ in 0..<count {
        work.complete.append(EpochWork.EntryPlace(segment: 0, entry: work.complete.count))
      }
      work.blocks.append(BlockReference(segment: 0, block: work.blocks.count))
    }
  }

  @Test("the first epoch is short, and the next ones as long as its sync was dear")
  func epochsAreAsLongAsSyncsAreDear() {
    var ledger = EpochLedger()
    #expect(!ledger.isWorthSync(at: .zero))
    fill(&ledger, Limits.cheapEpochFileCount - 1, at: 0)
    #expect(!ledger.isWorthSync(at: .zero))
    fill(&ledger, 1, at: 0)
    #expect(ledger.isWorthSync(at: .zero))
    #expect(!ledger.isFull(at: .zero))

    let first = ledger.close()
    let done = ledger.finish(first?.epoch ?? 0, syncNanoseconds: 1_000_000)
    #expect(done != nil && done == first)
    fill(&ledger, Limits.cheapEpochFileCount, at: 500)
    let due = 500 + 1_000_000 * Limits.cheapEpochSyncCount
    #expect(!ledger.isWorthSync(at: Instant(nanoseconds: due - 1)))
    #expect(ledger.isWorthSync(at: Instant(nanoseconds: due)))
    fill(&ledger, Limits.epochFileCount, at: 500)
    #expect(ledger.isFull(at: Instant(nanoseconds: 500)))
  }

  @Test("an epoch without files ends with its time alone")
  func blocksOfLargeFilesWait() {
    var ledger = EpochLedger()
    fill(&ledger, 0, at: 0)
    #expect(!ledger.isWorthSync(at: Instant(nanoseconds: Limits.epochNanoseconds - 1)))
    #expect(ledger.isFull(at: Instant(nanoseconds: Limits.epochNanoseconds)))
  }

  /// Runs one epoch that is filled to its limit.
  ///
  /// - Returns: its files.
  private func round(
    _ ledger: inout EpochLedger,
    nanosecondsPerFile: UInt64
  ) -> Int {
    var count = 0
    while !ledger.isFull(at: .zero) {
      fill(&ledger, 1, at: 0)
      count += 1
    }
    let closed = ledger.close()
    _ = ledger.finish(closed?.epoch ?? 0, syncNanoseconds: UInt64(count) * nanosecondsPerFile)
    return count
  }

  @Test(
    "where files are slow to sync, an epoch has as many as two seconds take",
    arguments: [100_000, 1_000_000, 4_000_000, 50_000_000] as [UInt64]
  )
  func epochsOfSlowFilesAreShort(nanosecondsPerFile: UInt64) {
    var ledger = EpochLedger()
    #expect(round(&ledger, nanosecondsPerFile: nanosecondsPerFile) == Limits.firstEpochFileCount)
    for _ in 0..<3 { _ = round(&ledger, nanosecondsPerFile: nanosecondsPerFile) }
    let fitting = Int(Limits.epochSyncNanoseconds / nanosecondsPerFile)
    let settled = round(&ledger, nanosecondsPerFile: nanosecondsPerFile)
    #expect(settled >= min(max(fitting / 2, Limits.smallestEpochFileCount), Limits.epochFileCount))
    #expect(settled <= max(fitting, Limits.smallestEpochFileCount))
    // The disk was slow for a while only.
    for _ in 0..<3 { _ = round(&ledger, nanosecondsPerFile: 1000) }
    #expect(round(&ledger, nanosecondsPerFile: 1000) == Limits.epochFileCount)
  }

  @Test("a long sync of few files makes no epoch shorter")
  func bytesAreNoReason() {
    var ledger = EpochLedger()
    fill(&ledger, 1, at: 0)
    let closed = ledger.close()
    _ = ledger.finish(closed?.epoch ?? 0, syncNanoseconds: 20 * Limits.epochSyncNanoseconds)
    #expect(round(&ledger, nanosecondsPerFile: 1) == Limits.firstEpochFileCount)
  }
}
