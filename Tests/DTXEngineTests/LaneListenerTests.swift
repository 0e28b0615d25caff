import DTXCore
import DTXLinux
import Glibc
import Testing

@testable import DTXEngine

/// A listener on loopback and what it handed over.
///
/// Unless a test says otherwise, a connection has an hour to prove itself: what ends sooner was
/// ended for another reason. Waits have a bound so that a fault shows as a failure.
private final class Reception: Sendable {
  private let bound = 30 * Duration.second
  let lanes = Mailbox<OpenedLane>()
  let secret = SessionSecret()
  let listener: LaneListener

  init(
    host: String = "127.0.0.1",
    cipher: Cipher = .aes256GCM,
    allowedPeer: String? = nil,
    timeoutNanoseconds: UInt64 = 3600 * Duration.second
  ) throws {
    let lanes = lanes
    listener = try LaneListener(
      host: host,
      secret: secret,
      sessionID: LaneFixtures.sessionID,
      cipher: cipher,
      allowedPeer: allowedPeer,
      timeoutNanoseconds: timeoutNanoseconds
    ) { lane in _ = lanes.send(lane) }
  }

  deinit { listener.close() }

  func dialer(
    _ hosts: [String] = ["127.0.0.1"],
    secret: SessionSecret? = nil,
    cipher: Cipher = .aes256GCM
  ) -> LaneDialer {
    LaneDialer(
      hosts: hosts,
      port: listener.port,
      secret: secret ?? self.secret,
      sessionID: LaneFixtures.sessionID,
      cipher: cipher
    )
  }

  /// A connection that proves nothing.
  func stranger() throws -> Socket {
    let socket = try Socket.connect(to: address(), timeoutNanoseconds: bound)
    try socket.setReceiveTimeout(nanoseconds: bound)
    return socket
  }

  func address(_ host: String = "127.0.0.1") throws -> SocketAddress {
    try #require(SocketAddress(numericHost: host, port: listener.port))
  }

  /// The lane that was handed over; waits for it.
  func lane() throws -> OpenedLane { try #require(lanes.receive(deadline: Clock.now() + bound)) }
}

@Suite struct LaneListenerTests {
  private static func error(_ body: () throws(LaneError) -> Void) -> LaneError? {
    do throws(LaneError) {
      try body()
      return nil
    } catch {
      return error
    }
  }

  @Test(arguments: Cipher.allCases)
  func aDialledConnectionBecomesALane(_ cipher: Cipher) throws {
    let reception = try Reception(cipher: cipher)
    let identity = LaneIdentity(lane: 3, number: 1)
    let near = try reception.dialer(cipher: cipher).dial(identity)
    let far = try reception.lane()
    #expect(near.identity == identity)
    #expect(far.identity == identity)
    let record = near.sealer.record(.data, [1, 2, 3])
    try near.socket.sendAll(record)
    #expect(try far.opener.plain(far.socket.bytes(record.count)).payload == [1, 2, 3])
  }

  @Test func aLaneStaysOpenWhenTheListenerCloses() throws {
    let reception = try Reception()
    let near = try reception.dialer().dial(LaneIdentity(lane: 0, number: 1))
    let far = try reception.lane()
    reception.listener.close()
    try near.socket.sendAll([42])
    #expect(try far.socket.bytes(1) == [42])
  }

  @Test func manyLanesOpenAtOnce() throws {
    let reception = try Reception()
    let dialer = reception.dialer()
    let dials = try (0..<32).map { lane in
      try Background { () -> Bool in
        (1...4).allSatisfy { number in
          (try? dialer.dial(LaneIdentity(lane: lane, number: number))) != nil
        }
      }
    }
    let outcomes = try dials.map { try $0.value() }
    #expect(outcomes.allSatisfy { $0 })
    let identities = try (0..<128).map { _ in try reception.lane().identity }
    #expect(Set(identities).count == 128)
  }

  @Test func connectionNumbersOnlyRise() throws {
    let reception = try Reception()
    let dialer = reception.dialer()
    for (number, isTaken) in [(5, true), (5, false), (4, false), (6, true), (0, false)] {
      let identity = LaneIdentity(lane: 1, number: UInt32(number))
      let lane = try? dialer.dial(identity)
      #expect((lane != nil) == isTaken, "number \(number)")
      if isTaken { #expect(try reception.lane().identity == identity) }
    }
    // Each lane has numbers of its own, and the first may be 0.
    _ = try dialer.dial(LaneIdentity(lane: 2, number: 0))
    #expect(try reception.lane().identity == LaneIdentity(lane: 2, number: 0))
  }

  @Test func aRecordedRequestIsMetWithSilence() throws {
    let reception = try Reception()
    let request = LaneFixtures.request(number: 1, secret: reception.secret)
    let first = try reception.stranger()
    try first.sendAll(request)
    #expect(try first.bytes(LaneOpening.answerByteCount).count == LaneOpening.answerByteCount)
    let second = try reception.stranger()
    try second.sendAll(request)
    #expect(second.endsInSilence())
  }

  @Test func strangersAreMetWithSilenceAndStopNothing() throws {
    let reception = try Reception()
    let stranger = try reception.stranger()
    try stranger.sendAll(randomBytes(OpeningRequest.byteCount))
    #expect(stranger.endsInSilence())
    let other = reception.dialer(secret: SessionSecret())
    #expect(
      Self.error { () throws(LaneError) in
        _ = try other.dial(LaneIdentity(lane: 0, number: 9))
      }
        == .unreachable([
          DialFailure(candidate: try reception.address().description, error: .closed)
        ])
    )
    // What could not prove itself has not used up a number.
    _ = try reception.dialer().dial(LaneIdentity(lane: 0, number: 1))
    #expect(try reception.lane().identity.number == 1)
  }

  @Test func anotherCipherIsRefused() throws {
    let reception = try Reception(cipher: .aes256GCM)
    let plain = reception.dialer(cipher: .none)
    #expect((try? plain.dial(LaneIdentity(lane: 0, number: 1))) == nil)
  }

  @Test func aStrangerThatStallsIsClosed() throws {
    let reception = try Reception(timeoutNanoseconds: Duration.millisecond)
    let silent = try reception.stranger()
    #expect(silent.endsInSilence())
    let slow = try reception.stranger()
    try slow.sendAll(OpeningRequest.magic)
    #expect(slow.endsInSilence())
  }

  @Test func twoHundredStrangersKeepNobodyOut() throws {
    let reception = try Reception()
    let strangers = try (0..<200).map { _ in try reception.stranger() }
    _ = try reception.dialer().dial(LaneIdentity(lane: 0, number: 1))
    #expect(try reception.lane().identity == LaneIdentity(lane: 0, number: 1))
    // The oldest have made room.
    #expect(strangers[0].endsInSilence())
    for stranger in strangers { stranger.shutdown() }
  }

  @Test func strangersThatKeepComingKeepNobodyOut() throws {
    let reception = try Reception()
    let isDone = Guarded(false)
    let crowds = try (0..<3).map { _ in
      try Background { () -> Int in
        var strangers: [Socket] = []
        var count = 0
        while !isDone.withLock({ $0 }) {
          guard let stranger = try? reception.stranger() else { continue }
          strangers.append(stranger)
          count += 1
          if strangers.count == 70 { strangers.removeFirst() }
        }
        return count
      }
    }
    for number in 1...20 {
      _ = try? reception.dialer().dial(LaneIdentity(lane: 0, number: UInt32(number)))
    }
    let lane = try reception.lane()
    #expect(lane.identity.lane == 0)
    isDone.withLock { $0 = true }
    for crowd in crowds { #expect(try crowd.value() > 0) }
  }

  @Test func anIntroducedConnectionIsNotDisplaced() throws {
    let reception = try Reception()
    let secret = reception.secret
    let honest = try reception.stranger()
    let request = LaneFixtures.request(secret: secret)
    try honest.sendAll(request)
    let answer = try honest.bytes(LaneOpening.answerByteCount)
    let strangers = try (0..<100).map { _ in try reception.stranger() }
    #expect(strangers[0].endsInSilence())
    try honest.sendAll(OpeningCode(secret, .confirmation).code(of: request + answer))
    #expect(try reception.lane().identity == LaneIdentity(lane: 7, number: 1))
  }

  @Test func onlyTheAllowedPeerIsTaken() throws {
    let closed = try Reception(allowedPeer: "192.0.2.1")
    let stranger = try closed.stranger()
    #expect(stranger.endsInSilence())
    #expect((try? closed.dialer().dial(LaneIdentity(lane: 0, number: 1))) == nil)

    let open = try Reception(host: "0.0.0.0", allowedPeer: "127.0.0.1")
    _ = try open.dialer().dial(LaneIdentity(lane: 0, number: 1))
    // Another source on the same machine is another peer.
    var other = open.dialer()
    other.source = SocketAddress(numericHost: "127.0.0.2", port: 0)
    #expect((try? other.dial(LaneIdentity(lane: 0, number: 2))) == nil)
  }

  @Test func addressesAreGivenInDigits() throws {
    let secret = SessionSecret()
    func listen(_ host: String, _ peer: String?) -> LaneError? {
      Self.error { () throws(LaneError) in
        _ = try LaneListener(
          host: host,
          secret: secret,
          sessionID: LaneFixtures.sessionID,
          cipher: .none,
          allowedPeer: peer,
          onLane: { _ in }
        )
      }
    }
    #expect(listen("127.0.0.1", "example.org") == .invalidAddress("example.org"))
    #expect(listen("localhost", nil) == .invalidAddress("localhost"))
  }

  @Test func theFirstFreePortOfARangeIsTaken() throws {
    let first = try Reception()
    let port = first.listener.port
    try #require(port < .max)
    func listen(_ ports: ClosedRange<UInt16>) throws(LaneError) -> LaneListener {
      try LaneListener(
        host: "127.0.0.1",
        ports: ports,
        secret: SessionSecret(),
        sessionID: LaneFixtures.sessionID,
        cipher: .aes256GCM,
        onLane: { _ in }
      )
    }
    #expect(
      Self.error { () throws(LaneError) in _ = try listen(port...port) }
        == .system(
          SystemError(operation: "bind", subject: "127.0.0.1:\(port)", number: EADDRINUSE)
        )
    )
    let second = try listen(port...min(.max, port + 50))
    #expect(second.port > port)
    second.close()
  }

  @Test func closingEndsWhatHasNotProvenItself() throws {
    let reception = try Reception()
    let strangers = try (0..<10).map { _ in try reception.stranger() }
    // Once a later connection is through, those before it are being proven.
    _ = try reception.dialer().dial(LaneIdentity(lane: 0, number: 1))
    _ = try reception.lane()
    let closing = try Background { reception.listener.close() }
    for stranger in strangers { #expect(stranger.endsInSilence()) }
    try closing.value()
    reception.listener.close()
    #expect((try? reception.stranger()) == nil)
    #expect(reception.lanes.count == 0)
  }

  @Test func aListenerMayBeClosedFromWithinItsOwnCall() throws {
    let box = Guarded<LaneListener?>(nil)
    let isClosed = Guarded(false)
    let secret = SessionSecret()
    let listener = try LaneListener(
      host: "127.0.0.1",
      secret: secret,
      sessionID: LaneFixtures.sessionID,
      cipher: .aes256GCM
    ) { _ in
      box.wait(until: { $0 })?.close()
      isClosed.withLockAndSignal { $0 = true }
    }
    box.withLockAndSignal { $0 = listener }
    let dialer = LaneDialer(
      hosts: ["127.0.0.1"],
      port: listener.port,
      secret: secret,
      sessionID: LaneFixtures.sessionID,
      cipher: .aes256GCM
    )
    _ = try dialer.dial(LaneIdentity(lane: 0, number: 1))
    _ = isClosed.wait(until: { $0 ? true : nil })
    #expect((try? dialer.dial(LaneIdentity(lane: 0, number: 2))) == nil)
  }

  @Test func candidatesAreTriedInOrderUntilOneProvesItself() throws {
    let reception = try Reception()
    // 127.0.0.2 refuses; 127.0.0.3 accepts, under the same port, and knows another secret.
    let impostor = try LaneListener(
      host: "127.0.0.3",
      ports: reception.listener.port...reception.listener.port,
      secret: SessionSecret(),
      sessionID: LaneFixtures.sessionID,
      cipher: .aes256GCM
    ) { _ in Issue.record("the impostor was believed") }
    defer { impostor.close() }
    let identity = LaneIdentity(lane: 0, number: 1)
    let lane = try reception.dialer(["127.0.0.2", "127.0.0.3", "127.0.0.1"]).dial(identity)
    #expect(try lane.socket.peerAddress.host == "127.0.0.1")

    let failure = Self.error { () throws(LaneError) in
      _ = try reception.dialer(["127.0.0.2", "127.0.0.3"])
        .dial(LaneIdentity(lane: 0, number: 2))
    }
    guard case .unreachable(let failures) = failure else {
      Issue.record("\(String(describing: failure))")
      return
    }
    #expect(
      failures.map(\.candidate)
        == ["127.0.0.2", "127.0.0.3"].map {
          "\($0):\(reception.listener.port)"
        }
    )
    #expect(failures.last?.error == .closed)
  }

  @Test func aHostThatAcceptsAndIsSilentRunsOutOfTime() throws {
    let reception = try Reception()
    let silent = try Socket.listen(
      try #require(SocketAddress(numericHost: "127.0.0.4", port: reception.listener.port))
    )
    var dialer = reception.dialer(["127.0.0.4"])
    dialer.timeoutNanoseconds = 50 * Duration.millisecond
    let failure = Self.error { [dialer] () throws(LaneError) in
      _ = try dialer.dial(LaneIdentity(lane: 0, number: 1))
    }
    let candidate = try silent.localAddress.description
    #expect(failure == .unreachable([DialFailure(candidate: candidate, error: .timedOut)]))
  }

  @Test func nothingToDialIsAnError() throws {
    let reception = try Reception()
    let failure = Self.error { () throws(LaneError) in
      _ = try reception.dialer([]).dial(LaneIdentity(lane: 0, number: 1))
    }
    #expect(failure == .unreachable([]))
  }
}
