internal import ArgumentParser
internal import Comparison
internal import Glibc

/// Runs the races and prints the tables.
struct RunCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run",
    abstract: "Run the comparison (the default)."
  )

  @OptionGroup var data: DataOptions

  @Option(help: "The dtx to measure: a release build.")
  var dtx = ".build/release/dtx"

  @Option(help: "The ceiling program. (default: the one beside this program)")
  var ceiling: String?

  @Option(help: "A directory of the file system to measure on.")
  var work = "/dev/shm"

  @Option(help: "Measured rounds; one more before them warms up and is dropped.")
  var rounds = 5

  @Option(name: .customLong("set"), help: "A dataset; may be repeated. (default: all)")
  var sets: [Dataset.Name] = []

  @Option(help: "plain or encrypted; may be repeated. (default: both)")
  var protection: [Race.Protection] = []

  @Option(help: "Only contestants whose names hold this; may be repeated.")
  var only: [String] = []

  @Option(
    parsing: .unconditional,
    help: "Flags for 'dtx push', as one argument: '--lanes 2'."
  )
  var dtxFlags = ""

  @Flag(inversion: .prefixedNo, help: "Keep the memory of a memory file system warm.")
  var keeper = true

  @Option(help: "Write the report as JSON into this file.")
  var json: String?

  func validate() throws {
    guard rounds > 0 else { throw ValidationError("--rounds is at least 1.") }
  }

  func run() throws {
    let dtx = try absolute(dtx)
    let beside = CommandLine.arguments[0].split(separator: "/", omittingEmptySubsequences: false)
    let ceiling = try absolute(
      ceiling ?? (beside.dropLast() + ["dtx-ceiling"]).joined(separator: "/")
    )
    let arena = try Arena(in: try absolute(work))
    let house = try House(
      dtx: dtx,
      ceiling: ceiling,
      arena: arena,
      extraArguments: dtxFlags.split(separator: " ").map(String.init)
    )
    let peers = Peers(arena)
    var report = Report(
      machine: Machine(work: arena.root),
      tools: ToolVersions.all(dtx: dtx, arena: arena),
      absent: peers.absent,
      roundCount: rounds,
      scale: data.scale,
      seed: data.seed
    )
    print(report.heading)
    let runner = RaceRunner(
      arena: arena,
      house: house,
      peers: peers,
      options: RaceRunner.Options(roundCount: rounds, usesKeeper: keeper, only: only)
    ) { line in
      var text = "\(line)\n"
      text.withUTF8 { bytes in _ = Glibc.write(2, bytes.baseAddress, bytes.count) }
    }
    for name in sets.isEmpty ? Dataset.Name.allCases : sets {
      let dataset = Dataset(name, scale: data.scale, seed: data.seed)
      let protections = protection.isEmpty ? Race.Protection.allCases : protection
      try runner.run(dataset, protections) { race in
        report.races.append(race)
        print("\n\(race.dataset), \(race.protection): \(dataset.summary)")
        print(race.table(countsFiles: dataset.countsFiles), terminator: "")
        // A table is worth seeing before the next race is over, also through a pipe.
        fflush(nil)
      }
    }
    if let json { try report.write(to: json) }
  }

  /// An absolute path: servers and children work elsewhere.
  private func absolute(_ path: String) throws -> String {
    guard let real = realpath(path, nil) else { throw ValidationError("There is no \(path).") }
    defer { free(real) }
    return String(cString: real)
  }
}
