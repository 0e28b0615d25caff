internal import DTXCore

/// The latest connections that were given up before they were here: they are turned away.
///
/// One that still comes is among the latest, and a peer may give up any number: so the oldest one
/// makes room.
struct BarredConnections: Sendable {
  private var members: Set<ConnectionID> = []
  /// The same ones in the order in which they came, from `oldest` on and around.
  private var order: [ConnectionID] = []
  private var oldest = 0

  var count: Int { members.count }

  func contains(_ id: ConnectionID) -> Bool { members.contains(id) }

  mutating func insert(_ id: ConnectionID) {
    guard members.insert(id).inserted else { return }
    guard order.count == Limits.barredConnectionCount else { return order.append(id) }
    members.remove(order[oldest])
    order[oldest] = id
    oldest = (oldest + 1) % order.count
  }
}
