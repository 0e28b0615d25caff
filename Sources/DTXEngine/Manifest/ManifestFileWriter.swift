internal import DTXCore
internal import DTXLinux

/// Writes a manifest under a partial name as its segments are sealed, and puts it in its place.
struct ManifestFileWriter: Sendable {
  private let directory: Directory
  private let partialName: [UInt8]
  private let file: File
  private var writer: ManifestWriter

  /// Begins a manifest; what is left of another under the partial name goes.
  init(
    _ partialName: [UInt8],
    in directory: Directory,
    blockByteCount: UInt64
  ) throws(SystemError) {
    self.directory = directory
    self.partialName = partialName
    writer = ManifestWriter(
      header: ManifestHeader(blockByteCount: blockByteCount, rootAlgorithm: .sha256),
      hash: .sha256
    )
    do throws(SystemError) {
      try directory.unlink(partialName)
    } catch {
      guard error.isAbsence else { throw error }
    }
    file = try directory.openFile(partialName, .append, permissions: 0o666)
    try file.append(writer.header)
  }

  /// Appends the next segment and returns its roots.
  mutating func add(_ part: ManifestSegment) throws(SystemError) -> Roots {
    let (section, roots) = writer.add(part)
    try file.append(section)
    return roots
  }

  /// What all segments so far come to.
  var summary: ManifestSummary { writer.finish().summary }

  /// Appends the trailer and makes the whole durable, still under its partial name.
  func finish() throws(SystemError) -> ManifestSummary {
    let (trailer, summary) = writer.finish()
    try file.append(trailer)
    try file.sync()
    try file.close()
    return summary
  }

  /// Gives a finished manifest its name; the directory is yet to be synced.
  func publish(as name: [UInt8]) throws(SystemError) {
    try directory.rename(partialName, to: name)
  }
}
