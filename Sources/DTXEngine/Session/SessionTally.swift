internal import DTXCore
internal import DTXLinux

/// What a session learns by the way for its report: failed entries, notices, plans.
///
/// Shared by the session's threads.
final class SessionTally: Sendable {
  private struct State: ~Copyable {
    var failed: [FailedPath] = []
    var notices: [String] = []
    /// Over the digests of all plans, in order: a peer may make any number of generations.
    private var digest = StreamingDigest()
    private(set) var hasPlans = false
    /// Nil before the first plan, and where lanes have no rates.
    var prediction: Prediction?
    /// What the latest generation says, once there is one.
    var revised: UInt64?
    var generation: UInt32 = 0
    var receiptPath: [UInt8]?
    var receipt: Receipt?

    /// When all is done; nil where nothing can be said.
    var predicted: UInt64? { revised ?? prediction?.finish }

    var planDigest: Digest? { hasPlans ? digest.finish() : nil }

    mutating func add(_ planDigest: Digest) {
      hasPlans = true
      let bytes = planDigest.bytes(DigestAlgorithm.xxh3.byteCount)
      bytes.withUnsafeBytes { digest.update($0) }
    }
  }

  /// Failed entries that the report names, at most; the others are told as they happen.
  private static let keptFailureCount = 10_000

  private let state = Guarded(State())
  private let watch: @Sendable (TransferEvent) -> Void

  init(_ watch: @escaping @Sendable (TransferEvent) -> Void) {
    self.watch = watch
  }

  var predictedNanoseconds: UInt64? { state.withLock { $0.predicted } }

  func take(_ event: TransferEvent) {
    switch event {
    case .failed(let path): fail(path)
    case .notice(let text): note(text)
    case .progress, .entry: watch(event)
    }
  }

  func fail(_ path: FailedPath) {
    state.withLock { state in
      if state.failed.count < SessionTally.keptFailureCount { state.failed.append(path) }
    }
    watch(.failed(path))
  }

  func fail(_ failed: FailedEntry, in segment: Segment?) {
    let path = segment?.inventory.path(of: failed.entry) ?? []
    fail(FailedPath(path: path, failure: failed.failure, reason: failed.reason))
  }

  func note(_ text: String) {
    state.withLock { state in
      if state.notices.count < Limits.keptNoticeCount { state.notices.append(text) }
    }
    watch(.notice(text))
  }

  /// Takes the next segment's plan, with the segment and what of it is wanted.
  func plan(_ plan: Plan, _ inputs: PlanInputs, of segment: Segment?, wanted: BitSet) {
    let digest = plan.digest(with: inputs)
    state.withLock { state in
      if !state.hasPlans { state.prediction = Prediction(inputs) }
      state.add(digest)
      if plan.generation > 0 { state.revised = plan.finish }
      if let segment { state.prediction?.add(plan, of: segment, wanted: wanted) }
    }
  }

  /// Takes a new generation's plans over, and says why there is one.
  func revise(_ revision: Revision, _ inputs: PlanInputs) {
    state.withLock { state in
      state.generation = revision.to.number
      for plan in revision.plans { state.add(plan.digest(with: inputs)) }
      if let last = revision.plans.last { state.revised = last.finish }
    }
    note("\(GenerationNotice(revision, inputs))")
  }

  /// Takes this end's copy of the receipt.
  ///
  /// - Parameters:
  ///   - receipt: what it says; nil for none.
  ///   - path: where it is; nil where it is not kept.
  ///   - notice: what there is to say of it.
  func take(_ receipt: Receipt?, at path: [UInt8]?, notice: String?) {
    state.withLock { state in
      state.receipt = receipt
      state.receiptPath = path
    }
    if let notice { note(notice) }
  }

  /// Tells the entries that are moved, made or changed, in canonical order.
  func list(_ comparison: Comparison, of segment: Segment) {
    for (index, entry) in segment.entries.enumerated()
    where !entry.isContext && comparison.changes(index, of: segment) {
      watch(.entry(segment.inventory.path(of: index), entry.kind))
    }
  }

  /// Fills in what both ends report alike.
  func complete(
    _ report: inout TransferReport,
    options: TransferOptions,
    nanoseconds: UInt64
  ) {
    state.withLock { state in
      report.failedEntries = state.failed
      report.notices = state.notices
      report.planDigest = state.planDigest
      report.prediction = state.prediction
      report.predictedNanoseconds = state.predicted
      report.generation = state.generation
      report.receipt = state.receipt
      report.receiptPath = state.receiptPath
    }
    report.isDryRun = options.isDryRun
    report.nullSource = options.nullSource
    report.keepsNothing = options.keepsNothing
    report.verification = options.verification
    report.compression = options.compression
    report.nanoseconds = nanoseconds
    report.peakMemoryByteCount = Host.resourceUsage().peakResidentByteCount
  }
}
