import ArgumentParser
import DTXCore
import DTXEngine
import DTXLinux

/// Runs a transfer for `push` and `pull`, and prints what it says.
struct TransferRun {
  var request: TransferRequest
  var output: TransferOutputArguments
  var capacity: CapacityArguments

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
      // What moves nothing takes nothing of the capacity.
      let share =
        request.options.isDryRun
        ? nil : try CapacityGate(capacity).enter(request.lanes) { printer.print(.notice($0)) }
      defer { share?.release() }
      report = try Transfer.run(request, watching: { printer.print($0) })
    } catch {
      console.finish()
      throw advised(error)
    }
    printer.printMissing(report.notices)
    if let refusal = report.refusal, let prediction = report.prediction, !request.options.isDryRun {
      console.finish()
      throw AdmissionText.error(refusal, prediction, request.lanes)
    }
    var summary = TransferSummary(
      report: report,
      isLocal: isLocal,
      isVerbose: output.verbose,
      told: printer.failures
    )
    let plan = planned(report)
    summary.plan = plan
    if let plan, output.json {
      let event = plan.json(fileCount: report.fileCount, byteCount: report.byteCount)
      console.report(event.line)
    }
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
    if let refusal = report.refusal, let prediction = report.prediction {
      throw AdmissionText.error(refusal, prediction, request.lanes)
    }
    if summary.status != .success { throw ExitCode(summary.status.rawValue) }
  }

  /// The plan of a dry run over lanes with rates.
  private func planned(_ report: TransferReport) -> PlanReport? {
    guard report.isDryRun, report.outcome == .completed, let prediction = report.prediction else {
      return nil
    }
    let role: PlanPath.Role = request.direction == .push ? .sender : .receiver
    return PlanReport(
      prediction: prediction,
      lanes: request.lanes,
      path: PlanPath(role: role),
      sockets: .read(),
      remainingNanoseconds: report.remainingNanoseconds,
      refusal: report.refusal
    )
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
