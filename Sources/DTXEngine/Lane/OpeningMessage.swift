internal import Crypto
internal import DTXCore

/// The initiator's first message, less its code: what it wants, and its nonce.
///
/// ```
///  0  magic             "DTXLANE1"; another version of the opening will have another digit
///  8  session           16 bytes, public
/// 24  lane              u16, little-endian as all numbers here
/// 26  number            u32, the connection's
/// 30  cipher            u8
/// 31  zero              u8
/// 32  initiator's nonce 32 random bytes
/// 64  code              HMAC-SHA256 of the bytes before it, which makes 96
/// ```
struct OpeningRequest: Equatable {
  static let magic: [UInt8] = Array("DTXLANE1".utf8)
  /// Bytes that the code covers.
  static let coveredByteCount = 64
  /// Bytes of the whole message.
  static let byteCount = coveredByteCount + OpeningCode.byteCount

  var sessionID: [UInt8]
  var lane: UInt16
  var number: UInt32
  var cipher: UInt8
  var nonce: [UInt8]

  var identity: LaneIdentity { LaneIdentity(lane: Int(lane), number: number) }

  /// The bytes that the code covers.
  func encoded() -> [UInt8] {
    var writer = ByteWriter(reservingCapacity: Self.byteCount)
    writer.appendRaw(Self.magic)
    writer.appendRaw(sessionID)
    writer.append(lane)
    writer.append(number)
    writer.append(cipher)
    writer.append(UInt8(0))
    writer.appendRaw(nonce)
    precondition(writer.byteCount == Self.coveredByteCount, "the request has 64 bytes")
    return writer.bytes
  }
}

extension OpeningRequest {
  /// Takes a request apart.
  ///
  /// - Parameter bytes: a whole message, whose code is not looked at.
  /// - Throws: `.unproven` when it is none.
  init(_ bytes: [UInt8]) throws(LaneError) {
    precondition(bytes.count == Self.byteCount, "96 bytes are expected, not \(bytes.count)")
    guard bytes.starts(with: Self.magic) else { throw .unproven(.magic) }
    guard bytes[31] == 0 else { throw .unproven(.padding) }
    sessionID = Array(bytes[8..<24])
    lane = UInt16(bytes[24]) | UInt16(bytes[25]) << 8
    number = (0..<4).reduce(0) { $0 | UInt32(bytes[26 + $1]) << UInt32(8 * $1) }
    cipher = bytes[30]
    nonce = Array(bytes[32..<64])
  }
}

/// The codes that authenticate the three messages, each under a key of its own.
struct OpeningCode {
  /// HMAC-SHA256 (RFC 2104), not shortened.
  static let byteCount = 32

  private let key: SymmetricKey

  init(_ secret: SessionSecret, _ label: LaneKeys.OpeningLabel) {
    key = LaneKeys.openingKey(secret, label)
  }

  /// Computes the code of a message.
  func code(of message: [UInt8]) -> [UInt8] {
    Array(HMAC<SHA256>.authenticationCode(for: message, using: key))
  }

  /// Compares in constant time, so that an attacker does not learn how much of a guess was right.
  func check(_ code: some Collection<UInt8>, of message: [UInt8]) throws(LaneError) {
    let isValid = HMAC<SHA256>.isValidAuthenticationCode(
      Array(code),
      authenticating: message,
      using: key
    )
    guard isValid else { throw .unproven(.code) }
  }
}
