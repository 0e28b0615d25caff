internal import CXXHash

/// XXH3-128 of bytes that arrive in pieces; allocates once, when made.
@safe package struct StreamingDigest: ~Copyable {
  private let state: OpaquePointer

  package init() {
    guard let state = unsafe dtx_xxh128_create() else {
      preconditionFailure("no memory is left for a digest's state")
    }
    unsafe self.state = state
    unsafe dtx_xxh128_reset(state)
  }

  deinit {
    unsafe dtx_xxh128_destroy(state)
  }

  /// Forgets what it has seen.
  package mutating func reset() {
    unsafe dtx_xxh128_reset(state)
  }

  /// Takes the next bytes; they are only read.
  package mutating func update(_ bytes: UnsafeRawBufferPointer) {
    unsafe dtx_xxh128_update(state, bytes.baseAddress, bytes.count)
  }

  /// The digest of all that came since the last reset.
  package borrowing func finish() -> Digest {
    let hash = unsafe dtx_xxh128_digest(state)
    return Digest(words: (hash.high, hash.low, 0, 0))
  }
}
