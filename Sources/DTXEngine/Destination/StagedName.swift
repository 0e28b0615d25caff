internal import DTXCore

/// The names that files bear beside their targets until they are published: `.NAME.dtx-KEY`.
///
/// The key keeps the files of two sessions in one directory apart, and lets a session find those
/// that an earlier run of it left.
struct StagedName: Equatable, Sendable {
  /// 16 hexadecimal digits.
  let key: String
  private let suffix: [UInt8]

  private static let dot = UInt8(ascii: ".")
  private static let hashDigitCount = 16

  init(key: String) {
    self.key = key
    suffix = Array(".dtx-\(key)".utf8)
  }

  /// The key of a dataset: the first 16 hexadecimal digits of XXH3-128 over its top-level names,
  /// each with its length.
  static func key(topNames: [[UInt8]]) -> String {
    var writer = ByteWriter()
    for name in topNames { writer.appendCounted(name) }
    return Digest.xxh3(of: writer.bytes).hex(8)
  }

  /// The staged name of a target.
  ///
  /// A name that would become too long is replaced by its hash, and so is one that could itself be
  /// such a hash: two targets of one directory never share a staged name.
  func name(for target: ArraySlice<UInt8>) -> [UInt8] {
    let byteCount = 1 + target.count + suffix.count
    guard byteCount > Limits.nameByteCount || StagedName.isHash(target) else {
      var name: [UInt8] = []
      name.reserveCapacity(byteCount)
      name.append(StagedName.dot)
      name.append(contentsOf: target)
      name.append(contentsOf: suffix)
      return name
    }
    let hash = Digest.xxh3(of: Array(target)).hex(StagedName.hashDigitCount / 2)
    return [StagedName.dot] + Array(hash.utf8) + suffix
  }

  /// Whether a name is one that this session stages under, which no entry may therefore have.
  func isStaged(_ name: some Collection<UInt8>) -> Bool {
    name.first == StagedName.dot && name.count > suffix.count + 1
      && name.suffix(suffix.count).elementsEqual(suffix)
  }

  private static func isHash(_ name: ArraySlice<UInt8>) -> Bool {
    name.count == hashDigitCount
      && name.allSatisfy { byte in
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
          || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
      }
  }
}
