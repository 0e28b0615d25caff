/// A fixed number of things that are taken and given back: how many are out bounds what is under
/// way.
///
/// Any thread may take and give. What was given back last is taken first, while it is in the cache.
package final class Pool<Item: Sendable>: Sendable {
  /// The number of items, in the pool and out of it.
  package let count: Int
  private let free: Guarded<[Item]>

  /// Makes a pool of at least one item.
  package init(_ items: [Item]) {
    precondition(!items.isEmpty, "a pool has at least 1 item")
    count = items.count
    free = Guarded(items)
  }

  /// Takes an item, and waits until one is given back where none is left.
  package func take() -> Item {
    guard let item = free.wait(until: { $0.popLast() }) else {
      preconditionFailure("a wait without a deadline ended without an item")
    }
    return item
  }

  /// Gives an item of this pool back.
  package func give(_ item: Item) {
    free.withLockAndSignal { free in
      precondition(free.count < count, "more was given back than taken")
      free.append(item)
    }
  }

  /// The number of items that are not taken.
  package var freeCount: Int { free.withLock { $0.count } }
}
