/// Bytes from a peer or a file that do not follow the format: where, which field, and why.
package struct FormatError: Error, Equatable, Sendable {
  package var offset: Int
  package var field: String
  package var problem: Problem

  package enum Problem: Equatable, Sendable {
    case truncated
    case tooLarge(found: UInt64, allowed: UInt64)
    case unexpected(found: UInt64)
    case notMinimal
    case trailingBytes(Int)
    case invalid(String)
  }

  package init(offset: Int, field: String, problem: Problem) {
    self.offset = offset
    self.field = field
    self.problem = problem
  }
}

extension FormatError: CustomStringConvertible {
  package var description: String {
    let reason =
      switch problem {
      case .truncated: "the bytes end early"
      case .tooLarge(let found, let allowed): "\(found) is more than the \(allowed) allowed"
      case .unexpected(let found): "the value \(found) is not one of those defined"
      case .notMinimal: "a number is not in its shortest form"
      case .trailingBytes(let count): "\(count) bytes follow the end"
      case .invalid(let text): text
      }
    return "\(field) at byte \(offset): \(reason)"
  }
}

/// Takes a format's bytes apart.
///
/// Every length is checked against what is left before it is used.
package struct ByteReader {
  package let bytes: [UInt8]
  package private(set) var offset: Int
  private let end: Int

  package init(_ bytes: [UInt8]) {
    self.bytes = bytes
    offset = 0
    end = bytes.count
  }

  package init(_ slice: ArraySlice<UInt8>) {
    self.init(Array(slice))
  }

  package var remainingByteCount: Int { end - offset }
  package var isAtEnd: Bool { offset == end }

  package func failure(_ field: String, _ problem: FormatError.Problem) -> FormatError {
    FormatError(offset: offset, field: field, problem: problem)
  }

  package mutating func byte(_ field: String) throws(FormatError) -> UInt8 {
    guard offset < end else { throw failure(field, .truncated) }
    defer { offset += 1 }
    return bytes[offset]
  }

  package mutating func flag(_ field: String) throws(FormatError) -> Bool {
    switch try byte(field) {
    case 0: return false
    case 1: return true
    case let other: throw failure(field, .unexpected(found: UInt64(other)))
    }
  }

  package mutating func uint16(_ field: String) throws(FormatError) -> UInt16 {
    UInt16(truncatingIfNeeded: try littleEndian(field, byteCount: 2))
  }

  package mutating func uint32(_ field: String) throws(FormatError) -> UInt32 {
    UInt32(truncatingIfNeeded: try littleEndian(field, byteCount: 4))
  }

  package mutating func uint64(_ field: String) throws(FormatError) -> UInt64 {
    try littleEndian(field, byteCount: 8)
  }

  package mutating func int64(_ field: String) throws(FormatError) -> Int64 {
    Int64(bitPattern: try littleEndian(field, byteCount: 8))
  }

  package mutating func digest(
    _ field: String,
    _ algorithm: DigestAlgorithm
  ) throws(FormatError) -> Digest {
    guard algorithm.byteCount <= remainingByteCount else { throw failure(field, .truncated) }
    let first = try littleEndian(field, byteCount: 8).byteSwapped
    let second = try littleEndian(field, byteCount: 8).byteSwapped
    guard algorithm.byteCount > 16 else { return Digest(words: (first, second, 0, 0)) }
    let third = try littleEndian(field, byteCount: 8).byteSwapped
    let fourth = try littleEndian(field, byteCount: 8).byteSwapped
    return Digest(words: (first, second, third, fourth))
  }

  /// An unsigned LEB128 integer in its shortest form, at most `maximum`.
  package mutating func varint(
    _ field: String,
    maximum: UInt64 = .max
  ) throws(FormatError) -> UInt64 {
    let start = offset
    var value: UInt64 = 0
    var shift: UInt64 = 0
    while true {
      let next = try byte(field)
      if shift == 63, next > 1 {
        throw FormatError(offset: start, field: field, problem: .invalid("over 64 bits"))
      }
      value |= UInt64(next & 0x7f) << shift
      if next < 0x80 {
        if next == 0, shift > 0 {
          throw FormatError(offset: start, field: field, problem: .notMinimal)
        }
        break
      }
      shift += 7
      if shift > 63 {
        throw FormatError(offset: start, field: field, problem: .invalid("over 64 bits"))
      }
    }
    guard value <= maximum else {
      let problem = FormatError.Problem.tooLarge(found: value, allowed: maximum)
      throw FormatError(offset: start, field: field, problem: problem)
    }
    return value
  }

  /// A count or an index: a varint that is at most `maximum`.
  package mutating func count(_ field: String, maximum: Int) throws(FormatError) -> Int {
    Int(try varint(field, maximum: UInt64(maximum)))
  }

  /// A varint length, at most `maximum`, and so many bytes.
  package mutating func counted(
    _ field: String,
    maximum: Int
  ) throws(FormatError) -> ArraySlice<UInt8> {
    let length = try count(field, maximum: maximum)
    return try raw(field, byteCount: length)
  }

  /// Counted bytes that must be UTF-8.
  package mutating func text(_ field: String, maximum: Int) throws(FormatError) -> String {
    let start = offset
    let slice = try counted(field, maximum: maximum)
    guard let text = String(validating: slice, as: UTF8.self) else {
      throw FormatError(offset: start, field: field, problem: .invalid("not UTF-8"))
    }
    return text
  }

  package mutating func raw(
    _ field: String,
    byteCount: Int
  ) throws(FormatError) -> ArraySlice<UInt8> {
    guard byteCount <= remainingByteCount else { throw failure(field, .truncated) }
    defer { offset += byteCount }
    return bytes[offset..<offset + byteCount]
  }

  /// Demands that nothing follows.
  package func finish(_ field: String) throws(FormatError) {
    guard isAtEnd else { throw failure(field, .trailingBytes(remainingByteCount)) }
  }

  private mutating func littleEndian(
    _ field: String,
    byteCount: Int
  ) throws(FormatError) -> UInt64 {
    guard byteCount <= remainingByteCount else { throw failure(field, .truncated) }
    var value: UInt64 = 0
    for index in 0..<byteCount {
      value |= UInt64(bytes[offset + index]) << UInt64(8 * index)
    }
    offset += byteCount
    return value
  }
}
