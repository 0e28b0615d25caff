/// rsync to its own daemon.
struct RsyncDaemon: Peer {
  static let programs = ["rsync"]

  private let daemon: Daemon
  private let port: Int

  init(_ arena: Arena) throws(HarnessError) {
    port = try LoopbackPort.free()
    let configuration = try arena.stateFile(
      "rsyncd.conf",
      """
      address = 127.0.0.1
      port = \(port)
      use chroot = no
      [to]
      path = \(arena.targets)
      read only = no
      uid = root
      gid = root

      """
    )
    daemon = try Daemon(
      "rsync",
      ["rsync", "--daemon", "--no-detach", "--config=\(configuration)"],
      port: port,
      log: "\(arena.state)/rsyncd.log"
    )
  }

  func contestants(_ race: Race) -> [Contestant] {
    guard race.protection == .plain else { return [] }
    let target = "rsync://127.0.0.1:\(port)/to/\(race.targetName)/"
    return [
      Contestant(
        name: "rsync daemon",
        arguments: ["rsync", "-a", "-W", "\(race.source)/", target],
        ends: .programAndDaemon(daemon)
      )
    ]
  }
}
