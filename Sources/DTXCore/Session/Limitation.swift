/// What kept a transfer from being faster.
package enum LimitingCause: Int, Sendable, CaseIterable {
  case opening, scan, comparison, sourceRead, sourceFiles, senderProcessor, rate, lane, network
  case receiverProcessor, receiverWrite, receiverSync, receiverFiles, processors

  /// As the report says it, behind "limited by".
  package var name: String {
    switch self {
    case .opening: "the opening of connections"
    case .scan: "the source's scan"
    case .comparison: "the comparison at the receiver"
    case .sourceRead: "the source's read"
    case .sourceFiles: "the source's files a second"
    case .senderProcessor: "the sender's processor"
    case .rate: "the lanes' rate"
    case .lane: "a lane below its contract"
    case .network: "the network"
    case .receiverProcessor: "the receiver's processor"
    case .receiverWrite: "the receiver's write"
    case .receiverSync: "the receiver's sync"
    case .receiverFiles: "the receiver's files a second"
    case .processors: "the processors"
    }
  }
}

/// For what share of a transfer's time each cause limited it.
///
/// The rule. The sender's session divides the time from its beginning to its end: the opening, the
/// scan, the comparison and the sync (what has arrived is to become durable, the tree and the
/// manifest are to be finished) limit it while nothing is under way. The time in which blocks are
/// under way is divided by what the connections' threads did:
///
/// - A thread is busy, or waits for the path: a sender that is blocked in its socket, a receiver
///   within a block of which nothing has come. What one end's threads spent within blocks less than
///   the other's, they waited as well: the bytes were in the path's hands.
/// - While both wait, the path between them limits. What limits while one alone waits is what the
///   other is busy with. While none waits, each is half of the cause.
/// - A busy sender's time is divided by reading and everything else, a busy receiver's by writing,
///   the pause that two full epochs impose (the sync), and everything else.
/// - The path limits by the lanes' rate, where the fullest lane needed at least four fifths of the
///   time at its rate; else it is the network. But if a lane carried less than its first plan
///   said, by a tenth of that time and a second's worth, it stayed below its contract: that is it.
/// - Where a file has 64 KiB or less, reading and writing it is opening, making, closing and renaming
///   it: that end's files a second limit, not its bytes.
///
/// How much both wait at the same time is not known: as much as they can, since of a chain's links
/// all but the slowest wait.
///
/// Threads that wait for a processor look as if they were busy, or waited for the path. So
/// processors that were in use for at least 85 per cent of the time come before all that, unless
/// the lanes' rate is reached: they are the cause, for that share. What others used counts where
/// it is not more than the transfer's own.
package struct Limitation: Equatable, Sendable {
  package struct Share: Equatable, Sendable {
    package var cause: LimitingCause
    /// Of the time, rounded.
    package var percent: Int

    package init(_ cause: LimitingCause, percent: Int) {
      self.cause = cause
      self.percent = percent
    }
  }

  /// The causes that come to a per cent, the first one limiting most.
  package let shares: [Share]

  /// What is known of a transfer.
  package struct Evidence: Sendable {
    package var sender: EndTotals
    package var receiver: EndTotals
    /// Both ends share their processors.
    package var isOneHost = false
    /// What the lane that had most to carry needed for it at its rate; nil where one has none.
    package var pacedNanoseconds: UInt64?
    /// What the lane that carried least of its first plan would have needed for the rest.
    package var shortNanoseconds: UInt64 = 0
    /// Payload of an extent, in the mean; nil where nothing was wanted.
    package var extentByteCount: UInt64?

    package init(sender: EndTotals, receiver: EndTotals) {
      self.sender = sender
      self.receiver = receiver
    }
  }

  /// Judges; nil where the sender has counted nothing.
  ///
  /// - Parameter evidence: what both ends counted.
  package init?(_ evidence: Evidence) {
    let times = evidence.sender.times.joined(with: evidence.receiver.times)
    let whole = times.sum(.opening, .scanning, .comparing, .moving, .settling, .sealing)
    guard whole > 0 else { return nil }
    var weights = [UInt128](repeating: 0, count: LimitingCause.allCases.count)
    func add(_ cause: LimitingCause, _ nanoseconds: UInt128) {
      weights[cause.rawValue] += nanoseconds
    }
    add(.opening, UInt128(times[.opening]))
    add(.scan, UInt128(times[.scanning]))
    add(.comparison, UInt128(times[.comparing]))
    add(.receiverSync, UInt128(times.sum(.settling, .sealing)))
    for (cause, part) in Limitation.moving(times, evidence) { add(cause, part) }
    if let byteCount = evidence.extentByteCount, byteCount <= Limitation.smallByteCount {
      for (bytes, files) in Limitation.filesCauses {
        add(files, weights[bytes.rawValue])
        weights[bytes.rawValue] = 0
      }
    }
    var shares = LimitingCause.allCases.map { cause in
      Share(cause, percent: Limitation.percent(weights[cause.rawValue], of: UInt128(whole)))
    }
    shares = Limitation.sorted(shares.filter { $0.percent > 0 })
    if let saturated = Limitation.saturated(evidence, whole) {
      shares.removeAll { $0.cause == saturated.cause }
      shares.insert(saturated, at: 0)
    }
    guard !shares.isEmpty else { return nil }
    self.shares = shares
  }

  /// A file of this length costs what a file costs, whatever is in it.
  private static let smallByteCount: UInt64 = 64 << 10
  /// What costs time by the byte, and what it is called where it costs time by the file.
  private static let filesCauses: [(bytes: LimitingCause, files: LimitingCause)] = [
    (.sourceRead, .sourceFiles), (.receiverWrite, .receiverFiles), (.receiverSync, .receiverFiles),
  ]

  /// Divides the time in which blocks were under way.
  private static func moving(
    _ times: ActivityTimes,
    _ evidence: Evidence
  ) -> [(LimitingCause, UInt128)] {
    let moving = UInt128(times[.moving])
    let sending = UInt128(times.sum(.reading, .encoding, .sending))
    let receiving = UInt128(times.sum(.receiving, .decoding, .writing, .paused))
    let within = max(sending + UInt128(times[.blocked]), receiving + UInt128(times[.awaiting]))
    let path = path(times, evidence)
    guard within > 0 else { return [(path, moving)] }
    let senderWaits = within - sending
    let receiverWaits = within - receiving
    let bothWait = min(senderWaits, receiverWaits)
    let noneWaits = within - max(senderWaits, receiverWaits)
    let senderLimits = receiverWaits - bothWait + noneWaits / 2
    let receiverLimits = senderWaits - bothWait + noneWaits / 2
    func part(_ limits: UInt128, _ activity: UInt64, _ busy: UInt128) -> UInt128 {
      busy == 0 ? 0 : moving * limits / within * UInt128(activity) / busy
    }
    return [
      (path, moving * bothWait / within),
      (.sourceRead, part(senderLimits, times[.reading], sending)),
      (.senderProcessor, part(senderLimits, times.sum(.encoding, .sending), sending)),
      (.receiverProcessor, part(receiverLimits, times.sum(.receiving, .decoding), receiving)),
      (.receiverWrite, part(receiverLimits, times[.writing], receiving)),
      (.receiverSync, part(receiverLimits, times[.paused], receiving)),
    ]
  }

  /// What limits while both ends wait for the path.
  private static func path(_ times: ActivityTimes, _ evidence: Evidence) -> LimitingCause {
    guard let paced = evidence.pacedNanoseconds else { return .network }
    if evidence.shortNanoseconds > max(paced / 10, Duration.second) { return .lane }
    return UInt128(paced) * 5 >= UInt128(times[.moving]) * 4 ? .rate : .network
  }

  /// The processors that had hardly a free moment, at the end where they had least.
  private static func saturated(_ evidence: Evidence, _ whole: UInt64) -> Share? {
    func use(_ ends: EndTotals...) -> Int {
      let own = ends.reduce(UInt128(0)) { $0 + UInt128($1.processorNanoseconds) }
      let host = UInt128(ends[0].hostProcessorNanoseconds)
      let used = own * 2 >= host ? max(own, host) : own
      return min(percent(used, of: UInt128(whole) * UInt128(max(ends[0].processorCount, 1))), 100)
    }
    if path(evidence.sender.times, evidence) == .rate { return nil }
    let full = 85
    if evidence.isOneHost {
      let percent = use(evidence.sender, evidence.receiver)
      return percent >= full ? Share(.processors, percent: percent) : nil
    }
    let there = use(evidence.sender)
    let here = use(evidence.receiver)
    guard max(there, here) >= full else { return nil }
    return there >= here
      ? Share(.senderProcessor, percent: there) : Share(.receiverProcessor, percent: here)
  }

  /// Greatest first; of equal ones the earlier in the order of the causes.
  private static func sorted(_ shares: [Share]) -> [Share] {
    shares.sorted { ($1.percent, $0.cause.rawValue) < ($0.percent, $1.cause.rawValue) }
  }

  private static func percent(_ part: UInt128, of whole: UInt128) -> Int {
    whole == 0 ? 0 : Int(clamping: (part * 200 + whole) / (whole * 2))
  }
}
