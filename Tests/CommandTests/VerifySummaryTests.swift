import DTXCore
import DTXEngine
import Testing

@testable import dtx

@Suite struct VerifySummaryTests {
  @Test func aTreeThatAgreesIsToldInFewLines() {
    var report = VerifyReport()
    report.checkedFileCount = 1234
    report.checkedByteCount = 12_345_678_901
    report.deviceByteCount = 12_345_678_901
    report.nanoseconds = 3_200_000_000
    #expect(
      VerifySummary(report: report).lines == [
        "checked   1,234 files, 12.3 GB in 3.20 s", "read      past the page cache",
        "verdict   nothing differs",
      ]
    )
    #expect(VerifySummary(report: report).findings(isVerbose: true).isEmpty)
  }

  @Test func everyFindingIsNamed() {
    let summary = VerifySummary(report: damagedReport())
    let findings = [
      "differs   a\\x1b: content: block 0 at 0 (65536 bytes), block 12 at 786432 (100 bytes)",
      "differs   b: length 5 instead of 6", "missing   m",
    ]
    #expect(summary.findings(isVerbose: false) == findings)
    #expect(
      summary.findings(isVerbose: true) == findings + ["metadata  o: owner, time", "extra     e"]
    )
  }

  @Test func theVerdictComesLast() {
    let zeros = String(repeating: "0", count: 63)
    #expect(
      VerifySummary(report: damagedReport()).lines.joined(separator: "\n") == """
        checked   2 files, 1.00 kB in 0.00 s
        read      through the page cache, which may hide what is on the device
        unknown   7 B whose digest the manifest does not have
        root      sha256:\(zeros)2
        content   sha256:\(zeros)1
        verdict   2 entries differ, 1 entry is missing, 1 entry could not be read, the metadata of \
        1 entry differs, 1 entry is not in the manifest
        """
    )
  }

  @Test func machinesReadTheSame() {
    let zeros = String(repeating: "0", count: 63)
    #expect(
      VerifySummary(report: damagedReport()).json.map(\.line) == [
        #"{"type":"differs","path":"a\u001b","what":"content","blocks":["#
          + #"{"index":0,"offset":0,"bytes":65536},{"index":12,"offset":786432,"bytes":100}]}"#,
        #"{"type":"differs","path":"b","what":"length 5 instead of 6","blocks":[]}"#,
        #"{"type":"metadata","path":"o","what":"owner, time"}"#,
        #"{"type":"missing","path":"m"}"#, #"{"type":"extra","path":"e"}"#,
        #"{"type":"summary","exit_status":3,"files":2,"bytes":1000,"bytes_device":0,"bytes_unread":7,"#
          + #""differing":2,"missing":1,"metadata":1,"extra":1,"entries_failed":1,"repaired":0,"#
          + #""blocks_moved":0,"bytes_moved":0,"seconds":0.000000000,"#
          + "\"root\":\"sha256:\(zeros)2\",\"content_root\":\"sha256:\(zeros)1\"}",
      ]
    )
  }

  @Test func aRepairIsToldWithWhatItMoved() {
    var report = VerifyReport()
    report.checkedFileCount = 1
    report.checkedByteCount = 3000
    report.deviceByteCount = 1000
    let block = VerifyDifference.Block(index: 2, offset: 2000, byteCount: 1000)
    var repair = RepairReport()
    repair.repaired = [VerifyDifference(path: bytes("a"), blocks: [block], what: "repaired")]
    repair.movedBlockCount = 1
    repair.movedByteCount = 1000
    report.repair = repair
    let summary = VerifySummary(report: report)
    #expect(summary.status == .success)
    #expect(
      summary.findings(isVerbose: false) == ["repaired  a: block 2 at 2000 (1000 bytes)"]
    )
    #expect(
      summary.lines == [
        "checked   1 file, 3.00 kB in 0.00 s",
        "read      2.00 kB of it through the page cache, which may hide what is on the device",
        "fetched   1 block, 1.00 kB", "verdict   1 file was repaired, nothing differs any more",
      ]
    )
  }

  private func damagedReport() -> VerifyReport {
    var report = VerifyReport()
    report.checkedFileCount = 2
    report.checkedByteCount = 1000
    report.unreadByteCount = 7
    report.differing = [
      VerifyDifference(
        path: bytes("a\u{1B}"),
        blocks: [
          VerifyDifference.Block(index: 0, offset: 0, byteCount: 65_536),
          VerifyDifference.Block(index: 12, offset: 786_432, byteCount: 100),
        ],
        what: "content"
      ),
      VerifyDifference(path: bytes("b"), blocks: [], what: "length 5 instead of 6"),
    ]
    report.changedMetadata = [
      VerifyDifference(path: bytes("o"), blocks: [], what: "owner, time")
    ]
    report.missing = [bytes("m")]
    report.extra = [bytes("e")]
    report.failedEntries = [FailedPath(path: bytes("f"), failure: .unreadable, reason: "r")]
    report.summary = ManifestSummary(
      roots: Roots(content: Digest(words: (0, 0, 0, 1)), full: Digest(words: (0, 0, 0, 2)))
    )
    return report
  }
}

@Suite struct SessionViewTests {
  @Test func aSessionThatBrokeOffSaysWhatIsDurable() {
    var session = SessionStatus(key: "0123456789abcdef")
    session.startedWall = 1_709_210_096_000_000_000
    session.files = [
      SessionStatus.File(
        path: bytes("d/a\n"),
        durableByteCount: 1_200_000_000,
        byteCount: 2_000_000_000
      )
    ]
    session.durableByteCount = 1_200_000_000
    #expect(
      lines(session) == """
        session 0123456789abcdef  broken off: run the same command again to resume it
          started  2024-02-29T12:34:56.000000000Z
          durable  1.20 GB in 1 staged file
            d/a\\x0a: 1.20 GB of 2.00 GB
        """
    )
    #expect(
      SessionView(session: session, isDiscarded: false).json.line == #"""
        {"type":"session","key":"0123456789abcdef","state":"broken_off","holder":null,\#
        "started":"2024-02-29T12:34:56.000000000Z","bytes_durable":1200000000,"staged_files":[\#
        {"path":"d/a\u000a","bytes":2000000000,"bytes_durable":1200000000}],"root":null}
        """#
    )
    #expect(SessionView(session: session, isDiscarded: true).lines[0].hasSuffix("  discarded"))
  }

  @Test func aRunningSessionNamesItsHolder() {
    var session = SessionStatus(key: "k")
    session.isLocked = true
    session.holder = "process 7 on alpha"
    #expect(lines(session) == "session k  running, held by process 7 on alpha")
  }

  @Test func aFinishedSessionSaysWhatItHolds() {
    var session = SessionStatus(key: "k")
    var summary = ManifestSummary(roots: Roots(content: .zero, full: .zero))
    summary.fileCount = 3
    summary.byteCount = 12_345
    session.finishedManifest = summary
    #expect(
      lines(session) == """
        session k  finished
          holds    3 files, 12.3 kB
          root     sha256:\(String(repeating: "0", count: 64))
        """
    )
  }

  private func lines(_ session: SessionStatus) -> String {
    SessionView(session: session, isDiscarded: false).lines.joined(separator: "\n")
  }
}
