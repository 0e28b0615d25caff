internal import CLiburing
internal import Glibc
internal import Synchronization

/// How names of several components are resolved beneath a directory.
///
/// Both ways refuse a symbolic link in any component (ELOOP), and neither can leave the directory.
package enum PathResolver: Sendable {
  /// One openat2(2), or a walk where the kernel or a container's filter does not offer that call.
  case automatic
  /// One open per component, each of which refuses a link. The tests run both ways.
  case walk

  /// Set once openat2 has answered ENOSYS; nothing depends on when other threads see it.
  private static let lacksCall = Atomic<Bool>(false)

  /// Opens the directory that a plain relative name stands for.
  ///
  /// - Parameters:
  ///   - name: a name that `RelativeName.isPlain` accepts.
  ///   - directory: where it begins.
  ///   - flags: open flags; O_DIRECTORY and O_CLOEXEC are added.
  /// - Returns: a descriptor that the caller owns, or the negative error number.
  func open(_ name: [UInt8], under directory: Int32, flags: Int32) -> Int {
    let flags = flags | O_DIRECTORY
    // A path of PATH_MAX (4096) bytes or more is too long for one call, but not for a walk.
    if self == .automatic, name.count < 4096, !PathResolver.lacksCall.load(ordering: .relaxed) {
      // Without O_NOFOLLOW, for with it a link at the end would answer ENOTDIR instead of ELOOP.
      let result = withCString(name) { text in
        system { dtx_open_beneath(directory, text, flags) }
      }
      switch -result {
      case Int(ENOSYS): PathResolver.lacksCall.store(true, ordering: .relaxed)
      // EPERM is how some filters answer, and EAGAIN means that renames got in the way. If it is a
      // true EPERM the walk finds it again.
      case Int(EPERM), Int(EAGAIN): break
      default: return result
      }
    }
    return walk(name, from: directory, flags: flags)
  }

  private func walk(_ name: [UInt8], from directory: Int32, flags: Int32) -> Int {
    var held: Int32 = -1
    var start = name.startIndex
    while true {
      let end = name[start...].firstIndex(of: RelativeName.slash) ?? name.endIndex
      let isLast = end == name.endIndex
      let place = held >= 0 ? held : directory
      let opened = PathResolver.openComponent(
        Array(name[start..<end]),
        under: place,
        flags: O_NOFOLLOW | (isLast ? flags : O_DIRECTORY | dtx_open_path)
      )
      if held >= 0 { _ = Glibc.close(held) }
      if opened < 0 || isLast { return opened }
      held = Int32(opened)
      start = end + 1
    }
  }

  private static func openComponent(_ name: [UInt8], under directory: Int32, flags: Int32) -> Int {
    withCString(name) { text in
      let result = system { dtx_openat(directory, text, flags, 0) }
      guard result == -Int(ENOTDIR) else { return result }
      // With O_DIRECTORY a link answers ENOTDIR; say ELOOP, as openat2 does.
      var status = dtx_status()
      let found = FileStatus.read(directory, text, into: &status)
      return found == 0 && FileKind(mode: status.mode) == .symlink ? -Int(ELOOP) : result
    }
  }
}
