internal import DTXCore

/// The names that files bear beside their targets until they are published: `.NAME.dtx-KEY`, or
/// `.NAME.dtx-KEY-TOKEN` where owners have tokens.
///
/// The key keeps the files of two sessions in one directory apart, and lets a session find those
/// that an earlier run of it left. The token keeps apart the files of an owner that was taken for
/// dead, and of the one that came after it.
struct StagedName: Equatable, Sendable {
  /// 16 hexadecimal digits.
  let key: String
  private let token: UInt64?
  private let suffix: [UInt8]
  /// The longest name that there may be, in bytes.
  private let byteCountMaximum: Int

  private static let dot = UInt8(ascii: ".")
  private static let hashDigitCount = 16

  /// Whether owners have tokens here.
  var hasToken: Bool { token != nil }

  /// - Parameters:
  ///   - key: the dataset's.
  ///   - token: the owner's; nil where owners have none.
  ///   - byteCountMaximum: of a name on the file system, as it says; eCryptfs takes 143 bytes.
  init(key: String, token: UInt64? = nil, byteCountMaximum: Int? = nil) {
    self.key = key
    self.token = token
    self.byteCountMaximum = min(byteCountMaximum ?? .max, Limits.nameByteCount)
    suffix = Array((token.map { ".dtx-\(key)-\($0)" } ?? ".dtx-\(key)").utf8)
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
    guard byteCount > byteCountMaximum || StagedName.isHash(target) else {
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
  func isStaged(_ name: some Collection<UInt8>) -> Bool { stagingToken(of: name) != nil }

  /// Whether a name is one that an owner before this one staged under.
  func isOfEarlierOwner(_ name: some Collection<UInt8>) -> Bool {
    guard let token, let other = stagingToken(of: name) else { return false }
    return other < token
  }

  /// Whether a name is one that this owner may have staged under, or one before it.
  func isLeftover(_ name: some Collection<UInt8>) -> Bool {
    stagingToken(of: name).map { $0 <= token ?? .max } ?? false
  }

  /// The token in a name that this session stages under, 0 where it has none; nil for other names.
  private func stagingToken(of name: some Collection<UInt8>) -> UInt64? {
    guard name.first == StagedName.dot else { return nil }
    let digits = name.reversed().prefix { StagedName.digits.contains($0) }.reversed()
    let plain = Array(".dtx-\(key)".utf8)
    if StagedName.ends(name, with: plain) { return 0 }
    guard let token = UInt64(String(decoding: digits, as: UTF8.self)),
      StagedName.ends(name.dropLast(digits.count), with: plain + [UInt8(ascii: "-")])
    else { return nil }
    return token
  }

  /// Whether there is something between the dot and the suffix.
  private static func ends(_ name: some Collection<UInt8>, with suffix: [UInt8]) -> Bool {
    name.count > suffix.count + 1 && name.suffix(suffix.count).elementsEqual(suffix)
  }

  private static let digits = UInt8(ascii: "0")...UInt8(ascii: "9")

  private static func isHash(_ name: ArraySlice<UInt8>) -> Bool {
    name.count == hashDigitCount
      && name.allSatisfy { byte in
        digits.contains(byte)
          || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
      }
  }
}
