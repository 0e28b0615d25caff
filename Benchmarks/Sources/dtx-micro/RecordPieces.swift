internal import DTXCore
internal import DTXEngine

/// Records sealed and opened in place, by their length and cipher.
enum RecordPieces {
  static func measure(with stopwatch: inout Stopwatch) {
    for (name, cipher) in [("aes-256-gcm", Cipher.aes256GCM), ("checksum", Cipher.none)] {
      for kibibytes in [64, 256, 1024] {
        measure("\(name) \(kibibytes) KiB", cipher, kibibytes << 10, with: &stopwatch)
      }
    }
  }

  private static func measure(
    _ name: String,
    _ cipher: Cipher,
    _ payloadByteCount: Int,
    with stopwatch: inout Stopwatch
  ) {
    // Longer ones are measured where records may be that long.
    guard payloadByteCount <= RecordLayout.maximumPayloadByteCount else { return }
    let secret = DirectionalSecret(bytes: Array(repeating: 7, count: DirectionalSecret.byteCount))
    let byteCount = RecordLayout.byteCount(payloadByteCount: payloadByteCount)
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: byteCount, alignment: 4096)
    defer { buffer.deallocate() }
    buffer.initializeMemory(as: UInt8.self, repeating: 1)

    let sealer = RecordSealer(cipher: cipher, secret: secret)
    stopwatch.time("seal \(name)", per: "record", 1, unitByteCount: payloadByteCount) {
      UInt64(sealer.seal(.data, payloadByteCount: payloadByteCount, in: buffer))
    }

    // A record is opened once in its life: it is sealed anew for each, and the difference counts.
    let pair = (
      RecordSealer(cipher: cipher, secret: secret), RecordOpener(cipher: cipher, secret: secret)
    )
    let sealed = UnsafeMutableRawBufferPointer(rebasing: buffer[RecordLayout.headerByteCount...])
    stopwatch.time("seal and open \(name)", per: "record", 1, unitByteCount: payloadByteCount) {
      _ = pair.0.seal(.data, payloadByteCount: payloadByteCount, in: buffer)
      do {
        try pair.1.open(.data, payloadByteCount: payloadByteCount, in: sealed)
      } catch {
        preconditionFailure("a record that was just sealed opens")
      }
      return UInt64(buffer[RecordSealer.headerByteCount])
    }
  }
}
