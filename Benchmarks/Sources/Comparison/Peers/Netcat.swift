/// tar to tar through one bare connection.
struct Netcat: Peer {
  static let programs = ["tar", "nc"]

  init(_ arena: Arena) {}

  func contestants(_ race: Race) -> [Contestant] {
    guard race.protection == .plain, let port = try? LoopbackPort.free() else { return [] }
    // The client tries until the listener is there.
    let script = """
      mkdir "$2" && { nc -l 127.0.0.1 "$3" < /dev/null | tar xf - -C "$2" & }
      until tar cf - -C "$1" . | nc -N 127.0.0.1 "$3" 2> /dev/null; do sleep 0.01; done
      wait
      """
    return [
      Contestant(
        name: "tar | nc",
        arguments: ["sh", "-c", script, "sh", race.source, race.target, "\(port)"],
        ends: .together
      )
    ]
  }
}
