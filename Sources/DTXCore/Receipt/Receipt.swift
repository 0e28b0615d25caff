/// A statement of what was moved, how, and how well the lanes kept their rates: dtx-receipt(5).
///
/// The sender states, the receiver endorses what it can know itself. Each may sign its part: a signature
/// covers all bytes before it, so the receiver's covers the sender's.
package struct Receipt: Equatable, Sendable {
  package var statement: ReceiptStatement
  /// The sender's Ed25519 signature; nil where it had no key.
  package var statementSignature: [UInt8]?
  /// Nil where the receiver did not agree, or was gone.
  package var endorsement: ReceiptEndorsement?
  package var endorsementSignature: [UInt8]?

  package init(
    _ statement: ReceiptStatement,
    signature: [UInt8]? = nil,
    endorsement: ReceiptEndorsement? = nil,
    endorsementSignature: [UInt8]? = nil
  ) {
    self.statement = statement
    statementSignature = signature
    self.endorsement = endorsement
    self.endorsementSignature = endorsementSignature
  }
}

/// An end of the transfer, as it calls itself.
package struct ReceiptParty: Equatable, Sendable {
  /// The program and its release.
  package var implementation: String
  package var host: String
  /// The sources, or the one destination, as this end was given them.
  package var paths: [[UInt8]]
  /// The Ed25519 public key that its signature is checked with, 32 bytes; nil where it signs nothing.
  package var key: [UInt8]?

  package init(implementation: String, host: String, paths: [[UInt8]], key: [UInt8]?) {
    self.implementation = implementation
    self.host = host
    self.paths = paths
    self.key = key
  }
}

/// What the sender says.
package struct ReceiptStatement: Equatable, Sendable {
  package var sender: ReceiptParty
  /// Wall-clock nanoseconds since 1970 at the sender.
  package var started: Int64
  /// From the session's beginning to the moment at which both ends had stored their manifests.
  package var nanoseconds: UInt64
  /// What the plan said of that; nil without rates.
  package var predictedNanoseconds: UInt64?

  // What was moved.
  package var roots: Roots
  package var blockByteCount: UInt64
  package var entryCount: UInt64
  package var fileCount: UInt64
  /// Lengths of the dataset's files.
  package var byteCount: UInt64
  /// Payload that went over the lanes and is durable.
  package var movedByteCount: UInt64
  package var movedBlockCount: UInt64
  package var resentByteCount: UInt64
  /// Payload that the receiver had; of it, bytes that nobody read.
  package var skippedByteCount: UInt64
  package var unreadByteCount: UInt64
  /// Entries that are not part of the roots: how many, and the first of them.
  package var missingCount: UInt64
  package var missing: [MissingEntry]

  // How.
  package var verification: VerificationLevel
  package var cipher: Cipher
  /// The one lane went through the control channel, which protects it in its own way.
  package var usesShellLane: Bool
  package var compression: Compression
  package var planDigest: Digest
  package var generation: UInt32
  package var lanes: [LaneStatement]
  package var progress: [ProgressInterval]

  package init(sender: ReceiptParty, started: Int64, roots: Roots) {
    self.sender = sender
    self.started = started
    self.roots = roots
    nanoseconds = 0
    blockByteCount = 0
    entryCount = 0
    fileCount = 0
    byteCount = 0
    movedByteCount = 0
    movedBlockCount = 0
    resentByteCount = 0
    skippedByteCount = 0
    unreadByteCount = 0
    missingCount = 0
    missing = []
    verification = .durable
    cipher = .none
    usesShellLane = false
    compression = .off
    planDigest = .zero
    generation = 0
    lanes = []
    progress = []
  }
}

/// An entry that is not part of the roots, and why.
package struct MissingEntry: Equatable, Sendable {
  package var path: [UInt8]
  package var failure: EntryFailure
  package var reason: String

  package init(path: [UInt8], failure: EntryFailure, reason: String) {
    self.path = path
    self.failure = failure
    self.reason = reason
  }

  /// As many of the first ones as have room in a receipt.
  package static func fitting(_ all: some Sequence<MissingEntry>) -> [MissingEntry] {
    var kept: [MissingEntry] = []
    var room = Limits.receiptMissingByteCount
    for entry in all {
      // Two lengths and the failure.
      room -= entry.path.count + entry.reason.utf8.count + 5
      guard room >= 0 else { break }
      kept.append(entry)
    }
    return kept
  }
}

/// What a lane was to do, what it did, and what the kernel took.
package struct LaneStatement: Equatable, Sendable {
  package var lane: Lane
  /// What the lane's rate and its series count.
  package var layer: CountedLayer
  /// Nil where nothing was read back.
  package var taken: LaneTaken?
  /// The sender's address and source ports, as networks hash them; empty where there was none.
  package var address: String
  package var ports: [UInt16]
  /// Payload handed to the lane, with what was sent again.
  package var byteCount: UInt64
  package var blockCount: UInt64
  /// Nil without rates.
  package var prediction: LanePrediction?
  /// Nil where the lane owed no rate.
  package var figures: LaneConformance.Figures?
  package var intervals: [LaneInterval]

  package init(lane: Lane, layer: CountedLayer) {
    self.lane = lane
    self.layer = layer
    address = ""
    ports = []
    byteCount = 0
    blockCount = 0
    intervals = []
  }
}

/// What became durable between two looks.
package struct ProgressInterval: Joinable {
  package var nanoseconds: UInt64
  package var durableByteCount: UInt64

  package init(nanoseconds: UInt64, durableByteCount: UInt64) {
    self.nanoseconds = nanoseconds
    self.durableByteCount = durableByteCount
  }

  package static func += (left: inout ProgressInterval, right: ProgressInterval) {
    left.nanoseconds &+= right.nanoseconds
    left.durableByteCount &+= right.durableByteCount
  }
}

/// What the receiver adds when it agrees.
package struct ReceiptEndorsement: Equatable, Sendable {
  package var receiver: ReceiptParty
  /// Wall-clock nanoseconds since 1970 at the receiver.
  package var endorsed: Int64
  /// Blocks that arrived over a lane which the plan does not give them.
  package var offPlanBlockCount: UInt64
  /// Commits, and the time that their syncs took.
  package var epochCount: UInt64
  package var syncNanoseconds: UInt64

  package init(receiver: ReceiptParty, endorsed: Int64) {
    self.receiver = receiver
    self.endorsed = endorsed
    offPlanBlockCount = 0
    epochCount = 0
    syncNanoseconds = 0
  }
}

extension ReceiptStatement {
  /// What is said otherwise than this end knows it, by name; the receiver endorses nothing of it.
  ///
  /// Times, lanes and the sender's own words are the sender's alone.
  ///
  /// - Parameter own: what the receiver would say of the same fields.
  /// - Returns: names as people read them; empty where all is the same.
  package func differences(from own: ReceiptStatement) -> [String] {
    func named<Value: Equatable>(
      _ name: String,
      _ field: KeyPath<ReceiptStatement, Value>
    ) -> String? {
      self[keyPath: field] == own[keyPath: field] ? nil : name
    }
    return [
      named("content root", \.roots.content), named("root", \.roots.full),
      named("block size", \.blockByteCount), named("entries", \.entryCount),
      named("files", \.fileCount), named("bytes", \.byteCount),
      named("bytes moved", \.movedByteCount), named("blocks moved", \.movedBlockCount),
      named("bytes unread", \.unreadByteCount), named("verification", \.verification),
      named("cipher", \.cipher), named("plan", \.planDigest), named("generation", \.generation),
    ].compactMap { $0 }
  }
}
