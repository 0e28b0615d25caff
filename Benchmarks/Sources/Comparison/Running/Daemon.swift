internal import Glibc

/// A server that the harness starts, uses and stops.
package final class Daemon {
  private let name: String
  private let pid: pid_t
  private let log: String
  private var tree: ProcessTree

  /// Starts a server and waits until it answers.
  ///
  /// - Parameters:
  ///   - name: for messages.
  ///   - arguments: a program that stays in the foreground.
  ///   - port: of loopback, where it will listen.
  ///   - log: a file for what it prints.
  /// - Throws: when it ends, or does not answer within two seconds.
  package init(
    _ name: String,
    _ arguments: [String],
    port: Int,
    log: String
  ) throws(HarnessError) {
    // Should the harness be killed, its servers go with it.
    let leash = Spawning.find("setpriv").map { [$0, "--pdeathsig", "TERM"] } ?? []
    self.name = name
    self.log = log
    pid = try Spawning.start(leash + arguments, output: log)
    tree = ProcessTree(root: pid)
    // Two seconds are long for a server to open its port.
    for _ in 0..<200 {
      if LoopbackPort.answers(port) { return }
      if waitpid(pid, nil, WNOHANG) == pid { break }
      usleep(10_000)
    }
    let said = MachineFile.text(log).trimmed.suffix(500)
    throw HarnessError("\(name) does not listen on port \(port): \(said)")
  }

  deinit {
    kill(pid, SIGTERM)
    // Some servers take their time over their sessions.
    for _ in 0..<200 {
      if waitpid(pid, nil, WNOHANG) != 0 { return }
      usleep(10_000)
    }
    kill(pid, SIGKILL)
    waitpid(pid, nil, 0)
  }

  /// Core-seconds of the server and all its children, ended ones included, since it began.
  var processorSeconds: Double {
    tree.sample(countsReaped: true).values.reduce(0) { $0 + $1.processorSeconds }
  }

  /// The largest of the children that run now, and the server.
  var peakByteCount: Int {
    tree.sample(countsReaped: true).values.map { $0.peakByteCount }.max() ?? 0
  }
}
