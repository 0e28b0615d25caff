import DTXCore

/// How well a lane kept its rate, for people and as JSON.
struct ConformanceText {
  private let figures: LaneConformance.Figures

  init(_ figures: LaneConformance.Figures) {
    self.figures = figures
  }

  /// `kept 99.8 % of its rate, 98.9 % in the worst second of 100; below 98 % for 1.02 s of 19.0 s`.
  var line: String {
    var text = "kept \(ConformanceText.percent(figures.mean)) of its rate"
    text += ", \(ConformanceText.percent(figures.firstPercentile)) in the worst second of 100; "
    let owed = Figure.duration(figures.owedNanoseconds)
    guard figures.belowNanoseconds > 0 else { return text + "never below 98 % in \(owed)" }
    text += "below 98 % for \(Figure.duration(figures.belowNanoseconds)) of \(owed)"
    if let cause = figures.idle.greatest { text += ", held up most by \(cause.phrase)" }
    return text
  }

  /// The member `conformance` of a lane: dtx(1), "JSON".
  var json: JSONValue {
    .object([
      ("owed_seconds", .seconds(figures.owedNanoseconds)),
      ("bytes_reserved", .integer(figures.reservedByteCount)),
      ("bytes_delivered", .integer(figures.deliveredByteCount)),
      ("mean_permille", .integer(figures.mean)),
      ("first_percentile_permille", .integer(figures.firstPercentile)),
      ("below_seconds", .seconds(figures.belowNanoseconds)),
      ("idle_seconds", ConformanceText.json(figures.idle)),
    ])
  }

  /// Idle times by cause.
  static func json(_ idle: IdleTimes) -> JSONValue {
    .object(
      IdleCause.allCases.map { cause in
        (cause.name.replacing("-", with: "_"), .seconds(idle[cause]))
      }
    )
  }

  /// Thousandths as `98.9 %`.
  static func percent(_ permille: UInt64) -> String {
    "\(permille / 10).\(permille % 10) %"
  }
}

extension IdleCause {
  /// As a sentence has it.
  var phrase: String {
    switch self {
    case .disconnected: "lost connections"
    case .application: "the sender, which had nothing ready"
    case .receiveWindow: "the receiver, which took no more"
    case .sendBuffer: "a send buffer too small for the path"
    }
  }
}
