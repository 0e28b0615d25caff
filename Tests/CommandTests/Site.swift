import DTXLinux
import Glibc
import Testing

/// Two ends on this machine with an sshd between them.
///
/// Both ends' programs leave their process numbers in files, so that a test can end them.
final class Site {
  let place: Workplace
  let sshd: Sshd
  /// The program that was built beside the tests.
  let program: String

  init() throws {
    place = try Workplace()
    sshd = try Sshd(in: place)
    program = try Site.builtProgram()
    try place.write(
      "bin/ssh",
      """
      #!/bin/sh
      case " $* " in *" -G "*) ;; *) echo $$ > '\(place("ssh-process"))' ;; esac
      exec ssh -F '\(place("ssh-config"))' "$@"

      """,
      mode: 0o755
    )
    try setFar()
  }

  /// Chooses how the far end's program is started: behind these words.
  func setFar(behind prefix: String = "") throws {
    try place.write(
      "far",
      """
      #!/bin/sh
      echo $$ > '\(place("far-process"))'
      exec \(prefix) '\(program)' "$@"

      """,
      mode: 0o755
    )
  }

  /// The tests and the program lie side by side.
  static func builtProgram() throws -> String {
    let tests = try Host.executablePath()
    let slash = tests.lastIndex(of: UInt8(ascii: "/")) ?? tests.startIndex
    return String(decoding: tests[...slash], as: UTF8.self) + "dtx"
  }

  /// A path at the far end, as the command takes it.
  func far(_ name: String) -> String { "\(Sshd.host):\(place(name))" }

  /// Starts a command; `push` and `pull` find the far end.
  ///
  /// - Parameters:
  ///   - command: a verb of the program.
  ///   - arguments: what follows; an option that is also one of the kit's overrides it.
  ///   - launcher: words before the program, such as `setsid`.
  /// - Returns: the running command.
  /// - Throws: when it cannot be started.
  func start(_ command: String, _ arguments: [String], launcher: [String] = []) throws -> Run {
    let home = [
      "env", "XDG_STATE_HOME=\(place("near-state"))", "XDG_CONFIG_HOME=\(place("near-config"))",
    ]
    var words = home + launcher + [program, command]
    if command == "push" || command == "pull" {
      words += ["--rsh", place("bin/ssh"), "--dtx-path", place("far"), "--json"]
    }
    return try Run(words + arguments, in: place)
  }

  /// Runs a command to its end.
  @discardableResult
  func run(
    _ command: String,
    _ arguments: String...,
    launcher: [String] = []
  ) throws -> Run.Ending {
    try start(command, arguments, launcher: launcher).finish()
  }

  /// The process that a script of the kit noted; waits for a fresh note.
  func process(_ name: String) throws -> Int32 {
    var number: Int32?
    try waitUntil("\(name)'s number") {
      number = (try? place.text("\(name)-process")).flatMap { text in
        text.last == "\n" ? Int32(text.dropLast()) : nil
      }
      return number != nil
    }
    return try #require(number)
  }

  /// Forgets earlier notes of process numbers.
  func forgetProcesses() {
    for name in ["far", "ssh"] { unlink(place("\(name)-process")) }
  }

  /// Waits until the far end's program has ended, where ssh does not wait for it.
  func awaitFarEnd() throws {
    guard let number = try? place.text("far-process"), let process = Int32(number.dropLast())
    else { return }
    try waitUntil("the far end's end") { kill(process, 0) != 0 }
  }
}

/// A command that runs, with what it prints.
final class Run {
  let child: Child
  private let stream: ByteStream
  private let place: Workplace
  private let messageName: String
  private var pending: [UInt8] = []
  private var lines: [String] = []

  struct Ending {
    /// The exit status; 128 and the signal's number where one ended it.
    let status: Int32
    /// Lines on the standard output: events, the last one being the summary.
    let lines: [String]
    /// All of the standard error stream.
    let messages: String

    /// A number of the summary.
    func figure(_ name: String) throws -> UInt64 {
      let line = try #require(lines.last { $0.contains("\"type\":\"summary\"") }, "\(self)")
      return try #require(Run.figure(name, in: line), "\(name) is not in \(line)")
    }

    /// Events that name an entry.
    func events(naming path: String) -> [String] {
      lines.filter { $0.contains("\"path\":\"\(path)\"") }
    }

    /// Lines of the error stream that begin a message of the program's own.
    var errors: [Substring] {
      // ssh ends its lines with a carriage return as well.
      messages.split(whereSeparator: \.isNewline).filter { $0.hasPrefix("dtx: ") }
    }
  }

  init(_ words: [String], in place: Workplace) throws {
    self.place = place
    messageName = "messages-\(Clock.now())"
    try place.write(messageName, "")
    let messages = try File.open(bytes(place(messageName)), .append)
    (child, stream) = try Child.spawnConnected(
      words.map(bytes),
      standardError: messages.raw,
      // Tests that run in the background of a script ignore INT, and the program would too.
      ignoringInterrupt: false
    )
    stream.closeWriting()
  }

  /// Reads events until one is as wanted.
  ///
  /// - Returns: that one; nil when the command has closed its output before.
  @discardableResult
  func event(where isWanted: (String) -> Bool) throws -> String? {
    while let line = try nextLine() {
      if isWanted(line) { return line }
    }
    return nil
  }

  /// Reads events until so much has become durable.
  ///
  /// - Returns: whether it has.
  @discardableResult
  func isDurable(_ byteCount: UInt64) throws -> Bool {
    try event { (Run.figure("bytes_durable", in: $0) ?? 0) >= byteCount } != nil
  }

  /// Waits for the end.
  func finish() throws -> Ending {
    while try nextLine() != nil {}
    let status =
      switch try child.wait() {
      case .exited(let code): code
      case .signalled(let signal): 128 + signal
      }
    return Ending(status: status, lines: lines, messages: try place.text(messageName))
  }

  /// An integer of a JSON line.
  static func figure(_ name: String, in line: String) -> UInt64? {
    let key = bytes("\"\(name)\":")
    let text = bytes(line)
    var start = 0
    while start + key.count <= text.count {
      if text[start..<start + key.count].elementsEqual(key) {
        let digits = text[(start + key.count)...].prefix { (0x30...0x39).contains($0) }
        return UInt64(String(decoding: digits, as: UTF8.self))
      }
      start += 1
    }
    return nil
  }

  private func nextLine() throws -> String? {
    while true {
      if let end = pending.firstIndex(of: 0x0A) {
        let line = String(decoding: pending[..<end], as: UTF8.self)
        pending.removeSubrange(...end)
        lines.append(line)
        return line
      }
      var piece = [UInt8](repeating: 0, count: 64 << 10)
      let count = try piece.withUnsafeMutableBytes { try stream.readSome(into: $0) }
      if count == 0 { return nil }
      pending += piece.prefix(count)
    }
  }
}
