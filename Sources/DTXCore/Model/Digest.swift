internal import CXXHash

/// Content identity: up to 32 bytes, whose algorithm is named by what holds it.
///
/// XXH3-128 fills the first 16 bytes and leaves the others zero; SHA-256 fills all. XXH3 finds
/// faults, not forgers; a root that somebody signs is SHA-256.
package struct Digest: Hashable, Sendable {
  /// The eight bytes that come first, big-endian, and so on.
  package var words: (UInt64, UInt64, UInt64, UInt64)

  /// The value that stands for "no digest known"; no algorithm here yields it but by accident.
  package static let zero = Digest(words: (0, 0, 0, 0))

  package init(words: (UInt64, UInt64, UInt64, UInt64)) {
    self.words = words
  }

  package static func == (left: Digest, right: Digest) -> Bool {
    left.words == right.words
  }

  package func hash(into hasher: inout Hasher) {
    hasher.combine(words.0)
    hasher.combine(words.1)
  }
}

/// How digests are made; the raw value stands in every format that holds digests.
package enum DigestAlgorithm: UInt8, Sendable, CaseIterable {
  /// XXH3-128 in its canonical (big-endian) form: 16 bytes.
  case xxh3 = 1
  /// SHA-256 (FIPS 180-4): 32 bytes.
  case sha256 = 2

  /// Bytes that a digest of this algorithm has in a format.
  package var byteCount: Int {
    switch self {
    case .xxh3: 16
    case .sha256: 32
    }
  }

  /// The name printed beside a digest.
  package var name: String {
    switch self {
    case .xxh3: "xxh3-128"
    case .sha256: "sha256"
    }
  }
}

extension Digest {
  /// XXH3-128 of bytes in memory.
  package static func xxh3(of bytes: UnsafeRawBufferPointer) -> Digest {
    let hash = unsafe dtx_xxh128_once(bytes.baseAddress, bytes.count)
    return Digest(words: (hash.high, hash.low, 0, 0))
  }

  /// XXH3-128 of an array.
  package static func xxh3(of bytes: [UInt8]) -> Digest {
    unsafe bytes.withUnsafeBytes { unsafe Digest.xxh3(of: $0) }
  }

  /// The first `byteCount` bytes, in format order.
  package func bytes(_ byteCount: Int) -> [UInt8] {
    precondition(byteCount <= 32, "a digest has at most 32 bytes, not \(byteCount)")
    var writer = ByteWriter(reservingCapacity: 32)
    writer.append(self, .sha256)
    return Array(writer.bytes.prefix(byteCount))
  }

  /// Rebuilds a digest from its first bytes; what is missing is zero.
  ///
  /// - Parameter bytes: at most 32 of them.
  package init(bytes: some Sequence<UInt8>) {
    var words: [UInt64] = [0, 0, 0, 0]
    var index = 0
    for byte in bytes {
      precondition(index < 32, "a digest has at most 32 bytes")
      words[index / 8] |= UInt64(byte) << UInt64(56 - 8 * (index % 8))
      index += 1
    }
    self.words = (words[0], words[1], words[2], words[3])
  }

  /// Lower-case hexadecimal of the first `byteCount` bytes.
  package func hex(_ byteCount: Int) -> String {
    let digits: [Character] = Array("0123456789abcdef")
    var text = ""
    for byte in bytes(byteCount) {
      text.append(digits[Int(byte >> 4)])
      text.append(digits[Int(byte & 15)])
    }
    return text
  }
}
