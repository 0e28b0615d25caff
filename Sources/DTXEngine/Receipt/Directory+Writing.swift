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
}
