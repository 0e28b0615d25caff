/// Places in a drawing, in tenths of its unit, so that no figure depends on how a processor rounds.
struct Drawing {
  let width: Int
  let height: Int
  /// What is left free beside the plot.
  let left: Int
  let right: Int
  let top: Int
  let bottom: Int

  /// Nanoseconds and a quantity at the plot's right and upper edges, both above 0.
  let end: UInt64
  let most: UInt64

  /// The place of a time, from the left.
  func x(_ nanoseconds: UInt64) -> String {
    let share = scaled(min(nanoseconds, end), 10 * (width - left - right), over: end)
    return Drawing.tenths(10 * left + share)
  }

  /// The place of a quantity, from the top.
  func y(_ quantity: UInt64) -> String {
    let share = scaled(min(quantity, most), 10 * (height - top - bottom), over: most)
    return Drawing.tenths(10 * (height - bottom) - share)
  }

  /// A length along the time's axis.
  func span(_ nanoseconds: UInt64) -> String {
    Drawing.tenths(scaled(min(nanoseconds, end), 10 * (width - left - right), over: end))
  }

  private func scaled(_ value: UInt64, _ length: Int, over whole: UInt64) -> Int {
    Int(UInt128(value) * UInt128(length) / UInt128(max(1, whole)))
  }

  static func tenths(_ number: Int) -> String {
    number.isMultiple(of: 10) ? "\(number / 10)" : "\(number / 10).\(number % 10)"
  }

  /// The drawing's element with what is in it.
  ///
  /// - Parameters:
  ///   - title: what it shows, for those who do not see it.
  ///   - content: of it.
  /// - Returns: the element.
  func element(_ title: String, _ content: [Markup]) -> Markup {
    .element(
      "svg",
      ["viewBox": "0 0 \(width) \(height)", "role": "img", "aria-label": title],
      [.element("title", [:], title)] + content
    )
  }

  /// The axes: a line for each round quantity, a name for each round time.
  ///
  /// - Parameter quantity: names one.
  /// - Returns: what is drawn first.
  func axes(quantity: (UInt64) -> String) -> [Markup] {
    var parts: [Markup] = []
    for value in Drawing.marks(upTo: most, by: Drawing.decimalSteps) {
      let place = y(value)
      parts.append(
        .element(
          "line",
          [
            "class": "grid", "x1": "\(left)", "x2": "\(width - right)", "y1": place, "y2": place,
          ]
        )
      )
      parts.append(
        .element(
          "text",
          ["class": "y", "x": "\(left - 6)", "y": place, "dy": "0.32em"],
          quantity(value)
        )
      )
    }
    let isLong = end >= 100 * Drawing.second
    for time in Drawing.marks(upTo: end, by: isLong ? Drawing.longSteps : Drawing.decimalSteps) {
      // What is close to the edge would not fit.
      let isLast = end - time < end / 12
      parts.append(
        .element(
          "text",
          ["class": isLast ? "last" : "x", "x": x(time), "y": "\(height - 4)"],
          time == 0 ? "0" : Figure.duration(time)
        )
      )
    }
    return parts
  }

  private static let second: UInt64 = 1_000_000_000

  /// One, two and five of each power of ten.
  private static let decimalSteps: [UInt64] = {
    var steps: [UInt64] = []
    var power: UInt64 = 1
    for _ in 0...18 {
      steps += [power, 2 * power, 5 * power]
      // 5 * 10^18 is the last one that fits.
      power = power &* 10
    }
    return steps
  }()

  /// Parts and multiples of minutes, hours and days.
  private static let longSteps: [UInt64] =
    [
      30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14_400, 21_600, 43_200, 86_400, 172_800,
      432_000, 864_000, 1_728_000, 4_320_000, 8_640_000,
    ]
    .map { $0 * second }

  /// Multiples of the first step that takes no more than five.
  private static func marks(upTo end: UInt64, by steps: [UInt64]) -> [UInt64] {
    let step = steps.first { end / $0 <= 5 } ?? end
    return (0...end / max(1, step)).map { $0 * step }
  }
}
