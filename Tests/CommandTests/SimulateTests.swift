import DTXCore
import DTXSimulator
import Testing

@testable import dtx

/// `dtx simulate` as its user meets it.
@Suite struct SimulateTests {
  @Test func theReportIsLabelledAndWhole() {
    #expect(SimulationSamples.report().lines.joined(separator: "\n") == SimulationSamples.lines)
  }

  @Test func everyLineOfTheAnswerSaysThatItIsSimulated() {
    let report = SimulationSamples.report()
    let answers = report.lines.filter { $0.contains("as written") }
    #expect(answers.count == 2)
    #expect(answers.allSatisfy { $0.hasPrefix("simulated, ") })
    for case .object(let members) in report.json.dropLast(2) {
      #expect(members.contains { $0.0 == "simulated" })
    }
  }

  @Test func aNameCannotDisturbATerminal() {
    var scenario = SimulationSamples.scenario()
    scenario.title = "a\u{1B}[2Jb"
    scenario.variants[0].name = "c\u{7}d"
    let report = SimulationReport(
      name: "x",
      scenario: scenario,
      outcomes: SimulationSamples.report().outcomes
    )
    let text = report.lines.joined(separator: "\n")
    #expect(!text.contains("\u{1B}") && !text.contains("\u{7}"))
  }

  @Test(arguments: [
    (0, "0.0 s"), (1, "0.1 s"), (42_000_000_000, "42.0 s"),
    (5_818_000_000_000, "1.617 h (5,818 s)"), (3_600_000_000_000, "1.000 h (3,600 s)"),
    (60_393_600_000_000_000, "699.0 days"),
  ])
  func virtualTimesAreRoundedUp(_ nanoseconds: UInt64, _ text: String) {
    #expect(ScenarioTime.text(nanoseconds) == text)
  }

  @Test func columnsAreAligned() {
    #expect(
      TextTable.lines([["a", "bb", "c"], ["aaa", "b", "cc"]]) == ["a     bb   c", "aaa   b    cc"]
    )
    #expect(TextTable.lines([]) == [])
  }

  @Test func theProgramListsWhatThereIs() throws {
    let result = try Invocation("simulate", "--list")
    #expect(result.status == 0)
    for built in BuiltInScenario.all { #expect(result.output.contains("\(built.name) ")) }
    for fault in StandardFault.allCases { #expect(result.output.contains("\(fault.rawValue) ")) }
  }

  @Test(arguments: BuiltInScenario.all.map(\.name))
  func whatIsPrintedCanBeReadAgain(_ name: String) throws {
    let result = try Invocation("simulate", "--print", name)
    #expect(result.status == 0)
    #expect(try Scenario(parsing: result.output) == BuiltInScenario.named(name)?.scenario())
  }

  @Test func theSameFileGivesTheSameBytes() throws {
    let scratch = try ScratchDirectory()
    let path = try scratch.file("small.scenario", SimulationSamples.text)
    let first = try Invocation("simulate", path, "--fault", "power-loss", "--seed", "5")
    #expect(first.status == 0)
    #expect(first.output.contains("the command was run 2 times"))
    let again = try Invocation("simulate", path, "--fault", "power-loss", "--seed", "5")
    #expect(first.output == again.output)
  }

  @Test func aScenarioThatIsWrongIsAUsageError() throws {
    let scratch = try ScratchDirectory()
    let path = try scratch.file("wrong.scenario", "seed = 1\ncolour = 2\n")
    let result = try Invocation("simulate", path)
    #expect(result.status == 64)
    #expect(result.messages.contains("line 2: there is no 'colour' before the first table"))
    #expect(result.output.isEmpty)
  }

  @Test(arguments: [
    (["simulate"], "a scenario is missing; see --list"),
    (["simulate", "--list", "fast-72tb"], "--list takes no scenario"),
    (["simulate", "fast-72tb", "--fault", "flood"], "a fault is one of lane-cut, power-loss"),
  ])
  func whatMakesNoSenseIsAUsageError(_ arguments: [String], _ sentence: String) throws {
    let result = try Invocation(arguments.map { Array($0.utf8) })
    #expect(result.status == 64)
    #expect(result.messages.contains(sentence))
  }

  @Test func aScenarioThatIsNotThereIsNamed() throws {
    let result = try Invocation("simulate", "./fast-72tb")
    #expect(result.status == 1)
    #expect(result.messages.contains("./fast-72tb"))
    #expect(result.messages.contains("--list"))
  }
}

/// A small simulation with something of everything.
enum SimulationSamples {
  static let text = """
    title = "a sample"
    block-size = "1MiB"
    [dataset]
    bytes = "1GB"
    files = 10
    [path]
    rate = "1G"
    loss = "0.0001%"
    [[lane]]
    name = "a"
    rate = "1G"
    reserved = true
    [[published]]
    name = "somebody"
    bytes = "1TB"
    time = "3h"
    """

  static func scenario() -> Scenario {
    guard let scenario = try? Scenario(parsing: text) else {
      preconditionFailure("a sample that cannot be read")
    }
    return scenario
  }

  static func report() -> SimulationReport {
    let scenario = scenario()
    return SimulationReport(
      name: "sample",
      scenario: scenario,
      outcomes: ScenarioRunner.run(scenario)
    )
  }

  static let lines = """
    simulated  in virtual time, by what decides in a real transfer; no byte was moved
    scenario   sample: a sample
    dataset    10 files, 1.00 GB, 960 blocks of 1 MiB at most
    path       1.00 Gb/s a port, round trip 10.0 ms, packets of 1500 bytes, 1 in 1,000,000 lost, cubic
    lane 0     a: 1.00 Gb/s, reserved, 1 connection
    sender     16 cores, each 1.71 GB/s with encryption and digests; reads 4.00 GB/s
    receiver   16 cores, each 1.71 GB/s with encryption and digests; writes 4.00 GB/s, a commit syncs \
    for about 40.0 ms
    ceiling    941 Mb/s of payload a port: 8.5 s at the least

    simulated               time    goodput    of its rate   of the path   limited by
    simulated, as written   9.8 s   818 Mb/s   86.9 %        86.9 %        the lanes' rate

    simulated, as written: 10 files and 1.00 GB durable; 0 B sent again; planned 8.5 s

    published, somebody   1.00 TB   3.000 h (10,800 s)   740 Mb/s
    """
}
