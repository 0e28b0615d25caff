/// What the others are compared with: dtx itself, and the ceiling program.
package struct House {
  private let dtx: String
  private let ceiling: String
  private let arena: Arena
  private let extraArguments: [String]
  /// What `dtx push --help` says: an older dtx lacks some flags.
  private let help: String

  package static let ceilingName = "ceiling"
  package static let dtxName = "dtx"

  /// Makes the two.
  ///
  /// - Parameters:
  ///   - dtx: the program's path.
  ///   - ceiling: the ceiling program's path.
  ///   - arena: where dtx keeps what it remembers.
  ///   - extraArguments: flags for `dtx push`.
  /// - Throws: when dtx cannot be started.
  package init(
    dtx: String,
    ceiling: String,
    arena: Arena,
    extraArguments: [String]
  ) throws(HarnessError) {
    self.dtx = dtx
    self.ceiling = ceiling
    self.arena = arena
    self.extraArguments = extraArguments
    let log = "\(arena.state)/dtx-help"
    _ = Spawning.wait(try Spawning.start([dtx, "push", "--help"], output: log))
    help = MachineFile.text(log)
  }

  package func contestants(_ race: Race) -> [Contestant] {
    let sealed = race.protection == .encrypted ? ["--sealed"] : []
    return [
      Contestant(
        name: House.ceilingName,
        arguments: [ceiling] + sealed + [race.source, race.target],
        ends: .programAndChildren
      ),
      push(House.dtxName, [], race),
    ] + compressing(race)
  }

  /// Noise is there to be compressed: with and without, unpaced and on a lane where it pays.
  private func compressing(_ race: Race) -> [Contestant] {
    guard race.dataset.name == .noise, help.contains("--compress ") else { return [] }
    return [
      push("dtx --compress off", ["--compress", "off"], race),
      push("dtx --compress auto", ["--compress", "auto"], race),
      push("dtx off, 1 Gb/s", ["--compress", "off", "--lanes", "1", "--rate", "1G"], race),
      push("dtx auto, 1 Gb/s", ["--compress", "auto", "--lanes", "1", "--rate", "1G"], race),
    ]
  }

  private func push(_ name: String, _ flags: [String], _ race: Race) -> Contestant {
    let cipher = race.protection.cipher
    return Contestant(
      name: name,
      arguments: [dtx, "push", "--json", "--cipher", cipher] + flags + extraArguments
        + ["\(race.source)/", "\(race.target)/"],
      environment: ["XDG_STATE_HOME": "\(arena.state)/dtx"],
      ends: .programAndChildren,
      sign: "\"cipher\":\"\(cipher)\""
    )
  }

  /// What dtx remembers of a run would help the next.
  func forget() {
    MachineFile.remove("\(arena.state)/dtx")
  }
}
