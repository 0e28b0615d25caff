/// What this host lets a socket's buffers grow to: the limits of socket(7) and tcp(7).
package struct SocketLimits: Equatable, Sendable {
  /// What a process may ask for (net.core.wmem_max, net.core.rmem_max); nil where proc(5) is silent.
  package var sendByteCount: UInt64?
  package var receiveByteCount: UInt64?
  /// What the kernel goes to by itself (the third of net.ipv4.tcp_wmem, tcp_rmem).
  package var automaticSendByteCount: UInt64?
  package var automaticReceiveByteCount: UInt64?

  package init() {}

  /// Reads them.
  package static func read() -> SocketLimits {
    var limits = SocketLimits()
    limits.sendByteCount = numbers("core/wmem_max").first
    limits.receiveByteCount = numbers("core/rmem_max").first
    limits.automaticSendByteCount = numbers("ipv4/tcp_wmem").last
    limits.automaticReceiveByteCount = numbers("ipv4/tcp_rmem").last
    return limits
  }

  private static func numbers(_ name: String) -> [UInt64] {
    guard let file = try? File.open(Array("/proc/sys/net/\(name)".utf8), .read),
      let bytes = try? file.read(byteCount: 256, at: 0)
    else { return [] }
    return String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isWhitespace)
      .compactMap { UInt64($0) }
  }
}
