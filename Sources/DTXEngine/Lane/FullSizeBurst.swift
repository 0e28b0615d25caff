internal import DTXCore
internal import DTXLinux

/// Packets as large as a new connection's path is said to take, pushed ahead of the first block.
///
/// The opening's messages are small: they pass a path on which one device takes only smaller
/// packets than both ends do and says nothing of those that it drops. Blocks would then hang until
/// the connection dies, and so would the next one.
struct FullSizeBurst {
  /// Segments of the burst: one alone could be lost by bad luck, which its neighbour tells.
  private static let segmentCount = 2
  /// How long none of it may be acknowledged.
  ///
  /// A kernel that looks for black holes itself (net.ipv4.tcp_mtu_probing) has found it by then: it
  /// does so at the third retransmission, a second and a half after the first on short paths.
  private static let patienceNanoseconds = 6 * Duration.second

  /// What became of it.
  enum Verdict: Equatable {
    /// At least the first segment arrived.
    case arrived
    /// Nothing of it did in all that time.
    case swallowed
  }

  private let socket: Socket
  /// Payload of the burst.
  let byteCount: Int

  /// Plans a burst.
  ///
  /// - Parameter socket: nil comes of one that needs none, since its bytes do not leave the host.
  init?(over socket: Socket) {
    guard !LaneOptions.staysOnHost(socket), let info = try? socket.tcpInfo(),
      info.segmentByteCount > 0
    else { return nil }
    self.socket = socket
    byteCount = min(
      Int(info.segmentByteCount) * FullSizeBurst.segmentCount,
      RecordLayout.maximumPayloadByteCount
    )
  }

  /// Pushes it and waits until some of it has arrived; a round trip on a sound path.
  ///
  /// - Parameter send: sends a record with so much payload that its receiver passes over.
  /// - Returns: what became of it.
  /// - Throws: when the connection broke.
  func push(_ send: (Int) throws(SystemError) -> Void) throws(SystemError) -> Verdict {
    try send(byteCount)
    let deadline = Clock.now() + FullSizeBurst.patienceNanoseconds
    var pause = Duration.millisecond / 4
    while true {
      // Less than the burst's own bytes are outstanding: its first segment is there.
      if try socket.unacknowledgedByteCount() < byteCount { return .arrived }
      if Clock.now() >= deadline { break }
      // A receiver sends nothing, so what can be read is the connection's end, which others tell.
      if try socket.waitReadable(before: min(deadline, Clock.now() + pause)) { return .arrived }
      pause = min(2 * pause, 50 * Duration.millisecond)
    }
    // A new connection's peer has room for it, so that is not what it waits for.
    return .swallowed
  }

  /// What is said of a path that swallowed it.
  ///
  /// - Parameters:
  ///   - socket: of the connection.
  ///   - name: of the lane.
  /// - Returns: what was seen, what it means, and what to do.
  static func explanation(_ socket: Socket, _ name: String) -> String {
    let info = try? socket.tcpInfo()
    let packet = info.map { "\($0.pathMTU) bytes" } ?? "full size"
    let segment = info.map { "\($0.segmentByteCount)" } ?? "unknown"
    return "\(name): packets of \(packet) (MSS \(segment)) do not arrive, though small ones do: "
      + "a device on the path has a smaller MTU and does not say so (a black hole for jumbo "
      + "frames); give all devices on the path one MTU, or lower this end's, as with "
      + "'ip link set dev INTERFACE mtu 1500', or let the kernel look for it "
      + "(sysctl net.ipv4.tcp_mtu_probing=1)"
  }
}
