/// What travels on a lane around a block's bytes: dtx-protocol(7), "Blocks".
///
/// A header names the block; both ends know which of its extents are wanted. Their bytes follow in
/// order, back to back over as many data records as it takes. The trailer says for each extent
/// what the sender saw.
package enum BlockFrame {
  /// What a trailer spends on one reason, so that the longest trailer fits a record.
  private static let reasonByteCount = 48

  package static func encodeHeader(_ block: BlockReference) -> [UInt8] {
    var writer = ByteWriter()
    writer.appendVarint(block.segment)
    writer.appendVarint(block.block)
    return writer.bytes
  }

  package static func header(_ bytes: [UInt8]) throws(FormatError) -> BlockReference {
    var reader = ByteReader(bytes)
    let segment = try reader.count("segment", maximum: 1 << 20)
    let block = try reader.count("block", maximum: Limits.segmentExtentCount)
    try reader.finish("block header")
    return BlockReference(segment: segment, block: block)
  }

  /// The trailer of extents in order; `damaged` is nothing that a sender sees.
  package static func encodeTrailer(_ outcomes: [ExtentOutcome]) -> [UInt8] {
    var writer = ByteWriter(reservingCapacity: outcomes.count * 17 + 8)
    writer.appendVarint(outcomes.count)
    for outcome in outcomes {
      switch outcome {
      case .intact(let digest):
        writer.append(UInt8(0))
        writer.append(digest, .xxh3)
      case .failed(let failure, let reason):
        writer.append(failure.rawValue)
        writer.appendCounted(reason, maximum: reasonByteCount)
      case .damaged:
        preconditionFailure("the sender sees no damage")
      }
    }
    return writer.bytes
  }

  package static func trailer(_ bytes: [UInt8]) throws(FormatError) -> [ExtentOutcome] {
    var reader = ByteReader(bytes)
    // An extent takes two bytes at the least.
    let count = try reader.count("extent count", maximum: reader.remainingByteCount / 2)
    var outcomes: [ExtentOutcome] = []
    outcomes.reserveCapacity(count)
    for _ in 0..<count {
      let state = try reader.byte("extent state")
      if state == 0 {
        outcomes.append(.intact(try reader.digest("extent digest", .xxh3)))
      } else if let failure = EntryFailure(rawValue: state),
        failure == .unreadable || failure == .changed
      {
        outcomes.append(.failed(failure, try reader.text("reason", maximum: 255)))
      } else {
        throw reader.failure("extent state", .unexpected(found: UInt64(state)))
      }
    }
    try reader.finish("block trailer")
    return outcomes
  }
}
