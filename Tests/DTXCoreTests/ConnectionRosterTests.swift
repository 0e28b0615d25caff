import DTXCore
import Testing

@Suite struct ConnectionRosterTests {
  private let lanes = [1, 2].map { count in
    Lane(contract: .bestEffort, rate: nil, connectionCount: count)
  }

  private func at(_ milliseconds: UInt64) -> Instant {
    Instant(nanoseconds: milliseconds * Duration.millisecond)
  }

  @Test("the initiator dials every connection at once, and the responder none")
  func dialsAtOnce() {
    var initiator = ConnectionRoster(lanes: lanes, dials: true, now: at(0))
    let expected = [
      ConnectionID(lane: 0, number: 1), ConnectionID(lane: 1, number: 1),
      ConnectionID(lane: 1, number: 2),
    ]
    #expect(initiator.takeDue(at: at(0)) == expected)
    #expect(initiator.takeDue(at: at(0)).isEmpty)
    #expect(initiator.nextDial == nil)
    var responder = ConnectionRoster(lanes: lanes, dials: false, now: at(0))
    #expect(responder.takeDue(at: at(0)).isEmpty)
  }

  @Test("the pause before another dial doubles, up to five seconds")
  func backsOff() throws {
    var roster = ConnectionRoster(lanes: Array(lanes.prefix(1)), dials: true, now: at(0))
    var now = at(0)
    var pauses: [UInt64] = []
    for number in UInt32(1)...9 {
      let due = roster.takeDue(at: now)
      #expect(due == [ConnectionID(lane: 0, number: number)])
      roster.lost(due[0], reason: "refused", at: now)
      let next = try #require(roster.nextDial)
      #expect(roster.takeDue(at: Instant(nanoseconds: next.nanoseconds - 1)).isEmpty)
      pauses.append(next.since(now) / Duration.millisecond)
      now = next
    }
    #expect(pauses == [100, 200, 400, 800, 1600, 3200, 5000, 5000, 5000])
    #expect(roster.latestReason == "refused")
  }

  @Test("a connection that was up begins with the shortest pause")
  func forgetsFailures() {
    var roster = ConnectionRoster(lanes: Array(lanes.prefix(1)), dials: true, now: at(0))
    let first = roster.takeDue(at: at(0))[0]
    roster.lost(first, reason: "", at: at(0))
    let second = roster.takeDue(at: at(100))[0]
    roster.opened(second)
    let wasUp = roster.lost(second, reason: "", at: at(1000))
    #expect(wasUp)
    #expect(roster.nextDial == at(1100))
    #expect(roster.lossCount == 1)
  }

  @Test("numbers only rise, and a connection ends once")
  func numbersRise() {
    var roster = ConnectionRoster(lanes: lanes, dials: true, now: at(0))
    var latest: [UInt32] = [0, 0]
    for round in UInt64(1)...20 {
      let now = at(round * 6000)
      for connection in roster.takeDue(at: now) {
        #expect(connection.number > latest[connection.lane])
        latest[connection.lane] = connection.number
        roster.opened(connection)
        #expect(roster.up.contains(connection))
        let wasUp = roster.lost(connection, reason: "", at: now)
        let again = roster.lost(connection, reason: "", at: now)
        #expect(wasUp && !again)
      }
      #expect(roster.up.isEmpty)
    }
  }

  @Test("a lane is down since its last connection went, and all are since the last of all")
  func knowsSilence() {
    var roster = ConnectionRoster(lanes: lanes, dials: false, now: at(0))
    #expect(roster.downSinceAll == at(0))
    let connections = [(0, 1), (1, 1), (1, 2)].map { lane, number in
      ConnectionID(lane: lane, number: UInt32(number))
    }
    for connection in connections { roster.opened(connection) }
    #expect(roster.downSinceAll == nil)
    roster.lost(connections[1], reason: "", at: at(10))
    #expect(roster.downSince([1]) == nil)
    roster.lost(connections[2], reason: "", at: at(20))
    #expect(roster.downSince([1]) == at(20))
    #expect(roster.downSince([0, 1]) == nil)
    roster.lost(connections[0], reason: "", at: at(30))
    #expect(roster.downSince([0]) == at(30))
    #expect(roster.downSinceAll == at(30))
    roster.opened(ConnectionID(lane: 1, number: 3))
    #expect(roster.downSinceAll == nil)
    #expect(roster.downSince([0]) == at(30))
  }
}
