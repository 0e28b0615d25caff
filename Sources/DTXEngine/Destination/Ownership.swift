internal import DTXCore
internal import DTXLinux

/// The hold on a destination whose file system may not share its locks between hosts.
///
/// A thread of its own shows others that this process lives. When it could not for as long as the
/// lease, as behind a network that was cut, nothing is published any more until it could again and
/// nobody has taken over meanwhile. Any thread may use it.
final class Ownership: Sendable {
  /// What became of a claim.
  enum Outcome: Sendable {
    case claimed(Ownership)
    /// Who holds the destination.
    case held(by: String)
  }

  private struct State: Sendable {
    var hold: OwnerHold
    var record: OwnerRecord
    var isEnding = false
  }

  /// The token that all that this owner stages bears in its name.
  let token: UInt64
  private let files: OwnerFiles
  private let timing: OwnerTiming
  private let state: Guarded<State>
  /// Whoever writes a sign of life holds it.
  private let turn = Guarded(Turn())
  private let thread = Guarded<Thread?>(nil)

  /// Claims the destination of a state directory.
  ///
  /// Blocks for as long as an owner of whom nothing is known must have been silent.
  ///
  /// - Parameters:
  ///   - directory: where owner files are.
  ///   - process: as whom; this process but in a test.
  ///   - timing: what all who claim there keep to.
  /// - Returns: the hold, or who has it.
  /// - Throws: what the file system said.
  static func claim(
    in directory: Directory,
    as process: OwnerProcess = OwnerFiles.currentProcess,
    timing: OwnerTiming = .standard
  ) throws(SystemError) -> Outcome {
    let files = OwnerFiles(directory: directory, process: process)
    let record = OwnerRecord(
      claim: randomBytes(8).reduce(0) { $0 << 8 | UInt64($1) },
      process: process,
      host: printableHost(),
      since: Clock.wall()
    )
    var claiming = OwnerClaiming(claim: record.claim, timing)
    var start = Clock.now()
    var action = claiming.begin()
    var made: UInt64?
    do throws(SystemError) {
      while true {
        switch action {
        case .rest:
          Clock.sleep(nanoseconds: timing.pause)
          action = claiming.saw(try files.sightings(), at: Clock.now())
        case .look:
          action = claiming.saw(try files.sightings(), at: Clock.now())
        case .make(let number):
          start = Clock.now()
          let isMade = try files.make(number, record)
          if isMade { made = number }
          action = claiming.made(isMade)
        case .withdraw(let number):
          try files.remove(number)
          made = nil
          action = claiming.removed()
        case .clear(let number):
          try files.clear(below: number)
          action = claiming.removed()
        case .claimed(let number):
          let hold = OwnerHold(number: number, claim: record.claim, from: start, timing)
          return .claimed(try Ownership(files, record, hold, timing))
        case .held(let sighting):
          return .held(by: Ownership.name(sighting))
        }
      }
    } catch {
      // A file that nobody stands behind would keep others waiting.
      if let made { try? files.remove(made) }
      throw error
    }
  }

  /// Who holds the destination of a state directory, as far as its files say; nil when nobody does.
  static func holder(in directory: Directory) throws(SystemError) -> String? {
    let files = OwnerFiles(directory: directory, process: OwnerFiles.currentProcess)
    let top = try files.sightings().filter { !$0.isGone }.max { $0.number < $1.number }
    guard let top, !top.isOver else { return nil }
    let isVisible = OwnerRecord(top.line)?.process.isVisible(from: files.process) ?? false
    return isVisible ? name(top) : "\(name(top)), of which this host cannot see whether it runs"
  }

  private init(
    _ files: OwnerFiles,
    _ record: OwnerRecord,
    _ hold: OwnerHold,
    _ timing: OwnerTiming
  ) throws(SystemError) {
    self.files = files
    self.timing = timing
    token = hold.number
    state = Guarded(State(hold: hold, record: record))
    let beating = try Thread(name: "dtx-owner") { [weak self, state, timing] in
      var next = Clock.now() + timing.beat
      while state.wait(until: { $0.isEnding ? true : nil }, deadline: next) == nil {
        // The destination that nobody refers to any more has no owner to speak for.
        guard let self else { return }
        next = Clock.now() + timing.beat
        try? self.beat()
      }
    }
    thread.withLock { $0 = beating }
  }

  /// Whether the destination is still this owner's; costs a look at the clock.
  var holds: Bool {
    state.withLock { $0.hold.holds(at: Clock.now()) }
  }

  /// Makes sure that the destination is still this owner's, and waits a while to find out.
  ///
  /// - Throws: what kept the sign of life from being written; `lost` when another has taken over.
  func check() throws(SystemError) {
    let deadline = Clock.now() + timing.patience
    while true {
      var failure: SystemError?
      do throws(SystemError) {
        try beat()
      } catch {
        failure = error
      }
      if holds { return }
      if isLost { throw lost }
      if Clock.now() >= deadline { throw failure ?? lost }
      Clock.sleep(nanoseconds: timing.pause)
    }
  }

  /// Whether another has taken over.
  var isLost: Bool { state.withLock { $0.hold.isLost } }

  /// That another has taken over, as the error of a call.
  var lost: SystemError {
    SystemError(
      operation: "keep",
      subject: "\(printable(files.directory.path))/\(printable(OwnerRecord.name(token)))",
      number: SystemError.stale
    )
  }

  /// Changes what the owner's file says of it.
  func write(_ newState: OwnerRecord.State) throws(SystemError) {
    state.withLock { $0.record.state = newState }
    try beat()
  }

  /// Gives the destination back; a second call does nothing.
  func release() {
    let wasEnding = state.withLockAndSignal { state in
      defer { state.isEnding = true }
      return state.isEnding
    }
    guard !wasEnding else { return }
    thread.withLock { $0 }?.join()
    try? write(.released)
  }

  /// Writes a sign of life, and looks whether anybody has taken over.
  private func beat() throws(SystemError) {
    try turn.withLock { _ throws(SystemError) in
      // A file that is no longer this owner's is not written to.
      guard try isSupported() else { return }
      let start = Clock.now()
      let record = state.withLock { state in
        state.record.beat += 1
        return state.record
      }
      try files.write(record, number: token)
      guard try isSupported() else { return }
      state.withLock { $0.hold.renew(from: start) }
    }
  }

  private func isSupported() throws(SystemError) -> Bool {
    let sightings = try files.sightings()
    return state.withLock { $0.hold.isSupported(by: sightings) }
  }

  private static func name(_ sighting: OwnerClaiming.Sighting) -> String {
    OwnerRecord(sighting.line)?.summary ?? "an unknown process"
  }

  /// A field of the record: without spaces, and not longer than a host's name may be.
  private static func printableHost() -> String {
    let name = printable(Array(Host.hostName.utf8)).filter { $0 != " " }
    return name.isEmpty ? "unknown" : String(name.prefix(64))
  }
}
