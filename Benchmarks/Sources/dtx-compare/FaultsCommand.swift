internal import ArgumentParser
internal import Comparison
internal import Foundation

/// Lets single calls go wrong under transfers, and looks at what is left.
struct FaultsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "faults",
    abstract: "Kill transfers, or fail one of their calls, and look at what is left."
  )

  @Option(help: "The dtx to try.")
  var dtx = ".build/release/dtx"

  @Option(help: "Runs of dtx with each fault.")
  var runs = 20

  @Option(help: "Runs of each of rsync's ways with each fault.")
  var rsyncRuns = 5

  @Option(help: "The same seed gives the same dataset and the same lots.")
  var seed: UInt64 = 1

  @Option(help: "A directory for the trees.")
  var work = FileManager.default.temporaryDirectory.path

  func validate() throws {
    guard runs > 0, rsyncRuns >= 0 else { throw ValidationError("--runs is more than 0.") }
  }

  func run() throws {
    let arena = try Arena(in: work)
    let folder = Bundle.main.executableURL?.deletingLastPathComponent()
    guard let library = folder?.appendingPathComponent("libfaults.so").path,
      FileManager.default.fileExists(atPath: library)
    else { throw HarnessError("libfaults.so is not beside this program: build all of Benchmarks") }
    var trial = try FaultTrial(program: dtx, faultLibrary: library, in: arena, seed: seed)
    var table = TextTable([
      "fault, mover", "runs", "exit 0", "wrong files", "claimed", "lost", "promises broken",
      "wrong after the next run", "sent again",
    ])
    var complaints: [String] = []
    for fault in InjectedFault.allCases {
      for mover in TrialMover.allCases {
        let count = mover == .dtx ? runs : rsyncRuns
        if count == 0 { continue }
        let findings = try trial.run(fault, mover, runCount: count)
        say("\(fault.rawValue), \(mover.name): \(findings.runCount) runs")
        if findings.runCount == 0 { continue }
        table.append(row(fault, mover, findings))
        if mover == .dtx { complaints += findings.trees.complaints }
      }
    }
    print(table.text, terminator: "")
    for complaint in complaints { print(complaint) }
    guard complaints.isEmpty else { throw HarnessError("a fault left something that it must not") }
  }

  /// Tells whoever waits that something is done.
  private func say(_ text: String) {
    FileHandle.standardError.write(Data("\(text)\n".utf8))
  }

  private func row(
    _ fault: InjectedFault,
    _ mover: TrialMover,
    _ findings: FaultFindings
  ) -> [String] {
    let trees = findings.trees
    let isJournalled = mover == .dtx
    return [
      "\(fault.rawValue): \(mover.name)", "\(findings.runCount)",
      fault == .rot ? "-" : "\(findings.doneCount)", "\(trees.wrongFileCount)",
      isJournalled ? "\(trees.claimedExtentCount)" : "-",
      isJournalled ? "\(trees.lostExtentCount)" : "-", "\(trees.brokenPromiseCount)",
      "\(trees.unmendedFileCount + trees.failedRunCount)",
      "\(Quantity.fixed(trees.resentPercentage, 1)) %",
    ]
  }
}
