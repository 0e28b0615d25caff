import DTXCore
import DTXEngine
import DTXLinux

/// Why a transfer must not begin, as an error of three lines.
enum AdmissionText {
  /// - Parameters:
  ///   - refusal: what the plan breaks.
  ///   - prediction: that it was found by.
  ///   - lanes: as the user described them.
  /// - Returns: the error, which ends a command with status 6.
  static func error(
    _ refusal: AdmissionRefusal,
    _ prediction: Prediction,
    _ lanes: [LaneDescription]
  ) -> TransferError {
    switch refusal {
    case .late(let late, let needed):
      let remedy =
        needed.map { "lanes of \($0.argument) in all would meet it" }
        ?? "no rate would meet it: round trips and commits alone take longer"
      return TransferError(
        .unattainable,
        "the deadline cannot be met",
        cause: "the plan ends \(ScenarioTime.text(prediction.finish)) after its start, "
          + "\(Figure.duration(late)) after the deadline",
        remedy: "\(remedy); nothing was moved"
      )
    case .windowTooShort(let index, let until, let late):
      let name = lanes[index].lane.name
      let shown = name.isEmpty ? "" : " (\(printable(Array(name.utf8))))"
      let end = until.advanced(by: late)
      return TransferError(
        .unattainable,
        "lane \(index)\(shown) is not done before its window ends",
        cause: "its window ends at \(text(until)), and it is predicted to be done at \(text(end)), "
          + "\(Figure.duration(late)) later",
        remedy: "ask the network for more time or more rate; nothing was moved"
      )
    }
  }

  private static func text(_ instant: WallInstant) -> String {
    let (whole, overflow) = instant.seconds.multipliedReportingOverflow(by: 1_000_000_000)
    // Beyond what nanoseconds of 64 bits hold, no reservation is.
    return WallTime.text(overflow ? .max : whole + Int64(instant.nanoseconds))
  }
}
