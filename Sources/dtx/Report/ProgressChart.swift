import DTXCore

/// What was durable when, against what the plan said.
struct ProgressChart {
  private let statement: ReceiptStatement
  private let drawing: Drawing

  /// Prepares the drawing.
  ///
  /// - Parameter statement: of the receipt.
  init(_ statement: ReceiptStatement) {
    self.statement = statement
    drawing = Drawing(
      width: 720,
      height: 250,
      left: 92,
      right: 12,
      top: 12,
      bottom: 22,
      end: max(1, statement.nanoseconds, statement.predictedNanoseconds ?? 0),
      most: max(1, statement.movedByteCount)
    )
  }

  func element(_ title: String) -> Markup {
    var parts = drawing.axes { Figure.bytes($0) }
    let done = actual
    let last = "\(drawing.x(statement.nanoseconds)),\(drawing.y(0))"
    parts.append(
      .element(
        "polygon",
        ["class": "area", "points": "\(drawing.x(0)),\(drawing.y(0)) \(done) \(last)"]
      )
    )
    if let planned {
      parts.append(.element("polyline", ["class": "reserved", "points": planned]))
    }
    parts.append(.element("polyline", ["class": "delivered", "points": done]))
    if let predicted = statement.predictedNanoseconds { parts.append(mark("reserved", predicted)) }
    parts.append(mark("delivered", statement.nanoseconds))
    return drawing.element(title, parts)
  }

  private func mark(_ name: String, _ nanoseconds: UInt64) -> Markup {
    let place = drawing.x(nanoseconds)
    return .element(
      "line",
      [
        "class": "\(name) mark", "x1": place, "x2": place, "y1": "\(drawing.top)",
        "y2": "\(drawing.height - drawing.bottom)",
      ]
    )
  }

  private var actual: String {
    var time: UInt64 = 0
    var byteCount: UInt64 = 0
    var points = ["\(drawing.x(0)),\(drawing.y(0))"]
    for interval in statement.progress {
      time &+= interval.nanoseconds
      byteCount &+= interval.durableByteCount
      points.append("\(drawing.x(time)),\(drawing.y(byteCount))")
    }
    points.append("\(drawing.x(statement.nanoseconds)),\(drawing.y(byteCount))")
    return points.joined(separator: " ")
  }

  /// The lanes' shares, each moving evenly from its start to its end; nil without rates.
  private var planned: String? {
    let lanes = statement.lanes.compactMap(\.prediction)
    guard !lanes.isEmpty, lanes.count == statement.lanes.count else { return nil }
    let times = Set(lanes.flatMap { [$0.start, $0.finish] } + [0]).sorted()
    return times.map { time in
      let byteCount = lanes.reduce(UInt128(0)) { $0 + ProgressChart.moved($1, at: time) }
      return "\(drawing.x(time)),\(drawing.y(UInt64(clamping: byteCount)))"
    }
    .joined(separator: " ")
  }

  private static func moved(_ lane: LanePrediction, at time: UInt64) -> UInt128 {
    if time >= lane.finish { return UInt128(lane.byteCount) }
    guard time > lane.start else { return 0 }
    let share = UInt128(time - lane.start) * UInt128(lane.byteCount)
    return share / UInt128(max(1, lane.finish - lane.start))
  }
}
