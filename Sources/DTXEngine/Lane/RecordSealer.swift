package import DTXCore

/// Seals the records of one direction of one connection, in place.
///
/// One thread uses it at a time. It allocates nothing for a record, only when a key has served its
/// time.
package final class RecordSealer {
  package static let headerByteCount = RecordLayout.headerByteCount
  package static let tagByteCount = RecordLayout.tagByteCount

  /// Nil when there is no cipher.
  private let keys: KeySchedule?

  /// Makes the sealer of a direction.
  ///
  /// - Parameters:
  ///   - cipher: what protects the records.
  ///   - secret: of this direction, never given to another sealer.
  ///   - limit: when keys change; the opener at the other end has the same.
  package init(cipher: Cipher, secret: DirectionalSecret, limit: KeyLimit = .standard) {
    switch cipher {
    case .none: keys = nil
    case .aes256GCM: keys = KeySchedule(secret, limit: limit)
    }
  }

  /// Key changes so far.
  package var rekeyCount: Int { keys?.keyIndex ?? 0 }

  /// Writes header, tag and padding, and encrypts the payload where it lies.
  ///
  /// - Parameters:
  ///   - type: what the payload is.
  ///   - payloadByteCount: at most `RecordLayout.maximumPayloadByteCount`.
  ///   - buffer: room for the header, the payload in its place, room for the tag and the padding;
  ///     what lies behind is not touched.
  /// - Returns: bytes of the whole record.
  package func seal(
    _ type: RecordType,
    payloadByteCount: Int,
    in buffer: UnsafeMutableRawBufferPointer
  ) -> Int {
    precondition(payloadByteCount >= 0, "a payload of \(payloadByteCount) bytes")
    precondition(
      payloadByteCount <= RecordLayout.maximumPayloadByteCount,
      "a payload of \(payloadByteCount) bytes is longer than a record's"
    )
    let byteCount = RecordLayout.byteCount(payloadByteCount: payloadByteCount)
    precondition(buffer.count >= byteCount, "\(buffer.count) bytes do not hold the record")

    let end = RecordLayout.headerByteCount + payloadByteCount + RecordLayout.tagByteCount
    let record = UnsafeMutableRawBufferPointer(rebasing: buffer[..<end])
    let header = RecordLayout.header(type, payloadByteCount: payloadByteCount)
    record.storeBytes(of: header.littleEndian, as: UInt64.self)
    record.storeBytes(of: 0, toByteOffset: 8, as: UInt64.self)
    for place in end..<byteCount { buffer[place] = 0 }
    if let keys {
      keys.seal(record)
    } else {
      RecordChecksum(of: record, type).store(in: record)
    }
    return byteCount
  }
}

/// What stands in a tag's place when there is no cipher.
///
/// It is XXH3-128 of header and payload in its canonical, big-endian form; of a data record's header
/// alone, since its payload is what the extents' digests are of: a second look at each byte at each
/// end would find nothing that these do not. It finds faults; whoever can write to the connection can
/// forge it.
struct RecordChecksum: Equatable {
  private let high: UInt64
  private let low: UInt64

  /// Computes the checksum of a record up to its tag's end.
  init(of record: UnsafeMutableRawBufferPointer, _ type: RecordType) {
    let covered =
      RecordChecksum.coversPayload(of: type)
      ? record.count - RecordLayout.tagByteCount : RecordLayout.headerByteCount
    let digest = Digest.xxh3(of: UnsafeRawBufferPointer(rebasing: record[..<covered]))
    high = digest.words.0
    low = digest.words.1
  }

  /// Computes the checksum of a record whose header lies elsewhere.
  ///
  /// - Parameters:
  ///   - type: the record's.
  ///   - header: as `RecordLayout.header` makes it.
  ///   - payload: the record's bytes between header and tag.
  ///   - digest: where it is computed; what it held is lost.
  init(
    _ type: RecordType,
    _ header: UInt64,
    _ payload: UnsafeRawBufferPointer,
    _ digest: inout StreamingDigest
  ) {
    digest.reset()
    withUnsafeBytes(of: (header.littleEndian, UInt64(0))) { digest.update($0) }
    if RecordChecksum.coversPayload(of: type) { digest.update(payload) }
    let words = digest.finish().words
    high = words.0
    low = words.1
  }

  /// Reads the checksum that these bytes end with.
  init(in record: UnsafeMutableRawBufferPointer) {
    let offset = record.count - RecordLayout.tagByteCount
    high = UInt64(bigEndian: record.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
    low = UInt64(bigEndian: record.loadUnaligned(fromByteOffset: offset + 8, as: UInt64.self))
  }

  private static func coversPayload(of type: RecordType) -> Bool { type != .data }

  /// Writes the checksum behind the payload.
  func store(in record: UnsafeMutableRawBufferPointer) {
    let offset = record.count - RecordLayout.tagByteCount
    record.storeBytes(of: high.bigEndian, toByteOffset: offset, as: UInt64.self)
    record.storeBytes(of: low.bigEndian, toByteOffset: offset + 8, as: UInt64.self)
  }
}
