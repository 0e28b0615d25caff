import DTXCore
import DTXEngine
import DTXLinux

/// The one line that shows a running transfer: bytes, rate, time left, and whether it is on plan.
///
/// A value that is fed with what the engine says; it keeps the last few seconds for the rate. The
/// time left is not that rate's: what has arrived is not durable yet.
struct ProgressLine: Sendable {
  /// How far back the rate looks: long enough to bridge an epoch's commit, short enough to show a
  /// stall soon.
  private static let windowNanoseconds: UInt64 = 5_000_000_000
  private var samples: [(nanoseconds: UInt64, byteCount: UInt64)] = []

  init() {}

  /// Takes the next state and returns the line for it.
  mutating func line(_ progress: TransferProgress) -> String {
    remember(progress)
    guard progress.wantedByteCount > 0 else {
      let known = Figure.count(progress.entryCount, "entry", "entries")
      return "\(visible(progress.phase))  \(known), \(Figure.bytes(progress.byteCount))"
    }
    var parts = [amount(progress)]
    if progress.isScanComplete {
      parts.append("\(Figure.percent(progress.movedByteCount, of: progress.wantedByteCount)) %")
    }
    let rate = bitsPerSecond
    parts.append(Figure.rate(rate))
    let missing = progress.wantedByteCount - min(progress.movedByteCount, progress.wantedByteCount)
    if progress.isScanComplete, missing == 0 {
      parts.append(visible(progress.phase))
    } else if let remainder = progress.remainder {
      parts.append("\(Figure.duration(remainder.nanoseconds)) left")
    }
    if let standing = ProgressLine.standing(progress) { parts.append(standing) }
    if progress.openConnectionCount == 0, missing > 0 { parts.append("no connection") }
    return parts.joined(separator: "  ")
  }

  /// How a transfer stands against its plan: `on plan`, `12.0 s behind plan`; nil without a plan or
  /// before the whole of it is known.
  ///
  /// On plan is what differs by no more than 1 s or 2 % of the whole.
  static func standing(_ progress: TransferProgress) -> String? {
    guard let predicted = progress.predictedNanoseconds, progress.isScanComplete,
      progress.wantedByteCount > 0
    else { return nil }
    // When the plan has as many bytes there as are there now, taking them to arrive evenly.
    let planned = UInt64(
      clamping: UInt128(predicted) * UInt128(progress.movedByteCount)
        / UInt128(progress.wantedByteCount)
    )
    let tolerance = max(1_000_000_000, predicted / 50)
    if progress.nanoseconds > planned, progress.nanoseconds - planned > tolerance {
      return "\(Figure.duration(progress.nanoseconds - planned)) behind plan"
    }
    if planned > progress.nanoseconds, planned - progress.nanoseconds > tolerance {
      return "\(Figure.duration(planned - progress.nanoseconds)) ahead of plan"
    }
    return "on plan"
  }

  private func amount(_ progress: TransferProgress) -> String {
    let moved = Figure.bytes(progress.movedByteCount)
    let wanted = Figure.bytes(progress.wantedByteCount)
    return progress.isScanComplete ? "\(moved) of \(wanted)" : "\(moved) of \(wanted) so far"
  }

  /// Payload over the samples that are kept; 0 until there are two.
  private var bitsPerSecond: UInt64 {
    guard let first = samples.first, let last = samples.last,
      last.nanoseconds > first.nanoseconds, last.byteCount >= first.byteCount
    else { return 0 }
    let bits = UInt128(last.byteCount - first.byteCount) * 8 * 1_000_000_000
    return UInt64(clamping: bits / UInt128(last.nanoseconds - first.nanoseconds))
  }

  private mutating func remember(_ progress: TransferProgress) {
    samples.append((progress.nanoseconds, progress.movedByteCount))
    // One sample at or before the window's beginning stays, so that the window is full.
    while samples.count > 2,
      samples[1].nanoseconds + ProgressLine.windowNanoseconds <= progress.nanoseconds
    {
      samples.removeFirst()
    }
  }

  private func visible(_ text: String) -> String {
    printable(Array(text.utf8))
  }
}
