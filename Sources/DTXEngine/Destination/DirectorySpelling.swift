internal import DTXLinux

/// How the names of one directory are spelled, for a file system that folds names.
///
/// Such a one takes two names for one that differ in case, or in how a letter is composed, and may do
/// so in some directories alone (casefold of ext4). There a name can lead to what is another entry of
/// the dataset, and this one must neither be taken for it nor replace it. One call tells whether a
/// directory keeps cases apart; only where it does not, or where a name is not plain ASCII, whose
/// folding is the file system's secret, the directory is listed. One thread uses it.
struct DirectorySpelling {
  /// Why an entry cannot have its place.
  static let problem =
    "another spelling of its name is there, and this file system takes the two for one"

  private var keepsCasesApart = false
  /// Ascending; nil until somebody must know.
  private var names: [[UInt8]]?

  /// Whether a name leads to something that bears it in another spelling.
  ///
  /// - Parameters:
  ///   - name: something is found by it.
  ///   - directory: where.
  /// - Returns: false also where both spellings are there.
  /// - Throws: what statx(2) and getdents64(2) say.
  static func isOther(_ name: [UInt8], in directory: Directory) throws(SystemError) -> Bool {
    var spelling = DirectorySpelling()
    return try !spelling.has(name, in: directory)
  }

  /// Whether the directory has a name in this very spelling.
  ///
  /// - Parameters:
  ///   - name: something is found by it.
  ///   - directory: the same at each call.
  /// - Returns: whether it is not found by another spelling.
  /// - Throws: what statx(2) and getdents64(2) say.
  mutating func has(_ name: [UInt8], in directory: Directory) throws(SystemError) -> Bool {
    if names == nil, try mayBeFolded(name, in: directory) {
      names = try directory.names().map(\.name)
    }
    guard let names else { return true }
    var (low, high) = (0, names.count)
    while low < high {
      let middle = (low + high) / 2
      if names[middle].lexicographicallyPrecedes(name) { low = middle + 1 } else { high = middle }
    }
    return low < names.count && names[low] == name
  }

  private mutating func mayBeFolded(
    _ name: [UInt8],
    in directory: Directory
  ) throws(SystemError) -> Bool {
    guard DirectorySpelling.isASCII(name) else { return true }
    let other = DirectorySpelling.otherCase(of: name)
    if keepsCasesApart || other == name { return false }
    if try directory.statusIfPresent(of: other) != nil { return true }
    keepsCasesApart = true
    return false
  }

  /// Whether only its case can be folded.
  static func isASCII(_ name: [UInt8]) -> Bool { name.allSatisfy { $0 < 0x80 } }

  /// A name with its ASCII letters in the other case.
  static func otherCase(of name: [UInt8]) -> [UInt8] {
    let letters = UInt8(ascii: "a")...UInt8(ascii: "z")
    let caseBit: UInt8 = 0x20
    return name.map { letters.contains($0 | caseBit) ? $0 ^ caseBit : $0 }
  }
}
