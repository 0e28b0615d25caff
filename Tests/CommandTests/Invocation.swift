import DTXLinux
import Glibc

/// One run of the built program: what it printed and how it ended.
struct Invocation {
  let status: Int32?
  let output: String
  let messages: String

  init(_ arguments: String...) throws {
    try self.init(arguments.map { Array($0.utf8) })
  }

  /// Runs the program that was built beside the tests, with an empty standard input.
  init(_ arguments: [[UInt8]]) throws {
    let tests = try Host.executablePath()
    let slash = tests.lastIndex(of: UInt8(ascii: "/")) ?? tests.startIndex
    let program = tests[...slash] + Array("dtx".utf8)
    let nothing = try File.open(Array("/dev/null".utf8), .readWrite)
    // Files rather than pipes: whoever writes much to both cannot wait for its reader.
    let scratch = try ScratchDirectory()
    let outputPath = try scratch.file("output", "")
    let messagePath = try scratch.file("messages", "")
    let output = try File.open(Array(outputPath.utf8), .append)
    let messages = try File.open(Array(messagePath.utf8), .append)
    let child = try Child.spawn(
      [Array(program)] + arguments,
      standardInput: nothing.raw,
      standardOutput: output.raw,
      standardError: messages.raw
    )
    switch try child.wait() {
    case .exited(let code): status = code
    case .signalled: status = nil
    }
    self.output = try Invocation.content(output)
    self.messages = try Invocation.content(messages)
  }

  private static func content(_ file: File) throws -> String {
    let byteCount = try file.status().byteCount
    return String(decoding: try file.read(byteCount: Int(byteCount), at: 0), as: UTF8.self)
  }
}
