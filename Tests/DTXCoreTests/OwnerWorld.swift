import DTXCore

/// Hosts that want one destination, whose every next step may come at any time or never.
///
/// What a call does to the files is one step; between listing and reading them others get their
/// turn. A host that takes no step for long is one whose network is cut, or that sleeps.
struct OwnerWorld: Hashable {
  /// What a host does.
  enum Stage: Hashable {
    case claiming(OwnerClaiming, Task)
    case owning(OwnerHold, beat: UInt8, Beating)
    /// Released, refused or dead.
    case over
  }

  enum Task: Hashable {
    case next(OwnerClaiming.Action)
    /// Files that are listed and still to be read, and those that were.
    case reading([UInt64], [OwnerClaiming.Sighting])
  }

  /// The parts of a sign of life.
  enum Beating: Hashable {
    case idle
    case reading([UInt64], [OwnerClaiming.Sighting], from: UInt64?)
    case writing
  }

  struct File: Hashable {
    var number: UInt64
    var owner: Int
    var beat: UInt8
    var isReleased: Bool
  }

  static let timing = OwnerTiming(beat: 0, lease: 1, patience: 2, pause: 0)

  var files: [File]
  var hosts: [Stage]
  var isDead: [Bool]
  var now: UInt64 = 0
  /// The moment from which each host's file has been its own.
  var starts: [UInt64]
  /// Whether all are processes of one host, which can see whether another has died.
  let seesDeaths: Bool

  /// - Parameters:
  ///   - hostCount: of those who want the destination.
  ///   - seesDeaths: whether all are processes of one host.
  ///   - abandoned: whether somebody left a file and is not there any more.
  init(hostCount: Int, seesDeaths: Bool, abandoned: Bool) {
    self.seesDeaths = seesDeaths
    let stranger = hostCount
    files = abandoned ? [File(number: 1, owner: stranger, beat: 0, isReleased: false)] : []
    hosts = (0..<hostCount).map { host in
      let claiming = OwnerClaiming(claim: UInt64(host), Self.timing)
      return .claiming(claiming, .next(claiming.begin()))
    }
    isDead = Array(repeating: false, count: hostCount)
    starts = Array(repeating: 0, count: hostCount)
  }

  /// Hosts that may publish at this moment.
  var publishers: [Int] {
    hosts.indices.filter { host in
      guard case .owning(let hold, _, _) = hosts[host], !isDead[host] else { return false }
      return hold.holds(at: now)
    }
  }

  /// All worlds that can follow, but for a longer time than is of interest.
  func followers(until end: UInt64, beats: UInt8, deaths: Int) -> [OwnerWorld] {
    var worlds: [OwnerWorld] = []
    if now < end {
      var later = self
      later.now += 1
      worlds.append(later)
    }
    for host in hosts.indices where !isDead[host] && hosts[host] != .over {
      worlds += stepping(host, beats: beats)
      if isDead.count(where: { $0 }) < deaths {
        var dying = self
        dying.isDead[host] = true
        worlds.append(dying)
      }
    }
    return worlds
  }

  private func stepping(_ host: Int, beats: UInt8) -> [OwnerWorld] {
    switch hosts[host] {
    case .over:
      return []
    case .claiming(var claiming, .reading(let unread, let read)):
      let (rest, sightings) = reading(unread, read)
      guard rest.isEmpty else {
        return [with(host, .claiming(claiming, .reading(rest, sightings)))]
      }
      let action = claiming.saw(sightings, at: now)
      return [with(host, .claiming(claiming, .next(action)))]
    case .claiming(let claiming, .next(let action)):
      return [claim(host, claiming, action)]
    case .owning(var hold, let beat, .idle):
      var world = self
      guard let index = files.firstIndex(where: { $0.owner == host && $0.number == hold.number })
      else { return [] }
      world.files[index].isReleased = true
      world.hosts[host] = .over
      guard beat < beats else { return [world] }
      let numbers = files.map(\.number)
      if numbers.isEmpty { _ = hold.isSupported(by: []) }
      return [
        world, with(host, .owning(hold, beat: beat, .reading(numbers, [], from: nil))),
      ]
    case .owning(var hold, let beat, .reading(let unread, let read, let start)):
      let (rest, sightings) = reading(unread, read)
      guard rest.isEmpty else {
        return [with(host, .owning(hold, beat: beat, .reading(rest, sightings, from: start)))]
      }
      let isSupported = hold.isSupported(by: sightings)
      if let start, isSupported { hold.renew(from: start) }
      let goesOn = isSupported && start == nil
      return [with(host, .owning(hold, beat: beat, goesOn ? .writing : .idle))]
    case .owning(let hold, let beat, .writing):
      var world = self
      world.hosts[host] = .owning(hold, beat: beat + 1, .idle)
      guard let index = files.firstIndex(where: { $0.number == hold.number }) else {
        return [world]
      }
      // Whoever has made a file of this number meanwhile has it overwritten.
      world.files[index].owner = host
      world.files[index].beat = beat + 1
      let numbers = world.files.map(\.number)
      world.hosts[host] = .owning(hold, beat: beat + 1, .reading(numbers, [], from: now))
      return [world]
    }
  }

  private func claim(
    _ host: Int,
    _ before: OwnerClaiming,
    _ action: OwnerClaiming.Action
  ) -> OwnerWorld {
    var claiming = before
    var world = self
    switch action {
    case .look, .rest:
      let numbers = files.map(\.number)
      guard !numbers.isEmpty else {
        let next = claiming.saw([], at: now)
        return with(host, .claiming(claiming, .next(next)))
      }
      return with(host, .claiming(claiming, .reading(numbers, [])))
    case .make(let number):
      let isMade = !files.contains { $0.number == number }
      if isMade {
        world.files.append(File(number: number, owner: host, beat: 0, isReleased: false))
        world.files.sort { $0.number < $1.number }
        world.starts[host] = now
      }
      let next = claiming.made(isMade)
      world.hosts[host] = .claiming(claiming, .next(next))
    case .withdraw(let number):
      world.files.removeAll { $0.number == number }
      let next = claiming.removed()
      world.hosts[host] = .claiming(claiming, .next(next))
    case .clear(let number):
      world.files.removeAll { $0.number < number }
      let next = claiming.removed()
      world.hosts[host] = .claiming(claiming, .next(next))
    case .claimed(let number):
      let hold = OwnerHold(number: number, claim: UInt64(host), from: starts[host], Self.timing)
      world.hosts[host] = .owning(hold, beat: 0, .idle)
    case .held:
      world.hosts[host] = .over
    }
    return world
  }

  /// Reads the next of the listed files.
  private func reading(
    _ unread: [UInt64],
    _ read: [OwnerClaiming.Sighting]
  ) -> ([UInt64], [OwnerClaiming.Sighting]) {
    guard let number = unread.first else { return ([], read) }
    let found = files.first { $0.number == number }.map { file in
      OwnerClaiming.Sighting(
        number: number,
        line: [UInt8(file.owner), file.beat, file.isReleased ? 1 : 0],
        claim: UInt64(file.owner),
        isOver: file.isReleased
          || seesDeaths && (file.owner == hosts.count || isDead[file.owner])
      )
    }
    return (Array(unread.dropFirst()), read + [found ?? .gone(number)])
  }

  private func with(_ host: Int, _ stage: Stage) -> OwnerWorld {
    var world = self
    world.hosts[host] = stage
    return world
  }
}
