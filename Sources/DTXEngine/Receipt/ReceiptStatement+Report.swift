internal import DTXCore
internal import DTXLinux

extension ReceiptStatement {
  /// What an end would say of a transfer that is done, by what it knows.
  ///
  /// - Parameters:
  ///   - report: of this end.
  ///   - setup: of the session.
  ///   - roots: what both ends sealed.
  ///   - key: what its signature is checked with; nil for none.
  init(_ report: TransferReport, _ setup: SessionSetup, roots: Roots, key: [UInt8]?) {
    self.init(
      sender: ReceiptParty(setup, key: key),
      started: Clock.wall() - Int64(clamping: report.nanoseconds),
      roots: roots
    )
    nanoseconds = report.nanoseconds
    predictedNanoseconds = report.predictedNanoseconds
    blockByteCount = setup.options.blockByteCount
    entryCount = UInt64(report.entryCount)
    fileCount = UInt64(report.fileCount)
    byteCount = report.byteCount
    movedByteCount = report.durableByteCount
    movedBlockCount = UInt64(report.durableBlockCount)
    resentByteCount = report.resentByteCount
    skippedByteCount = report.skippedByteCount
    unreadByteCount = report.unreadByteCount
    missingCount = UInt64(report.failedEntries.count)
    missing = MissingEntry.fitting(
      report.failedEntries.lazy.map {
        MissingEntry(path: $0.path, failure: $0.failure, reason: $0.reason)
      }
    )
    verification = report.verification
    cipher = setup.cipher
    usesShellLane = report.usesShellLane
    compression = report.compression
    planDigest = report.planDigest ?? .zero
    generation = report.generation
  }

  /// Adds what the lanes did and how the whole went on.
  mutating func add(_ report: TransferReport, _ meter: TransferMeter, layers: [CountedLayer]) {
    let predictions = report.prediction?.lanes
    lanes = report.lanes.enumerated().map { index, lane in
      var statement = LaneStatement(
        lane: lane.lane,
        layer: layers.indices.contains(index) ? layers[index] : .l2
      )
      statement.taken = lane.taken
      statement.address = lane.localAddress ?? ""
      statement.ports = Array(lane.sourcePorts.prefix(Limits.connectionCount))
      statement.byteCount = lane.sentByteCount
      statement.blockCount = UInt64(lane.blockCount)
      statement.prediction = predictions?[index]
      statement.figures = lane.conformance
      statement.intervals = meter.lanes[index].series.intervals
      return statement
    }
    progress = meter.progress.intervals
  }
}

extension ReceiptEndorsement {
  /// What the receiver adds, by what it knows.
  init(_ report: TransferReport, _ setup: SessionSetup, key: [UInt8]?) {
    self.init(receiver: ReceiptParty(setup, key: key), endorsed: Clock.wall())
    offPlanBlockCount = UInt64(report.offPlanBlockCount)
    epochCount = report.receiver.epochCount
    syncNanoseconds = report.receiver.syncNanoseconds
  }
}

extension ReceiptParty {
  /// This end.
  init(_ setup: SessionSetup, key: [UInt8]?) {
    self.init(
      implementation: Release.implementation,
      host: Host.hostName,
      paths: setup.paths.prefix(Limits.receiptPathCount).map { ReceiptParty.absolute($0) },
      key: key
    )
  }

  /// A path as it will still be found when the working directory is another.
  static func absolute(_ path: [UInt8]) -> [UInt8] {
    let separator = UInt8(ascii: "/")
    guard path.first != separator, let process = try? Directory.open(Array("/proc/self".utf8)),
      let here = try? process.readSymlink(Array("cwd".utf8))
    else { return path }
    return here + [separator] + path
  }
}
