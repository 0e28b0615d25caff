/// A fixed number of bits: which extents are wanted, which are durable.
package struct BitSet: Equatable, Sendable {
  package let count: Int
  private var words: [UInt64]

  package init(count: Int, filled: Bool = false) {
    precondition(count >= 0, "a set has no negative size")
    self.count = count
    words = Array(repeating: filled ? .max : 0, count: (count + 63) / 64)
    if filled, count % 64 != 0, let last = words.indices.last {
      words[last] = (1 << UInt64(count % 64)) - 1
    }
  }

  package subscript(index: Int) -> Bool {
    get {
      precondition(index >= 0 && index < count, "bit \(index) of \(count)")
      return words[index / 64] >> UInt64(index % 64) & 1 == 1
    }
    set {
      precondition(index >= 0 && index < count, "bit \(index) of \(count)")
      if newValue {
        words[index / 64] |= 1 << UInt64(index % 64)
      } else {
        words[index / 64] &= ~(1 << UInt64(index % 64))
      }
    }
  }

  /// How many bits are set.
  package var population: Int {
    words.reduce(0) { $0 + $1.nonzeroBitCount }
  }

  package var isEmpty: Bool {
    words.allSatisfy { $0 == 0 }
  }

  /// The first index at or after `start` whose bit is `value`.
  package func next(from start: Int, where value: Bool) -> Int? {
    first(in: start..<max(start, count), where: value)
  }

  /// The first index of a range whose bit is `value`; its cost is the range's, not the set's.
  private func first(in range: Range<Int>, where value: Bool) -> Int? {
    var index = range.lowerBound
    while index < range.upperBound {
      let word = value ? words[index / 64] : ~words[index / 64]
      let rest = word >> UInt64(index % 64)
      if rest != 0 {
        let found = index + rest.trailingZeroBitCount
        return found < range.upperBound ? found : nil
      }
      index = (index / 64 + 1) * 64
    }
    return nil
  }

  /// The set bits of a range as maximal runs, ascending.
  package func runs(in range: Range<Int>) -> [Range<Int>] {
    var found: [Range<Int>] = []
    var index = range.lowerBound
    while let start = first(in: index..<range.upperBound, where: true) {
      let end = first(in: start..<range.upperBound, where: false) ?? range.upperBound
      found.append(start..<end)
      index = end
    }
    return found
  }
}
