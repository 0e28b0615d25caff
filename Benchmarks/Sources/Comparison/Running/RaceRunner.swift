internal import Glibc

/// Runs the contestants of a race in turn, several rounds.
package final class RaceRunner {
  private let arena: Arena
  private let house: House
  private let peers: Peers
  private let options: Options
  private let work: WorkFileSystem

  package struct Options: Sendable {
    package var roundCount: Int
    package var usesKeeper: Bool
    /// Contestants whose names hold one of these; all when empty.
    package var only: [String]

    package init(roundCount: Int, usesKeeper: Bool, only: [String]) {
      self.roundCount = roundCount
      self.usesKeeper = usesKeeper
      self.only = only
    }
  }

  /// Says what happens, while it does.
  private let note: (String) -> Void

  package init(
    arena: Arena,
    house: House,
    peers: Peers,
    options: Options,
    note: @escaping (String) -> Void
  ) {
    self.arena = arena
    self.house = house
    self.peers = peers
    self.options = options
    self.note = note
    work = WorkFileSystem(at: arena.root)
  }

  /// Makes a dataset, runs its races, removes it.
  package func run(
    _ dataset: Dataset,
    _ protections: [Race.Protection],
    report: (RaceResult) -> Void
  ) throws(HarnessError) {
    let source = "\(arena.sources)/\(dataset.name.rawValue)"
    try MachineFile.makeDirectory(source)
    defer { MachineFile.remove(source) }
    note("making \(dataset.name.rawValue): \(dataset.summary)")
    try DatasetWriter(dataset).write(below: source)
    for protection in protections {
      let race = Race(
        dataset: dataset,
        protection: protection,
        source: source,
        target: "\(arena.targets)/copy",
        targetName: "copy"
      )
      report(run(race))
    }
  }

  /// Round by round, so that what changes on the machine meets all contestants alike; every other
  /// round from the last one to the first, so that nobody always follows the same one.
  private func run(_ race: Race) -> RaceResult {
    let contestants = (house.contestants(race) + peers.contestants(race)).filter { contestant in
      options.only.isEmpty || options.only.contains { contestant.name.contains($0) }
    }
    var result = RaceResult(
      dataset: race.dataset.name.rawValue,
      protection: race.protection.rawValue,
      fileCount: race.dataset.fileCount,
      byteCount: race.dataset.byteCount,
      isKept: isKept(race.dataset),
      contestants: contestants.map { ContestantResult(name: $0.name) }
    )
    if work.isMemory, options.usesKeeper, !result.isKept {
      note("too little memory is free to keep it warm: these numbers are the host's too")
    }
    for round in 0...options.roundCount {
      let turns = contestants.indices
      for index in round.isMultiple(of: 2) ? Array(turns) : turns.reversed()
      where result.contestants[index].failure == nil {
        let contestant = contestants[index]
        do throws(HarnessError) {
          let measured = try measure(contestant, race, isKept: result.isKept, isFirst: round == 0)
          let seconds = Quantity.fixed(measured.seconds, 2)
          note("\(race.name), round \(round): \(contestant.name) \(seconds) s")
          if round > 0 { result.contestants[index].rounds.append(measured) }
        } catch {
          note("\(race.name): \(error)")
          result.contestants[index].failure = error.description
          result.contestants[index].rounds = []
        }
      }
    }
    for index in contestants.indices { result.contestants[index].settle() }
    return result
  }

  private func measure(
    _ contestant: Contestant,
    _ race: Race,
    isKept: Bool,
    isFirst: Bool
  ) throws(HarnessError) -> Measurement {
    MachineFile.remove(race.target)
    house.forget()
    defer {
      MachineFile.remove(race.target)
      house.forget()
    }
    // On a disk, what earlier runs left to be written is no business of this one.
    if !work.isMemory { sync() }
    let keeper = isKept ? try Keeper(byteCount: keptByteCount(race.dataset), path: arena.root) : nil
    let log = "\(arena.state)/output"
    MachineFile.remove(log)
    let measured = try Measurement.run(contestant, keeper: keeper, log: log)
    if let sign = contestant.sign, !MachineFile.text(log).contains(sign) {
      throw HarnessError("\(contestant.name): it did something else, without \(sign)")
    }
    let writer = DatasetWriter(race.dataset)
    if let difference = isFirst
      ? writer.difference(below: race.target) : writer.wrongLength(below: race.target)
    {
      throw HarnessError("\(contestant.name): \(difference)")
    }
    return measured
  }

  /// What a run fills: its files, their inodes, and room for what the programs themselves take.
  private func keptByteCount(_ dataset: Dataset) -> Int {
    dataset.byteCount + dataset.fileCount * 4096 + 256 << 20
  }

  private func isKept(_ dataset: Dataset) -> Bool {
    work.isMemory && options.usesKeeper
      && Machine.availableByteCount > keptByteCount(dataset) + 512 << 20
  }
}
