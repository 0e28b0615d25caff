/// What keeps a connection from sending, as its kernel tells it apart (`tcp_info` of tcp(7)).
///
/// The order is that of the times in a receipt: dtx-receipt(5).
package enum IdleCause: UInt8, Sendable, CaseIterable {
  /// No connection.
  case disconnected = 0
  /// Nothing to send: the source, the sender's processors, or no block left.
  case application = 1
  /// The other end takes no more: its disk, its processors, or its receive buffer.
  case receiveWindow = 2
  /// The send buffer is too small for the path.
  case sendBuffer = 3

  package var name: String {
    switch self {
    case .disconnected: "disconnected"
    case .application: "application"
    case .receiveWindow: "receive-window"
    case .sendBuffer: "send-buffer"
    }
  }
}

/// Nanoseconds for each idle cause.
package struct IdleTimes: Equatable, Sendable {
  private var times: [UInt64] = Array(repeating: 0, count: IdleCause.allCases.count)

  package init() {}

  package subscript(cause: IdleCause) -> UInt64 {
    get { times[Int(cause.rawValue)] }
    set { times[Int(cause.rawValue)] = newValue }
  }

  /// The cause with the most; nil where no time was idle.
  package var greatest: IdleCause? {
    var best: IdleCause?
    for cause in IdleCause.allCases where self[cause] > (best.map { self[$0] } ?? 0) {
      best = cause
    }
    return best
  }

  static func += (left: inout IdleTimes, right: IdleTimes) {
    for index in left.times.indices { left.times[index] &+= right.times[index] }
  }
}

/// What a lane did between two looks at it.
package struct LaneInterval: Joinable {
  package var nanoseconds: UInt64 = 0
  /// What the lane's rate allows in this time, on the wire as its contract counts; 0 without a rate.
  package var reservedByteCount: UInt64 = 0
  /// What the other end's kernel acknowledged, counted the same way; what was sent again counts once.
  package var deliveredByteCount: UInt64 = 0
  /// Payload of segments that were sent again.
  package var retransmittedByteCount: UInt64 = 0
  /// The longest smoothed round-trip time of its connections.
  package var roundTripMicroseconds: UInt64 = 0
  /// The mean over the lane's connections, so that no cause takes longer than the interval.
  package var idle = IdleTimes()

  package init() {}

  /// What was delivered, in bits a second.
  package var deliveredRate: Rate { rate(of: deliveredByteCount) }

  /// What was reserved, in bits a second.
  package var reservedRate: Rate { rate(of: reservedByteCount) }

  private func rate(of byteCount: UInt64) -> Rate {
    guard nanoseconds > 0 else { return Rate(bitsPerSecond: 0) }
    let bits = UInt128(byteCount) * 8 * UInt128(Duration.second)
    return Rate(bitsPerSecond: UInt64(clamping: bits / UInt128(nanoseconds)))
  }

  /// Puts another interval behind this one.
  package static func += (left: inout LaneInterval, right: LaneInterval) {
    left.nanoseconds &+= right.nanoseconds
    left.reservedByteCount &+= right.reservedByteCount
    left.deliveredByteCount &+= right.deliveredByteCount
    left.retransmittedByteCount &+= right.retransmittedByteCount
    left.roundTripMicroseconds = max(left.roundTripMicroseconds, right.roundTripMicroseconds)
    left.idle += right.idle
  }
}
