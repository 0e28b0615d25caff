/// One segment's plan: each wanted block's queue, its place there, and the predicted time.
///
/// A value: both ends compute it from the same inputs and compare its digest.
package struct Plan: Equatable, Sendable {
  /// The rule that made it; a cleverer rule gets another number.
  package static let ruleVersion: UInt16 = 1

  package var segment: Int
  package var generation: UInt32
  package var queues: [Queue]

  package struct Queue: Equatable, Sendable {
    /// What it was planned with; zero while none of its lanes is there.
    package var rate: Rate?
    package var runs: [Run] = []
    package var byteCount: UInt64 = 0
    /// When the queue is empty, in nanoseconds from the session's first byte; nil when the lanes
    /// have no rate.
    package var finish: UInt64?
  }

  /// When the last queue is empty; nil when one of them has no rate.
  package var finish: UInt64? {
    var latest: UInt64 = 0
    for queue in queues {
      guard let finish = queue.finish else { return nil }
      latest = max(latest, finish)
    }
    return latest
  }

  package var byteCount: UInt64 {
    queues.reduce(0) { $0 + $1.byteCount }
  }

  /// The canonical bytes: dtx-protocol(7), "Plans".
  package func encoded(with inputs: PlanInputs) -> [UInt8] {
    var writer = ByteWriter()
    writer.append(Plan.ruleVersion)
    writer.append(generation)
    writer.appendVarint(segment)
    PlanInputsCodec.encode(inputs, into: &writer)
    writer.appendVarint(queues.count)
    for queue in queues {
      // The first generation's are those of the inputs.
      if generation > 0 { writer.appendVarint(queue.rate?.bitsPerSecond ?? 0) }
      writer.appendVarint(queue.runs.count)
      for run in queue.runs {
        writer.appendVarint(run.blocks.lowerBound)
        writer.appendVarint(run.blocks.count)
      }
      writer.appendVarint(queue.byteCount)
      writer.append(queue.finish ?? .max)
    }
    return writer.bytes
  }

  /// XXH3-128 over the canonical bytes.
  package func digest(with inputs: PlanInputs) -> Digest {
    Digest.xxh3(of: encoded(with: inputs))
  }
}

extension Plan {
  /// Notes each planned block's queue.
  ///
  /// - Parameter owners: one for each block of the segment; those of other blocks stay.
  package func assign(_ owners: inout [UInt8]) {
    for (queue, planned) in queues.enumerated() {
      for run in planned.runs {
        for block in run.blocks { owners[block] = UInt8(queue) }
      }
    }
  }
}

/// Consecutive blocks of one file, or of the packs of one directory: what is assigned as one, so
/// that a file is read and written in order.
///
/// Blocks that nobody wants are passed over.
package struct Run: Equatable, Sendable {
  package var blocks: Range<Int>
  /// Bytes wanted of its blocks.
  package var byteCount: UInt64

  package init(blocks: Range<Int>, byteCount: UInt64) {
    self.blocks = blocks
    self.byteCount = byteCount
  }
}

/// The inputs' bytes, in requests and in plans.
package enum PlanInputsCodec {
  package static func encode(_ inputs: PlanInputs, into writer: inout ByteWriter) {
    writer.appendVarint(inputs.lanes.count)
    for lane in inputs.lanes {
      writer.append(lane.contract.rawValue)
      writer.appendVarint(lane.rate?.bitsPerSecond ?? 0)
      writer.appendVarint(lane.connectionCount)
      writer.appendCounted(lane.name)
    }
    writer.append(inputs.roundTripNanoseconds)
    writer.append(inputs.commitNanoseconds)
    writer.append(inputs.overheadNumerator)
    writer.append(inputs.overheadDenominator)
  }

  package static func decode(_ reader: inout ByteReader) throws(FormatError) -> PlanInputs {
    let count = try reader.count("lane count", maximum: Limits.laneCount)
    var lanes: [Lane] = []
    for _ in 0..<count {
      let raw = try reader.byte("lane contract")
      guard let contract = LaneContract(rawValue: raw) else {
        throw reader.failure("lane contract", .unexpected(found: UInt64(raw)))
      }
      let rate = try reader.varint("lane rate", maximum: Limits.laneBitsPerSecond)
      let connections = try reader.count("lane connections", maximum: Limits.connectionCount)
      let name = try reader.text("lane name", maximum: Limits.nameByteCount)
      lanes.append(
        Lane(
          contract: contract,
          rate: rate == 0 ? nil : Rate(bitsPerSecond: rate),
          connectionCount: connections,
          name: name
        )
      )
    }
    if let problem = Lane.problem(in: lanes) {
      throw reader.failure("lanes", .invalid(problem))
    }
    let inputs = PlanInputs(
      lanes: lanes,
      roundTripNanoseconds: try reader.uint64("round-trip time"),
      commitNanoseconds: try reader.uint64("commit time"),
      overheadNumerator: try reader.uint64("overhead"),
      overheadDenominator: try reader.uint64("overhead")
    )
    let hour = 3600 * Duration.second
    guard inputs.roundTripNanoseconds < hour, inputs.commitNanoseconds < hour else {
      throw reader.failure("plan inputs", .invalid("a delay of an hour"))
    }
    guard inputs.overheadDenominator > 0, inputs.overheadNumerator >= inputs.overheadDenominator,
      inputs.overheadNumerator / inputs.overheadDenominator < 100
    else { throw reader.failure("plan inputs", .invalid("an overhead below 1 or above 100")) }
    return inputs
  }
}
