import DTXLinux
import Glibc
import Testing

/// A fresh directory that goes with everything in it when the test lets go of it.
final class Workplace: Sendable {
  let path: String

  init() throws {
    let template = (Host.environment("TMPDIR") ?? "/tmp") + "/dtx-end-to-end-XXXXXX"
    var text = Array(template.utf8CString)
    try #require(mkdtemp(&text) != nil)
    path = String(decoding: text.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  deinit {
    // Directories that a test closed against itself are opened first.
    _ = try? Tool.run("chmod", "-R", "u+rwX", path)
    _ = try? Tool.run("rm", "-rf", "--one-file-system", path)
  }

  /// The path of something in it.
  func callAsFunction(_ name: String) -> String { "\(path)/\(name)" }

  /// Writes a file, with the directories above it.
  func write(_ name: String, _ content: [UInt8], mode: UInt32 = 0o644) throws {
    try makeParents(of: name)
    unlink(self(name))
    let file = try File.open(bytes(self(name)), .create)
    try file.write(content, at: 0)
    try file.setMode(mode)
    try file.close()
  }

  /// The same with text.
  func write(_ name: String, _ content: String, mode: UInt32 = 0o644) throws {
    try write(name, bytes(content), mode: mode)
  }

  /// Makes a directory, with those above it.
  func makeDirectory(_ name: String) throws {
    try makeParents(of: name + "/x")
  }

  func read(_ name: String) throws -> [UInt8] {
    let file = try File.open(bytes(self(name)), .read)
    return try file.read(byteCount: Int(try file.status().byteCount), at: 0)
  }

  func text(_ name: String) throws -> String { String(decoding: try read(name), as: UTF8.self) }

  func exists(_ name: String) -> Bool { access(self(name), F_OK) == 0 }

  /// Inverts a byte of a file, or else the one in its middle; length and time stay.
  func damage(_ path: String, at offset: UInt64? = nil) throws {
    let file = try File.open(bytes(path), .readWrite)
    let status = try file.status()
    let offset = offset ?? status.byteCount / 2
    let byte = try file.read(byteCount: 1, at: offset)
    try file.write(byte.map { ~$0 }, at: offset)
    try file.setTimes(modified: status.modified)
    try file.close()
  }

  private func makeParents(of name: String) throws {
    var parent = path
    for component in name.split(separator: "/").dropLast() {
      parent += "/\(component)"
      try #require(mkdir(parent, 0o755) == 0 || errno == EEXIST, "\(parent) cannot be made")
    }
  }
}

/// A program of the system, run to its end.
enum Tool {
  struct Ending: Sendable {
    var status: Int32
    var output: String
  }

  /// Runs a program; what it says on the standard error stream goes to that of the tests.
  ///
  /// - Returns: its status, 128 and the signal's number where one ended it, and its output.
  @discardableResult
  static func run(_ arguments: String...) throws -> Ending {
    let (child, stream) = try Child.spawnConnected(arguments.map(bytes))
    stream.closeWriting()
    var output: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 64 << 10)
    while true {
      let count = try piece.withUnsafeMutableBytes { try stream.readSome(into: $0) }
      if count == 0 { break }
      output += piece.prefix(count)
    }
    let status =
      switch try child.wait() {
      case .exited(let code): code
      case .signalled(let signal): 128 + signal
      }
    return Ending(status: status, output: String(decoding: output, as: UTF8.self))
  }

  /// Runs a line of shell, which must succeed.
  @discardableResult
  static func shell(_ line: String) throws -> String {
    let ending = try run("sh", "-c", line)
    try #require(ending.status == 0, "\(line) ended with \(ending.status): \(ending.output)")
    return ending.output
  }
}

/// Waits for what another process does; there is nothing to block on.
///
/// - Throws: when it has not come about after three minutes.
func waitUntil(_ what: String, _ condition: () throws -> Bool) throws {
  let limit = Clock.now() + 180_000_000_000
  while try !condition() {
    try #require(Clock.now() < limit, "\(what) did not come about")
    // A moment for the others, on a machine with few cores.
    var none = pollfd()
    poll(&none, 0, 2)
  }
}
