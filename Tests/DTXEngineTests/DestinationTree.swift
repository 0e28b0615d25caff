import DTXCore
import DTXLinux
import Glibc
import Testing

/// A fresh directory for one test, removed with it.
final class TestTree: Sendable {
  let path: [UInt8]
  let root: Directory

  init() throws {
    let template = (Host.environment("TMPDIR") ?? "/tmp") + "/dtx-destination-XXXXXX"
    var text = Array(template.utf8CString)
    try #require(mkdtemp(&text) != nil)
    path = text.dropLast().map { UInt8(bitPattern: $0) }
    root = try Directory.open(path)
  }

  deinit {
    try? TestTree.empty(root)
    _ = rmdir(String(decoding: path, as: UTF8.self))
  }

  private static func empty(_ directory: Directory) throws {
    try directory.setMode(of: [], 0o700)
    for item in try directory.names() {
      if try directory.status(of: item.name).kind == .directory {
        try empty(directory.openDirectory(item.name))
        try directory.removeDirectory(item.name)
      } else {
        try directory.unlink(item.name)
      }
    }
  }

  /// The path of a name below.
  func path(_ name: String) -> [UInt8] { path + Array("/\(name)".utf8) }

  func makeDirectory(_ name: String, _ mode: UInt32 = 0o755) throws {
    try root.makeDirectory(Array(name.utf8), permissions: 0o700)
    try root.setMode(of: Array(name.utf8), mode)
  }

  func write(
    _ name: String,
    _ content: [UInt8],
    mode: UInt32 = 0o644,
    modified: Int64? = nil
  ) throws {
    let file = try root.openFile(Array(name.utf8), .create)
    try file.setByteCount(0)
    try file.write(content, at: 0)
    try file.setMode(mode)
    if let modified { try file.setTimes(modified: modified) }
    try file.close()
  }

  func content(_ name: String) throws -> [UInt8] { try content(Array(name.utf8)) }

  func content(_ name: [UInt8]) throws -> [UInt8] {
    let file = try root.openFile(name, .read)
    return try file.read(byteCount: Int(try file.status().byteCount), at: 0)
  }

  func status(_ name: String) throws -> FileStatus? {
    try root.statusIfPresent(of: Array(name.utf8))
  }

  /// Every path below but those of dtx's state, in canonical order.
  func paths() throws -> [String] {
    var found: [[UInt8]] = []
    try TestTree.list(root, [], &found)
    return found.sorted { Inventory.precedes($0, $1) }.map { printable($0) }
  }

  private static func list(
    _ directory: Directory,
    _ prefix: [UInt8],
    _ found: inout [[UInt8]]
  ) throws {
    for item in try directory.names() where !(prefix.isEmpty && item.name == Array(".dtx".utf8)) {
      let path = prefix.isEmpty ? item.name : prefix + [UInt8(ascii: "/")] + item.name
      found.append(path)
      if try directory.status(of: item.name).kind == .directory {
        try list(directory.openDirectory(item.name), path, &found)
      }
    }
  }

  /// The bytes of a staged file, flipped at an offset.
  func flip(_ name: [UInt8], at offset: UInt64) throws {
    let file = try root.openFile(name, .readWrite)
    let byte = try file.read(byteCount: 1, at: offset)
    try file.write([try #require(byte.first) ^ 0x40], at: offset)
  }
}
