internal import DTXLinux

/// Command lines for the user's remote shell, ssh unless told otherwise.
enum RemoteShell {
  /// The whole command line that runs a command at a host.
  ///
  /// No terminal, and no forwardings, which a control connection has no use for; what the user's
  /// configuration says of keys, agents and jump hosts holds.
  static func arguments(_ shell: [String], host: String, command: String) -> [String] {
    let options = isSSH(shell) ? ["-T", "-oClearAllForwardings=yes"] : []
    let end = isSSH(shell) ? ["--"] : []
    return shell + options + end + [host, command]
  }

  /// Whether a remote shell takes ssh's options.
  static func isSSH(_ shell: [String]) -> Bool {
    guard let program = shell.first?.split(separator: "/").last else { return false }
    return program == "ssh"
  }

  /// The host that ssh will really connect to: its configuration may rename it.
  static func hostName(_ shell: [String], host: String) -> String? {
    guard isSSH(shell), let output = output(of: shell + ["-G", "--", host]) else { return nil }
    for line in output.split(separator: "\n") where line.hasPrefix("hostname ") {
      return String(line.dropFirst("hostname ".count))
    }
    return nil
  }

  /// What a command prints; nil when it cannot be run or fails.
  static func output(of arguments: [String], input: [UInt8] = []) -> String? {
    guard let (child, stream) = try? Child.spawnConnected(arguments.map { Array($0.utf8) }) else {
      return nil
    }
    if !input.isEmpty, (try? stream.writeAll(input)) == nil { return nil }
    stream.closeWriting()
    var bytes: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 16 << 10)
    while let count = piece.withUnsafeMutableBytes({ try? stream.readSome(into: $0) }), count > 0 {
      bytes += piece.prefix(count)
    }
    guard let state = try? child.wait(), state == .exited(0) else { return nil }
    return String(decoding: bytes, as: UTF8.self)
  }
}
