import DTXLinux
import Glibc

/// A directory that is removed with its files when the test lets go of it.
final class ScratchDirectory {
  let path: String
  private var names: [String] = []

  init() throws {
    let name = randomBytes(8).reduce("") { $0 + String($1, radix: 16) }
    path = "/tmp/dtx-command-\(name)"
    guard mkdir(path, 0o700) == 0 else {
      throw SystemError(operation: "mkdir", subject: path, number: errno)
    }
  }

  deinit {
    for name in names { unlink("\(path)/\(name)") }
    rmdir(path)
  }

  /// Makes a file and returns its path.
  func file(_ name: String, _ content: String) throws -> String {
    let full = "\(path)/\(name)"
    let file = try File.open(Array(full.utf8), .create)
    names.append(name)
    try file.write(Array(content.utf8), at: 0)
    try file.close()
    return full
  }
}
