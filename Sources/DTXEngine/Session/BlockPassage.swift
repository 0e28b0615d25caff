internal import DTXLinux
internal import Synchronization

/// What has passed over one connection, counted record by record, for progress between whole blocks.
///
/// The connection's thread counts, any thread reads. Two numbers that are added to for each record:
/// nothing waits for anything.
final class BlockPassage: Sendable {
  private let payload = Atomic<UInt64>(0)
  private let wire = Atomic<UInt64>(0)
  /// What the peer's kernel had taken before the first record.
  private let opening: UInt64

  init(over socket: Socket) {
    opening = (try? socket.tcpInfo().bytesAcked) ?? 0
  }

  /// Counts a record that was handed to the kernel, or came from it whole.
  ///
  /// - Parameters:
  ///   - payloadByteCount: bytes of files that it stands for; 0 for other records.
  ///   - wireByteCount: all of the record.
  func pass(payloadByteCount: Int, wireByteCount: Int) {
    payload.add(UInt64(payloadByteCount), ordering: .relaxed)
    wire.add(UInt64(wireByteCount), ordering: .relaxed)
  }

  /// Payload that came since the last block of which the session knows.
  var receivedByteCount: UInt64 { payload.load(ordering: .relaxed) }

  /// Forgets what came of a block: from here on the session counts it, or it was given up.
  ///
  /// - Parameter payloadByteCount: of the block, as `pass` was told.
  func settle(payloadByteCount: UInt64) {
    payload.subtract(payloadByteCount, ordering: .relaxed)
  }

  /// Payload that the peer's kernel has: a socket takes seconds' worth ahead of a low rate.
  ///
  /// - Parameter socket: the connection; one that is no TCP socket is taken to hold nothing back.
  /// - Returns: a count that only rises while the connection lasts.
  func acknowledgedByteCount(over socket: Socket) -> UInt64 {
    let passed = payload.load(ordering: .relaxed)
    guard let info = try? socket.tcpInfo() else { return passed }
    let arrived = info.bytesAcked - min(opening, info.bytesAcked)
    let handed = wire.load(ordering: .relaxed)
    // What waits in the kernel is taken to be compressed as all of it was.
    guard arrived < handed else { return passed }
    return UInt64(clamping: UInt128(passed) * UInt128(arrived) / UInt128(handed))
  }
}
