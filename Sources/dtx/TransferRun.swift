import ArgumentParser
import DTXCore
import DTXEngine
import DTXLinux

/// Runs a transfer for `push` and `pull`, and prints what it says.
struct TransferRun {
  var request: TransferRequest
  var output: TransferOutputArguments

  /// Runs to the end.
  ///
  /// - Throws: `TransferError` when it could not be done, `ExitCode` when it ended otherwise than
  ///   well and everything has been said.
  func run() throws {
    let console = Console()
    let printer = EventPrinter(console, isJSON: output.json, isQuiet: output.quiet)
    var request = request
    request.options.listsChanges = output.verbose
    let report: TransferReport
    do {
      report = try Transfer.run(request, watching: { printer.print($0) })
    } catch {
      console.finish()
      throw advised(error)
    }
    printer.printMissing(report.notices)
    let summary = TransferSummary(
      report: report,
      isLocal: isLocal,
      isVerbose: output.verbose,
      told: printer.failures
    )
    if let error = failure(in: report) {
      console.message(ErrorReport.text(error))
      if output.json { console.report(ErrorReport.json(error, status: summary.status).line) }
    }
    if output.json {
      console.report(summary.json.line)
    } else if !output.quiet {
      console.report(summary.lines.joined(separator: "\n"))
    }
    if let failure = console.finish() {
      // The transfer did what it was asked; that nobody could read of it changes nothing there.
      console.message("dtx: the report could not be written: \(failure)")
    }
    if summary.status != .success { throw ExitCode(summary.status.rawValue) }
  }

  private var isLocal: Bool {
    request.destination.host == nil && request.sources.allSatisfy { $0.host == nil }
  }

  private func failure(in report: TransferReport) -> TransferError? {
    switch report.outcome {
    case .completed: nil
    case .interrupted: ErrorReport.interruption(report)
    case .failed(let failure): ErrorReport.error(failure, report)
    }
  }

  private func advised(_ error: TransferError) -> TransferError {
    var error = error
    error.remedy = error.remedy ?? ErrorReport.transferRemedy(error.kind)
    return error
  }
}
