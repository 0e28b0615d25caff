internal import DTXLinux

/// A file that was opened a second time, for reads and writes past the page cache.
struct DirectFile: Sendable {
  let file: File
  let alignment: DirectAlignment

  /// What is shorter is not worth a second opening.
  static let leastByteCount = 1 << 20
}

extension DirectFile {
  /// Opens a file once more; nil where that cannot be.
  ///
  /// Why not is of no use to anybody: the file is read or written through the cache then.
  ///
  /// - Parameters:
  ///   - other: the file as it is open.
  ///   - name: the file's, in `directory`.
  ///   - directory: where it lies.
  ///   - mode: what for; it makes no file.
  init?(of other: File, _ name: [UInt8], in directory: Directory, _ mode: OpenMode) {
    guard let alignment = try? other.directAlignment(),
      let opened = try? directory.openFile(name, mode, direct: true),
      let status = try? other.status(), let found = try? opened.status(),
      found.isSameFile(as: status)
    else { return nil }
    file = opened
    self.alignment = alignment
  }
}
