/// The command line's bytes as text, and back: a name may be any bytes, the parser takes strings.
///
/// Valid UTF-8 stays as it is. Each other byte becomes one private-use scalar, U+10FE00 plus the
/// byte; those scalars themselves, should a name contain them, are taken as bytes too, so that the
/// way back is exact for every input.
enum ArgumentText {
  private static let escapeBase: UInt32 = 0x10_FE00

  /// Text that `bytes(of:)` turns back into the same bytes.
  static func text(of bytes: [UInt8]) -> String {
    if let text = String(validating: bytes, as: UTF8.self),
      !text.unicodeScalars.contains(where: { escapedByte($0) != nil })
    {
      return text
    }
    var scalars = String.UnicodeScalarView()
    var index = 0
    while index < bytes.count {
      let (scalar, byteCount) = firstScalar(of: bytes[index...])
      if let scalar, escapedByte(scalar) == nil {
        scalars.append(scalar)
      } else {
        for byte in bytes[index..<index + byteCount] {
          scalars.append(Unicode.Scalar(escapeBase + UInt32(byte)) ?? "?")
        }
      }
      index += byteCount
    }
    return String(scalars)
  }

  /// The bytes that the user typed.
  static func bytes(of text: String) -> [UInt8] {
    var bytes: [UInt8] = []
    for scalar in text.unicodeScalars {
      if let byte = escapedByte(scalar) {
        bytes.append(byte)
      } else {
        bytes.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
      }
    }
    return bytes
  }

  /// The byte that a private-use scalar stands for; nil for every other scalar.
  ///
  /// Bytes below 0x80 are always valid UTF-8, so their scalars stand for themselves.
  private static func escapedByte(_ scalar: Unicode.Scalar) -> UInt8? {
    guard scalar.value >= escapeBase + 0x80, scalar.value <= escapeBase + 0xFF else { return nil }
    return UInt8(scalar.value - escapeBase)
  }

  /// The scalar that valid UTF-8 begins with and its length; else nil and one byte.
  private static func firstScalar(of bytes: ArraySlice<UInt8>) -> (Unicode.Scalar?, Int) {
    var source = bytes.prefix(4).makeIterator()
    var parser = Unicode.UTF8.ForwardParser()
    switch parser.parseScalar(from: &source) {
    case .valid(let encoded): return (UTF8.decode(encoded), encoded.count)
    case .emptyInput, .error: return (nil, 1)
    }
  }
}
