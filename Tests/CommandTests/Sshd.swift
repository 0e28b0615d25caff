import DTXLinux
import Glibc
import Testing

/// An sshd of the test's own: on loopback, on a port, with keys and a configuration of its own.
///
/// It ends when the test lets go of it.
final class Sshd {
  /// The host's name in the client's configuration.
  static let host = "far"
  let port: UInt16
  private let place: Workplace
  private let child: Child

  init(in place: Workplace) throws {
    self.place = place
    port = try Sshd.freePort()
    let programs = ["/usr/sbin/sshd", "/usr/local/sbin/sshd"]
    let found = programs.first { access($0, X_OK) == 0 }
    let program = try #require(found, "these tests start an sshd: install openssh-server")
    for key in ["host-key", "user-key"] {
      try Tool.shell("ssh-keygen -q -t ed25519 -N '' -f \(place("ssh-\(key)"))")
    }
    // sshd of root wants this directory, which systemd or an init script makes elsewhere.
    if Host.effectiveUserID == 0 { mkdir("/run/sshd", 0o755) }
    try place.write("sshd-config", Sshd.serverConfiguration(place, port))
    try place.write("ssh-config", Sshd.clientConfiguration(place, port))
    child = try Child.spawn([
      program, "-D", "-f", place("sshd-config"), "-E", place("sshd-log"),
    ])
    let address = try #require(SocketAddress(numericHost: "127.0.0.1", port: port))
    try waitUntil("sshd") {
      if child.waitIfDone() != nil {
        Issue.record("sshd ended: \(try place.text("sshd-log"))")
      }
      return (try? Socket.connect(to: address, timeoutNanoseconds: 1_000_000_000)) != nil
    }
  }

  deinit {
    child.terminate()
    _ = try? child.wait()
  }

  /// A port that nobody listened on a moment ago.
  static func freePort() throws -> UInt16 {
    let any = try #require(SocketAddress(numericHost: "127.0.0.1", port: 0))
    let socket = try Socket.listen(any)
    defer { socket.shutdown() }
    return try socket.localAddress.port
  }

  private static func serverConfiguration(_ place: Workplace, _ port: UInt16) -> String {
    """
    ListenAddress 127.0.0.1
    Port \(port)
    HostKey \(place("ssh-host-key"))
    AuthorizedKeysFile \(place("ssh-user-key.pub"))
    PidFile none
    StrictModes no
    UsePAM no
    PasswordAuthentication no
    KbdInteractiveAuthentication no
    PermitRootLogin prohibit-password
    MaxStartups 100
    SetEnv XDG_CACHE_HOME=\(place("far-cache")) XDG_STATE_HOME=\(place("far-state")) XDG_CONFIG_HOME=\(place("far-config"))

    """
  }

  private static func clientConfiguration(_ place: Workplace, _ port: UInt16) -> String {
    """
    Host \(host)
      HostName 127.0.0.1
      Port \(port)
    Host *
      IdentityFile \(place("ssh-user-key"))
      IdentitiesOnly yes
      IdentityAgent none
      UserKnownHostsFile \(place("ssh-known-hosts"))
      GlobalKnownHostsFile none
      StrictHostKeyChecking no
      BatchMode yes
      LogLevel ERROR

    """
  }
}
