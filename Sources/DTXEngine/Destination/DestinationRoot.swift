internal import DTXCore
internal import DTXLinux
internal import Glibc

/// Opens the directory that receives a dataset.
enum DestinationRoot {
  /// Opens the root; links in the path that the user named are followed.
  ///
  /// - Parameters:
  ///   - path: as the user wrote it.
  ///   - creates: makes it with its parents where it is missing.
  ///   - isContents: whether it takes a directory's place: then it is open to its owner alone
  ///     until it gets that directory's mode.
  ///   - confinement: what the path must not leave; then no link in it is followed.
  /// - Returns: nil where it is missing and is not to be made.
  /// - Throws: `.failed`.
  static func open(
    _ path: [UInt8],
    creates: Bool,
    isContents: Bool,
    within confinement: Confinement? = nil
  ) throws(TransferError) -> Directory? {
    do throws(SystemError) {
      return try Directory.open(path, within: confinement)
    } catch {
      guard error.number == ENOENT else { throw failure(path, error) }
    }
    guard creates else { return nil }
    do throws(SystemError) {
      return try make(path, permissions: isContents ? 0o700 : 0o777, within: confinement)
    } catch {
      throw failure(path, error)
    }
  }

  /// The directories that have to be made for a path, from the top; empty when it is there.
  static func missing(_ path: [UInt8], within confinement: Confinement?) -> [[UInt8]] {
    var missing: [[UInt8]] = []
    var rest = path
    while !rest.isEmpty, isMissing(rest, within: confinement) {
      missing.insert(rest, at: 0)
      rest = parent(of: rest)
    }
    return missing
  }

  /// The nearest directory that is there; nil where it cannot be opened.
  static func nearest(_ path: [UInt8], within confinement: Confinement?) -> Directory? {
    let place = missing(path, within: confinement).first.map(parent) ?? path
    return try? Directory.open(place.isEmpty ? Array(".".utf8) : place, within: confinement)
  }

  /// Removes a directory that this run has made; one that is not empty stays.
  static func removeIfEmpty(_ path: [UInt8], within confinement: Confinement?) {
    let above = parent(of: path)
    let name = path.split(separator: UInt8(ascii: "/")).last.map(Array.init) ?? []
    let directory = try? Directory.open(
      above.isEmpty ? Array(".".utf8) : above,
      within: confinement
    )
    try? directory?.removeDirectory(name)
  }

  private static func isMissing(_ path: [UInt8], within confinement: Confinement?) -> Bool {
    do throws(SystemError) {
      _ = try Directory.open(path, within: confinement)
      return false
    } catch {
      return error.number == ENOENT
    }
  }

  /// All but the last component; empty for a name without a slash.
  private static func parent(of path: [UInt8]) -> [UInt8] {
    let slash = UInt8(ascii: "/")
    var rest = path[...]
    while rest.count > 1, rest.last == slash { rest.removeLast() }
    while let last = rest.last, last != slash { rest.removeLast() }
    while rest.count > 1, rest.last == slash { rest.removeLast() }
    return Array(rest)
  }

  private static func make(
    _ path: [UInt8],
    permissions: UInt32,
    within confinement: Confinement?
  ) throws(SystemError) -> Directory {
    let slash = UInt8(ascii: "/")
    let isAbsolute = path.first == slash
    let components = path.split(separator: slash).filter { !$0.elementsEqual(".".utf8) }
    var existingCount = components.count
    var current: Directory?
    while current == nil {
      // The path itself is missing, hence at least its last component is.
      guard existingCount > 0 else {
        throw SystemError(operation: "open", subject: printable(path), number: ENOENT)
      }
      existingCount -= 1
      let joined = Array(components[..<existingCount].joined(separator: [slash]))
      let prefix = isAbsolute ? [slash] + joined : joined
      do throws(SystemError) {
        current = try Directory.open(
          prefix.isEmpty ? Array(".".utf8) : prefix,
          within: confinement
        )
      } catch {
        guard error.number == ENOENT else { throw error }
      }
    }
    guard var directory = current else { preconditionFailure("the loop ends with a directory") }
    for (index, component) in components.enumerated().dropFirst(existingCount) {
      let name = Array(component)
      let isLast = index == components.count - 1
      do throws(SystemError) {
        try directory.makeDirectory(name, permissions: isLast ? permissions : 0o777)
      } catch {
        guard error.isPresence else { throw error }
      }
      try directory.sync()
      directory = try directory.openDirectory(name)
    }
    return directory
  }

  /// What is said of a destination that cannot be opened.
  static func failure(_ path: [UInt8], _ error: SystemError) -> TransferError {
    TransferError(
      "destination \(printable(path)) cannot be opened",
      error,
      remedy: "nothing was moved"
    )
  }
}
