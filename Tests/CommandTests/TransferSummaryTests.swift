import DTXCore
import DTXEngine
import Testing

@testable import dtx

@Suite struct TransferSummaryTests {
  private let root = "0000000000000005000000000000000600000000000000070000000000000008"
  private let content = "0000000000000001000000000000000200000000000000030000000000000004"

  @Test func peopleReadAFewLines() {
    #expect(
      lines(completedReport()) == """
        dataset   1,234 files in 1,300 entries, 12.3 GB
        moved     4.00 GB in 249 blocks, 8.00 s, 4.00 Gb/s; 100 B of it sent again
        skipped   8.24 GB that the destination had, 1.00 GB of it from a run that broke off; \
        7.00 GB by size and time alone
        lanes     2 best-effort without a rate, 2 connections
        cipher    aes-256-gcm
        verified  durable: as memory, and the published tree's lengths and metadata checked
        root      sha256:\(root)
        content   sha256:\(content)
        limited   by the receiver's sync, 81 % of the time
        """
    )
  }

  @Test func whatWasNotKeptIsNotCalledDurable() {
    var report = completedReport()
    report.keepsNothing = true
    report.nullSource = NullDataset(byteCount: 1)
    let text = lines(report)
    #expect(
      text.hasPrefix("dataset   1,234 files in 1,300 entries, 12.3 GB, made up by the sender\n")
    )
    #expect(text.contains("verified  digests checked as bytes arrived; nothing was kept\n"))
    #expect(!text.contains("durable"))
  }

  @Test func whatWasThereIsNotCalledMoved() {
    var report = completedReport()
    report.wantedByteCount = 0
    #expect(lines(report).contains("moved     nothing, for nothing was missing; 8.00 s\n"))
  }

  @Test func ratedLanesHaveALineEach() {
    var report = completedReport()
    var lane = LaneReport(
      lane: Lane(
        contract: .reserved,
        rate: Rate(bitsPerSecond: 2_000_000_000),
        connectionCount: 2,
        name: "blue\u{1B}"
      )
    )
    lane.connectionCount = 2
    lane.blockCount = 80
    lane.sentByteCount = 1_300_000_000
    lane.taken = taken
    lane.sourcePorts = [40_001, 40_002]
    lane.localAddress = "192.0.2.7"
    lane.interface = "ens1f0"
    var other = LaneReport(
      lane: Lane(
        contract: .bestEffort,
        rate: Rate(bitsPerSecond: 500_000_000),
        connectionCount: 1
      )
    )
    other.connectionCount = 1
    other.blockCount = 1
    report.lanes = [lane, other]
    report.predictedNanoseconds = 7_900_000_000
    let text = lines(report)
    #expect(
      text.contains(
        """
        lane 0    blue\\x1b: reserved 2.00 Gb/s on the wire, paced at 1.98 Gb/s; 1.30 GB in 80 \
        blocks, 2 connections
        lane 1    best-effort 500 Mb/s on the wire; 0 B in 1 block, 1 connection
        cipher    aes-256-gcm
        plan      predicted 7.90 s, made anew 2 times, took 8.00 s
        """
      )
    )
    report.lanes[0].pace = LanePace(layer: .l3, percent: 97)
    report.lanes[0].route.target = LaneTarget(host: "dtn-data", port: 5201)
    let summary = TransferSummary(report: report, isLocal: false, isVerbose: true)
    #expect(
      summary.lines.joined(separator: "\n").contains(
        """
        blocks, 2 connections
                  192.0.2.7 on ens1f0, port 40001 40002; to dtn-data:5201; dscp ef; bbr; MSS \
        8948, path MTU 9000; 97 % of the rate, which counts l3
        lane 1 \
           best-effort 500 Mb/s on the wire; 0 B in 1 block, 1 connection
        cipher
        """
      )
    )
  }

  /// 1.98 Gb/s on the wire over two connections.
  private var taken: LaneTaken {
    LaneTaken(
      codePoint: CodePoint(typeOfService: 184),
      congestionControl: "bbr",
      pacedBytesPerSecond: 122_600_000,
      segmentByteCount: 8948,
      pathMTU: 9000
    )
  }

  @Test func aTrustedPathIsCalledSo() {
    var report = completedReport()
    report.cipher = .none
    #expect(lines(report).contains("cipher    none: the path was trusted\n"))
    #expect(
      lines(report, isLocal: true).contains(
        "cipher    none: the path was trusted, which does not leave this host\n"
      )
    )
  }

  @Test func howFilesWereReachedIsSaidWhenAskedFor() {
    var report = completedReport()
    func verbose() -> String {
      TransferSummary(report: report, isLocal: false, isVerbose: true).lines
        .joined(separator: "\n")
    }
    report.receiver.storage = nil
    #expect(!verbose().contains("storage   "))
    report.receiver.storage = StorageUse(access: .buffered, mechanism: .inline)
    #expect(verbose().contains("storage   receiver buffered, inline\n"))
    report.sender.storage = StorageUse(access: .direct, mechanism: .ring)
    report.receiver.storage = StorageUse(access: .direct, mechanism: .plainRing)
    #expect(
      verbose().contains("storage   sender direct, ring; receiver direct, plain-ring\nverified")
    )
    #expect(!lines(report).contains("storage   "))
  }

  @Test func whatCompressionSavedIsSaid() {
    var report = completedReport()
    #expect(!lines(report).contains("compressed"))
    report.compressedByteCount = 2_150_000_000
    report.compressedWireByteCount = 1_610_000_000
    // 0.54 of 4.00 GB.
    #expect(
      lines(report).contains(
        "compressed 2.15 GB to 1.61 GB (zstd 1), 13 % less on the wire\n"
      )
    )
    report.compression = .level(7)
    report.sentByteCount = 2_150_000_000
    #expect(
      lines(report).contains(
        "compressed 2.15 GB to 1.61 GB (zstd 7), 25 % less on the wire\n"
      )
    )
  }

  @Test func brokenConnectionsAreCounted() {
    var report = completedReport()
    report.lostConnectionCount = 3
    #expect(
      lines(report).contains("\n          lost on the way: 3 connections\n")
    )
  }

  @Test func failuresThatTheReportDoesNotNameCount() {
    var report = completedReport()
    report.failedEntries = [FailedPath(path: bytes("a"), failure: .unreadable, reason: "r")]
    var told = FailureTally(report.failedEntries)
    told.add(.changed)
    let summary = TransferSummary(report: report, isLocal: false, told: told)
    #expect(summary.status == .changed)
    #expect(summary.lines.contains("failed    2 entries, named above; the rest is done"))
  }

  @Test func whatIsNotDoneIsNotCalledSo() {
    var report = completedReport()
    report.failedEntries = [FailedPath(path: bytes("a"), failure: .unreadable, reason: "r")]
    for outcome in [SessionOutcome.completed, .interrupted] {
      report.isDryRun = outcome == .completed
      report.outcome = outcome
      #expect(lines(report).contains("failed    1 entry, named above"))
      #expect(!lines(report).contains("the rest is done"))
    }
  }

  @Test func aDryRunClaimsNothing() {
    var report = completedReport()
    report.isDryRun = true
    report.lanes = []
    report.skippedByteCount = 0
    #expect(
      lines(report) == """
        dataset   1,234 files in 1,300 entries, 12.3 GB
        to move   4.10 GB in 250 blocks; nothing was changed
        cipher    aes-256-gcm
        """
    )
  }

  @Test func whatWasNotCompletedIsNotCalledVerified() {
    var report = completedReport()
    report.outcome = .interrupted
    report.roots = nil
    let text = lines(report)
    #expect(!text.contains("verified"))
    #expect(!text.contains("root"))
  }

  @Test func failedEntriesAreCounted() {
    var report = completedReport()
    report.failedEntries = [FailedPath(path: bytes("a"), failure: .unreadable, reason: "r")]
    #expect(lines(report).contains("failed    1 entry, named above; the rest is done\n"))
  }

  @Test func machinesReadEveryField() {
    var report = completedReport()
    report.compressedByteCount = 2_150_000_000
    report.compressedWireByteCount = 1_610_000_000
    report.compression = .level(3)
    #expect(
      TransferSummary(report: report, isLocal: false).json.line == """
        {"type":"summary","direction":"push","dry_run":false,"outcome":"completed",\
        "exit_status":0,"entries":1300,"files":1234,"entries_failed":0,"bytes":12345678901,\
        "blocks":249,"blocks_wanted":250,"bytes_wanted":4100000000,"bytes_durable":4000000000,\
        "bytes_sent":4000000100,"bytes_resent":100,"bytes_compressed":2150000000,\
        "bytes_compressed_wire":1610000000,"bytes_skipped":8245678901,\
        "bytes_resumed":1000000000,"bytes_unread":7000000000,"seconds":8.000000000,\
        "goodput_bits_per_second":4000000000,"predicted_seconds":null,\
        "plan_digest":"xxh3-128:\(planDigest)","plan_generation":2,"blocks_off_plan":1,"lanes":[\
        {"index":0,"name":"","contract":"best-effort","rate_bits_per_second":null,\
        "layer":"l2","pace_percent":100,"paced_bits_per_second":null,"connections":1,\
        "listen":"remote","local_address":null,"interface":null,"source_ports":[40001],\
        "to":null,"dscp":null,"congestion_control":null,"segment_bytes":null,"path_mtu_bytes":null,"queue":null,\
        "queue_interface":null,"queue_bits_per_second":null,"queue_limits_connections":null,\
        "blocks":200,\
        "bytes_sent":3000000000,"conformance":null},\
        {"index":1,"name":"","contract":"best-effort","rate_bits_per_second":null,\
        "layer":"l2","pace_percent":100,"paced_bits_per_second":null,"connections":1,\
        "listen":"remote","local_address":null,"interface":null,"source_ports":[40001],\
        "to":null,"dscp":null,"congestion_control":null,"segment_bytes":null,"path_mtu_bytes":null,"queue":null,\
        "queue_interface":null,"queue_bits_per_second":null,"queue_limits_connections":null,\
        "blocks":49,\
        "bytes_sent":1000000100,"conformance":null}],"connections_lost":0,"through_shell":false,\
        "cipher":"aes-256-gcm","compress":"3","source_null":false,"sink_null":false,\
        "verification":"durable",\
        "root":"sha256:\(root)",\
        "content_root":"sha256:\(content)","receipt":null,"sender_signed":false,\
        "receiver_signed":false,"notices":[],"peak_memory_bytes":50000000,\
        "limited_by":[{"cause":"the receiver's sync","percent":81},\
        {"cause":"the opening of connections","percent":13},\
        {"cause":"the network","percent":6}],\
        "sender":{"peak_memory_bytes":50000000,"processors":8,"processor_seconds":2.000000000,\
        "host_processor_seconds":5.000000000,"storage_access":null,"storage_method":null,\
        "zero_copy_bytes":0,"opening_seconds":1.000000000,\
        "scanning_seconds":0.000000000,"comparing_seconds":0.000000000,\
        "moving_seconds":0.500000000,"settling_seconds":6.500000000,\
        "sealing_seconds":0.000000000,"reading_seconds":0.000000000,\
        "encoding_seconds":0.000000000,"sending_seconds":0.000000000,\
        "blocked_seconds":0.000000000,"walking_seconds":0.000000000},\
        "receiver":{"peak_memory_bytes":60000000,"processors":4,"processor_seconds":3.000000001,\
        "host_processor_seconds":0.000000000,"storage_access":"direct",\
        "storage_method":"plain-ring","epochs":8,\
        "sync_seconds":0.400000000,"bytes_reread":1000000000,"awaiting_seconds":0.000000000,\
        "receiving_seconds":0.000000000,"decoding_seconds":0.000000000,\
        "writing_seconds":0.000000000,"paused_seconds":0.000000000,\
        "looking_seconds":0.000000000,"preparing_seconds":0.000000000,\
        "committing_seconds":2.000000000}}
        """
    )
  }

  @Test func whatIsUnknownIsNull() {
    let report = TransferReport(
      outcome: .failed(SessionFailure(.peerGone, "x")),
      direction: .pull
    )
    let line = TransferSummary(report: report, isLocal: false).json.line
    #expect(
      line.contains(#""direction":"pull","dry_run":false,"outcome":"failed","exit_status":1"#)
    )
    for key in ["plan_digest", "root", "content_root", "predicted_seconds"] {
      #expect(line.contains("\"\(key)\":null"))
    }
  }

  private var planDigest: String { Digest(words: (9, 10, 0, 0)).hex(16) }

  private func lines(_ report: TransferReport, isLocal: Bool = false) -> String {
    TransferSummary(report: report, isLocal: isLocal).lines.joined(separator: "\n")
  }
}
