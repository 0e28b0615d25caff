/// A source file's identity, bound when its bytes were read.
///
/// What is durable of a file counts for a source of the same identity alone: another length, time
/// or source identity means other bytes.
package struct FileIdentity: Equatable, Sendable {
  /// The path below the dataset's root, components joined by `/`.
  package var path: [UInt8]
  /// The file's length, holes included; at most 2^63 - 1.
  package var byteCount: UInt64
  /// Nanoseconds since 1970, as the source's file system has them.
  package var modified: Int64
  /// The source's `Attribute.sourceIdentity`; 0 when the sender said nothing.
  package var sourceIdentity: UInt64

  package init(path: [UInt8], byteCount: UInt64, modified: Int64, sourceIdentity: UInt64) {
    self.path = path
    self.byteCount = byteCount
    self.modified = modified
    self.sourceIdentity = sourceIdentity
  }
}

/// Bytes of a staged file that were written, checked and synced.
package struct DurableExtent: Equatable, Sendable {
  /// From the file's first byte.
  package var offset: UInt64
  /// Bytes, at least 1; the extent ends within the file's length.
  package var byteCount: UInt32
  /// XXH3-128 of the bytes.
  package var digest: Digest

  package init(offset: UInt64, byteCount: UInt32, digest: Digest) {
    self.offset = offset
    self.byteCount = byteCount
    self.digest = digest
  }

  /// The offset behind the last byte.
  package var end: UInt64 { offset + UInt64(byteCount) }
}

/// One line of the journal: what happened at the receiver, and who wrote it when.
package struct JournalRecord: Equatable, Sendable {
  /// The session's group commit that this record belongs to.
  package var epoch: UInt32
  /// The record's place in its file: 0 for the first, one more for each that follows.
  package var sequence: UInt64
  /// The random number of the session that wrote it.
  package var session: UInt64
  package var body: Body

  package init(epoch: UInt32, sequence: UInt64, session: UInt64, body: Body) {
    self.epoch = epoch
    self.sequence = sequence
    self.session = session
    self.body = body
  }

  /// What a record says.
  package enum Body: Equatable, Sendable {
    /// A session began, with blocks of this length, at this time (nanoseconds since 1970).
    case opened(blockByteCount: UInt64, wallTime: Int64)
    /// These bytes are in the staged file, and synced.
    case durable(FileIdentity, DurableExtent)
    /// The file was renamed into place: its earlier records are done with.
    case published(path: [UInt8])
    /// The staged file was given up: its earlier records mean nothing any more.
    case discarded(path: [UInt8])
    /// The session owns the destination under this token, and its staged files bear it.
    case owned(token: UInt64)

    /// The raw value stands in the format.
    package enum Kind: UInt8, Sendable, CaseIterable {
      case opened = 1
      case durable = 2
      case published = 3
      case discarded = 4
      case owned = 5
    }

    package var kind: Kind {
      switch self {
      case .opened: .opened
      case .durable: .durable
      case .published: .published
      case .discarded: .discarded
      case .owned: .owned
      }
    }

    /// Why no reader would take this; nil when it can be written.
    ///
    /// The journal lies where its reader is, but paths from it are opened and removed, hence they
    /// are held to the same rules as a peer's.
    package var problem: String? {
      switch self {
      case .opened(let blockByteCount, _):
        if blockByteCount == 0 { return "a block of no bytes" }
        if blockByteCount > Limits.maximumBlockByteCount { return "a block past the limit" }
        return nil
      case .durable(let identity, let extent):
        if let problem = Body.problem(ofPath: identity.path) { return problem }
        if identity.byteCount > UInt64(Int64.max) { return "a file past the largest offset" }
        if extent.byteCount == 0 { return "an extent of no bytes" }
        let (end, overflow) = extent.offset.addingReportingOverflow(UInt64(extent.byteCount))
        if overflow || end > identity.byteCount { return "an extent past the file's end" }
        return nil
      case .published(let path), .discarded(let path):
        return Body.problem(ofPath: path)
      case .owned(let token):
        if token == 0 || token >= OwnerRecord.maximumNumber { return "a token past the limit" }
        return nil
      }
    }

    private static func problem(ofPath path: [UInt8]) -> String? {
      if path.isEmpty { return "an empty path" }
      if path.count > Limits.pathByteCount { return "a path past the limit" }
      if path.contains(0) { return "a path with a NUL" }
      for name in path.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false) {
        if name.isEmpty { return "a path with an empty name" }
        if name.count > Limits.nameByteCount { return "a name past the limit" }
        if name.elementsEqual(".".utf8) || name.elementsEqual("..".utf8) {
          return "a path with . or .."
        }
      }
      return nil
    }
  }
}
