/// globus-url-copy to a GridFTP server, unauthenticated, with its usual four streams.
struct Globus: Peer {
  static let programs = ["globus-url-copy", "globus-gridftp-server"]

  private let daemon: Daemon
  private let port: Int

  init(_ arena: Arena) throws(HarnessError) {
    port = try LoopbackPort.free()
    daemon = try Daemon(
      "globus-gridftp-server",
      [
        "globus-gridftp-server", "-p", "\(port)", "-aa", "-anonymous-user", "root",
        "-allow-root", "-control-interface", "127.0.0.1", "-data-interface", "127.0.0.1",
      ],
      port: port,
      log: "\(arena.state)/globus.log"
    )
  }

  func contestants(_ race: Race) -> [Contestant] {
    guard race.protection == .plain else { return [] }
    // Many small files go over several control channels, with their commands pipelined.
    let small = race.dataset.countsFiles ? ["-cc", "4", "-pp"] : []
    return [
      Contestant(
        name: race.dataset.countsFiles ? "globus-url-copy -cc 4 -pp" : "globus-url-copy -p 4",
        arguments: ["globus-url-copy", "-q", "-cd", "-r"]
          + (small.isEmpty ? ["-fast", "-p", "4"] : small)
          + ["file://\(race.source)/", "ftp://127.0.0.1:\(port)\(race.target)/"],
        ends: .programAndDaemon(daemon)
      )
    ]
  }
}
