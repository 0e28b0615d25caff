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
    appendLittleEndian(UInt64(value), byteCount: 2)
  }

  package mutating func append(_ value: UInt32) {
    appendLittleEndian(UInt64(value), byteCount: 4)
  }

  package mutating func append(_ value: UInt64) {
    appendLittleEndian(value, byteCount: 8)
  }

  package mutating func append(_ value: Int64) {
    append(UInt64(bitPattern: value))
  }

  package mutating func append(_ digest: Digest, _ algorithm: DigestAlgorithm) {
    bytes.append(contentsOf: digest.bytes(algorithm.byteCount))
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

  private mutating func appendLittleEndian(_ value: UInt64, byteCount: Int) {
    for index in 0..<byteCount {
      bytes.append(UInt8(truncatingIfNeeded: value >> UInt64(8 * index)))
    }
  }
}
