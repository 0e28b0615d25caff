internal import Glibc

/// xrdcp to an xrootd of its own, four files at once.
struct XRootD: Peer {
  static let programs = ["xrdcp", "xrootd"]

  private let daemon: Daemon
  private let port: Int

  init(_ arena: Arena) throws(HarnessError) {
    port = try LoopbackPort.free()
    let configuration = try arena.stateFile(
      "xrootd.conf",
      """
      xrd.port \(port)
      all.export /
      oss.localroot \(arena.targets)
      all.adminpath /tmp
      all.pidpath /tmp

      """
    )
    // It refuses to be root, and a change of user takes the leash off that servers are kept on.
    let user =
      geteuid() == 0
      ? ["setpriv", "--reuid", "nobody", "--clear-groups", "--pdeathsig", "TERM"] : []
    daemon = try Daemon(
      "xrootd",
      user + ["xrootd", "-p", "\(port)", "-c", configuration],
      port: port,
      log: "\(arena.state)/xrootd.log"
    )
  }

  func contestants(_ race: Race) -> [Contestant] {
    guard race.protection == .plain else { return [] }
    // It copies what it is given into a directory that is there, which its user must own or find
    // open.
    let script = """
      mkdir -m 777 "$2" && exec xrdcp -s -f -r --parallel 4 "$1"/* "$3"
      """
    let url = "root://127.0.0.1:\(port)//\(race.targetName)/"
    return [
      Contestant(
        name: "xrdcp --parallel 4",
        arguments: ["sh", "-c", script, "sh", race.source, race.target, url],
        ends: .programAndDaemon(daemon)
      )
    ]
  }
}
