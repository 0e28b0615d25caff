internal import DTXCore
internal import DTXLinux

/// What a connection at the data's sender goes through before it carries blocks: the kernel took
/// what was asked of its lane, and its path takes packets of full size.
struct LaneProof: Sendable {
  /// Why a connection is not fit for its lane.
  struct Failure: Error, CustomStringConvertible {
    var description: String
    /// Whether another connection would fare no better.
    var isFinal = true
  }

  /// Connections of a lane in a row that may lose their burst.
  private static let patience = 3

  private let opened: OpenedLane
  private let ledger: LaneLedger
  private let name: String
  private let connectionCount: Int
  private let tell: @Sendable (ConnectionID, LaneTaken) -> Void

  /// Begins with nothing proven.
  ///
  /// - Parameters:
  ///   - opened: the connection.
  ///   - lane: that it belongs to.
  ///   - ledger: tunes it.
  ///   - tell: is told what the kernel took.
  init(
    _ opened: OpenedLane,
    _ lane: Lane,
    _ ledger: LaneLedger,
    tell: @escaping @Sendable (ConnectionID, LaneTaken) -> Void
  ) {
    self.opened = opened
    self.ledger = ledger
    name = LaneProof.name(opened.identity.lane, lane)
    connectionCount = lane.connectionCount
    self.tell = tell
  }

  /// What a message calls a lane.
  static func name(_ index: Int, _ lane: Lane) -> String {
    let shown = lane.name.isEmpty ? "" : " (\(printable(Array(lane.name.utf8))))"
    return "lane \(index)\(shown)"
  }

  /// Sets the connection's pace and compares what the kernel has with what was asked for.
  ///
  /// - Returns: what it has; nil for one that is no TCP connection.
  /// - Throws: the setting that did not take.
  @discardableResult
  func tune() throws(Failure) -> LaneTaken? {
    do throws(LaneTuning.Refusal) {
      return try ledger.tune(opened)
    } catch {
      throw Failure(description: "\(name): \(error.setting) did not take: \(error.cause)")
    }
  }

  /// Sets the pace anew, and tells what the kernel took.
  ///
  /// - Throws: the setting that did not take.
  func retune() throws(Failure) {
    guard let taken = try tune() else { return }
    tell(ConnectionID(lane: opened.identity.lane, number: opened.identity.number), taken)
  }

  /// Pushes full-size packets, tunes again by what they showed, and tells what the kernel took.
  ///
  /// - Parameter send: sends a record with so much payload that its receiver passes over.
  /// - Throws: `Failure` for a path that swallows them, `SystemError` for a connection that broke.
  func prove(_ send: (Int) throws(SystemError) -> Void) throws {
    if let burst = FullSizeBurst(over: opened.socket), try burst.push(send) == .swallowed {
      let explanation = FullSizeBurst.explanation(opened.socket, name)
      // Of the first connections it is what the path does; a later one may have met with an outage,
      // but not one after another.
      let isFirst = opened.identity.number <= UInt32(connectionCount)
      let count = ledger.swallowed(on: opened.identity.lane)
      throw Failure(description: explanation, isFinal: isFirst || count >= LaneProof.patience)
    }
    ledger.passed(on: opened.identity.lane)
    try retune()
  }
}
