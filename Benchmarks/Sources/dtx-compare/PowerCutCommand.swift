internal import ArgumentParser
internal import Comparison
internal import Foundation

/// Cuts the power under transfers, and looks at what is left.
struct PowerCutCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "power-cut",
    abstract: "Cut the power under transfers, and look at what is left (as root)."
  )

  @Option(help: "The dtx to try.")
  var dtx = ".build/release/dtx"

  @Option(help: "Cuts while a transfer runs, on each file system.")
  var cuts = 100

  @Option(help: "Cuts under each of rsync's ways, on each file system.")
  var rsyncCuts = 20

  @Option(help: "Cuts in one transfer.")
  var cutsEach = 10

  @Option(help: "ext4, xfs, btrfs, or several.")
  var fileSystems = "ext4,xfs,btrfs"

  @Option(help: "The same seed gives the same dataset and the same lots.")
  var seed: UInt64 = 1

  @Option(help: "A directory for the disks: 320 MiB for each cut of a transfer.")
  var work = FileManager.default.temporaryDirectory.path

  private var chosen: [PowerFileSystem] {
    fileSystems.split(separator: ",").compactMap { PowerFileSystem(rawValue: String($0)) }
  }

  func validate() throws {
    guard chosen.count == fileSystems.split(separator: ",").count, !chosen.isEmpty else {
      throw ValidationError("--file-systems is a list of ext4, xfs and btrfs.")
    }
    guard cuts > 0, rsyncCuts >= 0, (1...100).contains(cutsEach) else {
      throw ValidationError("--cuts is more than 0, --cuts-each 1 to 100.")
    }
  }

  func run() throws {
    let arena = try Arena(in: work)
    let trial = try PowerTrial(program: dtx, in: arena, seed: seed)
    var table = TextTable([
      "file system", "mover", "cuts", "after exit 0", "unmountable", "wrong files", "claimed",
      "lost",
      "sent again",
      "promises broken", "wrong after the next run",
    ])
    var complaints: [String] = []
    var isClean = true
    for fileSystem in chosen {
      for mover in TrialMover.allCases {
        let count = mover == .dtx ? cuts : rsyncCuts
        if count == 0 { continue }
        let findings = try run(trial, mover, fileSystem, count)
        table.append(row(fileSystem, mover, findings))
        guard mover == .dtx else { continue }
        isClean = isClean && findings.isClean
        complaints += findings.trees.complaints
      }
    }
    print(table.text, terminator: "")
    for complaint in complaints { print(complaint) }
    guard isClean else { throw HarnessError("a cut of power left something that it must not") }
  }

  /// Transfers until there were so many cuts.
  private func run(
    _ trial: PowerTrial,
    _ mover: TrialMover,
    _ fileSystem: PowerFileSystem,
    _ count: Int
  ) throws -> PowerFindings {
    var all = PowerFindings()
    var operationCount = 0
    // A mover that leaves all to the page cache gives the disk little to do while it runs, and so
    // few moments to cut at.
    let limit = UInt64(3 * (count / cutsEach + 1))
    for transfer in 1...limit where all.cutCount < count {
      let (findings, seen) = try trial.run(
        mover,
        fileSystem,
        cutCount: min(cutsEach, count - all.cutCount),
        operationCount: operationCount,
        seed: seed &* 1_000_003 &+ transfer
      )
      operationCount = seen
      all += findings
    }
    say("\(fileSystem.rawValue), \(mover.name): \(all.cutCount + all.lateCutCount) cuts")
    return all
  }

  /// Tells whoever waits that something is done.
  private func say(_ text: String) {
    FileHandle.standardError.write(Data("\(text)\n".utf8))
  }

  private func row(
    _ fileSystem: PowerFileSystem,
    _ mover: TrialMover,
    _ findings: PowerFindings
  ) -> [String] {
    let trees = findings.trees
    let isJournalled = mover == .dtx
    return [
      fileSystem.rawValue, mover.name, "\(findings.cutCount)", "\(findings.lateCutCount)",
      "\(findings.unmountableCount)", "\(trees.wrongFileCount)",
      isJournalled ? "\(trees.claimedExtentCount)" : "-",
      isJournalled ? "\(trees.lostExtentCount)" : "-",
      "\(Quantity.fixed(trees.resentPercentage, 1)) %", "\(trees.brokenPromiseCount)",
      "\(trees.unmendedFileCount + trees.failedRunCount)",
    ]
  }
}
