internal import Crypto

/// How long one record key is used.
package struct KeyLimit: Equatable, Sendable {
  /// Payload bytes, at most.
  package var byteCount: UInt64
  /// Records, at most.
  package var recordCount: UInt64

  /// What both ends use.
  ///
  /// 64 GiB are 2^32 AES blocks: an attacker who sees them all tells the stream from random bytes
  /// with a probability below (2^32)^2 / 2^129 = 2^-65. TLS 1.3 (RFC 8446, section 5.5) goes to
  /// 2^38.5 bytes and 2^-57. At 100 Gb/s on one connection a key lasts 5 seconds, and the step to
  /// the next costs some microseconds. 2^31 records are half of the 2^32 invocations of NIST
  /// SP 800-38D, section 8.3; the count matters only to records that are almost empty.
  package static let standard = KeyLimit(byteCount: 64 << 30, recordCount: 1 << 31)

  /// Makes a limit; other ones than the standard are for tests.
  package init(byteCount: UInt64, recordCount: UInt64) {
    precondition(byteCount > 0, "a key serves at least one byte")
    precondition(recordCount > 0, "a key serves at least one record")
    self.byteCount = byteCount
    self.recordCount = recordCount
  }
}

/// The keys of one direction of one connection, one after another, and the nonces under each.
///
/// From a secret S, which is the directional secret at first, come
/// - the AES-256 key, HKDF-Expand(S, "dtx record key", 32),
/// - the nonces' first four bytes, HKDF-Expand(S, "dtx record salt", 4),
/// - the secret that follows, HKDF-Expand(S, "dtx rekey", 32); then S is wiped, so that whoever
///   takes a process's memory cannot read what it sent under earlier keys.
///
/// The limit is reached at the same record on both ends, since both count payload bytes and
/// records: no message says so. A key that has not been used yet is never stepped over, whatever
/// the record's length.
///
/// One thread uses it at a time. Nothing is allocated but when a key changes.
final class KeySchedule {
  /// Keys before the present one.
  private(set) var keyIndex = 0

  private let limit: KeyLimit
  private var secret: SymmetricKey
  private var cipher: RecordCipher
  private var nonce: RecordNonce
  /// Payload bytes under the present key.
  private var byteCount: UInt64 = 0

  init(_ secret: DirectionalSecret, limit: KeyLimit) {
    self.limit = limit
    self.secret = secret.key
    cipher = Self.cipher(secret.key)
    nonce = Self.firstNonce(secret.key)
  }

  /// Seals a record in place, up to its tag's end, under the next key if the present one is used up.
  func seal(_ record: UnsafeMutableRawBufferPointer) {
    let payloadByteCount = UInt64(record.count - RecordLayout.byteCount(payloadByteCount: 0))
    prepare(payloadByteCount)
    cipher.seal(record, nonce: nonce)
    advance(payloadByteCount)
  }

  /// Opens a record in place, under the next key if the present one is used up.
  ///
  /// - Parameters:
  ///   - sealed: its payload and its tag.
  ///   - header: its header, as `RecordLayout.header` makes it.
  /// - Returns: false when it is not authentic; nothing may be opened after that.
  func open(_ sealed: UnsafeMutableRawBufferPointer, header: UInt64) -> Bool {
    let payloadByteCount = UInt64(sealed.count - RecordLayout.tagByteCount)
    prepare(payloadByteCount)
    guard cipher.open(sealed, header: header, nonce: nonce) else { return false }
    advance(payloadByteCount)
    return true
  }

  /// Steps to the next key when a record of this payload would exceed the limit.
  private func prepare(_ payloadByteCount: UInt64) {
    let isUsed = nonce.counter > 0
    let isFull =
      byteCount + payloadByteCount > limit.byteCount || nonce.counter >= limit.recordCount
    if isUsed, isFull { step() }
  }

  private func advance(_ payloadByteCount: UInt64) {
    byteCount += payloadByteCount
    nonce.counter += 1
  }

  private func step() {
    secret = LaneKeys.expand(secret, "dtx rekey", byteCount: 32)
    cipher = Self.cipher(secret)
    nonce = Self.firstNonce(secret)
    byteCount = 0
    keyIndex += 1
  }

  private static func cipher(_ secret: SymmetricKey) -> RecordCipher {
    RecordCipher(
      key: LaneKeys.expand(secret, "dtx record key", byteCount: RecordCipher.keyByteCount)
    )
  }

  private static func firstNonce(_ secret: SymmetricKey) -> RecordNonce {
    let salt = LaneKeys.expand(secret, "dtx record salt", byteCount: 4)
      .withUnsafeBytes { $0.loadUnaligned(as: UInt32.self) }
    return RecordNonce(salt: salt, counter: 0)
  }
}
