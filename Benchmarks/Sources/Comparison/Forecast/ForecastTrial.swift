internal import Foundation
internal import Glibc

/// One transfer that something holds up, what was forecast on its way, and its end.
package struct ForecastTrial: Codable, Sendable {
  package var cause: DrawnCause?
  package var took: Double
  /// The end as it was forecast after a quarter and after half of the time; nil where nothing was.
  package var atQuarter: Double?
  package var atHalf: Double?
  /// The end by the latest plan.
  package var predicted: Double?
  package var limitedBy: String
  package var percent: Int

  package var isNamed: Bool { cause?.names.contains(limitedBy) ?? false }

  /// How far a forecast was off, in parts of the time; one that is missing is off by all.
  package func error(of forecast: Double?) -> Double {
    forecast.map { abs($0 / took - 1) } ?? 1
  }

  /// Reads what dtx printed.
  ///
  /// - Parameters:
  ///   - log: its JSON lines.
  ///   - cause: what held it up.
  /// - Throws: where it did not end well.
  init(log: String, cause: DrawnCause?) throws(HarnessError) {
    let lines = MachineFile.lines(log)
    let objects = lines.compactMap { line in
      line.data(using: .utf8).flatMap {
        try? JSONSerialization.jsonObject(with: $0) as? [String: Any]
      }
    }
    guard let summary = objects.last, let took = summary["seconds"] as? Double,
      summary["limited_by"] != nil
    else { throw HarnessError("dtx: \(lines.suffix(5).joined(separator: "\n"))") }
    let events = objects.filter { $0["type"] as? String == "progress" }
    func forecast(at share: Double) -> Double? {
      let event = events.first { ($0["seconds"] as? Double ?? 0) >= took * share }
      return event?["forecast_seconds"] as? Double
    }
    self.cause = cause
    self.took = took
    atQuarter = forecast(at: 0.25)
    atHalf = forecast(at: 0.5)
    predicted = summary["predicted_seconds"] as? Double
    let first = (summary["limited_by"] as? [[String: Any]])?.first
    limitedBy = first?["cause"] as? String ?? "-"
    percent = first?["percent"] as? Int ?? 0
  }
}
