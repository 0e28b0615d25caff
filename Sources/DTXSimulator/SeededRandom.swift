/// A chance as a fraction: every draw is the same on every machine.
package struct Ratio: Equatable, Sendable {
  package var numerator: UInt64
  package var denominator: UInt64

  package init(_ numerator: UInt64, in denominator: UInt64) {
    precondition(denominator > 0, "a chance needs a denominator")
    precondition(numerator <= denominator, "a chance above one")
    self.numerator = numerator
    self.denominator = denominator
  }
}

/// Numbers that only look drawn by lot: the same seed, the same numbers.
///
/// Every part of a world draws from a stream of its own, so that one draw more in the disk does
/// not change the network.
package struct SeededRandom: Equatable, Sendable {
  /// SplitMix64 (Steele, Lea and Flood 2014): one addition and a mixing a number.
  private var state: UInt64

  package init(seed: UInt64) {
    state = seed
  }

  /// A stream of its own for one part, which depends on the seed and the name alone if it is
  /// forked before the first draw.
  package func forked(_ name: String) -> SeededRandom {
    SeededRandom(seed: name.utf8.reduce(state) { SeededRandom.mix($0 ^ UInt64($1)) })
  }

  /// The next 64 bits.
  package mutating func next() -> UInt64 {
    // Wraps by design: the state walks through all 2^64 values.
    state &+= 0x9e37_79b9_7f4a_7c15
    return SeededRandom.mix(state)
  }

  /// A number below `bound`.
  package mutating func below(_ bound: UInt64) -> UInt64 {
    precondition(bound > 0, "nothing is below zero")
    return UInt64(truncatingIfNeeded: (UInt128(next()) * UInt128(bound)) >> 64)
  }

  package mutating func value(in range: ClosedRange<UInt64>) -> UInt64 {
    let (span, isAll) = (range.upperBound - range.lowerBound).addingReportingOverflow(1)
    return isAll ? next() : range.lowerBound + below(span)
  }

  package mutating func value(in range: ClosedRange<Int>) -> Int {
    range.lowerBound + Int(below(UInt64(range.upperBound - range.lowerBound + 1)))
  }

  /// Whether something happens that has this chance.
  package mutating func happens(_ chance: Ratio) -> Bool {
    below(chance.denominator) < chance.numerator
  }

  /// One of several; nil of none.
  package mutating func pick<Element>(_ list: [Element]) -> Element? {
    list.isEmpty ? nil : list[Int(below(UInt64(list.count)))]
  }

  /// Every bit of the result depends on every bit of the value.
  package static func mix(_ value: UInt64) -> UInt64 {
    var mixed = value
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }
}
