/// How the time of some steps divides between bytes and extents.
///
/// The time of a transfer is taken to be a cost for each byte and one for each extent, neither below
/// zero. Over a window whose time is given, one number is left to be found: the bytes' share of that
/// time. Least squares over the steps find it; steps of one mixture leave it open, and then it is a
/// half, which harms nobody, since both costs then say the same of what has that mixture too.
struct ForecastMixture: Equatable, Sendable {
  /// The whole of what is divided: time, bytes and extents of a step are parts of this many.
  static let whole: Int64 = 1 << 20

  /// The bytes' share.
  let byteShare: Int64

  init(_ steps: [ForecastStep]) {
    guard let first = steps.first, let last = steps.last else {
      byteShare = ForecastMixture.whole / 2
      return
    }
    let time = last.nanoseconds - first.nanoseconds
    let byteCount = last.byteCount - first.byteCount
    let extentCount = last.extentCount - first.extentCount
    var product: Int64 = 0
    var square: Int64 = 0
    for (before, after) in zip(steps, steps.dropFirst()) {
      let times = ForecastMixture.part(after.nanoseconds - before.nanoseconds, of: time)
      let bytes = ForecastMixture.part(after.byteCount - before.byteCount, of: byteCount)
      let extents = ForecastMixture.part(after.extentCount - before.extentCount, of: extentCount)
      product += (times - extents) * (bytes - extents)
      square += (bytes - extents) * (bytes - extents)
    }
    // What is below a thousandth of all that could differ is noise: half and half.
    guard square > ForecastMixture.whole * ForecastMixture.whole / 1000 else {
      byteShare = ForecastMixture.whole / 2
      return
    }
    let share = Int128(product) * Int128(ForecastMixture.whole) / Int128(square)
    byteShare = Int64(max(0, min(share, Int128(ForecastMixture.whole))))
  }

  /// What so many bytes and extents take.
  ///
  /// - Parameters:
  ///   - byteCount: to come.
  ///   - extentCount: to come.
  ///   - seen: time, bytes and extents of a window.
  /// - Returns: nanoseconds, rounded up; nil where the window has nothing of what is to come.
  func nanoseconds(
    for byteCount: UInt64,
    _ extentCount: UInt64,
    given seen: ForecastStep
  ) -> UInt64? {
    let byBytes = ForecastMixture.scaled(seen.nanoseconds, byteCount, seen.byteCount)
    let byExtents = ForecastMixture.scaled(seen.nanoseconds, extentCount, seen.extentCount)
    guard let byBytes, let byExtents else { return byBytes ?? byExtents }
    let whole = UInt128(ForecastMixture.whole)
    let share = UInt128(byteShare)
    let sum = UInt128(byBytes) * share + UInt128(byExtents) * (whole - share)
    return UInt64(clamping: (sum + whole - 1) / whole)
  }

  private static func scaled(_ time: UInt64, _ count: UInt64, _ seen: UInt64) -> UInt64? {
    guard seen > 0 else { return nil }
    let product = UInt128(time) * UInt128(count)
    return UInt64(clamping: (product + UInt128(seen) - 1) / UInt128(seen))
  }

  private static func part(_ count: UInt64, of all: UInt64) -> Int64 {
    all == 0 ? 0 : Int64(UInt128(count) * UInt128(whole) / UInt128(all))
  }
}
