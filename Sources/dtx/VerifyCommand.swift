import ArgumentParser
import DTXCore
import DTXEngine
import DTXLinux

/// `dtx verify`: reads a tree back and compares it with a manifest.
struct VerifyCommand: ParsableCommand, JSONReporting {
  static let configuration = CommandConfiguration(
    commandName: "verify",
    abstract: "Read a tree back and compare it with its manifest.",
    discussion: """
      Names each file that differs or is missing, and the blocks in which it differs. The exit \
      status is 3 if there is any. Owner, mode and time are told, and change no status.
      """
  )

  @Argument(help: "The tree.", completion: .directory, transform: ArgumentValue.path)
  var directory: [UInt8]

  @Option(
    help: ArgumentHelp(
      "A manifest, or a tree with one in its .dtx, instead of the tree's own.",
      valueName: "path"
    ),
    completion: .file(),
    transform: ArgumentValue.path
  )
  var against: [UInt8]?

  @Flag(
    name: .shortAndLong,
    help: "List entries of other metadata, and those that the manifest lacks."
  )
  var verbose = false

  @Flag(name: .shortAndLong, help: "Print errors and what differs alone.")
  var quiet = false

  @Flag(help: "Print events and the summary as JSON lines.")
  var json = false

  var isJSON: Bool { json }

  func validate() throws {
    if verbose, quiet { throw ValidationError("give --verbose or --quiet, not both") }
  }

  func run() throws {
    let console = Console()
    let printer = EventPrinter(console, isJSON: json, isQuiet: quiet)
    let report: VerifyReport
    do {
      report = try TreeVerifier.run(directory: directory, against: against) { printer.print($0) }
    } catch {
      console.finish()
      throw error
    }
    for entry in report.failedEntries { printer.print(.failed(entry)) }
    let summary = VerifySummary(report: report)
    if json {
      for event in summary.json { console.report(event.line) }
    } else {
      for line in summary.findings(isVerbose: verbose) { console.report(line) }
      if !quiet { console.report(summary.lines.joined(separator: "\n")) }
    }
    if let failure = console.finish() {
      throw TransferError("the report could not be written", failure)
    }
    if summary.status != .success { throw ExitCode(summary.status.rawValue) }
  }
}
