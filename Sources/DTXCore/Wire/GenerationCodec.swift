/// A generation's bytes: dtx-protocol(7), "Generations".
enum GenerationCodec {
  static func encode(_ generation: Generation, into writer: inout ByteWriter) {
    writer.append(generation.number)
    writer.appendVarint(generation.queues.count)
    for queue in generation.queues {
      writer.appendVarint(queue.rate?.bitsPerSecond ?? 0)
      writer.append(queue.free)
    }
  }

  /// Reads what a peer announces; only rated queues have generations.
  static func decode(_ reader: inout ByteReader) throws(FormatError) -> Generation {
    let number = try reader.uint32("generation")
    let count = try reader.count("queue count", maximum: Limits.laneCount)
    // A queue of best effort has the sum of its lanes' rates.
    let largest = Limits.laneBitsPerSecond * UInt64(Limits.laneCount)
    var queues: [Generation.Queue] = []
    for _ in 0..<count {
      let rate = try reader.varint("queue rate", maximum: largest)
      let free = try reader.uint64("finish of a queue")
      guard free <= Limits.planNanoseconds else {
        throw reader.failure(
          "finish of a queue",
          .tooLarge(found: free, allowed: Limits.planNanoseconds)
        )
      }
      queues.append(Generation.Queue(rate: Rate(bitsPerSecond: rate), free: free))
    }
    return Generation(number: number, queues: queues)
  }
}

/// Ascending runs of blocks: how many lie between one run and the next, and how long it is.
enum BlockRunCodec {
  static func encode(_ runs: [Range<Int>], into writer: inout ByteWriter) {
    writer.appendVarint(runs.count)
    var end = 0
    for run in runs {
      writer.appendVarint(run.lowerBound - end)
      writer.appendVarint(run.count)
      end = run.upperBound
    }
  }

  static func decode(_ reader: inout ByteReader) throws(FormatError) -> [Range<Int>] {
    let count = try reader.count("run count", maximum: reader.remainingByteCount / 2)
    var runs: [Range<Int>] = []
    runs.reserveCapacity(count)
    var end = 0
    for _ in 0..<count {
      let start = end + (try reader.count("gap", maximum: Limits.segmentExtentCount - end))
      end = start + (try reader.count("run", maximum: Limits.segmentExtentCount - start))
      guard end > start else { throw reader.failure("run", .invalid("a run without blocks")) }
      runs.append(start..<end)
    }
    return runs
  }
}
