import ArgumentParser
import DTXCore
import DTXEngine
import DTXLinux
import DTXSimulator

/// `dtx simulate`: a transfer in virtual time.
struct SimulateCommand: ParsableCommand, JSONReporting {
  static let configuration = CommandConfiguration(
    commandName: "simulate",
    abstract: "Say how a transfer would go, in virtual time.",
    discussion: """
      Runs what decides in a real transfer over a path, hosts and disks that a scenario describes: \
      one that comes with the program, or a file. No byte is moved and no network is touched.

      Examples:
        dtx simulate fast-72tb
        dtx simulate fast-72tb --fault power-loss
        dtx simulate --print fast-72tb > mine.scenario && dtx simulate ./mine.scenario
      """
  )

  @Argument(
    help: "The name of a built-in scenario, or a file.",
    completion: .file(),
    transform: ArgumentValue.path
  )
  var scenario: [UInt8]?

  @Flag(help: "List the built-in scenarios and the faults.")
  var list = false

  @Flag(name: .customLong("print"), help: "Print a scenario's text instead of simulating it.")
  var prints = false

  @Option(
    help: ArgumentHelp("Let something go wrong; may be repeated.", valueName: "fault"),
    completion: .list(StandardFault.allCases.map(\.rawValue)),
    transform: SimulateCommand.fault
  )
  var fault: [StandardFault] = []

  @Option(help: ArgumentHelp("Draw by this number instead of the scenario's.", valueName: "number"))
  var seed: UInt64?

  @Flag(help: "Print JSON lines.")
  var json = false

  var isJSON: Bool { json }

  func validate() throws {
    guard list == (scenario == nil) else {
      throw ValidationError(list ? "--list takes no scenario" : "a scenario is missing; see --list")
    }
  }

  func run() throws {
    let console = Console()
    let isSound = try run(console)
    if let failure = console.finish() {
      throw TransferError("the report could not be written", failure)
    }
    if !isSound { throw ExitCode(ExitStatus.failed.rawValue) }
  }

  private func run(_ console: Console) throws(TransferError) -> Bool {
    guard let name = scenario else {
      ScenarioList.print(to: console, isJSON: json)
      return true
    }
    let text = try SimulateCommand.text(of: name)
    guard !prints else {
      console.report(text.hasSuffix("\n") ? String(text.dropLast()) : text)
      return true
    }
    let scenario = try changed(SimulateCommand.scenario(text, name))
    let outcomes = ScenarioRunner.run(scenario)
    let report = SimulationReport(name: printable(name), scenario: scenario, outcomes: outcomes)
    if json {
      for line in report.json { console.report(line.line) }
    } else {
      console.report(report.lines.joined(separator: "\n"))
    }
    return report.isSound
  }

  private func changed(_ read: Scenario) -> Scenario {
    var scenario = read
    if let seed { scenario.seed = seed }
    scenario.faults += fault.map { $0.fault(in: scenario) }
    return scenario
  }

  /// A built-in scenario's text, or a file's; `./NAME` is always a file.
  private static func text(of name: [UInt8]) throws(TransferError) -> String {
    if let known = BuiltInScenario.named(String(decoding: name, as: UTF8.self)) {
      return known.text
    }
    let bytes: [UInt8]
    do throws(SystemError) {
      let file = try File.open(name, .read)
      bytes = try file.read(byteCount: Int(clamping: try file.status().byteCount), at: 0)
    } catch {
      let summary = "the scenario \(printable(name)) cannot be read"
      let remedy = "'dtx simulate --list' names those that are built in"
      throw TransferError(summary, error, remedy: remedy)
    }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw TransferError(.usage, "the scenario \(printable(name)) is not UTF-8")
    }
    return text
  }

  private static func scenario(
    _ text: String,
    _ name: [UInt8]
  ) throws(TransferError) -> Scenario {
    do throws(ScenarioError) {
      return try Scenario(parsing: text)
    } catch {
      throw TransferError(
        .usage,
        "the scenario \(printable(name)) cannot be taken",
        cause: "\(error)",
        remedy: "see dtx-scenario(5)"
      )
    }
  }

  private static func fault(_ text: String) throws -> StandardFault {
    guard let fault = StandardFault(rawValue: text) else {
      let names = StandardFault.allCases.map { $0.rawValue }.joined(separator: ", ")
      throw ValidationError("a fault is one of \(names)")
    }
    return fault
  }
}

/// What there is to simulate without a file.
enum ScenarioList {
  static func print(to console: Console, isJSON: Bool) {
    for built in BuiltInScenario.all {
      let title = (try? built.scenario().title) ?? ""
      if isJSON {
        console.report(json("scenario", built.name, title).line)
      } else {
        console.report("\(column(built.name))\(title)")
      }
    }
    if !isJSON { console.report("\nwith --fault:") }
    for fault in StandardFault.allCases {
      if isJSON {
        console.report(json("fault", fault.rawValue, fault.summary).line)
      } else {
        console.report("\(column(fault.rawValue))\(fault.summary)")
      }
    }
  }

  static func json(_ type: String, _ name: String, _ title: String) -> JSONValue {
    .object([("type", .string(type)), ("name", .string(name)), ("title", .string(title))])
  }

  private static func column(_ text: String) -> String {
    text + String(repeating: " ", count: max(1, 21 - text.count))
  }
}
