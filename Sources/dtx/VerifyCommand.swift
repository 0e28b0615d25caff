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
      status is 3 if there is any. Owner, mode and time are told, and change no status. With \
      --repair blocks that differ are fetched from the source, checked by the manifest, and written \
      in their places; the source is named as the transfer named it.

      Examples:
        dtx verify /data/run7
        dtx verify --repair archive:/mnt/run7/ /data/run7
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

  @Option(
    help: ArgumentHelp(
      "Where the bytes come from: media, past the page cache, or memory, through it. "
        + "(default: past it where that can be)",
      valueName: "level"
    ),
    transform: ArgumentValue.readLevel
  )
  var level: VerificationLevel?

  @Option(
    help: ArgumentHelp(
      "Fetch the blocks that differ from here: a path or [user@]host:path.",
      valueName: "source"
    ),
    completion: .file(),
    transform: ArgumentValue.endpoint
  )
  var repair: Endpoint?

  @OptionGroup(title: "Far End") var farEnd: FarEndArguments

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
    var report: VerifyReport
    do {
      report = try TreeVerifier.run(directory: directory, against: against, level: level) {
        printer.print($0)
      }
    } catch {
      console.finish()
      throw error
    }
    var refusal: TransferError?
    if let request {
      // What was found took hours, and is told whatever comes of the repair.
      do throws(TransferError) {
        try TreeRepair.run(&report, request) { printer.print($0) }
      } catch {
        refusal = error
      }
    }
    for entry in report.failedEntries + (report.repair?.failed ?? []) {
      printer.print(.failed(entry))
    }
    let summary = VerifySummary(report: report, refusal: refusal)
    if let error = summary.repairError {
      console.message(ErrorReport.text(error))
      if json { console.report(ErrorReport.json(error, status: summary.status).line) }
    }
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

  /// What a repair asks the source for; nil without one.
  private var request: TransferRequest? {
    guard let repair else { return nil }
    var request = TransferRequest(
      direction: .pull,
      sources: [repair],
      destination: Endpoint(host: nil, path: directory),
      // What is wrong is little: one lane carries it.
      lanes: Lane.split(nil, over: 1).map { LaneDescription($0) }
    )
    request.remoteShell = farEnd.remoteShell ?? request.remoteShell
    request.remoteProgram = farEnd.remoteProgram ?? request.remoteProgram
    request.bootstraps = farEnd.bootstrap
    return request
  }
}
