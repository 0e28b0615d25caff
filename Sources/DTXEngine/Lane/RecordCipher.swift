internal import DTXCore
internal import CCryptoBoringSSL
internal import Crypto

/// What is used once under a key: 4 bytes that belong to the key, 8 that count its records.
///
/// This is the deterministic construction of NIST SP 800-38D, section 8.2.1, in the shape that
/// RFC 5116, section 3.2, recommends. The count is big-endian, as is every counter of GCM.
struct RecordNonce: Equatable {
  /// The fixed field, as its four bytes lie in memory.
  var salt: UInt32
  /// The invocation field: records sealed under this key before this one.
  var counter: UInt64

  static let byteCount = 12

  /// Calls `body` with the 12 bytes, which lie on the stack.
  func withUnsafeBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
    // Three words of one type have no padding between them; UInt32 and UInt64 would.
    let words = (
      salt, UInt32(truncatingIfNeeded: counter >> 32).bigEndian,
      UInt32(truncatingIfNeeded: counter).bigEndian
    )
    return Swift.withUnsafeBytes(of: words, body)
  }
}

/// AES-256-GCM (RFC 5116, section 5.2) under one key, on whole records, in place.
///
/// This is the one file that calls BoringSSL, through the C module inside swift-crypto 4.5.2
/// (BoringSSL 0226f30467f540a3f62ef48d453f93927da199b6). The public `AES.GCM.seal` allocates ten
/// times a call and copies its result: 1 to 6 GB/s on a core, where the same BoringSSL seals
/// 10 GB/s in place. The module is no stable product, so the package pins that version exactly;
/// whoever raises the pin reads the comments on EVP_AEAD_CTX_seal_scatter, _open_gather, _new and
/// _free again, and runs RecordCipherTests, whose vectors were computed by another library.
///
/// What holds in that version: input and output may be the same bytes, but may not overlap
/// otherwise; a failed call fills its output with zeros, so that nothing unauthentic is left to
/// read; _free wipes the expanded key.
struct RecordCipher: ~Copyable {
  static let keyByteCount = 32

  /// Allocated once for each key, never for a record.
  private let state: UnsafeMutablePointer<EVP_AEAD_CTX>

  /// Expands a key.
  ///
  /// - Parameter key: 256 bits.
  init(key: SymmetricKey) {
    let state = key.withUnsafeBytes { key in
      precondition(key.count == Self.keyByteCount, "an AES-256 key has 32 bytes, not \(key.count)")
      return CCryptoBoringSSL_EVP_AEAD_CTX_new(
        CCryptoBoringSSL_EVP_aead_aes_256_gcm(),
        key.assumingMemoryBound(to: UInt8.self).baseAddress,
        key.count,
        RecordLayout.tagByteCount
      )
    }
    guard let state else { preconditionFailure("no memory is left for a record key") }
    self.state = state
  }

  deinit {
    CCryptoBoringSSL_EVP_AEAD_CTX_free(state)
  }

  /// Encrypts the payload and writes the tag; the header is authenticated with them.
  ///
  /// - Parameters:
  ///   - record: a record up to its tag's end, its header and its payload in place.
  ///   - nonce: never used before under this key.
  borrowing func seal(_ record: UnsafeMutableRawBufferPointer, nonce: RecordNonce) {
    let parts = RecordParts(record)
    var tagByteCount = 0
    let result = nonce.withUnsafeBytes { nonce in
      CCryptoBoringSSL_EVP_AEAD_CTX_seal_scatter(
        state,
        parts.payload,
        parts.tag,
        &tagByteCount,
        RecordLayout.tagByteCount,
        nonce.assumingMemoryBound(to: UInt8.self).baseAddress,
        nonce.count,
        parts.payload,
        parts.payloadByteCount,
        nil,
        0,
        parts.header,
        RecordLayout.headerByteCount
      )
    }
    // It fails for wrong lengths and overlapping buffers only: our own mistakes.
    precondition(result == 1, "sealing a record of \(record.count) bytes failed")
    precondition(tagByteCount == RecordLayout.tagByteCount, "a tag has 16 bytes")
  }

  /// Checks the tag and decrypts the payload.
  ///
  /// - Parameters:
  ///   - sealed: a record's payload and tag, its header not among them. When it is refused the
  ///     payload becomes zeros.
  ///   - header: the record's header, as `RecordLayout.header` makes it.
  ///   - nonce: what the record must have been sealed with.
  /// - Returns: false when tag, header and payload do not belong together under this key and nonce.
  borrowing func open(
    _ sealed: UnsafeMutableRawBufferPointer,
    header: UInt64,
    nonce: RecordNonce
  ) -> Bool {
    guard let payload = sealed.assumingMemoryBound(to: UInt8.self).baseAddress,
      sealed.count >= RecordLayout.tagByteCount
    else { preconditionFailure("\(sealed.count) bytes do not hold a tag") }
    let payloadByteCount = sealed.count - RecordLayout.tagByteCount
    let result = nonce.withUnsafeBytes { nonce in
      withUnsafeBytes(of: (header.littleEndian, UInt64(0))) { header in
        CCryptoBoringSSL_EVP_AEAD_CTX_open_gather(
          state,
          payload,
          nonce.assumingMemoryBound(to: UInt8.self).baseAddress,
          nonce.count,
          payload,
          payloadByteCount,
          payload + payloadByteCount,
          RecordLayout.tagByteCount,
          header.assumingMemoryBound(to: UInt8.self).baseAddress,
          header.count
        )
      }
    }
    // A refusal leaves an entry in this thread's error queue, which nobody would ever read.
    if result != 1 { CCryptoBoringSSL_ERR_clear_error() }
    return result == 1
  }
}

/// Pointers into one record.
private struct RecordParts {
  let header: UnsafeMutablePointer<UInt8>
  let payload: UnsafeMutablePointer<UInt8>
  let tag: UnsafeMutablePointer<UInt8>
  let payloadByteCount: Int

  init(_ record: UnsafeMutableRawBufferPointer) {
    let overhead = RecordLayout.byteCount(payloadByteCount: 0)
    guard let base = record.assumingMemoryBound(to: UInt8.self).baseAddress,
      record.count >= overhead
    else { preconditionFailure("a record has at least \(overhead) bytes, not \(record.count)") }
    payloadByteCount = record.count - overhead
    header = base
    payload = base + RecordLayout.headerByteCount
    tag = payload + payloadByteCount
  }
}
