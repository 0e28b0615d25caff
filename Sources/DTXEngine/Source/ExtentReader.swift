internal import DTXCore
internal import DTXLinux

/// Reads extents of source files, and says whether each file is still what was scanned.
///
/// Used by one thread at a time. It keeps the latest file and the latest directory open, because
/// blocks follow one another.
final class ExtentReader {
  private let dataset: SourceDataset
  private var file: OpenSource?
  private var nullContent: NullContent?
  private var directory: (segment: Int, parent: Int, Directory)?

  private struct OpenSource {
    var segment: Int
    var entry: Int
    var file: File
    /// Nil where it is not to be read past the page cache, or cannot be.
    var direct: DirectFile?
  }

  private let isDirect: Bool

  /// Makes a reader with nothing open.
  ///
  /// - Parameters:
  ///   - dataset: whose files it reads.
  ///   - isDirect: whether what is not in the page cache is read past it, where a file can be.
  init(dataset: SourceDataset, isDirect: Bool = false) {
    self.dataset = dataset
    self.isDirect = isDirect
  }

  /// Opens the file that an extent lies in, unless it is open.
  ///
  /// - Returns: its bytes, or why the entry cannot be sent.
  func open(_ scanned: ScannedSegment, extent: Int) -> Result<SourceBytes, ExtentFailure> {
    if dataset.null != nil { return made(scanned, extent: extent) }
    let found = scanned.segment.extents[extent]
    let entry = Int(found.entry)
    let segment = scanned.segment.index
    if let file, file.segment == segment, file.entry == entry {
      return .success(bytes(of: file, found))
    }
    file = nil
    do {
      let (directory, name) = try place(scanned, entry)
      let opened = try directory.openFile(name, .read)
      // A large file is looked at before it is read as well, so that hours are not spent on one
      // that has changed; for a small one the look afterwards says it all.
      if scanned.segment.entries[entry].extentCount > 1 {
        let names = scanned.differences(try opened.status(), entry: entry)
        if !names.isEmpty { return .failure(ExtentFailure(changed: names, "since scan")) }
      }
      var source = OpenSource(segment: segment, entry: entry, file: opened)
      if isDirect, found.byteCount >= DirectFile.leastByteCount {
        source.direct = DirectFile(of: opened, name, in: directory, .read)
      }
      file = source
      return .success(bytes(of: source, found))
    } catch {
      // What was there a moment ago and is gone or of another kind has changed.
      let isUnreadable =
        error.isAboutPermission || error.isAboutMedium || error.isAboutDescriptors
      let failure: EntryFailure = isUnreadable ? .unreadable : .changed
      return .failure(ExtentFailure(failure, "\(error.operation): \(error.name)"))
    }
  }

  /// What the page cache has of an extent comes from there, as nothing is faster.
  private func bytes(of source: OpenSource, _ extent: Extent) -> SourceBytes {
    let byteCount = UInt64(extent.byteCount)
    guard let direct = source.direct,
      let cached = try? source.file.cachedByteCount(offset: extent.offset, length: byteCount),
      cached < byteCount / 2
    else { return .file(source.file) }
    return .direct(direct, cached: source.file)
  }

  /// Whether the open file is what was scanned, now that an extent of it has been read.
  func check(_ scanned: ScannedSegment, extent: Int) -> ExtentFailure? {
    let entry = Int(scanned.segment.extents[extent].entry)
    guard let file, file.segment == scanned.segment.index, file.entry == entry else { return nil }
    return ExtentReader.check(.file(file.file), scanned, extent: extent)
  }

  /// Whether the file that an extent was read from is what was scanned, whatever is open by now.
  static func check(
    _ source: SourceBytes,
    _ scanned: ScannedSegment,
    extent: Int
  ) -> ExtentFailure? {
    let file: File
    switch source {
    case .file(let cached), .direct(_, let cached): file = cached
    case .made: return nil
    }
    let entry = Int(scanned.segment.extents[extent].entry)
    // Others may have written what was read since the cache of attributes was filled.
    guard let status = try? file.status(isFresh: true) else {
      return ExtentFailure(.changed, "it changed while it was read")
    }
    let names = scanned.differences(status, entry: entry)
    return names.isEmpty ? nil : ExtentFailure(changed: names, "while read")
  }

  /// Lets go of the open file.
  func close() {
    file = nil
  }

  private func made(
    _ scanned: ScannedSegment,
    extent: Int
  ) -> Result<SourceBytes, ExtentFailure> {
    let entry = Int(scanned.segment.extents[extent].entry)
    if let nullContent {
      return .success(.made(nullContent, file: scanned.identities[entry].inode))
    }
    do throws(SystemError) {
      let content = try NullContent()
      nullContent = content
      return .success(.made(content, file: scanned.identities[entry].inode))
    } catch {
      return .failure(ExtentFailure(.unreadable, "\(error.operation): \(error.name)"))
    }
  }

  private func place(
    _ scanned: ScannedSegment,
    _ entry: Int
  ) throws(SystemError) -> (Directory, [UInt8]) {
    let inventory = scanned.segment.inventory
    guard let parent = scanned.segment.entries[entry].parent else {
      guard let found = dataset.locate(inventory.path(of: entry)) else {
        throw SystemError.missing(inventory.path(of: entry))
      }
      return found
    }
    let name = Array(inventory.name(of: entry))
    if let directory, directory.segment == scanned.segment.index, directory.parent == parent {
      return (directory.2, name)
    }
    guard let (root, path) = dataset.locate(inventory.path(of: parent)) else {
      throw SystemError.missing(inventory.path(of: entry))
    }
    let opened = path.isEmpty ? root : try root.openDirectory(path)
    directory = (scanned.segment.index, parent, opened)
    return (opened, name)
  }
}

/// Why an extent's bytes are not those of the dataset.
struct ExtentFailure: Error, Equatable {
  var failure: EntryFailure
  var reason: String

  init(_ failure: EntryFailure, _ reason: String) {
    self.failure = failure
    self.reason = reason
  }

  /// Names what is no longer as it was scanned: `changed while read: size, mtime`.
  init(changed names: [String], _ moment: String) {
    self.init(.changed, "changed \(moment): \(names.joined(separator: ", "))")
  }
}
