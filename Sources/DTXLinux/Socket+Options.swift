internal import CLiburing
internal import Glibc

/// What the kernel knows about a TCP connection (tcp_info of tcp(7)); 0 where it is too old to say.
package struct TCPInfo: Sendable, Equatable {
  package var roundTripMicroseconds: UInt32
  package var roundTripVarianceMicroseconds: UInt32
  package var minimumRoundTripMicroseconds: UInt32
  /// The size of the segments sent, without headers.
  package var segmentByteCount: UInt32
  /// In segments.
  package var congestionWindow: UInt32
  /// Segments sent again over the whole connection.
  package var retransmits: UInt32
  /// Bytes handed to the network, those sent again included.
  package var bytesSent: UInt64
  package var bytesAcked: UInt64
  package var bytesReceived: UInt64
  package var bytesRetransmitted: UInt64
  /// Time with something to send.
  package var busyMicroseconds: UInt64
  /// Time in which the peer's window held sending back.
  package var receiveWindowLimitedMicroseconds: UInt64
  /// Time in which the send buffer's size held sending back.
  package var sendBufferLimitedMicroseconds: UInt64
  /// The latest measured rate of delivery, in bytes per second.
  package var deliveryRate: UInt64
  /// The rate that sending is paced at, in bytes per second; all ones for none.
  package var pacingRate: UInt64
  package var pathMTU: UInt32
  /// Times in a row that data was sent again and nothing came back; a shut window is none.
  package var unansweredTimeoutCount: UInt32
  /// Time since the latest acknowledgement.
  package var sinceAnswerMilliseconds: UInt32

  init(_ info: dtx_tcp_info) {
    roundTripMicroseconds = info.round_trip
    roundTripVarianceMicroseconds = info.round_trip_variance
    minimumRoundTripMicroseconds = info.minimum_round_trip
    segmentByteCount = info.segment_byte_count
    congestionWindow = info.congestion_window
    retransmits = info.retransmits
    bytesSent = info.bytes_sent
    bytesAcked = info.bytes_acked
    bytesReceived = info.bytes_received
    bytesRetransmitted = info.bytes_retransmitted
    busyMicroseconds = info.busy
    receiveWindowLimitedMicroseconds = info.receive_window_limited
    sendBufferLimitedMicroseconds = info.send_buffer_limited
    deliveryRate = info.delivery_rate
    pacingRate = info.pacing_rate
    pathMTU = info.path_mtu
    unansweredTimeoutCount = info.unanswered_timeouts
    sinceAnswerMilliseconds = info.since_answer
  }
}

/// Options and statistics. A socket of `pair` refuses those that are TCP's (EOPNOTSUPP and such).
extension Socket {
  /// Limits each wait of a receive, after which it throws ETIMEDOUT; 0 for no limit.
  package func setReceiveTimeout(nanoseconds: UInt64) throws(SystemError) {
    try check("setsockopt", system { dtx_set_timeout(descriptor.raw, 0, nanoseconds) })
  }

  /// Limits each wait of a send, after which it throws ETIMEDOUT; 0 for no limit.
  package func setSendTimeout(nanoseconds: UInt64) throws(SystemError) {
    try check("setsockopt", system { dtx_set_timeout(descriptor.raw, 1, nanoseconds) })
  }

  /// Whether small writes leave at once.
  package func setNoDelay(_ isOn: Bool = true) throws(SystemError) {
    try set(DTX_NO_DELAY, isOn ? 1 : 0)
  }

  /// Whether an idle connection is probed.
  package func setKeepAlive(_ isOn: Bool = true) throws(SystemError) {
    try set(DTX_KEEP_ALIVE, isOn ? 1 : 0)
  }

  /// How long sent bytes may stay unacknowledged before the connection ends with ETIMEDOUT.
  package func setUserTimeout(milliseconds: UInt32) throws(SystemError) {
    try set(DTX_USER_TIMEOUT, Int32(clamping: milliseconds))
  }

  /// Chooses the congestion control ("bbr"); ENOENT or EPERM where it cannot be had.
  package func setCongestionControl(_ name: String) throws(SystemError) {
    let result = withCString(Array(name.utf8)) { text in
      system { dtx_set_congestion_control(descriptor.raw, text) }
    }
    try checked(result, "setsockopt", "congestion control \(printable(Array(name.utf8)))")
  }

  /// The congestion control in use.
  package func congestionControl() throws(SystemError) -> String {
    var name = [CChar](repeating: 0, count: 64)
    let result = system { dtx_get_congestion_control(descriptor.raw, &name, name.count) }
    try check("getsockopt", result)
    return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// The device that the socket is bound to; nil for none.
  package func boundInterface() throws(SystemError) -> String? {
    var name = [CChar](repeating: 0, count: 64)
    let result = system { dtx_bound_interface(descriptor.raw, &name, name.count) }
    try check("getsockopt", result)
    let bytes = name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
    return bytes.isEmpty ? nil : String(decoding: bytes, as: UTF8.self)
  }

  /// Bytes that were sent and that the peer's kernel has not acknowledged.
  package func unacknowledgedByteCount() throws(SystemError) -> Int {
    var byteCount: Int32 = 0
    try check("ioctl", system { dtx_unacknowledged(descriptor.raw, &byteCount) })
    return Int(byteCount)
  }

  /// Has the kernel pace what is sent to at most this rate; `.max` lifts the limit.
  package func setMaxPacingRate(bytesPerSecond: UInt64) throws(SystemError) {
    try check("setsockopt", system { dtx_set_pacing_rate(descriptor.raw, bytesPerSecond) })
  }

  /// The most that the kernel paces to, in bytes per second, as it reports it; `.max` for no limit.
  package func maxPacingRate() throws(SystemError) -> UInt64 {
    var rate: UInt64 = 0
    try check("getsockopt", system { dtx_get_pacing_rate(descriptor.raw, &rate) })
    return rate
  }

  /// Fixes the send buffer and ends its automatic growth; the kernel may give less.
  package func setSendBuffer(byteCount: Int) throws(SystemError) {
    try set(DTX_SEND_BUFFER, Int32(clamping: byteCount))
  }

  /// Fixes the receive buffer and ends its automatic growth; the kernel may give less.
  package func setReceiveBuffer(byteCount: Int) throws(SystemError) {
    try set(DTX_RECEIVE_BUFFER, Int32(clamping: byteCount))
  }

  /// The size of the send buffer as the kernel accounts it: twice what was asked for.
  package func sendBufferByteCount() throws(SystemError) -> Int {
    Int(try option(DTX_SEND_BUFFER))
  }

  /// The size of the receive buffer as the kernel accounts it: twice what was asked for.
  package func receiveBufferByteCount() throws(SystemError) -> Int {
    Int(try option(DTX_RECEIVE_BUFFER))
  }

  /// Marks packets with a type of service, in IPv6 the traffic class (DSCP is its upper six bits).
  package func setTypeOfService(_ value: UInt8) throws(SystemError) {
    let isV6 = try isV6Socket()
    // A v6 socket may carry IPv4, so it gets both.
    if isV6 { try set(DTX_SERVICE_V6, Int32(value)) }
    if isV6 {
      try? set(DTX_SERVICE_V4, Int32(value))
    } else {
      try set(DTX_SERVICE_V4, Int32(value))
    }
  }

  /// The type of service that packets are marked with.
  package func typeOfService() throws(SystemError) -> UInt8 {
    let value = try option(isV6Socket() ? DTX_SERVICE_V6 : DTX_SERVICE_V4)
    return UInt8(truncatingIfNeeded: value)
  }

  private func isV6Socket() throws(SystemError) -> Bool {
    // The family of the socket, not of the peer's address, which may be IPv4 in IPv6 form.
    var value: Int32 = 0
    let result = system { dtx_get_option(descriptor.raw, DTX_SERVICE_V6, &value) }
    return result >= 0
  }

  /// The kernel's statistics of the connection.
  package func tcpInfo() throws(SystemError) -> TCPInfo {
    var info = dtx_tcp_info()
    try check("getsockopt", system { dtx_tcp_info(descriptor.raw, &info) })
    return TCPInfo(info)
  }

  func set(_ option: dtx_option, _ value: Int32) throws(SystemError) {
    try check("setsockopt", system { dtx_set_option(descriptor.raw, option, value) })
  }

  func option(_ option: dtx_option) throws(SystemError) -> Int32 {
    var value: Int32 = 0
    try check("getsockopt", system { dtx_get_option(descriptor.raw, option, &value) })
    return value
  }
}
