internal import DTXCore

/// What is about to happen in a simulation.
enum SimulatedEvent: Sendable {
  case sender(SendSession.Event)
  case receiver(ReceiveSession.Event)
  /// A control frame arrives.
  case frame(End, [UInt8])
  /// The control channel ends for this end.
  case hangUp(End)
  case wake(End)
  /// A dial reaches the other end.
  case dialled(ConnectionID)
  /// A connection has proven itself for this end's thread.
  case up(ConnectionID, End)
  /// A connection's thread takes what was loaded.
  case pump(ConnectionID)
  /// A block has left the sender whole.
  case transmitted(ConnectionID, serial: Int)
  case arrived(ConnectionID, Delivery)
  /// The receiver has taken a block from the buffers between the ends.
  case windowOpened(ConnectionID)
  case written(ConnectionID)
  /// This end's thread notices that its connection is gone.
  case broken(ConnectionID, End)
  case commit(CommitStep)

  /// Tells the kinds apart in a trace.
  var code: UInt64 {
    switch self {
    case .sender: 1
    case .receiver: 2
    case .frame(let end, _): 3 + UInt64(end.rawValue) << 8
    case .hangUp(let end): 4 + UInt64(end.rawValue) << 8
    case .wake(let end): 5 + UInt64(end.rawValue) << 8
    case .dialled(let id): 6 + id.code << 8
    case .up(let id, _): 7 + id.code << 8
    case .pump(let id): 8 + id.code << 8
    case .transmitted(let id, _): 9 + id.code << 8
    case .arrived(let id, _): 10 + id.code << 8
    case .windowOpened(let id): 11 + id.code << 8
    case .written(let id): 12 + id.code << 8
    case .broken(let id, _): 13 + id.code << 8
    case .commit: 14
    }
  }
}

extension ConnectionID {
  var code: UInt64 { UInt64(lane) << 32 | UInt64(number) }
}

/// Events by (instant, sequence): what was scheduled first comes first among equals.
struct EventHeap: Sendable {
  struct Item: Sendable {
    var instant: Instant
    var sequence: UInt64
    var event: SimulatedEvent

    static func precedes(_ left: Item, _ right: Item) -> Bool {
      (left.instant, left.sequence) < (right.instant, right.sequence)
    }
  }

  private var items: [Item] = []
  private var nextSequence: UInt64 = 0

  var isEmpty: Bool { items.isEmpty }

  mutating func push(_ event: SimulatedEvent, at instant: Instant) {
    items.append(Item(instant: instant, sequence: nextSequence, event: event))
    nextSequence += 1
    var child = items.count - 1
    while child > 0 {
      let parent = (child - 1) / 2
      guard Item.precedes(items[child], items[parent]) else { break }
      items.swapAt(child, parent)
      child = parent
    }
  }

  mutating func pop() -> Item? {
    guard let first = items.first else { return nil }
    let last = items.removeLast()
    guard !items.isEmpty else { return first }
    items[0] = last
    var parent = 0
    while true {
      var least = parent
      for child in [2 * parent + 1, 2 * parent + 2] where child < items.count {
        if Item.precedes(items[child], items[least]) { least = child }
      }
      if least == parent { return first }
      items.swapAt(parent, least)
      parent = least
    }
  }

  mutating func removeAll() {
    items.removeAll(keepingCapacity: true)
  }
}
