package import DTXCore
internal import DTXLinux

/// A manifest on disk, read one segment at a time and checked against its roots on the way.
///
/// One thread uses it.
package struct ManifestFile: Sendable {
  package let header: ManifestHeader
  /// What the whole comes to; known once `nextSegment` has returned nil.
  package private(set) var summary: ManifestSummary?
  private let file: File
  private var reader: ManifestReader

  /// Opens a manifest, or that of a tree: the one in its `.dtx` whose session ended last.
  ///
  /// - Throws: `.failed` when there is none, or when it is no manifest that this version reads.
  package static func open(_ path: [UInt8]) throws(TransferError) -> ManifestFile {
    if let directory = try? Directory.open(path) {
      let name = StateDirectory.Name.manifest
      let found = try StatusReader.latest(
        name,
        "manifest",
        in: directory,
        remedy: "name a manifest, or make one with dtx manifest create"
      )
      return try open(found.name, in: found.directory)
    }
    let file = try TransferError.unless("manifest \(printable(path)) cannot be opened") {
      () throws(SystemError) in try File.open(path, .read)
    }
    return try ManifestFile(file)
  }

  /// Opens a manifest below a directory; no link is followed.
  static func open(
    _ name: [UInt8],
    in directory: Directory
  ) throws(TransferError) -> ManifestFile {
    let file = try TransferError.unless("the manifest cannot be opened") {
      () throws(SystemError) in try directory.openFile(name, .read)
    }
    return try ManifestFile(file)
  }

  private init(_ file: File) throws(TransferError) {
    self.file = file
    let bytes = try ManifestFile.read(file, byteCount: ManifestHeader.byteCount, at: 0)
    do throws(FormatError) {
      reader = try ManifestReader(header: bytes, hash: .sha256)
    } catch {
      throw ManifestFile.failure(file, error)
    }
    header = reader.header
  }

  /// The next segment; nil at the end, after which `summary` is known.
  ///
  /// - Throws: `.integrity` when the bytes are not what they were sealed as, `.failed` when they
  ///   cannot be read. After that it is of no more use.
  package mutating func nextSegment() throws(TransferError) -> ManifestSegment? {
    try nextSection()?.segment
  }

  /// The same with the segment's roots.
  mutating func nextSection() throws(TransferError) -> (segment: ManifestSegment, roots: Roots)? {
    guard summary == nil else { return nil }
    let sectionHeader = try ManifestFile.read(
      file,
      byteCount: ManifestCodec.sectionHeaderByteCount,
      at: reader.offset
    )
    do throws(FormatError) {
      let byteCount = try reader.readSectionHeader(sectionHeader)
      let body = try body(byteCount)
      switch try reader.readSection(body) {
      case .segment(let part, let roots):
        return (part, roots)
      case .trailer(let found):
        summary = found
      }
    } catch {
      throw ManifestFile.failure(file, error)
    }
    let rest = try ManifestFile.read(file, byteCount: 1, at: reader.offset, isComplete: false)
    guard rest.isEmpty else {
      let error = FormatError(
        offset: reader.offset,
        field: "manifest",
        problem: .invalid("bytes follow its trailer")
      )
      throw ManifestFile.failure(file, error)
    }
    return nil
  }

  /// A section's bytes; fewer than announced are an error of the format.
  private func body(_ byteCount: Int) throws(FormatError) -> [UInt8] {
    // What a damaged length claims is not allocated before the file is known to have it.
    let length = (try? file.status().byteCount) ?? 0
    guard UInt64(reader.offset) + UInt64(byteCount) <= length,
      let bytes = try? file.read(byteCount: byteCount, at: UInt64(reader.offset))
    else { throw FormatError(offset: reader.offset, field: "section", problem: .truncated) }
    return bytes
  }

  private static func read(
    _ file: File,
    byteCount: Int,
    at offset: Int,
    isComplete: Bool = true
  ) throws(TransferError) -> [UInt8] {
    let bytes = try TransferError.unless("manifest \(printable(file.path)) cannot be read") {
      () throws(SystemError) in try file.read(byteCount: byteCount, at: UInt64(offset))
    }
    if isComplete, bytes.count < byteCount {
      throw failure(file, FormatError(offset: offset, field: "manifest", problem: .truncated))
    }
    return bytes
  }

  private static func failure(_ file: File, _ error: FormatError) -> TransferError {
    TransferError(
      .integrity,
      "manifest \(printable(file.path)) cannot be used",
      cause: error.description
    )
  }
}
