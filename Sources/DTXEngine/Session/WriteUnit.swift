internal import DTXLinux

/// The memory in which one connection gathers what it receives, until it is worth a write.
///
/// Payloads come to lie one behind another, so that many records make one write: a file system
/// locks, allocates and accounts for each call. A tag is received behind its payload and gives way
/// to the next one. Used by one thread.
final class WriteUnit {
  /// What a write takes at most, where memory allows.
  ///
  /// A huge page of a memory file system is filled by one write of its size, and zeroed first by a
  /// smaller one; ext4 makes larger folios for larger writes, and took 2 MiB at a time half again as
  /// fast as 256 KiB. The ceiling program was slower again with 4 MiB.
  static let preferredByteCount = 2 << 20

  /// What all units of one end may take together.
  private static let budgetByteCount = 64 << 20

  /// The size of each of so many units.
  ///
  /// - Parameter connectionCount: units that exist at the same time, at least one.
  /// - Returns: a multiple of the longest payload.
  static func byteCount(connectionCount: Int) -> Int {
    let record = RecordLayout.maximumPayloadByteCount
    let share = budgetByteCount / max(1, connectionCount)
    return max(record, min(preferredByteCount, share) / record * record)
  }

  /// Where the headers of records come to lie, apart from their payloads.
  let header: UnsafeMutableRawBufferPointer
  /// Where nothing is to be received.
  let nothing = UnsafeMutableRawBufferPointer(start: nil, count: 0)

  private let buffer: PageBuffer
  /// Bytes that wait to be written: `kept` of them, from `start` on.
  private var start = 0
  private var kept = 0
  private let capacity: Int

  /// Maps the memory.
  ///
  /// - Parameter byteCount: the longest write; at least the longest payload of a record.
  /// - Throws: when there is no memory.
  init(byteCount: Int) throws(SystemError) {
    precondition(byteCount >= RecordLayout.maximumPayloadByteCount, "a unit of \(byteCount) bytes")
    capacity = byteCount
    buffer = try PageBuffer(
      byteCount: byteCount + RecordLayout.tagByteCount + RecordLayout.headerByteCount
    )
    header = UnsafeMutableRawBufferPointer(
      rebasing: buffer.pointer[(byteCount + RecordLayout.tagByteCount)...]
    )
  }

  /// Room behind what waits.
  var freeByteCount: Int { capacity - start - kept }

  /// Where the next payload and its tag are to be received: behind what waits.
  ///
  /// - Parameter byteCount: the payload's, at most `freeByteCount` unless nothing waits.
  /// - Returns: room for the payload and its tag.
  func place(_ byteCount: Int) -> UnsafeMutableRawBufferPointer {
    if kept == 0 { start = 0 }
    let end = start + kept
    precondition(byteCount <= capacity - end, "a payload of \(byteCount) bytes has no room")
    return UnsafeMutableRawBufferPointer(
      rebasing: buffer.pointer[end..<end + byteCount + RecordLayout.tagByteCount]
    )
  }

  /// Adds the next bytes of the latest payload to what waits.
  func keep(_ byteCount: Int) {
    kept += byteCount
  }

  /// Goes past bytes of the latest payload that nobody wants; nothing waits.
  func pass(_ byteCount: Int) {
    precondition(kept == 0, "bytes that wait lie before those to be passed over")
    start += byteCount
  }

  /// Takes out what waits; it stays valid until the next payload is received.
  func take() -> UnsafeRawBufferPointer {
    defer {
      start += kept
      kept = 0
    }
    return UnsafeRawBufferPointer(rebasing: buffer.pointer[start..<start + kept])
  }
}
