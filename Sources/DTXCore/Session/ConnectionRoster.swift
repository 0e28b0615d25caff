/// The connections that serve the lanes: which are up, which this end must dial, and when.
///
/// A connection that breaks is dialled again with a delay that doubles. Numbers only rise within a
/// lane, so that an old connection can never be taken for a new one.
package struct ConnectionRoster: Sendable {
  /// The first pause before dialling again, and the longest.
  private static let firstPause = 100 * Duration.millisecond
  private static let longestPause = 5 * Duration.second

  private struct Slot: Sendable {
    var lane: Int
    var state: State
    var failures: UInt64 = 0

    enum State: Equatable, Sendable {
      case waiting(until: Instant)
      case dialling(ConnectionID)
      case up(ConnectionID)
    }
  }

  private let dials: Bool
  private var slots: [Slot] = []
  private var nextNumber: [UInt32]
  /// Connections that are up, ascending.
  package private(set) var up: [ConnectionID] = []
  /// For each lane, since when none of its connections is up.
  private var downSince: [Instant?]
  package private(set) var lossCount = 0
  /// The latest reason why a connection ended or could not be opened.
  package private(set) var latestReason = "none was opened"

  /// - Parameters:
  ///   - lanes: each with its number of connections.
  ///   - dials: whether this end dials; the other one listens.
  ///   - now: when the session began.
  package init(lanes: [Lane], dials: Bool, now: Instant) {
    self.dials = dials
    nextNumber = Array(repeating: 1, count: lanes.count)
    downSince = lanes.map { _ in now }
    guard dials else { return }
    for (index, lane) in lanes.enumerated() {
      for _ in 0..<lane.connectionCount {
        slots.append(Slot(lane: index, state: .waiting(until: now)))
      }
    }
  }

  /// Connections to dial now; each is to be answered with `opened` or `failed`.
  package mutating func takeDue(at now: Instant) -> [ConnectionID] {
    var due: [ConnectionID] = []
    for index in slots.indices {
      guard case .waiting(let until) = slots[index].state, until <= now else { continue }
      let lane = slots[index].lane
      let connection = ConnectionID(lane: lane, number: nextNumber[lane])
      nextNumber[lane] += 1
      slots[index].state = .dialling(connection)
      due.append(connection)
    }
    return due
  }

  package mutating func opened(_ connection: ConnectionID) {
    if let index = slot(of: connection) {
      slots[index].state = .up(connection)
      slots[index].failures = 0
    }
    if !up.contains(connection) {
      up.append(connection)
      up.sort()
    }
    downSince[connection.lane] = nil
  }

  /// A connection could not be opened, or is gone.
  ///
  /// - Returns: whether it was up.
  @discardableResult
  package mutating func lost(_ connection: ConnectionID, reason: String, at now: Instant) -> Bool {
    latestReason = reason
    if let index = slot(of: connection) {
      let doublings = min(slots[index].failures, 6)
      let pause = min(
        ConnectionRoster.firstPause << doublings,
        ConnectionRoster.longestPause
      )
      slots[index].failures += 1
      slots[index].state = .waiting(until: now + pause)
    }
    guard let index = up.firstIndex(of: connection) else { return false }
    up.remove(at: index)
    lossCount += 1
    if !up.contains(where: { $0.lane == connection.lane }) { downSince[connection.lane] = now }
    return true
  }

  /// A lane's latest connection was lost so long after it had carried anything.
  mutating func fellSilent(_ lane: Int, before nanoseconds: UInt64) {
    downSince[lane] = downSince[lane].map { since in
      Instant(nanoseconds: since.nanoseconds - min(nanoseconds, since.nanoseconds))
    }
  }

  /// Since when no connection of any of these lanes is up; nil while one is.
  package func downSince(_ lanes: some Sequence<Int>) -> Instant? {
    var latest: Instant?
    for lane in lanes {
      guard let since = downSince[lane] else { return nil }
      latest = latest.map { max($0, since) } ?? since
    }
    return latest
  }

  /// Since when no connection of any lane is up; nil while one is.
  package var downSinceAll: Instant? { downSince(downSince.indices) }

  /// When a connection is to be dialled.
  package var nextDial: Instant? {
    var earliest: Instant?
    for slot in slots {
      guard case .waiting(let until) = slot.state else { continue }
      earliest = earliest.map { min($0, until) } ?? until
    }
    return earliest
  }

  private func slot(of connection: ConnectionID) -> Int? {
    slots.firstIndex {
      $0.state == .dialling(connection) || $0.state == .up(connection)
    }
  }
}
