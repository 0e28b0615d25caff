internal import DTXCore
internal import DTXLinux

/// The digests that an earlier manifest knows, walked beside the comparison in canonical order.
///
/// One is carried only for a file that is provably what it was when the digest was true: the same
/// inode with the same ctime, length and time.
struct CarriedDigests: Sendable {
  private var manifest: ManifestFile
  private var identityReader: IdentityFile.Reader?
  private var part: ManifestSegment?
  private var identities: [PublishedIdentity]?
  /// The entry in hand, and how many files of the segment come before it.
  private var index = 0
  private var fileIndex = -1
  /// The path of the file in hand; nil before the first and behind the last.
  private var path: [UInt8]?
  private var isEnded = false
  /// Why it ended early; a partial manifest ends so by its nature.
  private(set) var failure: String?

  init(
    manifest: [UInt8],
    identities: [UInt8],
    in directory: Directory
  ) throws(TransferError) {
    self.manifest = try ManifestFile.open(manifest, in: directory)
    identityReader = IdentityFile.Reader(identities, in: directory)
    isEnded = identityReader == nil
  }

  /// The digests of a file's extents; nil when they are not known, or no longer true.
  ///
  /// Paths are asked for in canonical order.
  mutating func digests(
    of path: [UInt8],
    _ entry: Entry,
    extents: ArraySlice<Extent>,
    at status: FileStatus
  ) -> [Digest]? {
    while !isEnded, self.path.map({ Inventory.precedes($0, path) }) ?? true { advance() }
    guard self.path == path, let part, let identities else { return nil }
    let known = part.entries[index]
    guard identities[fileIndex] == PublishedIdentity(status),
      known.byteCount == entry.byteCount, known.modified == entry.modified
    else { return nil }
    let knownExtents = part.segment.extents[known.extents]
    let isCutAlike = knownExtents.elementsEqual(extents) { left, right in
      left.offset == right.offset && left.byteCount == right.byteCount
    }
    return isCutAlike ? Array(part.digests(of: index)) : nil
  }

  /// Goes to the next regular file.
  private mutating func advance() {
    while !isEnded {
      guard let part else {
        nextPart()
        continue
      }
      index += 1
      guard index < part.entries.count else {
        self.part = nil
        continue
      }
      guard part.entries[index].kind == .regular else { continue }
      fileIndex += 1
      path = part.inventory.path(of: index)
      return
    }
    path = nil
    part = nil
  }

  private mutating func nextPart() {
    do throws(TransferError) {
      guard let (segment, roots) = try manifest.nextSection(),
        let found = identityReader?.next(fileCount: segment.fileCount, sealedBy: roots.full)
      else {
        isEnded = true
        return
      }
      part = segment
      identities = found
      index = -1
      fileIndex = -1
    } catch {
      isEnded = true
      failure = error.cause
    }
  }
}
