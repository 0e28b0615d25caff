/// Bytes of a name or a message as text that is safe to show on a terminal.
///
/// Valid UTF-8 stays as it is. Control characters, invalid bytes, and the invisible characters that
/// reorder or break lines (by which a name can pretend to be another) appear as `\xNN`, byte by
/// byte. The result is for people: two different names may print alike.
package func printable(_ bytes: [UInt8]) -> String {
  if bytes.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }) { return String(decoding: bytes, as: UTF8.self) }
  var text = ""
  var index = 0
  while index < bytes.count {
    let length = scalarLength(bytes[index...])
    if length == 0 {
      text += escaped(bytes[index])
      index += 1
      continue
    }
    let encoded = bytes[index..<index + length]
    for scalar in String(decoding: encoded, as: UTF8.self).unicodeScalars {
      if isHarmless(scalar) {
        text.unicodeScalars.append(scalar)
      } else {
        text += encoded.map(escaped).joined()
      }
    }
    index += length
  }
  return text
}

/// The number of bytes of the valid UTF-8 scalar that begins the bytes, 0 where none does.
private func scalarLength(_ bytes: ArraySlice<UInt8>) -> Int {
  var source = bytes.prefix(4).makeIterator()
  var parser = Unicode.UTF8.ForwardParser()
  switch parser.parseScalar(from: &source) {
  case .valid(let encoded): return encoded.count
  case .emptyInput, .error: return 0
  }
}

private func isHarmless(_ scalar: Unicode.Scalar) -> Bool {
  switch scalar.properties.generalCategory {
  case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate: false
  default: true
  }
}

private func escaped(_ byte: UInt8) -> String {
  let digits = String(byte, radix: 16)
  return "\\x" + (digits.count < 2 ? "0" : "") + digits
}
