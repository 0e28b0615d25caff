/// What the receiver lacks of a segment, and what it knows of the rest.
package struct Comparison: Equatable, Sendable {
  /// One bit for each extent that must be sent.
  package var wanted: BitSet
  /// One for each extent: what an earlier manifest says of an extent that is not wanted, or what
  /// was read back; zero where nobody read it.
  package var digests: [Digest]
  /// Entries that cannot be written; their extents are not wanted.
  package var refusals: [FailedEntry]
  /// One bit for each entry that is made or changed, data or not; nil where nobody asked for a
  /// list.
  package var changed: BitSet?
  /// Bytes that a staged file already held durably, read back and right.
  package var resumedByteCount: UInt64
  /// Bytes that were read at the destination to learn all this.
  package var readByteCount: UInt64
  /// Entries that take an inode at the destination which is not there yet.
  package var madeEntryCount = 0

  package init(extentCount: Int) {
    wanted = BitSet(count: extentCount)
    digests = Array(repeating: .zero, count: extentCount)
    refusals = []
    resumedByteCount = 0
    readByteCount = 0
  }

  /// Wants a whole file, whatever is there.
  package mutating func demand(_ entry: Int, of segment: Segment) {
    for extent in segment.entries[entry].extents {
      wanted[extent] = true
      digests[extent] = .zero
    }
  }

  /// Whether an entry is to be moved, made or changed.
  package func changes(_ entry: Int, of segment: Segment) -> Bool {
    changed?[entry] == true || segment.entries[entry].extents.contains { wanted[$0] }
  }

  /// Bytes of the extents that are not wanted: those whose digest is known, and those without.
  package func byteCounts(in segment: Segment) -> (carried: UInt64, unread: UInt64) {
    var carried: UInt64 = 0
    var unread: UInt64 = 0
    for (index, extent) in segment.extents.enumerated() where !wanted[index] {
      if digests[index] == .zero {
        unread += UInt64(extent.byteCount)
      } else {
        carried += UInt64(extent.byteCount)
      }
    }
    return (carried, unread)
  }
}

/// The comparison's bytes in pages: dtx-protocol(7), "Comparison".
///
/// A page is a list of runs of extents, in order: a varint that holds the count and, in its two
/// lowest bits, the state, and for carried extents their digests.
package enum ComparisonCodec {
  private enum State: UInt64 {
    case wanted = 0
    case unread = 1
    case carried = 2
  }

  /// Room for a run's varint beside the digests.
  private static let digestsPerPage = (Limits.controlFrameByteCount - 4096) / 16

  package static func encode(_ comparison: Comparison) -> [[UInt8]] {
    var pages: [[UInt8]] = []
    var writer = ByteWriter()
    var index = 0
    let count = comparison.wanted.count
    while index < count {
      let state = state(of: index, in: comparison)
      var end = index + 1
      while end < count, ComparisonCodec.state(of: end, in: comparison) == state,
        state != .carried || end - index < digestsPerPage
      {
        end += 1
      }
      let byteCount = state == .carried ? (end - index) * 16 + 16 : 16
      if writer.byteCount + byteCount > Limits.controlFrameByteCount - 1024 {
        pages.append(writer.bytes)
        writer = ByteWriter()
      }
      writer.appendVarint(UInt64(end - index) << 2 | state.rawValue)
      if state == .carried {
        for extent in index..<end { writer.append(comparison.digests[extent], .xxh3) }
      }
      index = end
    }
    if writer.byteCount > 0 { pages.append(writer.bytes) }
    return pages
  }

  private static func state(of extent: Int, in comparison: Comparison) -> State {
    if comparison.wanted[extent] { return .wanted }
    return comparison.digests[extent] == .zero ? .unread : .carried
  }

  /// Puts a comparison together from its pages.
  package struct Decoder: Sendable {
    package private(set) var comparison: Comparison
    private var next = 0

    package init(extentCount: Int) {
      comparison = Comparison(extentCount: extentCount)
    }

    package var isComplete: Bool { next == comparison.wanted.count }

    package mutating func add(page: [UInt8]) throws(FormatError) {
      var reader = ByteReader(page)
      while !reader.isAtEnd {
        let head = try reader.varint("run of extents")
        guard let state = State(rawValue: head & 3) else {
          throw reader.failure("state of extents", .unexpected(found: head & 3))
        }
        let count = head >> 2
        guard count > 0, count <= UInt64(comparison.wanted.count - next) else {
          throw reader.failure("run of extents", .invalid("more extents than the segment has"))
        }
        for extent in next..<next + Int(count) {
          switch state {
          case .wanted: comparison.wanted[extent] = true
          case .unread: break
          case .carried: comparison.digests[extent] = try reader.digest("digest", .xxh3)
          }
        }
        next += Int(count)
      }
    }
  }
}
