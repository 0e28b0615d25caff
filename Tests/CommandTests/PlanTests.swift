import DTXCore
import DTXEngine
import DTXLinux
import Testing

@testable import dtx

/// A plan as its user meets it.
enum PlanSamples {
  /// Two reserved lanes of 8 and 4 Mb/s, with 3 MB of blocks of 1 MB.
  static func report(roundTripNanoseconds: UInt64 = 12_000_000) -> PlanReport {
    var lanes = [8, 4].map { rate in
      LaneDescription(
        Lane(
          contract: .reserved,
          rate: Rate(bitsPerSecond: rate * 1_000_000),
          connectionCount: 1
        )
      )
    }
    lanes[0].lane.name = "a"
    let inputs = PlanInputs(
      of: lanes,
      SegmentShape(segmentByteCount: 8948, isV6: false),
      roundTripNanoseconds: roundTripNanoseconds
    )
    guard var prediction = Prediction(inputs), let null = NullDataset(byteCount: 3_000_000) else {
      preconditionFailure("the lanes have rates")
    }
    let segment = null.segment(0, blockByteCount: 1_000_000)
    let wanted = BitSet(count: segment.extents.count, filled: true)
    let plan = Scheduler.plan(
      segment,
      wanted: wanted,
      inputs: inputs,
      generation: Generation(inputs)
    )
    prediction.add(plan, of: segment, wanted: wanted)
    var sockets = SocketLimits()
    sockets.automaticSendByteCount = 4 << 20
    sockets.automaticReceiveByteCount = 16 << 10
    return PlanReport(
      prediction: prediction,
      lanes: lanes,
      path: PlanPath(role: .sender),
      sockets: sockets
    )
  }
}

@Suite struct PlanTests {
  private func text(_ report: PlanReport) -> String {
    report.rows.map { TransferSummary.row($0.label, $0.text) }.joined(separator: "\n")
  }

  @Test func thePlanIsToldLaneByLane() {
    #expect(
      text(PlanSamples.report()) == """
        lane 0    a: reserved 8.00 Mb/s, 1 connection: 2.00 MB in 2 blocks, 0.03 s to 2.1 s
        lane 1    reserved 4.00 Mb/s, 1 connection: 1.00 MB in 1 block, 0.03 s to 2.1 s
        plan      done 2.2 s after its start
        disks     1.48 MB/s to be read at the source and written at the destination
        path      round trip 12.0 ms, 98.9 % of the wire is payload
        window    18.0 kB are on the way, 12.0 kB a connection; this host's socket buffers allow it
        """
    )
  }

  @Test func aBufferThatIsTooSmallIsNamedWithWhatItAllows() {
    var report = PlanSamples.report()
    #expect(report.hasRoom == true)
    report = PlanReport(
      prediction: report.prediction,
      lanes: report.lanes,
      path: PlanPath(role: .receiver),
      sockets: report.sockets
    )
    #expect(report.hasRoom == false)
    #expect(text(report).contains("net.ipv4.tcp_rmem allows 8.19 kB, 5.46 Mb/s a connection"))
  }

  @Test func whatIsNotKnownOfAPathIsNotGuessed() {
    let report = PlanSamples.report(roundTripNanoseconds: 0)
    #expect(report.hasRoom == nil)
    #expect(text(report).contains("its round trip is not known"))
    #expect(!text(report).contains("window"))
  }

  @Test func aDeadlineIsToldAsMetOrMissed() {
    var report = PlanSamples.report()
    report.remainingNanoseconds = 10_000_000_000
    #expect(text(report).hasSuffix("deadline  met, with 7.8\(seconds(report)) s to spare"))
    let needed = Rate(bitsPerSecond: 24_100_000)
    report.refusal = .late(byNanoseconds: 1_000_000_000, needed: needed)
    #expect(text(report).hasSuffix("missed by 1.00 s; 24.1M in all would meet it"))
    let error = AdmissionText.error(
      .late(byNanoseconds: 1_000_000_000, needed: nil),
      report.prediction,
      report.lanes
    )
    #expect(ExitStatus(error) == .unattainable)
    #expect(error.remedy?.hasPrefix("no rate would meet it") == true)
  }

  /// The second digit behind the point of what is left of 10 s.
  private func seconds(_ report: PlanReport) -> String {
    String((10_000_000_000 - report.prediction.finish) / 10_000_000 % 10)
  }

  @Test func aLaneThatOutlastsItsWindowIsNamedWithBothTimes() {
    let report = PlanSamples.report()
    let error = AdmissionText.error(
      .windowTooShort(
        lane: 0,
        until: WallInstant(seconds: 86_400),
        byNanoseconds: 60_000_000_000
      ),
      report.prediction,
      report.lanes
    )
    #expect(error.summary == "lane 0 (a) is not done before its window ends")
    #expect(
      error.cause == "its window ends at 1970-01-02T00:00:00.000000000Z, and it is predicted to be "
        + "done at 1970-01-02T00:01:00.000000000Z, 1 min 00 s later"
    )
  }

  @Test(arguments: [
    (0, "0"), (999, "999"), (1000, "1k"), (9_540_000, "9.54M"), (125_400_000_000, "125.4G"),
    (1_000_000_001, "1.000000001G"), (UInt64.max, "18446.744073709551615P"),
  ])
  func ratesCanBeTypedAsTheyArePrinted(_ bits: UInt64, _ text: String) {
    let rate = Rate(bitsPerSecond: bits)
    #expect(rate.argument == text)
    if bits > 0, bits < 1 << 60 { #expect(Quantity.rate(text) == rate) }
  }

  /// `dtx simulate fast-72tb` says 1.617 h where all is ideal.
  @Test func theTelescopesDatasetTakesWhatTheSimulatorSays() throws {
    let result = try Invocation(
      "plan",
      "--bytes",
      "72TB",
      "--files",
      "36000",
      "--rate",
      "100G",
      "--mtu",
      "9000",
      "--rtt",
      "11ms",
      "--block-size",
      "1GiB",
      "--json"
    )
    #expect(result.status == 0, "\(result.messages)")
    let seconds = try #require(Run.figure("predicted_seconds", in: result.output))
    #expect((5818...5876).contains(seconds), "\(result.output)")
    #expect(Run.figure("blocks_wanted", in: result.output) == 72_000)
  }

  @Test func aDeadlineOfADatasetToComeIsRefusedToo() throws {
    let result = try Invocation(
      "plan",
      "--bytes",
      "1TB",
      "--rate",
      "1G",
      "--deadline",
      "1h",
      "--block-size",
      "1GiB"
    )
    #expect(result.status == 6)
    #expect(result.output.contains("deadline  missed by "))
    #expect(result.messages.contains("dtx: the deadline cannot be met"))
  }
}
