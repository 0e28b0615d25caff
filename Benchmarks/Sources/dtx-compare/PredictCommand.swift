internal import ArgumentParser
internal import Comparison
internal import Foundation

/// Holds predictions and forecasts to the clock.
struct PredictCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "predict",
    abstract: "Measure how well a transfer's end is foreseen, and its limit named (as root).",
    discussion: """
      Without --blind and --lane-cut: four lanes of 0.5, 1, 2 and 4 Gb/s in all, the plan's end \
      beside the clock's.
      """
  )

  @Option(help: "The dtx to measure.")
  var dtx = ".build/release/dtx"

  @Option(help: "Runs that a cause holds up which is drawn by lot.")
  var blind = 0

  @Flag(help: "Cut one of four lanes for 12 s.")
  var laneCut = false

  @Option(help: "The same seed draws the same causes.")
  var seed: UInt64 = 1

  @Option(help: "Blind runs that are passed over at the beginning.")
  var skip = 0

  @Option(help: "Draw this cause alone, such as 'a lane'.")
  var cause: String?

  @Option(help: "Seconds that a run takes, about.")
  var seconds = 30

  @Option(help: "Runs at each rate, or with a lane cut.")
  var rounds = 5

  @Option(help: "A directory in memory for what is written meanwhile.")
  var work = "/dev/shm"

  @Option(help: "A file that each blind run is appended to, as a line of JSON.")
  var output: String?

  /// A plan, the median forecast of blind runs and a plan that a cut revised may be so far off.
  private static let planTolerance = 0.02
  private static let forecastTolerance = 0.05
  private static let cutTolerance = 0.03

  func validate() throws {
    guard seconds > 6, rounds > 0, blind >= 0, skip >= 0 else {
      throw ValidationError("--seconds is more than 6, --rounds at least 1.")
    }
    if let cause, DrawnCause.Kind(rawValue: cause) == nil {
      let names = DrawnCause.Kind.allCases.map(\.rawValue).joined(separator: ", ")
      throw ValidationError("--cause is one of \(names).")
    }
  }

  func run() throws {
    if blind > 0 { return try runBlind() }
    if laneCut { return try runCut() }
    try runPlans()
  }

  private func runBlind() throws {
    let stage = try BlindStage(program: dtx, seconds: seconds, in: work)
    let kinds = cause.flatMap(DrawnCause.Kind.init).map { [$0] } ?? DrawnCause.Kind.allCases
    var trials: [ForecastTrial] = []
    var table = TextTable([
      "run", "cause", "strength", "took s", "at 1/4", "off by", "at 1/2", "off by", "named", "%",
    ])
    for (run, cause) in DrawnCause.draw(blind, seed: seed, of: kinds).enumerated().dropFirst(skip) {
      let trial = try stage.run(cause)
      trials.append(trial)
      try record(trial)
      table.append([
        "\(run + 1)", cause.kind.rawValue, "\(cause.strength)", Quantity.fixed(trial.took, 1),
        Quantity.fixed(trial.atQuarter ?? .nan, 1), Self.percent(trial.error(of: trial.atQuarter)),
        Quantity.fixed(trial.atHalf ?? .nan, 1), Self.percent(trial.error(of: trial.atHalf)),
        (trial.isNamed ? "" : "WRONG: ") + trial.limitedBy, "\(trial.percent)",
      ])
    }
    print(table.text)
    let quarter = Statistics.median(trials.map { $0.error(of: $0.atQuarter) }) ?? 1
    let half = Statistics.median(trials.map { $0.error(of: $0.atHalf) }) ?? 1
    print("median error at 1/4: \(Self.percent(quarter)), at 1/2: \(Self.percent(half))")
    print("named: \(trials.filter(\.isNamed).count) of \(trials.count)")
    guard quarter <= Self.forecastTolerance else {
      throw HarnessError("the median forecast was off by more than 5 %")
    }
  }

  private func runCut() throws {
    let stage = try BlindStage(program: dtx, seconds: seconds, in: work)
    var table = TextTable(["round", "plan s", "took s", "off by", "limited by"])
    var isFine = true
    for round in 1...rounds {
      let trial = try stage.cut()
      let error = trial.error(of: trial.predicted)
      isFine = isFine && error <= Self.cutTolerance
      table.append([
        "\(round)", Quantity.fixed(trial.predicted ?? .nan, 2), Quantity.fixed(trial.took, 2),
        Self.percent(error), trial.limitedBy,
      ])
    }
    print(table.text, terminator: "")
    guard isFine else { throw HarnessError("a plan was off by more than 3 %") }
  }

  private func runPlans() throws {
    let arena = try Arena(in: work)
    var table = TextTable(["Mb/s", "round", "plan s", "took s", "off by", "limited by"])
    var isFine = true
    for total in [500, 1000, 2000, 4000] {
      for round in 1...rounds {
        let trial = try LaneTrial.run(
          megabits: [Int](repeating: total / 4, count: 4),
          seconds: seconds,
          program: dtx,
          in: arena
        )
        let difference = trial.took / trial.predicted - 1
        isFine = isFine && abs(difference) <= Self.planTolerance
        table.append([
          "\(total)", "\(round)", Quantity.fixed(trial.predicted, 2),
          Quantity.fixed(trial.took, 2), Self.percent(difference), trial.limitedBy,
        ])
      }
    }
    print(table.text, terminator: "")
    guard isFine else { throw HarnessError("a plan was off by more than 2 %") }
  }

  private func record(_ trial: ForecastTrial) throws {
    guard let output else { return }
    var line = try JSONEncoder().encode(trial)
    line.append(UInt8(ascii: "\n"))
    if !FileManager.default.fileExists(atPath: output) {
      _ = FileManager.default.createFile(atPath: output, contents: nil)
    }
    let file = try FileHandle(forWritingTo: URL(fileURLWithPath: output))
    try file.seekToEnd()
    try file.write(contentsOf: line)
    try file.close()
  }

  private static func percent(_ share: Double) -> String {
    "\(Quantity.fixed(share * 100, 2)) %"
  }
}
