/// How well a lane kept its rate, over the seconds in which it owed it.
///
/// A lane owes its rate from one look to the next when it had blocks to carry at both and its rate
/// did not change: so neither the second in which its work begins counts, nor that in which it
/// ends, nor a pause. A second without a connection counts.
package struct LaneConformance: Equatable, Sendable {
  /// The figures of a receipt.
  package struct Figures: Equatable, Sendable {
    package var owedNanoseconds: UInt64
    /// On the wire, as the lane's contract counts.
    package var reservedByteCount: UInt64
    package var deliveredByteCount: UInt64
    /// Time below 98 % of the rate.
    package var belowNanoseconds: UInt64
    /// What 99 of 100 seconds surpass, in thousandths of the rate.
    package var firstPercentile: UInt64
    /// What held it up meanwhile.
    package var idle: IdleTimes

    package init(
      owedNanoseconds: UInt64,
      reservedByteCount: UInt64,
      deliveredByteCount: UInt64,
      belowNanoseconds: UInt64,
      firstPercentile: UInt64,
      idle: IdleTimes
    ) {
      self.owedNanoseconds = owedNanoseconds
      self.reservedByteCount = reservedByteCount
      self.deliveredByteCount = deliveredByteCount
      self.belowNanoseconds = belowNanoseconds
      self.firstPercentile = firstPercentile
      self.idle = idle
    }

    /// What was delivered, in thousandths of what was reserved.
    package var mean: UInt64 {
      UInt64(clamping: UInt128(deliveredByteCount) * 1000 / UInt128(max(1, reservedByteCount)))
    }

    /// What was delivered, in bits a second.
    package var deliveredRate: Rate {
      let bits = UInt128(deliveredByteCount) * 8 * UInt128(Duration.second)
      return Rate(bitsPerSecond: UInt64(clamping: bits / UInt128(max(1, owedNanoseconds))))
    }
  }

  /// Thousandths of a rate from which on it counts as kept.
  package static let kept: UInt64 = 980
  /// A share of this many thousandths or more: what a look finds late makes the next one rich.
  private static let greatestShare = 2000

  private var sum = LaneInterval()
  private var belowNanoseconds: UInt64 = 0
  /// How many looks found each share of the rate, in thousandths.
  private var lookCounts: [UInt32] = Array(repeating: 0, count: greatestShare + 1)
  private var lookCount: UInt32 = 0

  package init() {}

  /// Takes in what happened between two looks, in which the lane owed its rate.
  mutating func count(_ interval: LaneInterval) {
    guard interval.reservedByteCount > 0 else { return }
    let delivered = UInt128(interval.deliveredByteCount) * 1000
    let share = UInt64(clamping: delivered / UInt128(interval.reservedByteCount))
    if share < LaneConformance.kept { belowNanoseconds += interval.nanoseconds }
    lookCounts[Int(min(share, UInt64(LaneConformance.greatestShare)))] += 1
    lookCount += 1
    sum += interval
  }

  /// Nil when it never owed anything.
  package var figures: Figures? {
    guard lookCount > 0 else { return nil }
    return Figures(
      owedNanoseconds: sum.nanoseconds,
      reservedByteCount: sum.reservedByteCount,
      deliveredByteCount: sum.deliveredByteCount,
      belowNanoseconds: belowNanoseconds,
      firstPercentile: percentile(1),
      idle: sum.idle
    )
  }

  /// By nearest rank.
  private func percentile(_ percent: UInt32) -> UInt64 {
    let rank = max(1, (UInt64(lookCount) * UInt64(percent) + 99) / 100)
    var seen: UInt64 = 0
    for (share, count) in lookCounts.enumerated() {
      seen += UInt64(count)
      if seen >= rank { return UInt64(share) }
    }
    return UInt64(LaneConformance.greatestShare)
  }
}
