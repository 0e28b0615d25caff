internal import Crypto
package import DTXCore

extension RootHash {
  /// SHA-256 (FIPS 180-4): what a manifest that users see is sealed with.
  package static let sha256 = RootHash(algorithm: .sha256) { bytes in
    var hash = SHA256()
    bytes.withUnsafeBytes { hash.update(bufferPointer: $0) }
    return Digest(bytes: hash.finalize())
  }
}
