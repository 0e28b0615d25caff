import DTXCore
import DTXLinux
import Testing

@testable import DTXEngine

@Suite struct LaneOpeningTests {
  private typealias Outcome = Result<OpenedLane, LaneError>

  private static func respond(
    _ socket: Socket,
    secret: SessionSecret = LaneFixtures.secret,
    sessionID: [UInt8] = LaneFixtures.sessionID,
    cipher: Cipher = .aes256GCM,
    timeoutNanoseconds: UInt64 = Limits.unprovenNanoseconds,
    accept: (LaneIdentity) -> Bool = { _ in true }
  ) -> Outcome {
    Result { () throws(LaneError) in
      try LaneOpening.respond(
        socket: socket,
        secret: secret,
        sessionID: sessionID,
        cipher: cipher,
        timeoutNanoseconds: timeoutNanoseconds,
        accept: accept
      )
    }
  }

  private static func initiate(
    _ socket: Socket,
    secret: SessionSecret = LaneFixtures.secret,
    sessionID: [UInt8] = LaneFixtures.sessionID,
    identity: LaneIdentity = LaneFixtures.identity,
    cipher: Cipher = .aes256GCM,
    timeoutNanoseconds: UInt64 = Limits.unprovenNanoseconds
  ) -> Outcome {
    Result { () throws(LaneError) in
      try LaneOpening.initiate(
        socket: socket,
        secret: secret,
        sessionID: sessionID,
        identity: identity,
        cipher: cipher,
        timeoutNanoseconds: timeoutNanoseconds
      )
    }
  }

  private static func error(_ outcome: Outcome) -> LaneError? {
    switch outcome {
    case .success: nil
    case .failure(let error): error
    }
  }

  /// What a responder makes of bytes that are all there when it begins.
  private static func refusal(
    of bytes: [UInt8],
    cipher: Cipher = .aes256GCM,
    accept: (LaneIdentity) -> Bool = { _ in true }
  ) throws -> (error: LaneError?, wasSilent: Bool) {
    let (near, far) = try Socket.pair()
    try near.sendAll(bytes)
    let outcome = respond(far, cipher: cipher, accept: accept)
    return (error(outcome), near.endsInSilence())
  }

  @Test(arguments: Cipher.allCases)
  func bothEndsOpenAndUnderstandEachOther(_ cipher: Cipher) throws {
    let (near, far) = try Socket.pair()
    let responding = try Background { Self.respond(far, cipher: cipher) }
    let initiator = try Self.initiate(near, cipher: cipher).get()
    let responder = try responding.value().get()
    #expect(initiator.identity == LaneFixtures.identity)
    #expect(responder.identity == LaneFixtures.identity)
    #expect(responder.cipher == cipher)
    let there = initiator.sealer.record(.data, Array("there".utf8))
    let back = responder.sealer.record(.data, Array("back".utf8))
    #expect(try responder.opener.plain(there).payload == Array("there".utf8))
    #expect(try initiator.opener.plain(back).payload == Array("back".utf8))
  }

  @Test func aRecordSentBackToItsAuthorIsRefused() throws {
    let (near, far) = try Socket.pair()
    let responding = try Background { Self.respond(far) }
    let initiator = try Self.initiate(near).get()
    _ = try responding.value().get()
    let record = initiator.sealer.record(.data, Array("there".utf8))
    #expect(throws: RecordError.unauthentic) { try initiator.opener.plain(record) }
  }

  @Test func twoOpeningsOfOneNumberShareNoKey() throws {
    let records = try (0..<2).map { _ in
      let (near, far) = try Socket.pair()
      let responding = try Background { Self.respond(far) }
      let lane = try Self.initiate(near).get()
      _ = try responding.value().get()
      return lane.sealer.record(.data, [1, 2, 3])
    }
    #expect(records[0] != records[1])
  }

  /// The vectors come from another implementation, Python with its package "cryptography".
  ///
  ///     key = lambda label: HKDF(SHA256, 32, salt=b"", info=label).derive(bytes(range(32)))
  ///     request = (b"DTXLANE1" + bytes(range(16, 32))
  ///                + struct.pack("<HIBB", 7, 0x01020304, 1, 0) + bytes(range(64, 96)))
  ///     first = request + hmac(key(b"dtx lane opening initiator"), request)
  ///     nonce = bytes(range(96, 128))
  ///     second = nonce + hmac(key(b"dtx lane opening responder"), first + nonce)
  ///     third = hmac(key(b"dtx lane opening confirmation"), first + second)
  @Test func theMessagesAreTheDocumentedOnes() throws {
    let request = OpeningRequest(
      sessionID: LaneFixtures.sessionID,
      lane: 7,
      number: 0x0102_0304,
      cipher: 1,
      nonce: Array(0x40..<0x60)
    )
    let secret = LaneFixtures.secret
    var transcript = request.encoded()
    transcript += OpeningCode(secret, .initiator).code(of: transcript)
    let expected = """
      4454584c414e4531 101112131415161718191a1b1c1d1e1f 0700 04030201 01 00
      404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f
      abb651639143801d7986388c2f5d85d4db523c7aa56b19b93420a654dc4e2c2e
      """
    #expect(transcript == Array(hex: expected))
    #expect(try OpeningRequest(transcript) == request)

    transcript += Array(0x60..<0x80)
    let answer = OpeningCode(secret, .responder).code(of: transcript)
    let answered = "8774607440677a8fd57d188ad04e3881f41328864ddd0202699d72ef69b30e4d"
    #expect(answer == Array(hex: answered))

    transcript += answer
    let confirmation = OpeningCode(secret, .confirmation).code(of: transcript)
    let confirmed = "79b4d1f09c75601b6b122abbf1ee36021d2f0f8db21a7651a00cf52bc74c3c81"
    #expect(confirmation == Array(hex: confirmed))
  }

  @Test func anotherSecretIsMetWithSilence() throws {
    let refusal = try Self.refusal(of: LaneFixtures.request(secret: SessionSecret()))
    #expect(refusal.error == .unproven(.code))
    #expect(refusal.wasSilent)
  }

  @Test func anotherSecretEndsTheInitiatorsAttempt() throws {
    let (near, far) = try Socket.pair()
    let responding = try Background { Self.respond(far, secret: SessionSecret()) }
    #expect(Self.error(Self.initiate(near)) == .closed)
    #expect(Self.error(try responding.value()) == .unproven(.code))
  }

  @Test func anotherSessionIsMetWithSilence() throws {
    let other = LaneFixtures.sessionID.flipping(bit: 5)
    let refusal = try Self.refusal(of: LaneFixtures.request(sessionID: other))
    #expect(refusal.error == .unproven(.session))
    #expect(refusal.wasSilent)
  }

  @Test func garbageIsMetWithSilence() throws {
    var get = Array("GET / HTTP/1.1\r\n".utf8)
    get += [UInt8](repeating: 0x20, count: OpeningRequest.byteCount - get.count)
    let named = OpeningRequest.magic + [UInt8](repeating: 0xFF, count: 88)
    let cases: [([UInt8], LaneError.Flaw)] = [
      (randomBytes(96), .magic), ([UInt8](repeating: 0, count: 96), .magic), (get, .magic),
      (named, .padding),
    ]
    for (bytes, flaw) in cases {
      let refusal = try Self.refusal(of: bytes)
      #expect(refusal.error == .unproven(flaw))
      #expect(refusal.wasSilent)
    }
  }

  @Test func aRequestWithAnyBitFlippedIsMetWithSilence() throws {
    let request = LaneFixtures.request()
    for bit in 0..<request.count * 8 {
      let refusal = try Self.refusal(of: request.flipping(bit: bit)) { _ in
        Issue.record("a request with bit \(bit) flipped was taken for authentic")
        return true
      }
      #expect(refusal.error != nil, "bit \(bit)")
      #expect(refusal.wasSilent, "bit \(bit)")
    }
  }

  @Test func anAnswerWithAnyBitFlippedIsRefused() throws {
    let secret = LaneFixtures.secret
    for bit in 0..<LaneOpening.answerByteCount * 8 {
      let (near, far) = try Socket.pair()
      let initiating = try Background { Self.initiate(near, secret: secret) }
      let request = try far.bytes(OpeningRequest.byteCount)
      let nonce = randomBytes(LaneOpening.nonceByteCount)
      let answer = nonce + OpeningCode(secret, .responder).code(of: request + nonce)
      try far.sendAll(answer.flipping(bit: bit))
      #expect(Self.error(try initiating.value()) == .unproven(.code), "bit \(bit)")
      #expect(far.endsInSilence(), "bit \(bit)")
    }
  }

  @Test func aConfirmationWithAnyBitFlippedIsRefused() throws {
    let secret = LaneFixtures.secret
    for bit in 0..<OpeningCode.byteCount * 8 {
      let (near, far) = try Socket.pair()
      let responding = try Background { Self.respond(far, secret: secret) }
      let request = LaneFixtures.request(secret: secret)
      try near.sendAll(request)
      let answer = try near.bytes(LaneOpening.answerByteCount)
      let confirmation = OpeningCode(secret, .confirmation).code(of: request + answer)
      try near.sendAll(confirmation.flipping(bit: bit))
      #expect(Self.error(try responding.value()) == .unproven(.code), "bit \(bit)")
    }
  }

  @Test func aRecordedOpeningProvesNothingTheSecondTime() throws {
    let secret = LaneFixtures.secret
    let request = LaneFixtures.request(secret: secret)
    var confirmation: [UInt8] = []
    for attempt in 0..<2 {
      let (near, far) = try Socket.pair()
      let responding = try Background { Self.respond(far, secret: secret) }
      try near.sendAll(request)
      let answer = try near.bytes(LaneOpening.answerByteCount)
      if attempt == 0 {
        confirmation = OpeningCode(secret, .confirmation).code(of: request + answer)
      }
      try near.sendAll(confirmation)
      let error = Self.error(try responding.value())
      #expect(error == (attempt == 0 ? nil : .unproven(.code)))
    }
  }

  @Test func aRequestSentBackIsNoAnswer() throws {
    let (near, far) = try Socket.pair()
    let initiating = try Background { Self.initiate(near) }
    let request = try far.bytes(OpeningRequest.byteCount)
    // Its nonce and its code are the parts that an answer would have.
    try far.sendAll(Array(request[32...]))
    #expect(Self.error(try initiating.value()) == .unproven(.code))
  }

  @Test(arguments: [0, 32])
  func anAnswerSentBackIsNoConfirmation(_ offset: Int) throws {
    let (near, far) = try Socket.pair()
    let responding = try Background { Self.respond(far) }
    try near.sendAll(LaneFixtures.request())
    let answer = try near.bytes(LaneOpening.answerByteCount)
    try near.sendAll(Array(answer[offset..<offset + 32]))
    #expect(Self.error(try responding.value()) == .unproven(.code))
  }

  @Test func twoInitiatorsCannotOpenEachOther() throws {
    let (near, far) = try Socket.pair()
    let other = try Background { Self.initiate(far) }
    #expect(Self.error(Self.initiate(near)) == .unproven(.code))
    // The one that is first to refuse closes while the other still waits for bytes.
    #expect([.unproven(.code), .closed].contains(Self.error(try other.value())))
  }

  @Test(arguments: [(Cipher.aes256GCM, Cipher.none), (.none, .aes256GCM)])
  func anotherCipherIsRefused(_ offered: Cipher, _ required: Cipher) throws {
    let request = LaneFixtures.request(cipher: offered.rawValue)
    let refusal = try Self.refusal(of: request, cipher: required)
    #expect(refusal.error == .otherCipher(offered: offered.rawValue))
    #expect(refusal.wasSilent)
  }

  @Test func aNumberThatIsNotAcceptedIsMetWithSilence() throws {
    let asked = Guarded<[LaneIdentity]>([])
    let refusal = try Self.refusal(of: LaneFixtures.request(number: 9)) { identity in
      asked.withLock { $0.append(identity) }
      return false
    }
    let identity = LaneIdentity(lane: 7, number: 9)
    #expect(refusal.error == .refused(identity))
    #expect(refusal.wasSilent)
    #expect(asked.withLock { $0 } == [identity])
  }

  @Test func aLaneBeyondTheLimitIsMetWithSilence() throws {
    let refusal = try Self.refusal(of: LaneFixtures.request(lane: UInt16(Limits.laneCount))) { _ in
      Issue.record("nobody can expect this lane")
      return true
    }
    #expect(refusal.error == .refused(LaneIdentity(lane: Limits.laneCount, number: 1)))
    #expect(refusal.wasSilent)
  }

  @Test(arguments: [0, 1, 95])
  func aStrangerThatStallsRunsOutOfTime(_ byteCount: Int) throws {
    let (near, far) = try Socket.pair()
    try near.sendAll(Array(LaneFixtures.request()[..<byteCount]))
    #expect(Self.error(Self.respond(far, timeoutNanoseconds: 1_000_000)) == .timedOut)
    #expect(near.endsInSilence())
  }

  @Test func aStrangerGainsNoTimeByDripping() throws {
    let (near, far) = try Socket.pair()
    let dripping = try Background { () -> Bool in
      for byte in LaneFixtures.request() {
        // Waits for the end at least 1 ms, so that all bytes together take over 96 ms.
        let deadline = Clock.now() + Duration.millisecond
        if (try? near.waitReadable(before: deadline)) != false { return true }
        if (try? near.sendAll([byte])) == nil { return true }
      }
      return false
    }
    let outcome = Self.respond(far, timeoutNanoseconds: 20 * Duration.millisecond)
    #expect(Self.error(outcome) == .timedOut)
    #expect(try dripping.value())
  }

  @Test func anInitiatorThatDoesNotConfirmRunsOutOfTime() throws {
    let (near, far) = try Socket.pair()
    try near.sendAll(LaneFixtures.request())
    #expect(Self.error(Self.respond(far, timeoutNanoseconds: 1_000_000)) == .timedOut)
  }

  @Test func aResponderThatStallsRunsOutOfTime() throws {
    let (near, far) = try Socket.pair()
    #expect(Self.error(Self.initiate(near, timeoutNanoseconds: 1_000_000)) == .timedOut)
    #expect(try far.bytes(OpeningRequest.byteCount + 1).count == OpeningRequest.byteCount)
  }

  @Test(arguments: [0, 1, 95])
  func aStrangerThatLeavesIsNoticed(_ byteCount: Int) throws {
    let (near, far) = try Socket.pair()
    try near.sendAll(Array(LaneFixtures.request()[..<byteCount]))
    near.shutdown()
    #expect(Self.error(Self.respond(far)) == .closed)
  }

  @Test func nothingBeyondTheOpeningIsRead() throws {
    let secret = LaneFixtures.secret
    let (near, far) = try Socket.pair()
    let responding = try Background { Self.respond(far, secret: secret) }
    let request = LaneFixtures.request(secret: secret)
    try near.sendAll(request)
    let answer = try near.bytes(LaneOpening.answerByteCount)
    // The first record may follow the confirmation at once.
    try near.sendAll(OpeningCode(secret, .confirmation).code(of: request + answer) + [1, 2, 3])
    let lane = try responding.value().get()
    #expect(try lane.socket.bytes(3) == [1, 2, 3])
  }
}
