internal import Crypto
internal import Glibc

/// The 32 random bytes that both ends of a session know: whoever holds them may open lanes.
///
/// One end makes it and sends it over the control channel; the other rebuilds it from there. The
/// bytes are wiped when the last reference goes. A process that holds one writes no core dumps:
/// that is for the program's start to arrange.
package final class SessionSecret: Sendable {
  package static let byteCount = 32

  /// A key of swift-crypto's, because its storage is wiped before it is freed.
  let key: SymmetricKey

  /// Makes a fresh secret from the kernel's random generator.
  package init() {
    key = SymmetricKey(size: .bits256)
  }

  /// Takes a secret that came from the other end.
  ///
  /// - Parameter bytes: 32 of them, copied; the caller wipes its own.
  package init(bytes: UnsafeRawBufferPointer) {
    precondition(bytes.count == Self.byteCount, "a session secret has 32 bytes, not \(bytes.count)")
    key = SymmetricKey(data: bytes)
  }

  /// Takes a secret that came from the other end in an array, and wipes the array.
  ///
  /// - Parameter bytes: 32 of them. If the array shares its storage with another one, that one
  ///   keeps its bytes.
  package init(wiping bytes: inout [UInt8]) {
    precondition(bytes.count == Self.byteCount, "a session secret has 32 bytes, not \(bytes.count)")
    key = SymmetricKey(data: bytes)
    bytes.wipe()
  }

  /// Lends the bytes, to be sent over the control channel and put nowhere else.
  package func withUnsafeBytes<Result>(
    _ body: (UnsafeRawBufferPointer) throws -> Result
  ) rethrows -> Result {
    try key.withUnsafeBytes(body)
  }
}

extension [UInt8] {
  /// Overwrites the bytes with zeros in a way that the compiler may not leave out.
  package mutating func wipe() {
    withUnsafeMutableBytes { bytes in
      if let base = bytes.baseAddress { explicit_bzero(base, bytes.count) }
    }
  }
}
