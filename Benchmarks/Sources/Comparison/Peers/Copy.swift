/// `cp -a`: one process, one copy of each byte, nothing checked.
struct Copy: Peer {
  static let programs = ["cp"]

  init(_ arena: Arena) {}

  func contestants(_ race: Race) -> [Contestant] {
    guard race.protection == .plain else { return [] }
    return [
      Contestant(name: "cp -a", arguments: ["cp", "-a", race.source, race.target], ends: .together)
    ]
  }
}
