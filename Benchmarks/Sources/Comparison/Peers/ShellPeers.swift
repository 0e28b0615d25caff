/// A tool whose bytes go through ssh; it takes part where they are to be encrypted.
protocol ShellPeer: Peer {
  init(server: ShellServer)

  /// The ways in which it takes part.
  func encrypted(_ race: Race) -> [Contestant]
}

extension ShellPeer {
  init(_ arena: Arena) throws(HarnessError) {
    self.init(server: try ShellServer.shared(arena))
  }

  func contestants(_ race: Race) -> [Contestant] {
    race.protection == .encrypted ? encrypted(race) : []
  }
}

/// rsync through ssh, with ssh's fastest cipher and with the one that it takes by itself.
struct RsyncOverShell: ShellPeer {
  static let programs = ["rsync", "ssh", "sshd", "ssh-keygen"]

  let server: ShellServer

  func encrypted(_ race: Race) -> [Contestant] {
    [("aes128-gcm", " -c \(ShellServer.cipher)"), ("default cipher", "")].map {
      name,
      cipher in
      Contestant(
        name: "rsync ssh, \(name)",
        arguments: [
          "rsync", "-a", "-W", "-e", "ssh -F \(server.configuration)\(cipher)",
          "\(race.source)/", "far:\(race.target)/",
        ],
        ends: .programAndDaemon(server.daemon)
      )
    }
  }
}

/// scp with ssh's fastest cipher.
struct Scp: ShellPeer {
  static let programs = ["scp", "sshd", "ssh-keygen"]

  let server: ShellServer

  func encrypted(_ race: Race) -> [Contestant] {
    [
      Contestant(
        name: "scp, aes128-gcm",
        arguments: [
          "scp", "-q", "-r", "-F", server.configuration, "-c", ShellServer.cipher,
          race.source, "far:\(race.target)",
        ],
        ends: .programAndDaemon(server.daemon)
      )
    ]
  }
}

/// mscp: scp over several ssh connections.
struct Mscp: ShellPeer {
  static let programs = ["mscp", "sshd", "ssh-keygen"]

  let server: ShellServer

  func encrypted(_ race: Race) -> [Contestant] {
    [
      Contestant(
        name: "mscp, aes128-gcm",
        arguments: [
          "mscp", "-q", "-F", server.configuration, "-c", ShellServer.cipher,
          race.source, "far:\(race.target)",
        ],
        ends: .programAndDaemon(server.daemon)
      )
    ]
  }
}

/// tar to tar through ssh.
struct TarOverShell: ShellPeer {
  static let programs = ["tar", "ssh", "sshd", "ssh-keygen"]

  let server: ShellServer

  func encrypted(_ race: Race) -> [Contestant] {
    let script = """
      tar cf - -C "$1" . | ssh -F "$3" -c "$4" far "mkdir '$2' && tar xf - -C '$2'"
      """
    return [
      Contestant(
        name: "tar | ssh, aes128-gcm",
        arguments: [
          "sh", "-c", script, "sh", race.source, race.target, server.configuration,
          ShellServer.cipher,
        ],
        ends: .programAndDaemon(server.daemon)
      )
    ]
  }
}

/// rclone over SFTP, four files at once.
struct RcloneSftp: ShellPeer {
  static let programs = ["rclone", "sshd", "ssh-keygen"]

  let server: ShellServer

  func encrypted(_ race: Race) -> [Contestant] {
    [
      Contestant(
        name: "rclone sftp",
        arguments: [
          "rclone", "copy", "--config", "/dev/null", "--transfers", "4", "--sftp-host",
          "127.0.0.1", "--sftp-port", "\(server.port)", "--sftp-user", ShellServer.user,
          "--sftp-key-file", server.key, "--sftp-disable-hashcheck", race.source,
          ":sftp:\(race.target)",
        ],
        ends: .programAndDaemon(server.daemon)
      )
    ]
  }
}

/// lftp over SFTP, four files at once.
struct LftpSftp: ShellPeer {
  static let programs = ["lftp", "ssh", "sshd", "ssh-keygen"]

  let server: ShellServer

  func encrypted(_ race: Race) -> [Contestant] {
    let shell = "ssh -a -x -F \(server.configuration) -c \(ShellServer.cipher)"
    let settings = "set sftp:connect-program '\(shell)'"
    let mirror = "mirror -R -P 4 --no-perms \(race.source) \(race.target)"
    return [
      Contestant(
        name: "lftp sftp, aes128-gcm",
        arguments: ["lftp", "-c", "\(settings); open sftp://\(ShellServer.user):@far; \(mirror)"],
        ends: .programAndDaemon(server.daemon)
      )
    ]
  }
}
