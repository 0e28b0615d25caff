/// Builds the bytes of a format: little-endian integers, minimal varints, counted strings.
package struct ByteWriter {
  package private(set) var bytes: [UInt8]

  package init(reservingCapacity capacity: Int = 0) {
    bytes = []
    bytes.reserveCapacity(capacity)
  }

  package var byteCount: Int { bytes.count }

  package mutating func append(_ value: UInt8) {
    bytes.append(value)
  }

  package mutating func append(_ value: UInt16) {
    appendLittleEndian(value)
  }

  package mutating func append(_ value: UInt32) {
    appendLittleEndian(value)
  }

  package mutating func append(_ value: UInt64) {
    appendLittleEndian(value)
  }

  package mutating func append(_ value: Int64) {
    append(UInt64(bitPattern: value))
  }

  package mutating func append(_ digest: Digest, _ algorithm: DigestAlgorithm) {
    let words = digest.words
    appendBigEndian(words.0)
    appendBigEndian(words.1)
    guard algorithm.byteCount > 16 else { return }
    appendBigEndian(words.2)
    appendBigEndian(words.3)
  }

  /// An unsigned LEB128 integer; small numbers take one byte.
  package mutating func appendVarint(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }

  package mutating func appendVarint(_ value: Int) {
    appendVarint(UInt64(value))
  }

  /// A varint length, then the bytes.
  package mutating func appendCounted(_ value: some Collection<UInt8>) {
    appendVarint(UInt64(value.count))
    bytes.append(contentsOf: value)
  }

  package mutating func appendCounted(_ value: String) {
    appendCounted(value.utf8)
  }

  /// Counted bytes of a text's beginning: whole scalars that take at most `maximum` bytes.
  ///
  /// Bytes are counted, because what people see as one character may have any number of them.
  package mutating func appendCounted(_ value: String, maximum: Int) {
    var end = value.startIndex
    var byteCount = 0
    for scalar in value.unicodeScalars {
      byteCount += UTF8.width(scalar)
      guard byteCount <= maximum else { break }
      value.unicodeScalars.formIndex(after: &end)
    }
    appendCounted(value[..<end].utf8)
  }

  package mutating func appendRaw(_ value: some Collection<UInt8>) {
    bytes.append(contentsOf: value)
  }

  package mutating func append(_ value: Bool) {
    bytes.append(value ? 1 : 0)
  }

  /// Eight bytes of a digest, which stand in their order.
  private mutating func appendBigEndian(_ value: UInt64) {
    appendLittleEndian(value.byteSwapped)
  }

  // All bytes at once: one by one each asks for room, and a manifest is made of these.
  private mutating func appendLittleEndian(_ value: some FixedWidthInteger) {
    unsafe Swift.withUnsafeBytes(of: value.littleEndian) { unsafe bytes.append(contentsOf: $0) }
  }
}
