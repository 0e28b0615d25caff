/// rclone to rclone, over WebDAV, four files at once.
struct WebDAV: Peer {
  static let programs = ["rclone"]

  private let daemon: Daemon
  private let port: Int

  init(_ arena: Arena) throws(HarnessError) {
    port = try LoopbackPort.free()
    daemon = try Daemon(
      "rclone",
      [
        "rclone", "serve", "webdav", arena.targets, "--addr", "127.0.0.1:\(port)",
        "--config", "/dev/null",
        // What it has seen is removed behind its back, round by round; none at all would make it
        // list a directory again for each file.
        "--dir-cache-time", "1s",
      ],
      port: port,
      log: "\(arena.state)/rclone.log"
    )
  }

  func contestants(_ race: Race) -> [Contestant] {
    // The server looks through a directory for each file that comes: of thousands that takes
    // minutes, and a figure that is no news.
    guard race.protection == .plain, !race.dataset.countsFiles else { return [] }
    return [
      Contestant(
        name: "rclone webdav",
        arguments: [
          "rclone", "copy", "--config", "/dev/null", "--transfers", "4",
          "--webdav-url", "http://127.0.0.1:\(port)", race.source, ":webdav:\(race.targetName)",
        ],
        ends: .programAndDaemon(daemon)
      )
    ]
  }
}
