package import DTXCore
internal import DTXLinux

/// The tops of what a user wants moved, resolved: where each top-level entry really is.
///
/// As with rsync, a source with a trailing slash means its contents, and one without means itself.
/// Immutable; shared by the scanner and the lanes' threads.
package final class SourceDataset: Sendable {
  /// One top-level entry.
  struct Top: Sendable {
    /// Its name in the dataset.
    var name: [UInt8]
    /// The directory that holds it, and its name there.
    var parent: Directory
    var nameInParent: [UInt8]
  }

  package let shape: DatasetShape
  /// The directory whose contents are moved, if the dataset is one.
  let contents: Directory?
  /// Ascending by name; empty for contents.
  let tops: [Top]
  /// Sources that do not exist, or cannot be opened, though others can.
  package let missing: [FailedPath]
  /// Things to say that stop nothing.
  package let notices: [String]
  /// What is made up instead of read from any of these.
  let null: NullDataset?
  /// The destination on the same host, which is no part of its own source.
  private let destination: FileStatus?

  private init(
    shape: DatasetShape,
    contents: Directory?,
    tops: [Top],
    missing: [FailedPath],
    notices: [String],
    null: NullDataset? = nil,
    destination: FileStatus? = nil
  ) {
    self.shape = shape
    self.contents = contents
    self.tops = tops
    self.missing = missing
    self.notices = notices
    self.null = null
    self.destination = destination
  }

  /// How its files are read: as the slowest of their file systems wants it.
  func method(_ mode: StorageMode) -> StorageMethod {
    let methods = (contents.map { [$0] } ?? tops.map(\.parent)).map {
      StorageMethod.choose(mode, fileSystemType: try? $0.fileSystemType())
    }
    let slowest: StorageMechanism = methods.contains { $0.mechanism == .pool } ? .pool : .ring
    return StorageMethod(
      mechanism: methods.allSatisfy(\.isInline) ? .inline : slowest,
      isDirect: methods.contains(where: \.isDirect)
    )
  }

  /// A dataset that is made up as it is sent; no file is touched.
  package static func made(_ null: NullDataset) -> SourceDataset {
    SourceDataset(
      shape: DatasetShape(isContents: true, names: [], isSingleFile: false),
      contents: nil,
      tops: [],
      missing: [],
      notices: [],
      null: null
    )
  }

  /// Resolves the sources of a push, or the ones that a pull asked for.
  ///
  /// - Throws: when no source can be opened at all.
  package static func open(_ paths: [[UInt8]]) throws(TransferError) -> SourceDataset {
    try open(paths, within: nil)
  }

  /// The same for a peer that must not leave a directory.
  static func open(
    _ paths: [[UInt8]],
    within confinement: Confinement?
  ) throws(TransferError) -> SourceDataset {
    precondition(!paths.isEmpty, "a transfer has a source")
    if paths.count == 1, isContents(paths[0]) {
      let directory = try openOnly(paths[0], within: confinement)
      let shape = DatasetShape(isContents: true, names: [], isSingleFile: false)
      return SourceDataset(
        shape: shape,
        contents: directory,
        tops: [],
        missing: [],
        notices: []
      )
    }
    var gathering = Gathering(confinement: confinement)
    for path in paths { gathering.add(path) }
    guard !gathering.tops.isEmpty || gathering.missing.isEmpty else {
      let first = gathering.missing[0]
      throw TransferError(
        .failed,
        "source \(printable(first.path)) cannot be read",
        cause: first.reason,
        remedy: "nothing was moved"
      )
    }
    return gathering.dataset()
  }

  /// Renames a single file for the destination.
  package func renamed(to name: [UInt8]) -> SourceDataset {
    guard shape.isSingleFile, var top = tops.first else { return self }
    top.name = name
    let shape = DatasetShape(isContents: false, names: [name], isSingleFile: true)
    return SourceDataset(
      shape: shape,
      contents: nil,
      tops: [top],
      missing: missing,
      notices: notices
    )
  }

  /// Leaves a destination on this host out, in case that it lies within.
  ///
  /// - Parameter path: of the destination, which is there by now unless this is a dry run.
  /// - Returns: the dataset without it.
  /// - Throws: when the two are the same directory.
  package func leavingOut(
    destination path: [UInt8]
  ) throws(TransferError) -> SourceDataset {
    guard null == nil, let status = try? Directory.open(path).status(of: []) else { return self }
    if let contents, let own = try? contents.status(of: []), own.isSameFile(as: status) {
      throw TransferError(
        .usage,
        "\(printable(path)) is the source and the destination",
        remedy: "nothing was moved"
      )
    }
    return SourceDataset(
      shape: shape,
      contents: contents,
      tops: tops,
      missing: missing,
      notices: notices,
      destination: status
    )
  }

  /// Whether a directory is the destination.
  func isDestination(_ status: FileStatus) -> Bool {
    destination.map { $0.isSameFile(as: status) } ?? false
  }

  /// Where a path of the dataset is: a directory that it is resolved under, and its name there.
  func locate(_ path: [UInt8]) -> (Directory, [UInt8])? {
    if let contents { return (contents, path) }
    let slash = path.firstIndex(of: UInt8(ascii: "/")) ?? path.endIndex
    let first = path[..<slash]
    guard let index = tops.ascendingIndex(of: first, by: { $0.name }) else { return nil }
    return (tops[index].parent, tops[index].nameInParent + path[slash...])
  }

  private static func isContents(_ path: [UInt8]) -> Bool {
    let last = path.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).last ?? []
    return last.isEmpty || last.elementsEqual(".".utf8) || last.elementsEqual("..".utf8)
  }

  private static func openOnly(
    _ path: [UInt8],
    within confinement: Confinement?
  ) throws(TransferError) -> Directory {
    do {
      return try Directory.open(path, within: confinement)
    } catch {
      throw TransferError(
        "source \(printable(path)) cannot be opened",
        error,
        remedy: "nothing was moved"
      )
    }
  }

  /// Several sources, or one by its name.
  ///
  /// A peer chooses the paths, as many as a frame takes, each of them any number of times.
  private struct Gathering {
    let confinement: Confinement?
    var tops: [Top] = []
    var missing: [FailedPath] = []
    private var names: Set<[UInt8]> = []
    /// Directories whose contents are among the sources: each is listed once.
    private var listed: Set<DirectoryIdentity> = []
    private var notices: [String] = []
    private var untoldCount = 0
    private var directoryCount = 0

    private struct DirectoryIdentity: Hashable {
      var device: UInt64
      var inode: UInt64

      init(_ status: FileStatus) {
        device = status.device
        inode = status.inode
      }
    }

    init(confinement: Confinement?) {
      self.confinement = confinement
    }

    mutating func add(_ path: [UInt8]) {
      do {
        if SourceDataset.isContents(path) {
          let directory = try Directory.open(path, within: confinement)
          let identity = DirectoryIdentity(try directory.status(of: []))
          guard !listed.contains(identity) else {
            return note("\(printable(path)): its contents are a source already")
          }
          let items = try directory.names()
          listed.insert(identity)
          for item in items { try add(item.name, in: directory, path) }
        } else {
          let slash = path.lastIndex(of: UInt8(ascii: "/"))
          let name = Array(path[(slash.map { $0 + 1 } ?? 0)...])
          let parent = slash.map { $0 == 0 ? Array("/".utf8) : Array(path[..<$0]) }
          let directory = try Directory.open(parent ?? Array(".".utf8), within: confinement)
          try add(name, in: directory, path)
        }
      } catch {
        missing.append(
          FailedPath(
            path: path,
            failure: .unreadable,
            reason: "\(error.explanation) (\(error.name))"
          )
        )
      }
    }

    private mutating func add(
      _ name: [UInt8],
      in parent: Directory,
      _ path: [UInt8]
    ) throws(SystemError) {
      let status = try parent.status(of: name)
      guard names.insert(name).inserted else {
        return note("\(printable(path)): another source is called so; the first one is moved")
      }
      if status.kind == .directory { directoryCount += 1 }
      tops.append(Top(name: name, parent: parent, nameInParent: name))
    }

    /// Keeps what there is to say of a source that is not moved; the last place is for the number of
    /// those beyond.
    private mutating func note(_ text: @autoclosure () -> String) {
      if notices.count < Limits.keptNoticeCount - 1 {
        notices.append(text())
      } else {
        untoldCount += 1
      }
    }

    func dataset() -> SourceDataset {
      let sorted = tops.sorted { $0.name.lexicographicallyPrecedes($1.name) }
      let shape = DatasetShape(
        isContents: false,
        names: sorted.map(\.name),
        isSingleFile: sorted.count == 1 && directoryCount == 0
      )
      return SourceDataset(
        shape: shape,
        contents: nil,
        tops: sorted,
        missing: missing,
        notices: notices + untold
      )
    }

    private var untold: [String] {
      if untoldCount == 0 { return [] }
      return ["\(untoldCount) more sources: others are called so; the first ones are moved"]
    }
  }
}
