/// The control messages' bytes: dtx-protocol(7), "Control messages".
///
/// A type byte, then the fields.
package enum MessageCodec {
  private enum Kind: UInt8 {
    case inventory = 1
    case inventoryEnd = 2
    case plan = 3
    case fence = 4
    case demand = 5
    case omitted = 6
    case tuned = 7
    case revise = 8
    case remaining = 9
    case comparison = 16
    case refused = 17
    case comparisonEnd = 18
    case planned = 19
    case received = 20
    case damaged = 21
    case durable = 22
    case fenced = 23
    case committed = 24
    case changed = 25
    case adjust = 26
    case sealed = 32
    case finished = 33
    case heartbeat = 34
    case stop = 35
    case receipt = 40
    case endorsed = 41
    case declined = 42
  }

  /// Segments in a session, at most: the frames' indices are small, and 2^20 segments of a
  /// tebibyte are an exabyte.
  private static let segmentLimit = 1 << 20

  package static func encode(_ message: Message) -> [UInt8] {
    var writer = ByteWriter()
    switch message {
    case .inventory(let segment, let page):
      begin(.inventory, segment, &writer)
      writer.appendRaw(page)
    case .inventoryEnd(let segment, let isLast):
      begin(.inventoryEnd, segment, &writer)
      writer.append(isLast)
    case .omitted(let path, let failure, let reason):
      writer.append(Kind.omitted.rawValue)
      writer.appendCounted(path.prefix(Limits.pathByteCount))
      writer.append(failure.rawValue)
      writer.appendCounted(reason, maximum: 1000)
    case .demand(let segment, let entries):
      begin(.demand, segment, &writer)
      append(entries, &writer)
    case .plan(let segment, let generation, let digest):
      begin(.plan, segment, &writer)
      writer.append(generation)
      writer.append(digest, .xxh3)
    case .revise(let generation, let segmentCount, let isAsked):
      writer.append(Kind.revise.rawValue)
      GenerationCodec.encode(generation, into: &writer)
      writer.appendVarint(segmentCount)
      writer.append(isAsked)
    case .remaining(let segment, let blocks):
      begin(.remaining, segment, &writer)
      BlockRunCodec.encode(blocks, into: &writer)
    case .fence(let connection):
      writer.append(Kind.fence.rawValue)
      append(connection, &writer)
    case .tuned(let connection, let taken):
      writer.append(Kind.tuned.rawValue)
      append(connection, &writer)
      LaneSettingsCodec.encode(taken, into: &writer)
    case .receipt(let offer):
      writer.append(Kind.receipt.rawValue)
      writer.appendRaw(offer)
    case .comparison(let segment, let page):
      begin(.comparison, segment, &writer)
      writer.appendRaw(page)
    case .changed(let segment, let entries):
      begin(.changed, segment, &writer)
      append(entries, &writer)
    case .refused(let failed):
      begin(.refused, failed.segment, &writer)
      writer.appendVarint(failed.entry)
      writer.append(failed.failure.rawValue)
      writer.appendCounted(failed.reason, maximum: 1000)
    case .comparisonEnd(let segment):
      begin(.comparisonEnd, segment, &writer)
    case .planned(let segment, let generation, let digest):
      begin(.planned, segment, &writer)
      writer.append(generation)
      writer.append(digest, .xxh3)
    case .received(let block):
      begin(.received, block.segment, &writer)
      writer.appendVarint(block.block)
    case .damaged(let block):
      begin(.damaged, block.segment, &writer)
      writer.appendVarint(block.block)
    case .durable(let epoch, let blocks):
      writer.append(Kind.durable.rawValue)
      writer.append(epoch)
      writer.appendVarint(blocks.count)
      for block in blocks {
        writer.appendVarint(block.segment)
        writer.appendVarint(block.block)
      }
    case .fenced(let connection):
      writer.append(Kind.fenced.rawValue)
      append(connection, &writer)
    case .adjust(let adjustment):
      writer.append(Kind.adjust.rawValue)
      AdjustmentCodec.encode(adjustment, into: &writer)
    case .committed(let segment):
      begin(.committed, segment, &writer)
    case .endorsed(let answer):
      writer.append(Kind.endorsed.rawValue)
      writer.appendRaw(answer)
    case .declined(let reason):
      writer.append(Kind.declined.rawValue)
      writer.appendCounted(reason, maximum: 1000)
    case .sealed(let roots):
      writer.append(Kind.sealed.rawValue)
      writer.append(roots.content, .sha256)
      writer.append(roots.full, .sha256)
    case .finished(let totals):
      writer.append(Kind.finished.rawValue)
      writer.append(totals.peakMemoryByteCount)
      writer.append(totals.processorNanoseconds)
      writer.append(totals.epochCount)
      writer.append(totals.syncNanoseconds)
      writer.append(totals.rereadByteCount)
      writer.append(totals.processorCount)
      writer.append(totals.hostProcessorNanoseconds)
      for activity in Activity.counted { writer.append(totals.times[activity]) }
      writer.append(totals.zeroCopyByteCount)
      writer.append(totals.storage?.access.rawValue ?? 0)
      writer.append(totals.storage?.mechanism.rawValue ?? 0)
    case .heartbeat:
      writer.append(Kind.heartbeat.rawValue)
    case .stop(let reason, let text):
      writer.append(Kind.stop.rawValue)
      writer.append(reason.rawValue)
      writer.appendCounted(text, maximum: 4000)
    }
    return writer.bytes
  }

  package static func decode(_ bytes: [UInt8]) throws(FormatError) -> Message {
    var reader = ByteReader(bytes)
    let first = try reader.byte("message type")
    guard let kind = Kind(rawValue: first) else {
      throw reader.failure("message type", .unexpected(found: UInt64(first)))
    }
    let message =
      switch kind {
      case .inventory, .inventoryEnd, .omitted, .demand, .plan, .fence, .tuned, .revise,
        .remaining, .receipt:
        try senderMessage(kind, &reader)
      case .comparison, .changed, .refused, .comparisonEnd, .planned, .received, .damaged,
        .durable, .fenced, .adjust, .committed, .endorsed, .declined:
        try receiverMessage(kind, &reader)
      case .sealed, .finished, .heartbeat, .stop:
        try sharedMessage(kind, &reader)
      }
    try reader.finish("message")
    return message
  }

  private static func senderMessage(
    _ kind: Kind,
    _ reader: inout ByteReader
  ) throws(FormatError) -> Message {
    if kind == .fence { return .fence(try connection(&reader)) }
    if kind == .tuned {
      return .tuned(try connection(&reader), try LaneSettingsCodec.taken(&reader))
    }
    if kind == .receipt { return .receipt(try receipt(&reader)) }
    if kind == .revise {
      let generation = try GenerationCodec.decode(&reader)
      let count = try reader.count("segments that are left", maximum: Limits.openSegmentCount)
      let isAsked = try reader.flag("wish of a user")
      return .revise(generation, segmentCount: count, isAsked: isAsked)
    }
    if kind == .omitted {
      let path = Array(try reader.counted("path", maximum: Limits.pathByteCount))
      let failure = try failure(&reader)
      return .omitted(
        path: path,
        failure: failure,
        reason: try reader.text("reason", maximum: 4000)
      )
    }
    let segment = try segment(&reader)
    switch kind {
    case .inventory:
      return .inventory(segment: segment, page: try rest(&reader))
    case .inventoryEnd:
      return .inventoryEnd(segment: segment, isLast: try reader.flag("last segment"))
    case .demand:
      return .demand(segment: segment, entries: try entries(&reader))
    case .remaining:
      return .remaining(segment: segment, blocks: try BlockRunCodec.decode(&reader))
    default:
      return .plan(
        segment: segment,
        generation: try reader.uint32("generation"),
        digest: try reader.digest("plan digest", .xxh3)
      )
    }
  }

  private static func receiverMessage(
    _ kind: Kind,
    _ reader: inout ByteReader
  ) throws(FormatError) -> Message {
    if kind == .fenced { return .fenced(try connection(&reader)) }
    if kind == .endorsed { return .endorsed(try receipt(&reader)) }
    if kind == .declined { return .declined(try reader.text("reason", maximum: 4000)) }
    if kind == .adjust { return .adjust(try AdjustmentCodec.decode(&reader)) }
    if kind == .durable {
      let epoch = try reader.uint32("epoch")
      let count = try reader.count("block count", maximum: reader.remainingByteCount / 2)
      var blocks: [BlockReference] = []
      blocks.reserveCapacity(count)
      for _ in 0..<count { blocks.append(try block(segment(&reader), &reader)) }
      return .durable(epoch: epoch, blocks: blocks)
    }
    let segment = try segment(&reader)
    switch kind {
    case .comparison:
      return .comparison(segment: segment, page: try rest(&reader))
    case .changed:
      return .changed(segment: segment, entries: try entries(&reader))
    case .refused:
      return .refused(try failedEntry(segment, &reader))
    case .comparisonEnd:
      return .comparisonEnd(segment: segment)
    case .planned:
      return .planned(
        segment: segment,
        generation: try reader.uint32("generation"),
        digest: try reader.digest("plan digest", .xxh3)
      )
    case .received:
      return .received(try block(segment, &reader))
    case .damaged:
      return .damaged(try block(segment, &reader))
    default:
      return .committed(segment: segment)
    }
  }

  /// Part of a receipt, which is decoded by whoever keeps it.
  private static func receipt(_ reader: inout ByteReader) throws(FormatError) -> [UInt8] {
    let byteCount = reader.remainingByteCount
    guard byteCount <= Limits.receiptByteCount else {
      let allowed = UInt64(Limits.receiptByteCount)
      throw reader.failure("receipt", .tooLarge(found: UInt64(byteCount), allowed: allowed))
    }
    return try rest(&reader)
  }

  private static func sharedMessage(
    _ kind: Kind,
    _ reader: inout ByteReader
  ) throws(FormatError) -> Message {
    switch kind {
    case .sealed:
      let content = try reader.digest("content root", .sha256)
      return .sealed(Roots(content: content, full: try reader.digest("full root", .sha256)))
    case .finished:
      var totals = EndTotals()
      totals.peakMemoryByteCount = try reader.uint64("peak memory")
      totals.processorNanoseconds = try reader.uint64("processor time")
      totals.epochCount = try reader.uint64("epochs")
      totals.syncNanoseconds = try reader.uint64("sync time")
      totals.rereadByteCount = try reader.uint64("bytes read back")
      totals.processorCount = try reader.uint64("processors")
      totals.hostProcessorNanoseconds = try reader.uint64("processors' time")
      for activity in Activity.counted { totals.times[activity] = try time(&reader) }
      totals.zeroCopyByteCount = try reader.uint64("bytes without a copy")
      totals.storage = try storage(&reader)
      return .finished(totals)
    case .stop:
      let raw = try reader.byte("stop reason")
      guard let reason = StopReason(rawValue: raw) else {
        throw reader.failure("stop reason", .unexpected(found: UInt64(raw)))
      }
      return .stop(reason, try reader.text("stop text", maximum: 16 << 10))
    default:
      return .heartbeat
    }
  }

  /// How an end reached its files: both bytes are 0 where it touched none.
  private static func storage(_ reader: inout ByteReader) throws(FormatError) -> StorageUse? {
    let access = try reader.byte("way to files")
    guard let access = StorageAccess(rawValue: access) else {
      if access > 0 { throw reader.failure("way to files", .unexpected(found: UInt64(access))) }
      let mechanism = try reader.byte("storage method")
      if mechanism == 0 { return nil }
      throw reader.failure("storage method", .unexpected(found: UInt64(mechanism)))
    }
    let mechanism = try reader.byte("storage method")
    guard let mechanism = StorageMechanism(rawValue: mechanism) else {
      throw reader.failure("storage method", .unexpected(found: UInt64(mechanism)))
    }
    return StorageUse(access: access, mechanism: mechanism)
  }

  /// The time of an activity, within what sums of it have room for.
  private static func time(_ reader: inout ByteReader) throws(FormatError) -> UInt64 {
    let time = try reader.uint64("time of an activity")
    guard time <= Limits.activityNanoseconds else {
      throw reader.failure(
        "time of an activity",
        .tooLarge(found: time, allowed: Limits.activityNanoseconds)
      )
    }
    return time
  }

  private static func failedEntry(
    _ segment: Int,
    _ reader: inout ByteReader
  ) throws(FormatError) -> FailedEntry {
    let entry = try entry(&reader)
    let failure = try failure(&reader)
    let reason = try reader.text("reason", maximum: 4000)
    return FailedEntry(segment: segment, entry: entry, failure: failure, reason: reason)
  }

  private static func begin(_ kind: Kind, _ segment: Int, _ writer: inout ByteWriter) {
    writer.append(kind.rawValue)
    writer.appendVarint(segment)
  }

  private static func append(_ connection: ConnectionID, _ writer: inout ByteWriter) {
    writer.appendVarint(connection.lane)
    writer.append(connection.number)
  }

  private static func append(_ entries: [Int], _ writer: inout ByteWriter) {
    writer.appendVarint(entries.count)
    for entry in entries { writer.appendVarint(entry) }
  }

  private static func entries(_ reader: inout ByteReader) throws(FormatError) -> [Int] {
    let count = try reader.count("entry count", maximum: reader.remainingByteCount)
    var entries: [Int] = []
    entries.reserveCapacity(count)
    for _ in 0..<count { entries.append(try entry(&reader)) }
    return entries
  }

  private static func failure(_ reader: inout ByteReader) throws(FormatError) -> EntryFailure {
    let raw = try reader.byte("failure")
    guard let failure = EntryFailure(rawValue: raw) else {
      throw reader.failure("failure", .unexpected(found: UInt64(raw)))
    }
    return failure
  }

  private static func entry(_ reader: inout ByteReader) throws(FormatError) -> Int {
    try reader.count("entry", maximum: Limits.segmentEntryCount + Limits.pathByteCount)
  }

  private static func segment(_ reader: inout ByteReader) throws(FormatError) -> Int {
    try reader.count("segment", maximum: segmentLimit)
  }

  private static func block(
    _ segment: Int,
    _ reader: inout ByteReader
  ) throws(FormatError) -> BlockReference {
    let block = try reader.count("block", maximum: Limits.segmentExtentCount)
    return BlockReference(segment: segment, block: block)
  }

  private static func connection(_ reader: inout ByteReader) throws(FormatError) -> ConnectionID {
    let lane = try reader.count("lane", maximum: Limits.laneCount - 1)
    return ConnectionID(lane: lane, number: try reader.uint32("connection"))
  }

  private static func rest(_ reader: inout ByteReader) throws(FormatError) -> [UInt8] {
    Array(try reader.raw("page", byteCount: reader.remainingByteCount))
  }
}
