internal import CLiburing
internal import Glibc

/// A directory, held open, that names are resolved under.
///
/// A name is bytes: one component or several with slashes, without empty, "." or ".." components
/// and without NUL (EINVAL). No symbolic link in it is ever followed (ELOOP), neither in the middle
/// nor at the end, so whoever can plant links below the directory cannot lead a call out of it.
/// Every method may be called from any thread; the descriptor is closed with the last reference.
package final class Directory: Sendable {
  /// The path that it was opened by, for messages only.
  package let path: [UInt8]
  let descriptor: Descriptor
  private let resolver: PathResolver

  private init(path: [UInt8], descriptor: consuming Descriptor, resolver: PathResolver) {
    self.path = path
    self.descriptor = descriptor
    self.resolver = resolver
  }

  /// Opens a directory that the user named: links in the path are followed.
  package static func open(_ path: [UInt8]) throws(SystemError) -> Directory {
    try open(path, resolver: .automatic)
  }

  /// The same with a choice of how names are resolved, for it and for what is opened below it.
  package static func open(_ path: [UInt8], resolver: PathResolver) throws(SystemError) -> Directory
  {
    let result = withCString(path) { text in
      system { dtx_openat(AT_FDCWD, text, O_RDONLY | O_DIRECTORY, 0) }
    }
    let raw = Int32(try checked(result, "open", printable(path)))
    return Directory(path: path, descriptor: Descriptor(owning: raw), resolver: resolver)
  }

  /// Opens a directory below this one; an empty name opens this one again.
  package func openDirectory(_ name: [UInt8]) throws(SystemError) -> Directory {
    let result: Int
    if name.isEmpty {
      result = system { dtx_openat(descriptor.raw, ".", O_RDONLY | O_DIRECTORY, 0) }
    } else if RelativeName.isPlain(name) {
      result = resolver.open(name, under: descriptor.raw, flags: O_RDONLY)
    } else {
      result = -Int(EINVAL)
    }
    let raw = Int32(try checked(result, "open", subject(name)))
    return Directory(path: pathOf(name), descriptor: Descriptor(owning: raw), resolver: resolver)
  }

  /// The status of an entry, of a link itself; an empty name means this directory.
  package func status(of name: [UInt8]) throws(SystemError) -> FileStatus {
    var found = dtx_status()
    let result = at(name, orItself: true) { directory, text in
      FileStatus.read(directory, text, into: &found)
    }
    try checked(result, "stat", subject(name))
    return FileStatus(found)
  }

  /// The status of an entry, or nil where there is none (ENOENT, ENOTDIR).
  package func statusIfPresent(of name: [UInt8]) throws(SystemError) -> FileStatus? {
    do {
      return try status(of: name)
    } catch {
      if error.number == ENOENT || error.number == ENOTDIR { return nil }
      throw error
    }
  }

  /// Opens a file below this directory.
  ///
  /// It never waits: a named pipe or device in the file's place is opened without blocking, so
  /// whoever does not trust the place asks the file for its `status().kind`.
  ///
  /// - Parameters:
  ///   - name: the file.
  ///   - mode: what it is opened for, and whether it is created.
  ///   - permissions: of a created file, less the process's umask.
  ///   - direct: bypasses the page cache (O_DIRECT); buffers and offsets must then be aligned.
  /// - Returns: the open file.
  /// - Throws: ELOOP for a symbolic link, and what open(2) says.
  package func openFile(
    _ name: [UInt8],
    _ mode: OpenMode,
    permissions: UInt32 = 0o600,
    direct: Bool = false
  ) throws(SystemError) -> File {
    let flags = mode.flags | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | (direct ? dtx_open_direct : 0)
    let result = at(name) { directory, text in
      system { dtx_openat(directory, text, flags, permissions) }
    }
    let raw = Int32(try checked(result, "open", subject(name)))
    return File(name, in: self, owning: Descriptor(owning: raw))
  }

  /// The path of a name below this directory, for messages.
  func pathOf(_ name: [UInt8]) -> [UInt8] {
    name.isEmpty ? path : Directory.join(path, name)
  }

  static func join(_ path: [UInt8], _ name: [UInt8]) -> [UInt8] {
    path.last == RelativeName.slash ? path + name : path + [RelativeName.slash] + name
  }

  func subject(_ name: [UInt8]) -> String { printable(pathOf(name)) }

  /// Calls `body` with the descriptor of the name's parent and the last component.
  ///
  /// - Parameters:
  ///   - name: a plain relative name.
  ///   - orItself: whether an empty name is allowed; `body` then gets this directory and "".
  ///   - body: makes the call; it returns a result or a negative error number.
  /// - Returns: what the body returned, or the negative error number of the way to it.
  func at(
    _ name: [UInt8],
    orItself: Bool = false,
    _ body: (Int32, UnsafePointer<CChar>) -> Int
  ) -> Int {
    if name.isEmpty, orItself { return withCString(name) { body(descriptor.raw, $0) } }
    // Nearly all names are one component, which needs no cutting.
    if RelativeName.isComponent(name) { return withCString(name) { body(descriptor.raw, $0) } }
    guard let parts = RelativeName(name) else { return -Int(EINVAL) }
    if parts.parent.isEmpty { return withCString(parts.last) { body(descriptor.raw, $0) } }
    // O_PATH: a parent need only be passed through, not read.
    let parent = resolver.open(parts.parent, under: descriptor.raw, flags: dtx_open_path)
    if parent < 0 { return parent }
    let held = Descriptor(owning: Int32(parent))
    return withCString(parts.last) { body(held.raw, $0) }
  }
}
