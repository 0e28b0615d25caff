package import DTXCore
/// Opens the records of one direction of one connection, in place.
///
/// The caller receives a header, asks `header(_:)` what follows, receives this where it wants the
/// payload, and calls `open`. After one refused record every other one is refused too: a connection that was
/// tampered with is closed, and an attacker has one guess at a tag, not many.
///
/// One thread uses it at a time. It allocates nothing for a record, only when a key has served its
/// time.
package final class RecordOpener {
  /// Nil when there is no cipher.
  private let keys: KeySchedule?
  /// For the checksums of records without a cipher.
  private var digest = StreamingDigest()
  private var hasRefused = false

  /// Makes the opener of a direction.
  ///
  /// - Parameters:
  ///   - cipher: what protects the records.
  ///   - secret: of this direction.
  ///   - limit: when keys change; the sealer at the other end has the same.
  package init(cipher: Cipher, secret: DirectionalSecret, limit: KeyLimit = .standard) {
    switch cipher {
    case .none: keys = nil
    case .aes256GCM: keys = KeySchedule(secret, limit: limit)
    }
  }

  /// Key changes so far.
  package var rekeyCount: Int { keys?.keyIndex ?? 0 }

  /// Takes a header apart before anything behind it is received.
  ///
  /// Nothing is authenticated yet: the length says how many bytes to receive, and no more may be
  /// concluded from it.
  ///
  /// - Parameter buffer: at least the bytes of the header.
  /// - Returns: the type, and the payload's bytes; tag and padding come on top.
  /// - Throws: `RecordError` for an unknown type, a length above the maximum, reserved bytes.
  package func header(
    _ buffer: UnsafeRawBufferPointer
  ) throws(RecordError) -> (RecordType, payloadByteCount: Int) {
    guard !hasRefused else { throw .refusedBefore }
    do {
      return try RecordLayout.parse(Self.word(buffer, at: 0), reserved: Self.word(buffer, at: 8))
    } catch {
      hasRefused = true
      throw error
    }
  }

  /// Authenticates a record, then lets its payload be read, decrypted where it lies.
  ///
  /// Without a cipher a data record's payload may be damaged nevertheless: the extents' digests say.
  ///
  /// - Parameters:
  ///   - type: as `header(_:)` said.
  ///   - payloadByteCount: as `header(_:)` said.
  ///   - sealed: payload, tag and padding, what came behind the header; what lies behind is not
  ///     touched.
  /// - Throws: `RecordError` when the record is not the next one that the other end sealed. A
  ///   payload that was encrypted is then zeros, or still encrypted.
  package func open(
    _ type: RecordType,
    payloadByteCount: Int,
    in sealed: UnsafeMutableRawBufferPointer
  ) throws(RecordError) {
    guard !hasRefused else { throw .refusedBefore }
    let byteCount = RecordLayout.sealedByteCount(payloadByteCount: payloadByteCount)
    precondition(sealed.count >= byteCount, "\(sealed.count) bytes do not hold the record")
    let end = payloadByteCount + RecordLayout.tagByteCount
    guard sealed[end..<byteCount].allSatisfy({ $0 == 0 }) else { throw refusal(.reservedBytes) }
    let sealed = UnsafeMutableRawBufferPointer(rebasing: sealed[..<end])
    let header = RecordLayout.header(type, payloadByteCount: payloadByteCount)

    if let keys {
      guard keys.open(sealed, header: header) else { throw refusal(.unauthentic) }
    } else {
      let payload = UnsafeRawBufferPointer(rebasing: sealed[..<payloadByteCount])
      let isIntact = RecordChecksum(type, header, payload, &digest) == RecordChecksum(in: sealed)
      guard isIntact else { throw refusal(.checksumMismatch) }
    }
  }

  private func refusal(_ error: RecordError) -> RecordError {
    hasRefused = true
    return error
  }

  private static func word(_ buffer: UnsafeRawBufferPointer, at offset: Int) -> UInt64 {
    precondition(buffer.count >= RecordLayout.headerByteCount, "a header has 16 bytes")
    return UInt64(littleEndian: buffer.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
  }
}
