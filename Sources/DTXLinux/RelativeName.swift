internal import Glibc

/// A name below a directory, cut into its parent and its last component.
///
/// It has no empty component, no "." and no "..": nothing in it can lead upwards, and there is one
/// spelling for each place.
struct RelativeName {
  /// All components but the last, joined by slashes; empty where the name has one component.
  let parent: [UInt8]
  let last: [UInt8]

  /// Nil for a name that is no plain relative path.
  init?(_ name: [UInt8]) {
    guard RelativeName.isPlain(name) else { return nil }
    if let slash = name.lastIndex(of: RelativeName.slash) {
      parent = Array(name[..<slash])
      last = Array(name[(slash + 1)...])
    } else {
      parent = []
      last = name
    }
  }

  static let slash = UInt8(ascii: "/")
  private static let dot = UInt8(ascii: ".")

  /// Whether the name is a relative path without empty, "." and ".." components and without NUL.
  static func isPlain(_ name: [UInt8]) -> Bool {
    var length = 0
    var dots = 0
    for byte in name {
      if byte == 0 { return false }
      if byte == slash {
        if isSpecial(length: length, dots: dots) { return false }
        length = 0
        dots = 0
      } else {
        length += 1
        if byte == dot { dots += 1 }
      }
    }
    return !isSpecial(length: length, dots: dots)
  }

  /// Whether the name is one component that names an entry; a NUL in it is not looked for.
  static func isComponent(_ name: [UInt8]) -> Bool {
    name.withUnsafeBytes { bytes in
      guard let start = bytes.baseAddress, !bytes.isEmpty else { return false }
      if bytes[0] == dot, bytes.count == 1 || bytes.count == 2 && bytes[1] == dot { return false }
      return memchr(start, Int32(slash), bytes.count) == nil
    }
  }

  private static func isSpecial(length: Int, dots: Int) -> Bool {
    length == 0 || (length == dots && length <= 2)
  }
}
