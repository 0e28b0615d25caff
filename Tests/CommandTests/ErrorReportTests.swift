import DTXCore
import DTXEngine
import Testing

@testable import dtx

@Suite struct ErrorReportTests {
  @Test(
    arguments: [
      (
        .failed,
        "what is durable at the destination stays: run the same command again to go on"
      ),
      (
        .integrity,
        "run the same command again, then 'dtx verify': what is damaged is sent again"
      ),
      (.refused, "nothing was moved"),
      (.unattainable, "nothing was moved: promise less, or see --port and --lane-host in dtx(1)"),
      (.locked, "wait until the other run has ended; 'dtx status' shows what it does"),
      (.usage, "see 'dtx help'"),
      (
        .interrupted,
        "what is durable at the destination stays: run the same command again to resume"
      ),
    ] as [(TransferError.Kind, String)]
  )
  func everyKindSaysWhatToDoNext(_ kind: TransferError.Kind, _ remedy: String) {
    let error = TransferError(
      kind,
      "x cannot be y",
      cause: "open: No such file or directory (ENOENT)",
      remedy: ErrorReport.transferRemedy(kind)
    )
    #expect(
      ErrorReport.text(error) == """
        dtx: x cannot be y
          why:  open: No such file or directory (ENOENT)
          next: \(remedy)
        """
    )
  }

  @Test(
    arguments: [
      (.peerGone, "the far end is gone"), (.noLane, "no lane to the far end is left"),
      (.peerFailed, "the far end failed"), (.storage, "this end's storage failed"),
      (.protocolViolation, "the far end does what the protocol forbids"),
    ] as [(SessionFailure.Kind, String)]
  )
  func aSessionThatBrokeOffSaysWhatIsSafe(_ kind: SessionFailure.Kind, _ summary: String) {
    let failure = SessionFailure(kind, "the reason")
    let error = ErrorReport.error(failure, completedReport())
    #expect(
      ErrorReport.text(error) == """
        dtx: \(summary)
          why:  the reason
          next: 4.00 GB (97 %) became durable in this run; \
        what is durable at the destination stays: run the same command again to go on
        """
    )
    #expect(ExitStatus(error.kind) == ExitStatus(kind))
  }

  @Test func anIntegrityFailureAsksForAVerification() {
    var report = completedReport()
    report.wantedByteCount = 0
    let error = ErrorReport.error(SessionFailure(.integrity, "the roots differ"), report)
    #expect(
      ErrorReport.text(error) == """
        dtx: what arrived is not what was sent
          why:  the roots differ
          next: run the same command again, then 'dtx verify': what is damaged is sent again
        """
    )
  }

  @Test(arguments: [(nil, "INT"), (2, "INT"), (15, "TERM"), (1, "HUP")] as [(Int32?, String)])
  func anInterruptionNamesTheSignal(_ signal: Int32?, _ name: String) {
    var report = completedReport()
    report.signal = signal
    #expect(
      ErrorReport.text(ErrorReport.interruption(report)) == """
        dtx: interrupted
          why:  signal \(name)
          next: 4.00 GB (97 %) became durable in this run; \
        what is durable at the destination stays: run the same command again to resume
        """
    )
  }

  @Test func whatIsNotKnownTakesNoLine() {
    #expect(ErrorReport.text(TransferError(.failed, "x")) == "dtx: x")
  }

  @Test func namesInAMessageDoNotReachTheTerminalRaw() {
    let error = TransferError(.failed, "a\u{1B}[2J", cause: "b\nc", remedy: "d\re")
    #expect(
      ErrorReport.text(error) == "dtx: a\\x1b[2J\n  why:  b\\x0ac\n  next: d\\x0de"
    )
  }

  @Test func theEventHasAllOfIt() {
    let error = TransferError(.locked, "s", cause: "c")
    #expect(
      ErrorReport.json(error, status: .locked).line
        == #"{"type":"error","kind":"locked","summary":"s","cause":"c","remedy":null,"#
        + #""exit_status":7}"#
    )
  }
}
