/// How the tools name themselves.
package enum ToolVersions {
  private static let questions: [(program: String, flag: String)] = [
    ("rsync", "--version"), ("ssh", "-V"), ("rclone", "--version"), ("lftp", "--version"),
    ("globus-url-copy", "-version"), ("globus-gridftp-server", "-version"),
    ("xrdcp", "--version"), ("vsftpd", "-v"), ("mscp", "-V"), ("tar", "--version"),
    ("cp", "--version"),
  ]

  /// Asks each tool that is there.
  ///
  /// - Parameters:
  ///   - dtx: the dtx to be measured.
  ///   - arena: a place for what they print.
  /// - Returns: a line for each.
  package static func all(dtx: String, arena: Arena) -> [String] {
    var lines: [String] = []
    for (program, flag) in [(dtx, "--version")] + questions {
      guard program.contains("/") || Spawning.find(program) != nil else { continue }
      let log = "\(arena.state)/version-\(lines.count)"
      guard let pid = try? Spawning.start([program, flag], output: log) else { continue }
      _ = Spawning.wait(pid)
      guard let first = MachineFile.lines(log).first else { continue }
      let name = program.split(separator: "/").last.map(String.init) ?? program
      let line = String(first).trimmed
      lines.append(line.contains(name) ? line : "\(name): \(line)")
    }
    return lines
  }
}
