internal import DTXCore
internal import DTXLinux

/// What a repair did.
package struct RepairReport: Sendable {
  /// Files whose blocks are what the manifest says again, with those that were written.
  package var repaired: [VerifyDifference] = []
  /// Files whose blocks could not be put right, each with the reason.
  package var failed: [FailedPath] = []
  /// What was fetched for it, whether it could be used or not.
  package var movedBlockCount = 0
  package var movedByteCount: UInt64 = 0
  /// The transfer that fetched it; nil where nothing had to be fetched.
  package var transfer: TransferReport?

  package init() {}
}

/// Fetches what a verification found to be wrong from the source, and no more.
package enum TreeRepair {
  /// Puts blocks right in their places; blocks the calling thread until it has ended.
  ///
  /// Call it on the main thread while there is no other, as `Transfer.run`. A file that is absent, or
  /// of another length or kind, is left to a transfer, which sees that by itself.
  ///
  /// - Parameters:
  ///   - report: what was found; what is right afterwards no longer differs in it.
  ///   - request: a pull from the source to the tree; which blocks is filled in.
  ///   - watch: is told of progress, from several threads.
  /// - Throws: why it could not begin: then nothing was touched.
  package static func run(
    _ report: inout VerifyReport,
    _ request: TransferRequest,
    watching watch: @escaping @Sendable (TransferEvent) -> Void
  ) throws(TransferError) {
    var repair = RepairReport()
    defer { report.repair = repair }
    guard !report.damaged.isEmpty else { return }
    let order = RepairOrder(
      directory: request.destination.path,
      files: report.damaged,
      isContents: report.isContents
    )
    let share = try share()
    defer { share?.release() }
    var request = request
    request.options.blockByteCount = report.blockByteCount
    request.options.filters = order.filters
    // The sender has nothing of a repair to remember.
    request.options.keepsNothing = true
    request.repair = order
    let done = try Transfer.run(request) { event in
      // Of the source's entries the report says what concerns the repair.
      if case .failed = event { return }
      watch(event)
    }
    repair = RepairReport(done, order)
    let repaired = Set(repair.repaired.map(\.path))
    // What differs of a file otherwise than in its blocks was not put right with these.
    report.differing.removeAll { !$0.blocks.isEmpty && repaired.contains($0.path) }
    report.damaged.removeAll { repaired.contains($0.path) }
  }

  private static func share() throws(TransferError) -> CapacityShare? {
    switch try HostConfiguration.current().claim(nil) {
    case .free: return nil
    case .taken(let share): return share
    case .refused(let refusal): throw refusal.error(at: "this host")
    }
  }
}

extension RepairReport {
  fileprivate init(_ done: TransferReport, _ order: RepairOrder) {
    transfer = done
    movedBlockCount = done.durableBlockCount
    movedByteCount = done.sentByteCount
    let reasons = Dictionary(done.failedEntries.map { ($0.path, $0) }) { first, _ in first }
    for (place, file) in order.files.enumerated() {
      if order.isRepaired(place) {
        repaired.append(VerifyDifference(path: file.path, blocks: file.blocks, what: "repaired"))
      } else if let failure = reasons[file.path] {
        failed.append(failure)
      } else {
        let reason =
          done.outcome == .completed
          ? "the source has no such file" : "the transfer ended before it was here"
        failed.append(FailedPath(path: file.path, failure: .unreadable, reason: reason))
      }
    }
  }
}
