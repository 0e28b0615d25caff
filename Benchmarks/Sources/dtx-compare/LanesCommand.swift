internal import ArgumentParser
internal import Comparison
internal import Foundation

/// Holds lanes to their rates on a wire that counts, and the plan's prediction to the clock.
struct LanesCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "lanes",
    abstract: "Measure what lanes with rates put on the wire, and what was predicted (as root)."
  )

  @Option(help: "The dtx to measure.")
  var dtx = ".build/release/dtx"

  @Option(help: "Mb/s of each lane.")
  var rates = "200,500,1000,2000"

  @Option(help: "Seconds that a run takes, more than 6.")
  var seconds = 20

  @Option(help: "Runs.")
  var rounds = 1

  @Option(help: "A directory for what is written meanwhile.")
  var work = FileManager.default.temporaryDirectory.path

  /// A lane within this share of its rate, and a prediction of its time, is as it should be.
  private static let laneTolerance = 0.01
  private static let predictionTolerance = 0.02

  private var megabits: [Int] { rates.split(separator: ",").compactMap { Int($0) } }

  func validate() throws {
    guard !megabits.isEmpty, megabits.count <= 90, megabits.allSatisfy({ $0 > 0 }) else {
      throw ValidationError("--rates is a list such as 200,500.")
    }
    guard seconds > 6, rounds > 0 else {
      throw ValidationError("--seconds is more than 6, --rounds at least 1.")
    }
  }

  func run() throws {
    let arena = try Arena(in: work)
    var table = TextTable(["round", "lane", "asked Mb/s", "on the wire", "off by"])
    var predictions = TextTable([
      "round", "predicted s", "took s", "off by", "off plan", "limited by",
    ])
    var isFine = true
    for round in 1...rounds {
      let trial = try LaneTrial.run(megabits: megabits, seconds: seconds, program: dtx, in: arena)
      for (lane, (asked, measured)) in zip(trial.asked, trial.measured).enumerated() {
        let difference = measured / asked - 1
        isFine = isFine && abs(difference) <= Self.laneTolerance
        table.append([
          "\(round)", "\(lane)", Quantity.fixed(asked / 1e6, 0),
          Quantity.fixed(measured / 1e6, 2), Self.percent(difference),
        ])
      }
      let difference = trial.took / trial.predicted - 1
      isFine =
        isFine && abs(difference) <= Self.predictionTolerance && trial.offPlanBlockCount == 0
      predictions.append([
        "\(round)", Quantity.fixed(trial.predicted, 2), Quantity.fixed(trial.took, 2),
        Self.percent(difference), "\(trial.offPlanBlockCount)", trial.limitedBy,
      ])
    }
    print(table.text)
    print(predictions.text, terminator: "")
    guard isFine else { throw HarnessError("a lane was off by more than 1 %, or a plan by 2 %") }
  }

  private static func percent(_ share: Double) -> String {
    "\(Quantity.fixed(share * 100, 2)) %"
  }
}
