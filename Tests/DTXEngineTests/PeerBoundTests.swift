import DTXLinux
import Testing

@testable import DTXCore
@testable import DTXEngine

/// What a session keeps of what a peer may say any number of times.
@Suite struct PeerBoundTests {
  private func connection(_ number: Int) -> ConnectionID {
    ConnectionID(lane: 0, number: UInt32(number))
  }

  @Test func theLatestBarredConnectionsAreKept() {
    var barred = BarredConnections()
    let most = Limits.barredConnectionCount
    for number in 0..<2 * most + 5 {
      barred.insert(connection(number))
      // Once more says nothing new, and moves nothing.
      barred.insert(connection(number))
      #expect(barred.count == min(number + 1, most))
    }
    #expect(!barred.contains(connection(most + 4)))
    #expect(barred.contains(connection(most + 5)))
    #expect(barred.contains(connection(2 * most + 4)))
  }

  /// A peer that is done, and yet takes nothing of what is under way to it.
  @Test(arguments: [true, false]) func aLaneThatDoesNotEndIsNotAwaited(_ orderly: Bool) throws {
    let lanes = try [StubbornLane(heedsEnd: true), StubbornLane(heedsEnd: false)]
    lanes.end(orderly: orderly, before: Clock.now() + 50 * Duration.millisecond)
    // Back here, both threads have returned.
    #expect(lanes.map(\.endedBy) == (orderly ? ["end", "abort"] : ["abort", "abort"]))
  }

  @Test func aReportKeepsTheFirstNoticesAndAllAreTold() {
    let told = Told()
    let tally = SessionTally { _ in told.count += 1 }
    for number in 0..<Limits.keptNoticeCount + 50 { tally.note("notice \(number)") }
    var report = TransferReport(outcome: .completed, direction: .push)
    tally.complete(&report, options: TransferOptions(), nanoseconds: 1)
    #expect(report.notices.count == Limits.keptNoticeCount)
    #expect(report.notices.last == "notice \(Limits.keptNoticeCount - 1)")
    #expect(told.count == Limits.keptNoticeCount + 50)
  }

  /// The digest of all plans is made as they come: none of them is kept.
  @Test func plansAreDigestedInOrder() throws {
    let inputs = PlanInputs(
      lanes: [Lane(contract: .reserved, rate: Rate(bitsPerSecond: 8), connectionCount: 1)]
    )
    var report = TransferReport(outcome: .completed, direction: .push)
    let tally = SessionTally { _ in }
    tally.complete(&report, options: TransferOptions(), nanoseconds: 1)
    #expect(report.planDigest == nil)
    var all: [UInt8] = []
    let first = plan(0, inputs)
    tally.plan(first, inputs, of: nil, wanted: BitSet(count: 0))
    all += first.digest(with: inputs).bytes(16)
    for number in 1...3 {
      let plans = [plan(UInt32(number), inputs), plan(UInt32(number), inputs)]
      var next = Generation(inputs)
      next.number = UInt32(number)
      let revision = Revision(
        from: Generation(inputs),
        to: next,
        plans: plans,
        movedByteCount: 0,
        isAsked: false
      )
      tally.revise(revision, inputs)
      for plan in plans { all += plan.digest(with: inputs).bytes(16) }
    }
    tally.complete(&report, options: TransferOptions(), nanoseconds: 1)
    #expect(report.planDigest == Digest.xxh3(of: all))
    #expect(report.generation == 3)
  }

  private func plan(_ generation: UInt32, _ inputs: PlanInputs) -> Plan {
    Plan(segment: 0, generation: generation, queues: [Plan.Queue(rate: inputs.queues[0].rate)])
  }

  /// What a watcher was told, on the one thread of these tests.
  private final class Told: @unchecked Sendable {
    var count = 0
  }
}

/// A connection whose thread waits for its end, or for more than that.
private final class StubbornLane: SessionLane {
  private let heedsEnd: Bool
  private let order = Guarded<String?>(nil)
  private let thread: Thread

  init(heedsEnd: Bool) throws {
    self.heedsEnd = heedsEnd
    let order = self.order
    thread = try Thread(name: "stubborn") { _ = order.wait { $0 } as String? }
  }

  var endedBy: String? { order.withLock { $0 } }

  func end() { if heedsEnd { take("end") } }

  func abort() { take("abort") }

  private func take(_ word: String) { order.withLockAndSignal { $0 = $0 ?? word } }

  func hasReturned(before deadline: UInt64) -> Bool { thread.hasReturned(before: deadline) }

  func join() { thread.join() }
}
