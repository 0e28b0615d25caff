/// What can be put behind another of its kind.
package protocol Joinable: Equatable, Sendable {
  static func += (left: inout Self, right: Self)
}

/// Intervals in the order of time, of which no more are kept than there is room for.
///
/// When it is full, neighbours join, and from then on an interval takes in twice as many looks:
/// however long the transfer, its beginning is told as finely as its end, and no sum changes.
package struct Series<Interval: Joinable>: Equatable, Sendable {
  /// The last one may still grow.
  package private(set) var intervals: [Interval] = []
  private let capacity: Int
  /// How many looks an interval takes in, and how many the last one has.
  private var lookCount = 1
  private var lastLookCount = 1

  /// Begins an empty one.
  ///
  /// - Parameter capacity: intervals that it may hold; even, and at least 2.
  package init(capacity: Int) {
    precondition(capacity >= 2 && capacity.isMultiple(of: 2), "a series of \(capacity) intervals")
    self.capacity = capacity
  }

  /// Puts what happened since the last look at the end.
  package mutating func append(_ interval: Interval) {
    if lastLookCount < lookCount {
      intervals[intervals.count - 1] += interval
      lastLookCount += 1
      return
    }
    if intervals.count == capacity { fold() }
    intervals.append(interval)
    lastLookCount = 1
  }

  /// Joins each interval of an even place with its successor.
  private mutating func fold() {
    intervals = stride(from: 0, to: capacity, by: 2).map { index in
      var joined = intervals[index]
      joined += intervals[index + 1]
      return joined
    }
    lookCount *= 2
  }
}
