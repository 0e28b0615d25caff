import DTXCore
import DTXEngine
import Testing

@testable import dtx

@Suite struct ProgressLineTests {
  @Test func beforeAnythingIsWantedTheScanIsShown() {
    var line = ProgressLine()
    var progress = TransferProgress(phase: "scanning")
    progress.entryCount = 1200
    progress.byteCount = 5_000_000
    #expect(line.line(progress) == "scanning  1,200 entries, 5.00 MB")
  }

  @Test func whileTheScanRunsNoEndIsPromised() {
    var line = ProgressLine()
    _ = line.line(moving(0, of: 10_000_000_000, at: 0, isScanComplete: false))
    let text = line.line(moving(1_000_000_000, of: 10_000_000_000, at: 1, isScanComplete: false))
    #expect(text == "1.00 GB of 10.0 GB so far  8.00 Gb/s")
  }

  @Test func bytesRateAndTimeLeftAreShown() {
    var line = ProgressLine()
    _ = line.line(moving(0, of: 10_000_000_000, at: 0))
    var progress = moving(1_000_000_000, of: 10_000_000_000, at: 1)
    progress.remainder = .init(nanoseconds: 9_000_000_000, bounds: 0...0)
    let text = line.line(progress)
    #expect(text == "1.00 GB of 10.0 GB  10 %  8.00 Gb/s  9.00 s left")
  }

  @Test func theRateIsThatOfTheLastSeconds() {
    var line = ProgressLine()
    var text = ""
    for second in 0...20 {
      // Half the rate from the tenth second on.
      let moved = UInt64(min(second, 10) * 2 + max(0, second - 10)) * 100_000_000
      text = line.line(moving(moved, of: 10_000_000_000, at: second))
    }
    #expect(text == "3.00 GB of 10.0 GB  30 %  800 Mb/s")
  }

  @Test func aStallPromisesNothing() {
    var line = ProgressLine()
    var text = ""
    for second in 0...10 { text = line.line(moving(500, of: 1000, at: second)) }
    #expect(text == "500 B of 1.00 kB  50 %  0 b/s")
  }

  @Test func atTheEndThePhaseIsShown() {
    var line = ProgressLine()
    var progress = moving(1000, of: 1000, at: 4)
    progress.phase = "sealing"
    progress.openConnectionCount = 0
    #expect(line.line(progress) == "1.00 kB of 1.00 kB  100 %  0 b/s  sealing")
  }

  @Test func aLossOfAllConnectionsIsShown() {
    var line = ProgressLine()
    var progress = moving(0, of: 1000, at: 4)
    progress.openConnectionCount = 0
    #expect(line.line(progress) == "0 B of 1.00 kB  0 %  0 b/s  no connection")
  }

  /// The plan says 100 s, so that 2 % of it are tolerated.
  @Test(arguments: [
    (50, 50, "on plan"), (52, 50, "on plan"), (53, 50, "3.00 s behind plan"), (48, 50, "on plan"),
    (47, 50, "3.00 s ahead of plan"), (0, 0, "on plan"),
  ])
  func theStandingAgainstThePlanIsToldInTime(_ second: Int, _ percent: UInt64, _ standing: String) {
    var progress = moving(percent * 10, of: 1000, at: second)
    progress.predictedNanoseconds = 100_000_000_000
    #expect(ProgressLine.standing(progress) == standing)
    progress.isScanComplete = false
    #expect(ProgressLine.standing(progress) == nil)
  }

  @Test func aShortTransferMayDifferByASecond() {
    var progress = moving(0, of: 1000, at: 1)
    progress.predictedNanoseconds = 2_000_000_000
    #expect(ProgressLine.standing(progress) == "on plan")
    progress.nanoseconds += 1
    #expect(ProgressLine.standing(progress) == "1.00 s behind plan")
  }

  private func moving(
    _ moved: UInt64,
    of wanted: UInt64,
    at second: Int,
    isScanComplete: Bool = true
  ) -> TransferProgress {
    var progress = TransferProgress(phase: "moving")
    progress.wantedByteCount = wanted
    progress.movedByteCount = moved
    progress.nanoseconds = UInt64(second) * 1_000_000_000
    progress.openConnectionCount = 4
    progress.isScanComplete = isScanComplete
    return progress
  }
}
