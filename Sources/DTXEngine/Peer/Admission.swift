package import DTXCore
internal import DTXLinux

/// Whether a transfer may begin, by the plan of the whole of it.
///
/// The whole is planned by a dry run, which scans and compares all and creates nothing; where it
/// keeps what was promised, the transfer follows and streams segment by segment. So neither end ever
/// holds more than the segments in hand, and nothing has been made at the destination of what is
/// refused.
struct Admission {
  private let request: TransferRequest

  /// - Parameter request: of the user.
  init(_ request: TransferRequest) {
    self.request = request
  }

  var isDemanded: Bool {
    AdmissionTerms.isDemanded(of: request.lanes, deadline: request.deadline)
  }

  /// The dry run that plans the whole.
  var rehearsal: TransferRequest {
    var rehearsal = request
    rehearsal.options.isDryRun = true
    rehearsal.options.listsChanges = false
    return rehearsal
  }

  /// A dry run's report, with why the transfer must not follow, if so.
  func judged(_ report: TransferReport) -> TransferReport {
    guard report.outcome == .completed, let prediction = report.prediction else { return report }
    let now = WallInstant.now()
    let terms = AdmissionTerms(
      lanes: request.lanes.map { Admission.withoutPast($0, now) },
      remainingNanoseconds: request.deadline?.remaining(asked: request.asked, at: now),
      now: now
    )
    var judged = report
    judged.remainingNanoseconds = terms.remainingNanoseconds
    judged.refusal = prediction.refusal(terms)
    return judged
  }

  /// What would be moved can be asked at any time: a window that is over says nothing of a plan, and
  /// a transfer has been refused for it already.
  private static func withoutPast(
    _ lane: LaneDescription,
    _ now: WallInstant
  ) -> LaneDescription {
    guard let until = lane.window?.until, until <= now else { return lane }
    var lane = lane
    lane.window = nil
    return lane
  }

  /// Passes on what is of interest of a rehearsal: the transfer says all else again.
  static func tell(_ event: TransferEvent, to watch: @Sendable (TransferEvent) -> Void) {
    guard case .progress(var progress) = event else { return }
    progress.phase = "planning"
    watch(.progress(progress))
  }
}

extension WallInstant {
  /// The present, by this host's clock.
  package static func now() -> WallInstant {
    let wall = Clock.wall()
    let second = Int64(Duration.second)
    // Division rounds towards zero, so a clock before 1970 reads a little later than it is.
    return WallInstant(seconds: wall / second, nanoseconds: UInt32(max(0, wall % second)))
  }
}

extension PlanInputs {
  /// What a commit is taken to sync for: on ext4 it took 37 ms after 64 MiB.
  private static let usualCommitNanoseconds = 40 * Duration.millisecond

  /// What a plan is computed from, of lanes on a path.
  ///
  /// - Parameters:
  ///   - lanes: as the user described them.
  ///   - shape: of the path's segments.
  ///   - roundTripNanoseconds: of the path; 0 where it is not known.
  package init(
    of lanes: [LaneDescription],
    _ shape: SegmentShape,
    roundTripNanoseconds: UInt64
  ) {
    let record = UInt64(RecordLayout.maximumPayloadByteCount)
    let recordOverhead = UInt64(RecordLayout.byteCount(payloadByteCount: 0))
    self.init(
      lanes: lanes.map { $0.planned(shape) },
      roundTripNanoseconds: roundTripNanoseconds,
      commitNanoseconds: PlanInputs.usualCommitNanoseconds,
      overheadNumerator: shape.wireByteCount(.l2) * (record + recordOverhead),
      overheadDenominator: shape.segmentByteCount * record
    )
  }
}
