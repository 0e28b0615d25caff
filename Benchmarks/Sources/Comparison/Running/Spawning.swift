internal import Glibc

/// Starts programs.
enum Spawning {
  /// Starts a program with nothing on its standard input.
  ///
  /// - Parameters:
  ///   - arguments: the program, searched in PATH unless it has a slash, and its arguments.
  ///   - environment: variables beside those that this process has.
  ///   - output: a file that gets its standard output and error.
  /// - Returns: the number of the process.
  /// - Throws: where there is no such program.
  static func start(
    _ arguments: [String],
    environment: [String: String] = [:],
    output: String
  ) throws(HarnessError) -> pid_t {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_APPEND, 0o644)
    posix_spawn_file_actions_adddup2(&actions, 1, 2)
    var variables = inherited
    for (name, value) in environment { variables[name] = value }
    let settings = variables.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
    var pid: pid_t = 0
    let number = withTexts(arguments) { words in
      withTexts(settings) { settings in
        posix_spawnp(&pid, arguments[0], &actions, nil, words, settings)
      }
    }
    guard number == 0 else { throw HarnessError("start", arguments[0], number) }
    return pid
  }

  /// Waits for the end of a process that was started here.
  ///
  /// - Returns: its exit status, or 128 and the signal's number, and what it and its children used.
  static func wait(_ pid: pid_t) -> (status: Int32, usage: rusage) {
    var status: Int32 = 0
    var usage = rusage()
    while wait4(pid, &status, 0, &usage) < 0, errno == EINTR {}
    let signal = status & 0x7f
    return (signal == 0 ? (status >> 8) & 0xff : 128 + signal, usage)
  }

  /// Where a program is: the first in PATH, or where daemons are kept.
  package static func find(_ program: String) -> String? {
    let folders = (inherited["PATH"] ?? "").split(separator: ":").map(String.init)
    return (folders + ["/usr/sbin", "/usr/local/sbin"]).map { "\($0)/\(program)" }
      .first { access($0, X_OK) == 0 }
  }

  private static var inherited: [String: String] {
    var variables: [String: String] = [:]
    var place = environ
    while let text = place.pointee {
      let parts = String(cString: text).split(separator: "=", maxSplits: 1)
      if parts.count == 2 { variables[String(parts[0])] = String(parts[1]) }
      place += 1
    }
    return variables
  }

  private static func withTexts<Result>(
    _ texts: [String],
    _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> Result
  ) -> Result {
    var pointers: [UnsafeMutablePointer<CChar>?] = texts.map { strdup($0) }
    pointers.append(nil)
    defer { for pointer in pointers { free(pointer) } }
    return body(pointers)
  }
}
