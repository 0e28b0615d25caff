internal import CSynthesis
internal import DTXCore
internal import DTXEngine

/// Pieces of telescope noise compressed for records and restored, and what deciding costs.
enum CompressionPieces {
  static func measure(with stopwatch: inout Stopwatch) {
    let byteCount = RecordLayout.maximumPayloadByteCount
    let noise = UnsafeMutableRawBufferPointer.allocate(byteCount: byteCount, alignment: 4096)
    defer { noise.deallocate() }
    dtx_fill_noise(noise.baseAddress, byteCount, 1, 0)
    let random = SampleBytes.make(byteCount)
    for level in [1, 3] {
      do {
        let compressor = try RecordCompressor(level: level)
        compress("noise", UnsafeRawBufferPointer(noise), level, compressor, with: &stopwatch)
        random.withUnsafeBytes { compress("random", $0, level, compressor, with: &stopwatch) }
      } catch {
        preconditionFailure("\(error)")
      }
    }
    restore(UnsafeRawBufferPointer(noise), with: &stopwatch)
    decide(with: &stopwatch)
  }

  private static func compress(
    _ name: String,
    _ piece: UnsafeRawBufferPointer,
    _ level: Int,
    _ compressor: RecordCompressor,
    with stopwatch: inout Stopwatch
  ) {
    stopwatch.time(
      "compress \(name) 256 KiB, zstd \(level)",
      per: "record",
      1,
      unitByteCount: piece.count
    ) {
      UInt64(compressor.compress(piece) ?? piece.count)
    }
  }

  private static func restore(
    _ piece: UnsafeRawBufferPointer,
    with stopwatch: inout Stopwatch
  ) {
    do {
      let compressor = try RecordCompressor(level: 1)
      let decompressor = RecordDecompressor()
      guard let byteCount = compressor.compress(piece) else {
        preconditionFailure("noise shrinks")
      }
      let place = try decompressor.place(byteCount)
      let start = RecordLayout.headerByteCount
      place.copyMemory(
        from: UnsafeRawBufferPointer(rebasing: compressor.record[start..<start + byteCount])
      )
      let payload = UnsafeRawBufferPointer(rebasing: place[..<byteCount])
      let room = UnsafeMutableRawBufferPointer.allocate(byteCount: piece.count, alignment: 4096)
      defer { room.deallocate() }
      stopwatch.time(
        "decompress noise 256 KiB, zstd 1",
        per: "record",
        1,
        unitByteCount: piece.count
      ) {
        do throws(CompressionFault) {
          try decompressor.decompress(payload, into: room)
        } catch {
          preconditionFailure("what was just compressed is restored")
        }
        return UInt64(room[1])
      }
    } catch {
      preconditionFailure("\(error)")
    }
  }

  /// Blocks on a lane that is paced too fast for zstd, which is where deciding is all that is done.
  private static func decide(with stopwatch: inout Stopwatch) {
    var policy = CompressionPolicy(
      .auto,
      path: .paced(12_500_000_000),
      connectionCount: 4,
      processorCount: 4
    )
    stopwatch.time("decide on compression", per: "block", 1000) {
      for _ in 0..<1000 {
        _ = policy.next()
        policy.sent(
          CompressionPolicy.Passage(
            byteCount: 16 << 20,
            sentByteCount: 16 << 20,
            nanoseconds: 8_000_000,
            sendNanoseconds: 1_000_000
          )
        )
      }
      return policy.next() == .plain ? 1 : 0
    }
  }
}
