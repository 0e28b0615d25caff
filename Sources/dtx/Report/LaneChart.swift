import DTXCore

/// What a lane delivered over time against what was reserved, and below it what held it up.
struct LaneChart {
  private let lane: LaneStatement
  private let drawing: Drawing

  private static let stripHeight = 12

  /// Prepares the drawing.
  ///
  /// - Parameters:
  ///   - lane: of the receipt.
  ///   - end: where the time's axis ends, the same for all lanes.
  init(_ lane: LaneStatement, until end: UInt64) {
    self.lane = lane
    let most = lane.intervals.reduce(UInt64(1)) {
      max($0, $1.reservedRate.bitsPerSecond, $1.deliveredRate.bitsPerSecond)
    }
    drawing = Drawing(
      width: 720,
      height: 190,
      left: 92,
      right: 12,
      top: 10,
      bottom: 38,
      end: max(1, end),
      most: most.addingReportingOverflow(most / 12).overflow ? most : most + most / 12
    )
  }

  func element(_ title: String) -> Markup {
    var parts = drawing.axes { Figure.rate($0) }
    let delivered = steps { $0.deliveredRate.bitsPerSecond }
    if !delivered.isEmpty {
      let first = "\(drawing.x(0)),\(drawing.y(0))"
      let last = "\(drawing.x(elapsed)),\(drawing.y(0))"
      let area = "\(first) \(delivered) \(last)"
      parts.append(.element("polygon", ["class": "area", "points": area]))
    }
    if lane.lane.rate != nil, !delivered.isEmpty {
      let reserved = steps { $0.reservedRate.bitsPerSecond }
      parts.append(.element("polyline", ["class": "reserved", "points": reserved]))
    }
    parts.append(.element("polyline", ["class": "delivered", "points": delivered]))
    return drawing.element(title, parts + strip)
  }

  private var elapsed: UInt64 { lane.intervals.reduce(0) { $0 &+ $1.nanoseconds } }

  /// Two points for each interval.
  private func steps(_ rate: (LaneInterval) -> UInt64) -> String {
    var points: [String] = []
    var time: UInt64 = 0
    for interval in lane.intervals {
      let place = drawing.y(rate(interval))
      points.append("\(drawing.x(time)),\(place)")
      time &+= interval.nanoseconds
      points.append("\(drawing.x(time)),\(place)")
    }
    return points.joined(separator: " ")
  }

  /// For each interval the share of its time in which it was idle, by cause.
  private var strip: [Markup] {
    let base = drawing.height - drawing.bottom + 6
    var parts = [
      Markup.element(
        "rect",
        [
          "class": "strip", "x": drawing.x(0), "y": "\(base)", "width": drawing.span(elapsed),
          "height": "\(LaneChart.stripHeight)",
        ]
      )
    ]
    var time: UInt64 = 0
    for interval in lane.intervals {
      defer { time &+= interval.nanoseconds }
      guard interval.nanoseconds > 0 else { continue }
      var used = 0
      for cause in IdleCause.allCases {
        let share = UInt128(interval.idle[cause]) * UInt128(10 * LaneChart.stripHeight)
        let height = Int(
          min(share / UInt128(interval.nanoseconds), UInt128(10 * LaneChart.stripHeight - used))
        )
        guard height > 0 else { continue }
        used += height
        parts.append(
          .element(
            "rect",
            [
              "class": cause.name, "x": drawing.x(time),
              "y": Drawing.tenths(10 * (base + LaneChart.stripHeight) - used),
              "width": drawing.span(interval.nanoseconds), "height": Drawing.tenths(height),
            ]
          )
        )
      }
    }
    return parts
  }
}
