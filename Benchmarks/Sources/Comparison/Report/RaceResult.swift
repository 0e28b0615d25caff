/// What all did in one race.
package struct RaceResult: Codable, Sendable {
  package var dataset: String
  package var protection: String
  package var fileCount: Int
  package var byteCount: Int
  package var isKept: Bool
  package var contestants: [ContestantResult]

  /// The seconds of a contestant; nil when it failed or took no part.
  package func seconds(of name: String) -> Double? {
    contestants.first { $0.name == name }?.median?.seconds
  }

  /// The table for people.
  package func table(countsFiles: Bool) -> String {
    var table = TextTable([
      "", "seconds", countsFiles ? "files/s" : "GB/s", "CPU near", "CPU far",
      countsFiles ? "CPU ms/file" : "CPU s/GB", "RSS near", "RSS far", "of ceiling", "dtx is",
    ])
    let ceiling = seconds(of: House.ceilingName)
    let dtx = seconds(of: House.dtxName)
    for contestant in contestants {
      guard let median = contestant.median else {
        table.append([contestant.name, "failed"] + Array(repeating: "-", count: 8))
        continue
      }
      let amount = countsFiles ? Double(fileCount) : Double(byteCount) / 1e9
      table.append([
        contestant.name,
        Quantity.fixed(median.seconds, 2),
        Quantity.fixed(amount / median.seconds, countsFiles ? 0 : 2),
        median.nearProcessorSeconds.map { Quantity.fixed($0, 2) } ?? "-",
        median.farProcessorSeconds.map { Quantity.fixed($0, 2) } ?? "-",
        Quantity.fixed(median.processorSeconds / amount * (countsFiles ? 1e3 : 1), 3),
        RaceResult.mebibytes(median.nearPeakByteCount),
        RaceResult.mebibytes(median.farPeakByteCount),
        ceiling.map { "\(Quantity.fixed(100 * $0 / median.seconds, 0)) %" } ?? "-",
        dtx.map { "\(Quantity.fixed(median.seconds / $0, 2)) x" } ?? "-",
      ])
    }
    return table.text
  }

  private static func mebibytes(_ byteCount: Int?) -> String {
    byteCount.map { "\($0 >> 20) MiB" } ?? "-"
  }
}
