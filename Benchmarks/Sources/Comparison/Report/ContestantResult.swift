/// What one contestant did in one race.
package struct ContestantResult: Codable, Sendable {
  package var name: String
  /// Without the warm-up, in the order of the rounds; empty when it failed.
  package var rounds: [Measurement] = []
  /// Medians of the rounds.
  package var median: Measurement?
  package var failure: String?

  package init(name: String) {
    self.name = name
  }

  /// Each field's own middle value: the middle run's processor time is as much chance as its wall
  /// time is.
  mutating func settle() {
    guard let seconds = Statistics.median(rounds.map { $0.seconds }),
      let processor = Statistics.median(rounds.map { $0.processorSeconds })
    else { return }
    func middle(_ values: [Int?]) -> Int? {
      Statistics.median(values.compactMap { $0.map(Double.init) }).map { Int($0) }
    }
    median = Measurement(
      seconds: seconds,
      processorSeconds: processor,
      nearProcessorSeconds: Statistics.median(rounds.compactMap { $0.nearProcessorSeconds }),
      farProcessorSeconds: Statistics.median(rounds.compactMap { $0.farProcessorSeconds }),
      nearPeakByteCount: middle(rounds.map { $0.nearPeakByteCount }),
      farPeakByteCount: middle(rounds.map { $0.farPeakByteCount })
    )
  }
}
