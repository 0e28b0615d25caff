import DTXCore
import DTXLinux
import Glibc
import Testing

@testable import DTXEngine

/// Two channels that lead to each other, and what lies between.
struct ControlPipes {
  let near: ControlChannel
  let far: ControlChannel
  /// The stream behind `far`, for bytes that no channel would send.
  let farStream: ByteStream

  init(patience: UInt64 = 60 * Duration.second) throws {
    signal(SIGPIPE, SIG_IGN)
    var forth = try Pipe()
    var back = try Pipe()
    var limits = ControlChannel.Patience()
    limits.greeting = patience
    limits.step = patience
    limits.writing = patience
    near = try ControlChannel(
      ByteStream(reading: back.takeReading(), writing: forth.takeWriting()),
      patience: limits
    )
    farStream = try ByteStream(reading: forth.takeReading(), writing: back.takeWriting())
    far = try ControlChannel(farStream)
  }
}

/// Peers that say nothing, or take nothing, at a step of the handshake or later.
@Suite struct ControlChannelTests {
  private static let short = 20 * Duration.millisecond

  private func failure<Value>(_ body: () throws(TransferError) -> Value) -> TransferError? {
    do throws(TransferError) {
      _ = try body()
      return nil
    } catch {
      return error
    }
  }

  @Test(arguments: [0, 1, 7, 8, 9, 12])
  func aGreetingThatStopsIsNotAwaited(_ byteCount: Int) throws {
    let pipes = try ControlPipes(patience: Self.short)
    let hello = Hello(implementation: "dtx 0.0.0").encoded()
    try pipes.farStream.writeAll(Array(hello.prefix(byteCount)))
    let failure = failure { () throws(TransferError) in
      try pipes.near.receiveHello(isAwaited: byteCount > 0)
    }
    #expect(failure?.summary.contains("fell silent") == true, "\(String(describing: failure))")
    #expect(failure?.kind == .failed)
    pipes.near.close()
    pipes.far.close()
  }

  @Test func aPersonMayTakeTimeBeforeTheFirstByte() throws {
    let pipes = try ControlPipes(patience: 10 * Duration.second)
    let greeting = try Background {
      Result { () throws(TransferError) in try pipes.near.receiveHello(isAwaited: true) }
    }
    pipes.far.send(Hello(implementation: "dtx 0.0.0"))
    #expect(try greeting.value().get().implementation == "dtx 0.0.0")
    pipes.near.close()
    pipes.far.close()
  }

  @Test func whatIsNoProgramMaySayNothingMore() throws {
    let pipes = try ControlPipes()
    try pipes.farStream.writeAll(Array("Welcome!".utf8))
    let failure = failure { () throws(TransferError) in
      try pipes.near.receiveHello(isAwaited: true)
    }
    #expect(failure?.summary.contains("Welcome!") == true)
    #expect(failure?.kind == .refused)
    pipes.near.close()
    pipes.far.close()
  }

  @Test(arguments: [0, 1, 4, 5, 6])
  func aStepThatStopsIsNotAwaited(_ byteCount: Int) throws {
    let pipes = try ControlPipes(patience: Self.short)
    let frame: [UInt8] = [1, 2, 0, 0, 0, 0, 0]
    try pipes.farStream.writeAll(Array(frame.prefix(byteCount)))
    let failure = failure { () throws(TransferError) in try pipes.near.receiveStep() }
    #expect(failure?.summary.contains("fell silent") == true, "\(String(describing: failure))")
    pipes.near.close()
    pipes.far.close()
  }

  @Test func aPeerThatTakesNothingAndSaysNothingIsGivenUp() throws {
    let pipes = try ControlPipes(patience: Self.short)
    let reading = try Background { (try? pipes.near.receive()) == nil }
    // More than a pipe and the queue hold, so that it would wait for ever.
    let page = [UInt8](repeating: 0, count: 1 << 19)
    let sending = try Background {
      for _ in 0..<100 { pipes.near.send(.inventory(segment: 0, page: page)) }
      return true
    }
    #expect(try sending.value())
    #expect(try reading.value(), "the channel has ended")
    pipes.near.close()
    pipes.far.close()
  }

  /// Of a peer that nobody listens to nobody can say that it is silent: for ten times as long.
  @Test func aPeerThatTakesNothingIsGivenUpByWhoeverDoesNotListen() throws {
    let pipes = try ControlPipes(patience: Self.short)
    let page = [UInt8](repeating: 0, count: 1 << 19)
    for _ in 0..<100 { pipes.near.send(.inventory(segment: 0, page: page)) }
    #expect(try pipes.near.receive() == nil, "the channel has ended")
    pipes.near.close()
    pipes.far.close()
  }

  @Test func aPeerThatTakesNothingButSpeaksIsWaitedFor() throws {
    let pipes = try ControlPipes(patience: Duration.second)
    let heard = Guarded(0)
    let reading = try Background {
      while (try? pipes.near.receive()) != nil { heard.withLockAndSignal { $0 += 1 } }
      return true
    }
    pipes.near.send(.inventory(segment: 0, page: [UInt8](repeating: 7, count: 1 << 19)))
    // For longer than the patience, one word at a time.
    let end = Clock.now() + 2 * Duration.second
    var said = 0
    while Clock.now() < end {
      pipes.far.send(.heartbeat)
      said += 1
      #expect(heard.wait(until: { $0 == said ? $0 : nil }, deadline: nil) == said)
    }
    #expect(try pipes.far.receive()?.0 == .message)
    pipes.far.close()
    #expect(try reading.value())
    pipes.near.close()
  }

  @Test func inHasteNobodyWaitsForAPeerThatTakesNothing() throws {
    let pipes = try ControlPipes()
    let page = [UInt8](repeating: 0, count: 1 << 10)
    let sending = try Background {
      for _ in 0..<10_000 { pipes.near.send(.inventory(segment: 0, page: page)) }
      // There is no room, and this does not wait for it.
      pipes.near.send(.heartbeat)
      return true
    }
    pipes.near.hurry()
    #expect(try sending.value())
    pipes.near.close()
    pipes.far.close()
  }

  @Test func whoIsDoneWaitsForAPeerNoLongerThanForOneWrite() throws {
    let pipes = try ControlPipes(patience: Self.short)
    pipes.near.send(.inventory(segment: 0, page: [UInt8](repeating: 0, count: 1 << 19)))
    pipes.near.finishSending()
    // The peer meets the end within the frame.
    #expect(failure { () throws(TransferError) in try pipes.far.receive() } != nil)
    pipes.near.close()
    pipes.far.close()
  }

  @Test func aMessageWaitsForLittleOfTheLane() throws {
    let pipes = try ControlPipes()
    let sent = Guarded(0)
    let sending = try Background {
      while pipes.near.send(laneBytes: [UInt8](repeating: 1, count: 64 << 10)) {
        sent.withLockAndSignal { $0 += 1 }
      }
      return true
    }
    // The pipe takes less than the first one, and the second one fills what there is room for.
    let most = 2
    _ = sent.wait(until: { $0 >= most ? $0 : nil }, deadline: nil) as Int?
    pipes.near.send(.heartbeat)
    pipes.near.closeLane()
    #expect(try sending.value(), "who waits for room meets the end of the lane")
    #expect(sent.withLock { $0 } == most)
    for _ in 0..<most { #expect(try pipes.far.receive()?.0 == .laneBytes) }
    #expect(try pipes.far.receive()?.0 == .message)
    #expect(!pipes.near.send(laneBytes: [1]))
    pipes.near.close()
    pipes.far.close()
  }

  @Test func aPeerIsSilentOnlyWhileSomebodyListens() throws {
    let pipes = try ControlPipes()
    let start = Clock.now()
    #expect(pipes.near.silentSince >= start)
    let heard = Guarded(0)
    let reading = try Background {
      while (try? pipes.near.receive()) != nil { heard.withLockAndSignal { $0 += 1 } }
      return true
    }
    // A part of a frame is a sign of life.
    for piece in [[2], [1, 0, 0, 0], [34]] {
      let silence = try #require(self.silence(of: pipes.near))
      try pipes.farStream.writeAll(piece.map(UInt8.init))
      while pipes.near.silentSince == silence { sched_yield() }
      #expect(pipes.near.silentSince > silence)
    }
    #expect(heard.wait(until: { $0 == 1 ? $0 : nil }, deadline: nil) == 1)
    pipes.far.close()
    #expect(try reading.value())
    #expect(silence(of: pipes.near) != nil, "after its end a peer says nothing more")
    pipes.near.close()
  }

  /// Waits until the time since when a peer is silent stands still, as it does once somebody listens.
  ///
  /// - Returns: nil when it goes on with the clock for as long as a test may take.
  private func silence(of channel: ControlChannel) -> UInt64? {
    let deadline = Clock.now() + 20 * Duration.second
    while Clock.now() < deadline {
      let first = channel.silentSince
      sched_yield()
      if channel.silentSince == first { return first }
    }
    return nil
  }
}
