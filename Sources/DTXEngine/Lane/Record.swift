internal import DTXCore

/// What a record on a lane's connection carries.
///
/// The values stand in dtx-protocol(7).
package enum RecordType: UInt8, Sendable, CaseIterable {
  /// Which block follows, and which of its extents.
  case blockHeader = 1
  /// Bytes of the block's extents, in order.
  case data = 2
  /// The digests of the extents that have just passed.
  case trailer = 3
  /// Nothing more will come in this direction.
  case end = 4
  /// A sign of life, or bytes that fill packets; its payload is passed over.
  case keepAlive = 5
  /// Bytes of the block's extents, as `data`, compressed.
  case compressedData = 6
}

/// Why a record is not accepted; each of these ends its connection.
package enum RecordError: Error, Equatable, Sendable {
  /// The first byte is none of the types defined.
  case unknownType(UInt8)
  /// One of the header's or of the padding's bytes that must be zero is not.
  case reservedBytes
  /// The header announces more than the maximum, which is allowed.
  case tooLong(found: Int, allowed: Int)
  /// The tag does not belong to these bytes at this place under this key: the record was damaged,
  /// forged, replayed or reordered.
  case unauthentic
  /// The checksum of a record without a cipher does not match.
  case checksumMismatch
  /// An earlier record of this connection was refused; none is looked at after it.
  case refusedBefore
}

/// What is wrong with the payload of an authentic compressed record; it ends the connection.
package enum CompressionFault: Error, Equatable, Sendable {
  /// It is too short for the length that it begins with and a frame.
  case truncated
  /// The bytes that it stands for are none, or more than a record carries.
  case byteCount(found: Int, allowed: Int)
  /// Behind the length there is not one frame of Zstandard's that yields these bytes.
  case frame
}

extension CompressionFault: CustomStringConvertible {
  package var description: String {
    switch self {
    case .truncated: "a compressed record is too short to be one"
    case .byteCount(let found, let allowed):
      "a compressed record stands for \(found) bytes, and 1 to \(allowed) are allowed"
    case .frame: "a compressed record is not one frame of the bytes that it stands for"
    }
  }
}

extension RecordError: CustomStringConvertible {
  package var description: String {
    switch self {
    case .unknownType(let value): "record type \(value) is not one of those defined"
    case .reservedBytes: "bytes of the record that must be zero are not"
    case .tooLong(let found, let allowed):
      "a record of \(found) bytes is more than the \(allowed) allowed"
    case .unauthentic: "a record failed its authentication"
    case .checksumMismatch: "a record does not match its checksum"
    case .refusedBefore: "an earlier record of this connection was refused"
    }
  }
}

/// Where the parts of a record lie: header, payload, tag, padding, one after another.
///
/// The header is the type, three zero bytes, the payload's length, 32 bits little-endian, and eight
/// zero bytes; the padding is zeros up to the next multiple of `alignment`.
package enum RecordLayout {
  /// What the lengths of header and record are multiples of.
  ///
  /// The kernel copies a stream's bytes into its buffers without a gap, so that where a record ends
  /// says how the next one's source and target lie to each other. Between addresses that are not
  /// equal modulo 16 some processors copy at two thirds of the speed (Zen 4: 1 GB from the L2 cache
  /// took a sender's core 0.16-0.17 s, else 0.11 s).
  package static let alignment = 16
  /// Bytes before the payload.
  package static let headerByteCount = 16
  /// Bytes behind the payload.
  ///
  /// AEAD_AES_256_GCM has a tag of 16 bytes (RFC 5116, sections 5.1 and 5.2), not shortened; an
  /// XXH3-128 checksum fills the same place.
  package static let tagByteCount = 16
  /// The longest payload.
  package static let maximumPayloadByteCount = Limits.recordByteCount
  /// Bytes that a compressed record's payload begins with: how many bytes it stands for, 32 bits
  /// little-endian.
  package static let lengthByteCount = 4
  /// The longest record.
  package static let maximumByteCount = byteCount(payloadByteCount: maximumPayloadByteCount)

  /// Bytes of a whole record.
  package static func byteCount(payloadByteCount: Int) -> Int {
    headerByteCount + sealedByteCount(payloadByteCount: payloadByteCount)
  }

  /// Bytes of a record behind its header.
  package static func sealedByteCount(payloadByteCount: Int) -> Int {
    (payloadByteCount + tagByteCount + alignment - 1) / alignment * alignment
  }

  /// The header's first eight bytes as the little-endian number that they are; eight zeros follow.
  static func header(_ type: RecordType, payloadByteCount: Int) -> UInt64 {
    UInt64(type.rawValue) | UInt64(payloadByteCount) << 32
  }

  /// Takes a header apart.
  ///
  /// - Parameters:
  ///   - word: the little-endian number that its first eight bytes are.
  ///   - reserved: its other eight bytes.
  /// - Returns: the type and the payload's bytes.
  /// - Throws: `RecordError` for what no sealer writes.
  static func parse(
    _ word: UInt64,
    reserved: UInt64
  ) throws(RecordError) -> (RecordType, payloadByteCount: Int) {
    guard let type = RecordType(rawValue: UInt8(truncatingIfNeeded: word)) else {
      throw .unknownType(UInt8(truncatingIfNeeded: word))
    }
    guard UInt32(truncatingIfNeeded: word) >> 8 == 0, reserved == 0 else { throw .reservedBytes }
    let payloadByteCount = Int(word >> 32)
    guard payloadByteCount <= maximumPayloadByteCount else {
      throw .tooLong(found: payloadByteCount, allowed: maximumPayloadByteCount)
    }
    return (type, payloadByteCount)
  }
}
