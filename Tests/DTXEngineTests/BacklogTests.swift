import DTXCore
import DTXLinux
import Testing

@testable import DTXEngine

/// What bounds the messages of a peer that sends without reading.
@Suite struct BacklogTests {
  @Test func aSenderTurnsAwayWhatIsTooMuch() {
    let backlog = Backlog(.refuse, limit: 1000)
    #expect(backlog.enter(500) == .entered)
    #expect(backlog.enter(500) == .entered, "the limit is looked at before")
    #expect(backlog.enter(1) == .refused)
    backlog.leave()
    #expect(backlog.enter(1) == .entered)
  }

  @Test func tinyMessagesCountForWhatTheyTake() {
    let backlog = Backlog(.refuse, limit: 1 << 20)
    var count = 0
    while backlog.enter(1) == .entered { count += 1 }
    #expect((1000...8192).contains(count), "\(count) messages of a byte")
    for _ in 0..<count { backlog.leave() }
    backlog.leave()
    #expect(backlog.enter(1) == .entered)
  }

  @Test func aReceiverHoldsBackWhoBringsMore() throws {
    let backlog = Backlog(.wait, limit: 100)
    #expect(backlog.enter(1) == .entered)
    let waiting = try Background { backlog.enter(1) }
    backlog.leave()
    #expect(try waiting.value() == .entered)
    let closing = try Background { backlog.enter(1) }
    backlog.close()
    #expect(try closing.value() == .closed)
    #expect(backlog.enter(1) == .closed, "nobody hears it any more")
  }

  @Test func aReaderBringsNoMoreThanThat() throws {
    let pipes = try ControlPipes()
    let backlog = Backlog(.refuse, limit: 10_000)
    let arrivals = Mailbox<ControlReader.Arrival>()
    for _ in 0..<100 { pipes.far.send(.heartbeat) }
    let reader = try ControlReader(pipes.near, backlog) { arrivals.send($0) }
    reader.join()
    var count = 0
    while case .message? = arrivals.tryReceive() { count += 1 }
    #expect((1...50).contains(count))
    pipes.far.close()
  }
}
