package import DTXCore
package import DTXLinux

/// How a connection becomes a lane's: three messages that prove the session's secret both ways.
///
/// ```
/// initiator                                 responder
///   request, nonce, code under key 1   ->              96 bytes; any flaw: closed in silence
///                                      <-   nonce, code under key 2 over all so far     64 bytes
///   code under key 3 over all so far   ->                                               32 bytes
/// ```
///
/// The initiator here is the end that dials, whichever end began the session.
/// It speaks first, so that a scanner of ports finds nothing that answers. The second
/// message proves to the initiator that the responder is alive and knows the secret; the third
/// proves the same of the initiator, and a recorded request gets no further than that. Since each
/// message has a key of its own, none of them sent back to its author is accepted.
package enum LaneOpening {
  /// Bytes of a session's public name.
  package static let sessionIDByteCount = 16

  static let nonceByteCount = 32
  static let answerByteCount = nonceByteCount + OpeningCode.byteCount

  /// Opens a connection as the end that dialled it; blocks the calling thread.
  ///
  /// - Parameters:
  ///   - socket: connected; it is shut down when this throws.
  ///   - secret: of the session.
  ///   - sessionID: 16 bytes, public.
  ///   - identity: with a number that no attempt on this lane had before.
  ///   - cipher: as agreed on the control channel; the responder refuses another.
  ///   - timeoutNanoseconds: for the whole opening.
  /// - Returns: the connection, proven both ways.
  /// - Throws: `.closed` when the responder refused, `.timedOut`, `.unproven` when somebody else
  ///   answered, `.system`.
  package static func initiate(
    socket: Socket,
    secret: SessionSecret,
    sessionID: [UInt8],
    identity: LaneIdentity,
    cipher: Cipher,
    timeoutNanoseconds: UInt64 = Limits.unprovenNanoseconds
  ) throws(LaneError) -> OpenedLane {
    precondition(sessionID.count == sessionIDByteCount, "a session has 16 bytes of name")
    precondition((0..<Limits.laneCount).contains(identity.lane), "lane \(identity.lane)")
    let exchange = OpeningExchange(socket: socket, timeoutNanoseconds: timeoutNanoseconds)
    do throws(LaneError) {
      let request = OpeningRequest(
        sessionID: sessionID,
        lane: UInt16(identity.lane),
        number: identity.number,
        cipher: cipher.rawValue,
        nonce: randomBytes(nonceByteCount)
      )
      var transcript = request.encoded()
      transcript += OpeningCode(secret, .initiator).code(of: transcript)
      try exchange.send(transcript)

      let answer = try exchange.receive(answerByteCount)
      let responderNonce = answer[..<nonceByteCount]
      transcript += responderNonce
      try OpeningCode(secret, .responder).check(answer[nonceByteCount...], of: transcript)

      transcript += answer[nonceByteCount...]
      try exchange.send(OpeningCode(secret, .confirmation).code(of: transcript))
      let source = LaneKeys.Source(
        secret: secret,
        nonces: request.nonce + responderNonce,
        identity: identity
      )
      return OpenedLane(
        socket: socket,
        cipher: cipher,
        keys: source,
        outgoing: .initiatorToResponder
      )
    } catch {
      socket.shutdown()
      throw error
    }
  }

  /// Opens a connection as the end that accepted it; blocks the calling thread.
  ///
  /// - Parameters:
  ///   - socket: connected; it is shut down when this throws, without a byte sent to a stranger.
  ///   - secret: of the session.
  ///   - sessionID: 16 bytes, public.
  ///   - cipher: as agreed on the control channel.
  ///   - timeoutNanoseconds: for the whole opening, however slowly its bytes come.
  ///   - accept: asked once, when the request is authentic, before it is answered. It says whether
  ///     the lane is expected and the number above the lane's last one, and notes the number then:
  ///     an initiator that has its answer may dial the next number before its confirmation is here.
  /// - Returns: the connection, proven both ways.
  /// - Throws: `.unproven`, `.otherCipher`, `.refused`, `.timedOut`, `.closed`, `.system`.
  package static func respond(
    socket: Socket,
    secret: SessionSecret,
    sessionID: [UInt8],
    cipher: Cipher,
    timeoutNanoseconds: UInt64 = Limits.unprovenNanoseconds,
    accept: (LaneIdentity) -> Bool
  ) throws(LaneError) -> OpenedLane {
    precondition(sessionID.count == sessionIDByteCount, "a session has 16 bytes of name")
    let exchange = OpeningExchange(socket: socket, timeoutNanoseconds: timeoutNanoseconds)
    do throws(LaneError) {
      var transcript = try exchange.receive(OpeningRequest.byteCount)
      let request = try OpeningRequest(transcript)
      guard request.sessionID == sessionID else { throw .unproven(.session) }
      let covered = OpeningRequest.coveredByteCount
      try OpeningCode(secret, .initiator)
        .check(transcript[covered...], of: Array(transcript[..<covered]))
      guard request.cipher == cipher.rawValue else { throw .otherCipher(offered: request.cipher) }
      let identity = request.identity
      guard identity.lane < Limits.laneCount, accept(identity) else { throw .refused(identity) }

      let responderNonce = randomBytes(nonceByteCount)
      transcript += responderNonce
      let code = OpeningCode(secret, .responder).code(of: transcript)
      try exchange.send(responderNonce + code)

      transcript += code
      let confirmation = try exchange.receive(OpeningCode.byteCount)
      try OpeningCode(secret, .confirmation).check(confirmation, of: transcript)
      let source = LaneKeys.Source(
        secret: secret,
        nonces: request.nonce + responderNonce,
        identity: identity
      )
      return OpenedLane(
        socket: socket,
        cipher: cipher,
        keys: source,
        outgoing: .responderToInitiator
      )
    } catch {
      socket.shutdown()
      throw error
    }
  }
}
