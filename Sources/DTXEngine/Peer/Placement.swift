package import DTXCore
internal import DTXLinux

/// Where a dataset goes below the path that the user named, by rsync's habits.
package struct Placement: Equatable, Sendable {
  /// The directory that paths of the dataset are resolved under.
  package var root: [UInt8]
  /// The name that a single file takes; nil for its own.
  package var singleFileName: [UInt8]?

  /// A single file goes into the path if that is a directory or ends in a slash; else it takes the
  /// path's name.
  ///
  /// Everything else goes below the path.
  ///
  /// - Parameters:
  ///   - shape: what is moved.
  ///   - path: as the user wrote it.
  ///   - confinement: what the path must not leave; then no link in it is followed.
  /// - Returns: where it goes.
  /// - Throws: `.failed` where it cannot be told whether the path is a directory: a file that took
  ///   its name could replace a link to one.
  static func of(
    _ shape: DatasetShape,
    at path: [UInt8],
    within confinement: Confinement? = nil
  ) throws(TransferError) -> Placement {
    let slash = UInt8(ascii: "/")
    guard shape.isSingleFile, path.last != slash,
      try !isDirectory(path, within: confinement)
    else {
      return Placement(root: path, singleFileName: nil)
    }
    guard let last = path.lastIndex(of: slash) else {
      return Placement(root: Array(".".utf8), singleFileName: path)
    }
    let parent = last == 0 ? [slash] : Array(path[..<last])
    return Placement(root: parent, singleFileName: Array(path[(last + 1)...]))
  }

  private static func isDirectory(
    _ path: [UInt8],
    within confinement: Confinement?
  ) throws(TransferError) -> Bool {
    do throws(SystemError) {
      _ = try Directory.open(path, within: confinement)
      return true
    } catch {
      guard error.isAbsence else { throw DestinationRoot.failure(path, error) }
      return false
    }
  }

  /// The top-level names that the state directory's key is made of.
  package func topNames(_ shape: DatasetShape) -> [[UInt8]] {
    if shape.isContents { return [[]] }
    return singleFileName.map { [$0] } ?? shape.names
  }
}
