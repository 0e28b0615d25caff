import DTXCore

/// Virtual times, in the unit that people compare them in, rounded up.
enum ScenarioTime {
  /// `42.0 s`, `1.617 h (5,821 s)`, `698.9 days`.
  static func text(_ nanoseconds: UInt64) -> String {
    let hour = 3600 * Duration.second
    if nanoseconds < hour / 2 {
      return "\(decimal(nanoseconds, unit: Duration.second, digits: 1)) s"
    }
    if nanoseconds < 48 * hour {
      let seconds = (nanoseconds + Duration.second - 1) / Duration.second
      return "\(decimal(nanoseconds, unit: hour, digits: 3)) h (\(Figure.grouped(seconds)) s)"
    }
    return "\(decimal(nanoseconds, unit: 24 * hour, digits: 1)) days"
  }

  private static func decimal(_ value: UInt64, unit: UInt64, digits: Int) -> String {
    let scale = (0..<digits).reduce(UInt128(1)) { power, _ in power * 10 }
    let scaled = (UInt128(value) * scale + UInt128(unit) - 1) / UInt128(unit)
    let fraction = String(scaled % scale)
    let zeros = String(repeating: "0", count: digits - fraction.count)
    return "\(Figure.grouped(scaled / scale)).\(zeros)\(fraction)"
  }
}

/// Columns of text, each as wide as its widest cell.
enum TextTable {
  static func lines(_ rows: [[String]]) -> [String] {
    let columnCount = rows.map(\.count).max() ?? 0
    let widths = (0..<columnCount).map { column in
      rows.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0
    }
    return rows.map { row in
      let cells = row.enumerated().map { column, cell in
        column == row.count - 1
          ? cell : cell + String(repeating: " ", count: widths[column] - cell.count)
      }
      return cells.joined(separator: "   ")
    }
  }
}
