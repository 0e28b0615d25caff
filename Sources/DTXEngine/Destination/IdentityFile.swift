internal import DTXCore
internal import DTXLinux

/// The sidecar of a manifest at the destination: inode and ctime of each file as it was when its
/// digests were true.
///
/// It is a header of 16 bytes and a section for each segment: its index and its number of files (32
/// bits each), the segment's full root (32 bytes), inode and ctime (64 bits each) of each regular
/// file in the manifest's order, and the first 16 bytes of XXH3-128 over all of that. Integers are
/// little-endian. It belongs to one host's file system and is no part of any dataset.
enum IdentityFile {
  static let header = Array("DTXIDEN1".utf8) + [UInt8](repeating: 0, count: 8)
  static let sectionHeaderByteCount = 4 + 4 + 32
  static let checksumByteCount = 16
  static let recordByteCount = 16

  static func encode(
    _ identities: [PublishedIdentity],
    of index: Int,
    sealedBy root: Digest
  ) -> [UInt8] {
    var writer = ByteWriter(
      reservingCapacity: sectionHeaderByteCount + recordByteCount * identities.count
        + checksumByteCount
    )
    writer.append(UInt32(index))
    writer.append(UInt32(identities.count))
    writer.append(root, .sha256)
    for identity in identities {
      writer.append(identity.inode)
      writer.append(identity.changed)
    }
    let checksum = Digest.xxh3(of: writer.bytes)
    writer.append(checksum, .xxh3)
    return writer.bytes
  }

  /// Appends sections to a file of this form.
  struct Writer: Sendable {
    private let directory: Directory
    private let partialName: [UInt8]
    private let file: File

    init(_ partialName: [UInt8], in directory: Directory) throws(SystemError) {
      self.directory = directory
      self.partialName = partialName
      do throws(SystemError) {
        try directory.unlink(partialName)
      } catch {
        guard error.isAbsence else { throw error }
      }
      file = try directory.openFile(partialName, .append)
      try file.append(IdentityFile.header)
    }

    func add(
      _ identities: [PublishedIdentity],
      of index: Int,
      sealedBy root: Digest
    ) throws(SystemError) {
      try file.append(IdentityFile.encode(identities, of: index, sealedBy: root))
    }

    func publish(as name: [UInt8]) throws(SystemError) {
      try file.sync()
      try file.close()
      try directory.rename(partialName, to: name)
    }
  }

  /// Reads sections in order; damage ends it, for without identities nothing is carried.
  struct Reader: Sendable {
    private let file: File
    private var offset: UInt64
    private var index = 0

    init?(_ name: [UInt8], in directory: Directory) {
      guard let file = try? directory.openFile(name, .read),
        let header = try? file.read(byteCount: IdentityFile.header.count, at: 0),
        header == IdentityFile.header
      else { return nil }
      self.file = file
      offset = UInt64(header.count)
    }

    /// The identities of the next segment's files.
    ///
    /// - Parameters:
    ///   - fileCount: how many the segment has.
    ///   - root: the segment's full root, which ties the section to it.
    /// - Returns: nil when there are none for just this segment.
    mutating func next(fileCount: Int, sealedBy root: Digest) -> [PublishedIdentity]? {
      let byteCount =
        IdentityFile.sectionHeaderByteCount + IdentityFile.recordByteCount * fileCount
        + IdentityFile.checksumByteCount
      guard let bytes = try? file.read(byteCount: byteCount, at: offset), bytes.count == byteCount
      else { return nil }
      offset += UInt64(byteCount)
      defer { index += 1 }
      return try? decode(bytes, fileCount: fileCount, sealedBy: root)
    }

    private func decode(
      _ bytes: [UInt8],
      fileCount: Int,
      sealedBy root: Digest
    ) throws(FormatError) -> [PublishedIdentity]? {
      let covered = bytes.count - IdentityFile.checksumByteCount
      let checksum = Digest.xxh3(of: Array(bytes[..<covered]))
      guard bytes[covered...].elementsEqual(checksum.bytes(IdentityFile.checksumByteCount)) else {
        return nil
      }
      var reader = ByteReader(bytes)
      guard try reader.uint32("segment") == UInt32(index),
        try reader.uint32("file count") == UInt32(fileCount),
        try reader.digest("root", .sha256) == root
      else { return nil }
      var identities: [PublishedIdentity] = []
      identities.reserveCapacity(fileCount)
      for _ in 0..<fileCount {
        let inode = try reader.uint64("inode")
        identities.append(PublishedIdentity(inode: inode, changed: try reader.int64("change time")))
      }
      return identities
    }
  }
}
