internal import CLiburing
internal import Glibc

/// One name in a directory.
package struct DirectoryItem: Sendable, Equatable {
  package var name: [UInt8]
  /// What it is, where the file system says so without a further call.
  package var kind: FileKind?

  /// Makes an item from its parts.
  package init(name: [UInt8], kind: FileKind?) {
    self.name = name
    self.kind = kind
  }
}

/// Reading the list of names, and changing it.
extension Directory {
  /// All names but "." and "..", sorted by unsigned bytes.
  ///
  /// Each call opens the directory anew, so that threads do not share a position. A name that is
  /// added or removed meanwhile may be in the list or not.
  package func names() throws(SystemError) -> [DirectoryItem] {
    let opened = system { dtx_openat(descriptor.raw, ".", O_RDONLY | O_DIRECTORY, 0) }
    let listing = Descriptor(owning: Int32(try checked(opened, "open", subject([]))))
    var items: [DirectoryItem] = []
    // 64 KiB hold over 2000 entries of ordinary length in one call.
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 65_536, alignment: 16)
    defer { buffer.deallocate() }
    while true {
      let result = system { dtx_read_entries(listing.raw, buffer.baseAddress, buffer.count) }
      let filled = try checked(result, "getdents64", subject([]))
      if filled == 0 { break }
      Directory.parse(UnsafeRawBufferPointer(rebasing: buffer[..<filled]), into: &items)
    }
    items.sort { $0.name.lexicographicallyPrecedes($1.name) }
    return items
  }

  /// Appends the entries of one getdents64(2) buffer.
  private static func parse(_ buffer: UnsafeRawBufferPointer, into items: inout [DirectoryItem]) {
    // struct linux_dirent64: inode 8 bytes, offset 8, length of the record 2, type 1, name with NUL.
    let lengthOffset = 16
    let typeOffset = 18
    let nameOffset = 19
    var start = 0
    while start + nameOffset < buffer.count {
      let length = Int(buffer.loadUnaligned(fromByteOffset: start + lengthOffset, as: UInt16.self))
      precondition(length > nameOffset, "a directory record of \(length) bytes")
      let end = min(start + length, buffer.count)
      let name = Array(buffer[(start + nameOffset)..<end].prefix { $0 != 0 })
      if name != [0x2E], name != [0x2E, 0x2E] {
        let kind = FileKind(directoryType: buffer[start + typeOffset])
        items.append(DirectoryItem(name: name, kind: kind))
      }
      start = end
    }
  }

  /// Makes a directory; the permissions are reduced by the umask.
  package func makeDirectory(_ name: [UInt8], permissions: UInt32) throws(SystemError) {
    let result = at(name) { directory, text in system { mkdirat(directory, text, permissions) } }
    try checked(result, "mkdir", subject(name))
  }

  /// Makes a symbolic link; its target is any bytes without NUL, and is not looked at.
  package func makeSymlink(_ name: [UInt8], target: [UInt8]) throws(SystemError) {
    let result = at(name) { directory, text in
      withCString(target) { target in system { symlinkat(target, directory, text) } }
    }
    try checked(result, "symlink", subject(name))
  }

  /// The target of a symbolic link.
  package func readSymlink(_ name: [UInt8]) throws(SystemError) -> [UInt8] {
    // Linux allows no target of PATH_MAX (4096) bytes or more, so one read always gets it whole.
    var target = [UInt8](repeating: 0, count: 4096)
    let result = at(name) { directory, text in
      readInto(&target) { buffer, capacity in readlinkat(directory, text, buffer, capacity) }
    }
    return Array(target[..<(try checked(result, "readlink", subject(name)))])
  }

  /// Makes a further name for an existing file (of a link itself, not of its target).
  package func makeHardLink(_ name: [UInt8], to existing: [UInt8]) throws(SystemError) {
    let result = at(existing) { source, existing in
      at(name) { target, text in system { linkat(source, existing, target, text, 0) } }
    }
    try checked(result, "link", subject(name))
  }

  /// Makes a named pipe, a socket's name or a device node.
  ///
  /// - Parameters:
  ///   - name: the new entry.
  ///   - kind: what it becomes; a directory or a link is refused by the kernel.
  ///   - permissions: reduced by the umask.
  ///   - deviceMajor: of a device node, what it stands for.
  ///   - deviceMinor: the same, second part.
  /// - Throws: EPERM for a device node without the right to make one.
  package func makeNode(
    _ name: [UInt8],
    kind: FileKind,
    permissions: UInt32,
    deviceMajor: UInt32 = 0,
    deviceMinor: UInt32 = 0
  ) throws(SystemError) {
    let mode = kind.typeBits | permissions
    let result = at(name) { directory, text in
      system { dtx_make_node(directory, text, mode, deviceMajor, deviceMinor) }
    }
    try checked(result, "mknod", subject(name))
  }

  /// Renames within this directory.
  ///
  /// - Parameters:
  ///   - name: is no directory.
  ///   - newName: what has it is replaced.
  ///   - replaces: whether it may be; otherwise nothing has the new name, or this fails.
  /// - Throws: EEXIST for what may not be replaced.
  package func rename(
    _ name: [UInt8],
    to newName: [UInt8],
    replaces: Bool = true
  ) throws(SystemError) {
    if replaces { return try rename(name, to: newName, in: self) }
    let result = at(name) { source, old in
      at(newName) { target, new in system { dtx_rename_exclusively(source, old, target, new) } }
    }
    try checked(result, "rename", "\(subject(name)) to \(subject(newName))")
  }

  /// Renames within this directory to a name that nothing has, by one call.
  ///
  /// - Parameters:
  ///   - name: what is renamed.
  ///   - newName: nothing has it, in no spelling that the file system takes for the same.
  /// - Returns: whether the file system has such a call; where not, nothing has happened.
  /// - Throws: EEXIST for a name that is taken.
  package func renameToFree(_ name: [UInt8], _ newName: [UInt8]) throws(SystemError) -> Bool {
    let result = at(name) { source, old in
      at(newName) { target, new in system { dtx_rename_to_free(source, old, target, new) } }
    }
    if result == -Int(EINVAL) || result == -Int(ENOSYS) { return false }
    try checked(result, "rename", "\(subject(name)) to \(subject(newName))")
    return true
  }

  /// Renames from this directory into another one, replacing what has the new name there.
  package func rename(
    _ name: [UInt8],
    to newName: [UInt8],
    in other: Directory
  ) throws(SystemError) {
    let result = at(name) { source, old in
      other.at(newName) { target, new in system { renameat(source, old, target, new) } }
    }
    try checked(result, "rename", "\(subject(name)) to \(other.subject(newName))")
  }

  /// Removes a name that is no directory.
  package func unlink(_ name: [UInt8]) throws(SystemError) {
    let result = at(name) { directory, text in system { unlinkat(directory, text, 0) } }
    try checked(result, "unlink", subject(name))
  }

  /// Removes an empty directory.
  package func removeDirectory(_ name: [UInt8]) throws(SystemError) {
    let result = at(name) { directory, text in system { unlinkat(directory, text, AT_REMOVEDIR) } }
    try checked(result, "rmdir", subject(name))
  }
}
