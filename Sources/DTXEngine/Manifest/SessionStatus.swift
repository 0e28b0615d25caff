package import DTXCore

/// What a session has left in a destination's state.
package struct SessionStatus: Sendable {
  /// A file that is staged in part.
  package struct File: Equatable, Sendable {
    /// Below the destination.
    package var path: [UInt8]
    package var durableByteCount: UInt64
    package var byteCount: UInt64

    package init(path: [UInt8], durableByteCount: UInt64, byteCount: UInt64) {
      self.path = path
      self.durableByteCount = durableByteCount
      self.byteCount = byteCount
    }
  }

  /// The name of the session's directory: its key, and elsewhere than in the destination more.
  package var key: String
  /// Whether a run holds it now.
  package var isLocked = false
  /// The run that holds it, for people.
  package var holder: String?
  /// When the run began that did not come to its end: nanoseconds since 1970.
  package var startedWall: Int64?
  package var files: [File] = []
  /// Bytes that are durable in staged files.
  package var durableByteCount: UInt64 = 0
  /// What the latest run that came to its end has sealed.
  package var finishedManifest: ManifestSummary?

  package init(key: String) {
    self.key = key
  }
}
