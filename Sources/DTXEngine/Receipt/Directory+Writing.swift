internal import DTXLinux

/// Small files that are there whole or not at all.
extension Directory {
  /// Makes a file and makes its bytes durable, whatever was there before.
  ///
  /// - Parameters:
  ///   - bytes: all of it.
  ///   - name: of the file; it is not yet synced into the directory.
  ///   - permissions: which the umask narrows.
  /// - Throws: why it cannot be written.
  func write(_ bytes: [UInt8], as name: [UInt8], permissions: UInt32) throws(SystemError) {
    do throws(SystemError) {
      try unlink(name)
    } catch {
      guard error.isAbsence else { throw error }
    }
    let file = try openFile(name, .createExclusive, permissions: permissions)
    try file.write(bytes, at: 0)
    try file.sync()
    try file.close()
  }

  /// Puts a file in the place of another, if there is one, durably.
  ///
  /// - Parameters:
  ///   - name: of the file; `NAME.partial` is used on the way.
  ///   - bytes: all of it.
  ///   - permissions: which the umask narrows.
  /// - Throws: why not; the other one stays.
  func replace(
    _ name: [UInt8],
    with bytes: [UInt8],
    permissions: UInt32
  ) throws(SystemError) {
    let partial = name + Array(".partial".utf8)
    try write(bytes, as: partial, permissions: permissions)
    try rename(partial, to: name)
    try sync()
  }

  /// The directory that a path's last name is in, and that name.
  ///
  /// - Parameters:
  ///   - path: of a file, which need not be there.
  ///   - purpose: what is being done with it, as a sentence has it.
  /// - Returns: both.
  /// - Throws: `.failed` where the directory cannot be opened.
  static func holding(
    _ path: [UInt8],
    to purpose: String
  ) throws(TransferError) -> (directory: Directory, name: [UInt8]) {
    let slash = path.lastIndex(of: UInt8(ascii: "/"))
    let parent = slash.map { $0 == 0 ? Array("/".utf8) : Array(path[..<$0]) }
    let directory = try TransferError.unless("\(printable(path)) cannot be \(purpose)") {
      () throws(SystemError) in try Directory.open(parent ?? Array(".".utf8))
    }
    return (directory, Array(path[(slash.map { $0 + 1 } ?? 0)...]))
  }
}

/// A file that a user names for a command's output.
package enum OutputFile {
  /// Puts a file in the place of another, if there is one: whole or not at all.
  ///
  /// - Parameters:
  ///   - path: where.
  ///   - bytes: all of it.
  /// - Throws: `.failed`.
  package static func replace(_ path: [UInt8], with bytes: [UInt8]) throws(TransferError) {
    let (directory, name) = try Directory.holding(path, to: "written")
    try TransferError.unless("\(printable(path)) cannot be written") { () throws(SystemError) in
      try directory.replace(name, with: bytes, permissions: 0o666)
    }
  }
}
