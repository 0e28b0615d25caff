internal import ArgumentParser
internal import Comparison
internal import Foundation

/// Times the core's and the data path's pieces, each by itself, and counts their allocations.
@main struct Micro: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "dtx-micro",
    abstract: "Time dtx's pieces, and count what they allocate."
  )

  @Option(help: "Only pieces whose names hold this; may be repeated.")
  var only: [String] = []

  @Option(help: "Samples of each piece.")
  var samples = 7

  @Option(help: "Write units to a new file in this directory, too: of a disk, say.")
  var storage: String?

  @Option(help: "Write the results as JSON into this file.")
  var json: String?

  func validate() throws {
    guard samples > 0 else { throw ValidationError("--samples is at least 1.") }
  }

  func run() throws {
    var stopwatch = Stopwatch(only: only, sampleCount: samples)
    DigestPieces.measure(with: &stopwatch)
    RecordPieces.measure(with: &stopwatch)
    CompressionPieces.measure(with: &stopwatch)
    InventoryPieces.measure(with: &stopwatch)
    SchedulerPieces.measure(with: &stopwatch)
    JournalPieces.measure(with: &stopwatch)
    SessionPieces.measure(with: &stopwatch)
    if let storage { try StoragePieces.measure(in: storage, with: &stopwatch) }
    print(stopwatch.table, terminator: "")
    guard let json else { return }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    try encoder.encode(stopwatch.results).write(to: URL(fileURLWithPath: json))
  }
}
