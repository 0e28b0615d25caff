/// lftp to vsftpd: plain FTP, four files at once.
struct Ftp: Peer {
  static let programs = ["lftp", "vsftpd"]

  private let daemon: Daemon
  private let port: Int

  init(_ arena: Arena) throws(HarnessError) {
    port = try LoopbackPort.free()
    let configuration = try arena.stateFile(
      "vsftpd.conf",
      """
      listen=YES
      listen_address=127.0.0.1
      listen_port=\(port)
      background=NO
      run_as_launching_user=YES
      anonymous_enable=YES
      no_anon_password=YES
      anon_root=\(arena.targets)
      allow_writeable_chroot=YES
      write_enable=YES
      anon_upload_enable=YES
      anon_mkdir_write_enable=YES
      anon_other_write_enable=YES
      anon_umask=022
      seccomp_sandbox=NO

      """
    )
    daemon = try Daemon(
      "vsftpd",
      ["vsftpd", configuration],
      port: port,
      log: "\(arena.state)/vsftpd.log"
    )
  }

  func contestants(_ race: Race) -> [Contestant] {
    guard race.protection == .plain else { return [] }
    let mirror = "mirror -R -P 4 --no-perms \(race.source) \(race.targetName)"
    return [
      Contestant(
        name: "lftp mirror -P 4",
        arguments: ["lftp", "-c", "open ftp://127.0.0.1:\(port); \(mirror)"],
        ends: .programAndDaemon(daemon)
      )
    ]
  }
}
