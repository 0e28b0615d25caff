import DTXLinux
import Glibc
import Testing

@Suite struct SocketAddressTests {
  @Test(arguments: [
    ("127.0.0.1", "127.0.0.1:4242", false),
    ("::1", "[::1]:4242", true),
    ("2001:DB8:0:0::17", "[2001:db8::17]:4242", true),
    ("::ffff:192.0.2.7", "192.0.2.7:4242", false),
  ])
  func numbersAreReadAndShown(_ host: String, _ shown: String, _ isV6: Bool) throws {
    let address = try #require(SocketAddress(numericHost: host, port: 4242))
    #expect(address.description == shown)
    #expect(address.port == 4242)
    #expect(address.isV6 == isV6)
    #expect(SocketAddress(numericHost: address.host, port: 4242) == address)
    #expect(address.with(port: 65_535).port == 65_535)
    #expect(address.with(port: 1) != address)
  }

  @Test(arguments: ["", "localhost", "example.org", "1.2.3.4.5", "[::1]", "::g", "127.0.0.1\0"])
  func otherTextIsNoAddress(_ host: String) {
    #expect(SocketAddress(numericHost: host, port: 1) == nil)
  }

  @Test func thisMachineIsFoundByName() throws {
    let addresses = try SocketAddress.resolve(host: "localhost", port: 22)
    #expect(addresses.contains { $0.host == "127.0.0.1" || $0.host == "::1" })
    #expect(addresses.allSatisfy { $0.port == 22 })
  }

  @Test func aNameThatCannotBeIsToldAsSuch() {
    do {
      _ = try SocketAddress.resolve(host: "no such\u{1B} host", port: 22)
      Issue.record("it was found")
    } catch {
      #expect(error.host == "no such\\x1b host")
      #expect(!error.explanation.isEmpty)
    }
  }
}
