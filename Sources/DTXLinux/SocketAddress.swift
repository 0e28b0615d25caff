internal import CLiburing
internal import Glibc

/// Why a host's name gave no address.
package struct ResolveError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The host as it was asked for, fit for a terminal.
  package var host: String
  /// The number of getaddrinfo(3) (EAI_NONAME, EAI_AGAIN ...).
  package var number: Int32

  /// The C library's sentence for the number.
  package var explanation: String { String(cString: gai_strerror(number)) }

  package var description: String { "resolve \(host): \(explanation)" }
}

/// An IPv4 or IPv6 address with a port.
///
/// An IPv4 address that a socket shows in its IPv6 form (::ffff:192.0.2.1) becomes IPv4 here.
package struct SocketAddress: Sendable, Hashable, CustomStringConvertible {
  /// A sockaddr_in or sockaddr_in6.
  let bytes: [UInt8]

  /// Makes an address from text without asking a name server; nil for what is no address.
  ///
  /// IPv6 comes without brackets and may carry a scope ("fe80::1%eth0").
  package init?(numericHost: String, port: UInt16) {
    let found = SocketAddress.find(host: numericHost, port: port, numeric: true)
    guard found.number == 0, let first = found.addresses.first else { return nil }
    self = first
  }

  /// All addresses of a host, in the order that the system prefers.
  ///
  /// It may block on the network.
  package static func resolve(
    host: String,
    port: UInt16
  ) throws(ResolveError) -> [SocketAddress] {
    let found = find(host: host, port: port, numeric: false)
    if found.number == 0, !found.addresses.isEmpty { return found.addresses }
    let number = found.number == 0 ? EAI_NONAME : found.number
    throw ResolveError(host: printable(Array(host.utf8)), number: number)
  }

  /// Takes a C address; nil for another family.
  init?(_ address: UnsafeRawBufferPointer) {
    guard address.count >= MemoryLayout<sockaddr_in>.size else { return nil }
    switch Int32(address.loadUnaligned(as: sa_family_t.self)) {
    case AF_INET:
      bytes = Array(address.prefix(MemoryLayout<sockaddr_in>.size))
    case AF_INET6 where address.count >= MemoryLayout<sockaddr_in6>.size:
      // Port at 2, flow label at 4, address at 8, scope at 24.
      let mappedPrefix = [UInt8](repeating: 0, count: 10) + [0xFF, 0xFF]
      if Array(address[8..<20]) == mappedPrefix {
        var family = sa_family_t(AF_INET)
        bytes =
          withUnsafeBytes(of: &family) { Array($0) } + address[2..<4] + address[20..<24]
          + [UInt8](repeating: 0, count: 8)
      } else {
        bytes = address[..<4] + [0, 0, 0, 0] + address[8..<28]
      }
    default:
      return nil
    }
  }

  private final class Found {
    var addresses: [SocketAddress] = []
  }

  private static func find(
    host: String,
    port: UInt16,
    numeric: Bool
  ) -> (number: Int32, addresses: [SocketAddress]) {
    // An empty host would mean this machine, and one with NUL another host than it looks like.
    guard !host.isEmpty, !host.utf8.contains(0) else { return (EAI_NONAME, []) }
    let found = Found()
    let number = dtx_resolve(
      host,
      String(port),
      numeric ? 1 : 0,
      Unmanaged.passUnretained(found).toOpaque(),
      { context, address, byteCount in
        guard let context, let address else { return }
        let buffer = UnsafeRawBufferPointer(start: address, count: Int(byteCount))
        guard let one = SocketAddress(buffer) else { return }
        Unmanaged<Found>.fromOpaque(context).takeUnretainedValue().addresses.append(one)
      }
    )
    return withExtendedLifetime(found) { (number, found.addresses) }
  }

  /// Whether it is an IPv6 address.
  package var isV6: Bool { bytes.count == MemoryLayout<sockaddr_in6>.size }

  var family: Int32 { isV6 ? AF_INET6 : AF_INET }

  /// The address in digits, IPv6 without brackets, with its scope where it has one.
  package var host: String {
    var text = [CChar](repeating: 0, count: 1025)
    let number = dtx_numeric_host(bytes, UInt32(bytes.count), &text, text.count)
    precondition(number == 0, "an address has digits, got error \(number)")
    return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// The port.
  package var port: UInt16 { UInt16(bytes[2]) << 8 | UInt16(bytes[3]) }

  /// The same address with another port.
  package func with(port: UInt16) -> SocketAddress {
    var changed = bytes
    changed[2] = UInt8(port >> 8)
    changed[3] = UInt8(port & 0xFF)
    return SocketAddress(bytes: changed)
  }

  private init(bytes: [UInt8]) { self.bytes = bytes }

  package var description: String { isV6 ? "[\(host)]:\(port)" : "\(host):\(port)" }
}
