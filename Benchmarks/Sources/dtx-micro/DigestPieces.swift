internal import DTXCore
internal import DTXLinux

/// XXH3-128 over a buffer of the data path, in the cache.
enum DigestPieces {
  static func measure(with stopwatch: inout Stopwatch) {
    let byteCount = 256 << 10
    let bytes = SampleBytes.make(byteCount)
    stopwatch.time("digest 256 KiB", per: "buffer", 1, unitByteCount: byteCount) {
      bytes.withUnsafeBytes { Digest.xxh3(of: $0).words.0 }
    }
    var digest = StreamingDigest()
    stopwatch.time("streaming digest 64 x 256 KiB", per: "buffer", 64, unitByteCount: byteCount) {
      digest.reset()
      for _ in 0..<64 { bytes.withUnsafeBytes { digest.update($0) } }
      return digest.finish().words.0
    }
  }
}

/// Bytes to work on.
enum SampleBytes {
  static func make(_ byteCount: Int) -> [UInt8] {
    var value: UInt64 = 1
    return (0..<byteCount).map { _ in
      value = value &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return UInt8(truncatingIfNeeded: value >> 56)
    }
  }
}
