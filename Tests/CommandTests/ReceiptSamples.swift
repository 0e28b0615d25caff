import DTXCore
import DTXEngine

@testable import dtx

/// Receipts for what shows and judges them.
enum ReceiptSamples {
  static let receipt: Receipt = {
    var statement = ReceiptStatement(
      sender: ReceiptParty(
        implementation: "dtx 0.1.0",
        host: "fast",
        paths: [bytes("/sky/")],
        key: Array(0..<32)
      ),
      started: 1_772_366_400_000_000_000,
      roots: Roots(content: Digest(words: (1, 2, 3, 4)), full: Digest(words: (5, 6, 7, 8)))
    )
    statement.nanoseconds = 8 * Duration.second
    statement.predictedNanoseconds = 7900 * Duration.millisecond
    statement.blockByteCount = 16 << 20
    statement.entryCount = 12
    statement.fileCount = 10
    statement.byteCount = 1_100_000_000
    statement.movedByteCount = 1_000_000_000
    statement.movedBlockCount = 60
    statement.resentByteCount = 16_000_000
    statement.skippedByteCount = 100_000_000
    statement.unreadByteCount = 50_000_000
    statement.missingCount = 3
    statement.missing = [
      MissingEntry(path: bytes("a\u{1b}[2J"), failure: .changed, reason: "it grew")
    ]
    statement.cipher = .aes256GCM
    statement.planDigest = Digest(words: (9, 10, 0, 0))
    statement.generation = 1
    statement.lanes = [lane]
    statement.progress = [
      ProgressInterval(nanoseconds: 8 * Duration.second, durableByteCount: 1_000_000_000)
    ]
    var endorsement = ReceiptEndorsement(
      receiver: ReceiptParty(
        implementation: "dtx 0.1.0",
        host: "archive",
        paths: [bytes("/vault")],
        key: Array(32..<64)
      ),
      endorsed: 1_772_366_408_000_000_000
    )
    endorsement.epochCount = 8
    return Receipt(
      statement,
      signature: Array(repeating: 1, count: 64),
      endorsement: endorsement,
      endorsementSignature: Array(repeating: 2, count: 64)
    )
  }()

  private static let lane: LaneStatement = {
    var lane = LaneStatement(
      lane: Lane(
        contract: .reserved,
        rate: Rate(bitsPerSecond: 1_000_000_000),
        connectionCount: 1,
        name: "red"
      ),
      layer: .l2
    )
    lane.byteCount = 1_016_000_000
    lane.blockCount = 61
    var interval = LaneInterval()
    interval.nanoseconds = 8 * Duration.second
    interval.reservedByteCount = 1_000_000_000
    interval.deliveredByteCount = 990_000_000
    interval.idle[.receiveWindow] = 80 * Duration.millisecond
    lane.intervals = [interval]
    lane.figures = LaneConformance.Figures(
      owedNanoseconds: 7 * Duration.second,
      reservedByteCount: 875_000_000,
      deliveredByteCount: 866_250_000,
      belowNanoseconds: 1020 * Duration.millisecond,
      firstPercentile: 913,
      idle: interval.idle
    )
    return lane
  }()

  /// What a check of a receipt on disk came to.
  static func verdict(
    sender: SignatureFinding = .valid(PublicKeyText(Array(0..<32))),
    receiver: SignatureFinding = .valid(PublicKeyText(Array(32..<64))),
    manifest: ReceiptReport.Manifest? = .same(bytes("m")),
    tree: VerifyReport? = VerifyReport(),
    known: [(key: PublicKeyText, path: [UInt8])] = [],
    own: PublicKeyText? = nil
  ) -> ReceiptVerdict {
    ReceiptVerdict(
      report: ReceiptReport(
        path: bytes("r"),
        sender: sender,
        receiver: receiver,
        manifest: manifest,
        tree: tree
      ),
      known: known,
      own: own
    )
  }
}
