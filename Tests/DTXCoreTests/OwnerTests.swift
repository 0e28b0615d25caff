import DTXCore
import Testing

@Suite struct OwnerTests {
  static let record = OwnerRecord(
    claim: 0xfeed_face_cafe_beef,
    process: OwnerProcess(
      boot: "5b2a3c1e-0d5f-4f3a-9a55-0f6a4e6f7d21",
      namespace: 4_026_531_836,
      number: 4711,
      started: 123_456
    ),
    host: "tape7.example.org",
    since: 1_700_000_000_000_000_000,
    beat: 42,
    state: .peerGone
  )

  // MARK: - The record

  @Test func aLineIsReadAsItWasWritten() {
    for state in OwnerRecord.State.allCases {
      var record = Self.record
      record.state = state
      #expect(OwnerRecord(record.line) == record)
    }
    #expect(Self.record.line.count == 512)
    let text = "pid=4711 host=tape7.example.org since=1700000000000000000 state=peer-gone "
    #expect(Self.record.line.starts(with: Array(text.utf8)))
  }

  @Test func noPartOfALineIsOne() {
    let line = Self.record.line
    for count in 0..<line.count { #expect(OwnerRecord(Array(line.prefix(count))) == nil) }
    #expect(OwnerRecord(line + line) == nil)
    #expect(OwnerRecord(Array(repeating: 0, count: 512)) == nil)
    for index in line.indices where line[index] == UInt8(ascii: "=") {
      var other = line
      other[index] = UInt8(ascii: "-")
      #expect(OwnerRecord(other) == nil, "\(index)")
    }
  }

  @Test func aLongHostStillFits() {
    var record = Self.record
    record.host = String(repeating: "\\xff", count: 64)
    record.claim = .max
    record.beat = .max
    record.since = .min
    record.process.number = .min
    record.process.started = .max
    record.process.namespace = .max
    #expect(OwnerRecord(record.line) == record)
  }

  @Test(arguments: [1, 9, 10, OwnerRecord.maximumNumber - 1])
  func aNumberHasOneName(number: UInt64) {
    #expect(OwnerRecord.number(ofName: OwnerRecord.name(number)) == number)
  }

  @Test(arguments: ["owner", "owner.", "owner.01", "owner.+1", "owner.-1", "owner.1x", "lock"])
  func otherNamesAreNone(name: String) {
    #expect(OwnerRecord.number(ofName: Array(name.utf8)) == nil)
    #expect(OwnerRecord.number(ofName: OwnerRecord.name(OwnerRecord.maximumNumber)) == nil)
  }

  @Test func onlyAProcessOfThisBootAndNamespaceIsVisible() {
    let process = Self.record.process
    #expect(process.isVisible(from: process))
    var other = process
    other.number = 1
    #expect(process.isVisible(from: other))
    other.namespace += 1
    #expect(!process.isVisible(from: other))
    other = process
    other.boot = "00000000-0000-4000-8000-000000000000"
    #expect(!process.isVisible(from: other))
    var unknown = process
    unknown.boot = ""
    #expect(!unknown.isVisible(from: unknown))
  }

  // MARK: - The hold

  private static func sighting(
    _ number: UInt64,
    claim: UInt64?
  ) -> OwnerClaiming.Sighting {
    OwnerClaiming.Sighting(number: number, line: [], claim: claim, isOver: false)
  }

  @Test func withoutASignOfLifeTheLeaseEnds() {
    let timing = OwnerTiming.standard
    let start: UInt64 = 1000
    var hold = OwnerHold(number: 1, claim: 7, from: start, timing)
    #expect(hold.holds(at: start + timing.lease - 1))
    #expect(!hold.holds(at: start + timing.lease))
    hold.renew(from: start + 10)
    #expect(hold.holds(at: start + timing.lease + 9))
    // An older sign that took longer to be written takes nothing back.
    hold.renew(from: start + 5)
    #expect(hold.holds(at: start + timing.lease + 9))
  }

  @Test func aHigherNumberMayBeWithdrawnAndALostFileIsLostForGood() {
    var hold = OwnerHold(number: 2, claim: 7, from: 0, .standard)
    let looks: [([OwnerClaiming.Sighting], Bool)] = [
      ([Self.sighting(2, claim: 7), Self.sighting(1, claim: 1)], true),
      ([Self.sighting(2, claim: 7), Self.sighting(3, claim: nil)], false),
      ([Self.sighting(2, claim: nil)], true),
    ]
    for (sightings, isExpected) in looks {
      let isSupported = hold.isSupported(by: sightings)
      #expect(isSupported == isExpected)
      #expect(!hold.isLost && hold.holds(at: 1))
    }
    for lost in [[], [.gone(2)], [Self.sighting(2, claim: 8)]] as [[OwnerClaiming.Sighting]] {
      var other = hold
      let looks = [lost, [Self.sighting(2, claim: 7)]].map { other.isSupported(by: $0) }
      #expect(looks == [false, false])
      #expect(other.isLost && !other.holds(at: 1))
    }
  }

  // MARK: - The worlds

  /// Every order of the steps of several hosts, with deaths and pauses of any length anywhere.
  ///
  /// - Returns: how many worlds there are, in how many somebody may publish, and the shortest way to
  ///   one in which two may, as text.
  private func explore(
    _ start: OwnerWorld,
    until end: UInt64,
    beats: UInt8,
    deaths: Int
  ) -> (worldCount: Int, publisherCount: Int, problem: String?) {
    var seen: Set<OwnerWorld> = [start]
    var ways: [(world: OwnerWorld, before: Int?)] = [(start, nil)]
    var publisherCount = 0
    var index = 0
    while index < ways.count {
      let world = ways[index].world
      if !world.publishers.isEmpty { publisherCount += 1 }
      if world.publishers.count > 1 {
        let way = sequence(first: index) { ways[$0].before }.map { "\(ways[$0].world)" }
        return (ways.count, publisherCount, way.reversed().joined(separator: "\n"))
      }
      for next in world.followers(until: end, beats: beats, deaths: deaths)
      where seen.insert(next).inserted { ways.append((next, index)) }
      index += 1
    }
    return (ways.count, publisherCount, nil)
  }

  @Test(arguments: [false, true], [false, true])
  func noTwoHostsMayPublishAtOnce(seesDeaths: Bool, abandoned: Bool) {
    let found = explore(
      OwnerWorld(hostCount: 2, seesDeaths: seesDeaths, abandoned: abandoned),
      until: 5,
      beats: 2,
      deaths: 1
    )
    #expect(found.problem == nil)
    #expect(found.publisherCount > 10_000)
    print("\(found.worldCount) worlds of two hosts")
  }

  @Test(arguments: [false, true])
  func noTwoOfThreeHostsMayPublishAtOnce(abandoned: Bool) {
    let found = explore(
      OwnerWorld(hostCount: 3, seesDeaths: false, abandoned: abandoned),
      until: 2,
      beats: 0,
      deaths: 0
    )
    #expect(found.problem == nil)
    #expect(found.publisherCount > 1000)
    print("\(found.worldCount) worlds of three hosts")
  }
}
