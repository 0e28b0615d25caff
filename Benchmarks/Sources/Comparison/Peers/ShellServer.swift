internal import Glibc

/// An sshd of its own, for the peers that go through one.
final class ShellServer {
  let daemon: Daemon
  let port: Int
  let configuration: String
  let key: String

  /// The fastest cipher that OpenSSH has on processors with AES instructions.
  static let cipher = "aes128-gcm@openssh.com"

  /// Who runs this, as whom the server lets nobody else in.
  static let user = getpwuid(geteuid()).map { String(cString: $0.pointee.pw_name) } ?? "root"

  private init(_ arena: Arena) throws(HarnessError) {
    port = try LoopbackPort.free()
    key = "\(arena.state)/ssh-user"
    for key in ["\(arena.state)/ssh-host", key] {
      let log = "\(arena.state)/ssh-keygen.log"
      let arguments = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key]
      let status = Spawning.wait(try Spawning.start(arguments, output: log)).status
      guard status == 0 else { throw HarnessError("ssh-keygen failed") }
    }
    configuration = try arena.stateFile(
      "ssh-config",
      """
      Host far
        HostName 127.0.0.1
        Port \(port)
        IdentityFile \(key)
        IdentitiesOnly yes
        UserKnownHostsFile \(arena.state)/ssh-known
        StrictHostKeyChecking no
        BatchMode yes
        LogLevel ERROR

      """
    )
    let server = try arena.stateFile(
      "sshd-config",
      """
      ListenAddress 127.0.0.1
      Port \(port)
      HostKey \(arena.state)/ssh-host
      AuthorizedKeysFile \(key).pub
      PidFile none
      StrictModes no
      UsePAM no
      PermitRootLogin prohibit-password
      Subsystem sftp internal-sftp

      """
    )
    // Where a package's start script would have made it.
    if geteuid() == 0 { try MachineFile.makeDirectory("/run/sshd") }
    daemon = try Daemon(
      "sshd",
      // It asks for its whole path, because it executes itself.
      [Spawning.find("sshd") ?? "sshd", "-D", "-f", server, "-e"],
      port: port,
      log: "\(arena.state)/sshd.log"
    )
  }

  /// The arena's server, started when it is first asked for.
  static func shared(_ arena: Arena) throws(HarnessError) -> ShellServer {
    if let server = arena.shellServer { return server }
    let server = try ShellServer(arena)
    arena.shellServer = server
    return server
  }
}
