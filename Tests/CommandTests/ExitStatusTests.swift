import DTXCore
import DTXEngine
import Testing

@testable import dtx

@Suite struct ExitStatusTests {
  @Test func theTableIsAsDocumented() {
    #expect(
      ExitStatus.allCases.map(\.rawValue) == [0, 1, 2, 3, 4, 5, 6, 7, 64, 129, 130, 143]
    )
  }

  @Test(
    arguments: [
      (.failed, 1), (.integrity, 3), (.refused, 5), (.unattainable, 6), (.locked, 7), (.usage, 64),
      (.interrupted, 130),
    ] as [(TransferError.Kind, Int32)]
  )
  func everyKindOfErrorHasItsStatus(_ kind: TransferError.Kind, _ expected: Int32) {
    #expect(ExitStatus(kind).rawValue == expected)
  }

  @Test(
    arguments: [
      (.peerGone, 1), (.noLane, 1), (.peerFailed, 1), (.storage, 1), (.protocolViolation, 1),
      (.integrity, 3), (.locked, 7),
    ] as [(SessionFailure.Kind, Int32)]
  )
  func everyBrokenSessionHasItsStatus(_ kind: SessionFailure.Kind, _ expected: Int32) {
    var report = TransferReport(outcome: .failed(SessionFailure(kind, "x")), direction: .push)
    #expect(status(report) == expected)
    // What became of single entries says nothing of a session that broke off.
    report.failedEntries = [failed(.changed)]
    #expect(status(report) == expected)
  }

  @Test(
    arguments: [
      ([], 0), ([.unreadable], 2), ([.unwritable], 2), ([.conflict], 2), ([.changed], 4),
      ([.unreadable, .changed, .conflict], 4),
    ] as [([EntryFailure], Int32)]
  )
  func aChangedFileOutweighsOneThatCouldNotBeRead(_ failures: [EntryFailure], _ expected: Int32) {
    var report = TransferReport(outcome: .completed, direction: .pull)
    report.failedEntries = failures.map(failed)
    #expect(status(report) == expected)
  }

  @Test(arguments: [(nil, 130), (2, 130), (15, 143), (1, 129), (9, 130)] as [(Int32?, Int32)])
  func aSignalIsToldAsShellsTellIt(_ signal: Int32?, _ expected: Int32) {
    var report = TransferReport(outcome: .interrupted, direction: .push)
    report.signal = signal
    report.failedEntries = [failed(.changed)]
    #expect(status(report) == expected)
  }

  @Test func whatDiffersOutweighsWhatCouldNotBeRead() {
    var report = VerifyReport()
    #expect(ExitStatus(report) == .success)
    report.extra = [bytes("e")]
    report.unreadByteCount = 5
    report.changedMetadata = [VerifyDifference(path: bytes("o"), blocks: [], what: "owner")]
    #expect(ExitStatus(report) == .success)
    report.failedEntries = [failed(.unreadable)]
    #expect(ExitStatus(report) == .partial)
    report.failedEntries.append(failed(.changed))
    #expect(ExitStatus(report) == .changed)
    report.missing = [bytes("m")]
    #expect(ExitStatus(report) == .integrity)
    report.missing = []
    report.differing = [VerifyDifference(path: bytes("d"), blocks: [], what: "length")]
    #expect(ExitStatus(report) == .integrity)
  }

  private func status(_ report: TransferReport) -> Int32 {
    TransferSummary(report: report, isLocal: false).status.rawValue
  }

  private func failed(_ failure: EntryFailure) -> FailedPath {
    FailedPath(path: bytes("p"), failure: failure, reason: "r")
  }
}
