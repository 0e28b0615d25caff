internal import DTXCore

/// Events by (instant, sequence): what was scheduled first comes first among equals.
struct EventHeap<Event: Sendable>: Sendable {
  struct Item: Sendable {
    var instant: Instant
    var sequence: UInt64
    var event: Event

    static func precedes(_ left: Item, _ right: Item) -> Bool {
      (left.instant, left.sequence) < (right.instant, right.sequence)
    }
  }

  private var items: [Item] = []
  private var nextSequence: UInt64 = 0

  /// When the next event is due.
  var nextInstant: Instant? { items.first?.instant }

  mutating func push(_ event: Event, at instant: Instant) {
    let item = Item(instant: instant, sequence: nextSequence, event: event)
    nextSequence += 1
    items.append(item)
    var child = items.count - 1
    while child > 0 {
      let parent = (child - 1) / 2
      guard Item.precedes(item, items[parent]) else { break }
      items[child] = items[parent]
      child = parent
    }
    items[child] = item
  }

  mutating func pop() -> Item? {
    guard let first = items.first else { return nil }
    let last = items.removeLast()
    guard !items.isEmpty else { return first }
    var parent = 0
    while true {
      var child = 2 * parent + 1
      guard child < items.count else { break }
      if child + 1 < items.count, Item.precedes(items[child + 1], items[child]) { child += 1 }
      guard Item.precedes(items[child], last) else { break }
      items[parent] = items[child]
      parent = child
    }
    items[parent] = last
    return first
  }

  mutating func removeAll() {
    items.removeAll(keepingCapacity: true)
  }
}
