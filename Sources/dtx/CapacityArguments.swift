import ArgumentParser
import DTXCore
import DTXEngine
import DTXLinux

/// The options that say how a transfer shares the host's capacity with others.
struct CapacityArguments: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Rate that the lanes of all transfers on this host may have together.",
      valueName: "rate"
    ),
    transform: ArgumentValue.rate
  )
  var capacity: Rate?

  @Flag(help: "Wait until others have given back what is missing of the capacity.")
  var wait = false

  @Option(
    help: ArgumentHelp("Wait so long at most: 30m.", valueName: "time"),
    transform: CapacityArguments.patience
  )
  var waitLimit: UInt64?

  private static func patience(_ text: String) throws -> UInt64 {
    guard let nanoseconds = Quantity.nanoseconds(text) else {
      throw ValidationError("a time is such as 90s, 30m or 2h")
    }
    return nanoseconds
  }
}

/// Lets a transfer begin when its lanes have their share of the host's capacity.
struct CapacityGate {
  /// How often a run that waits looks again.
  private static let pause: UInt64 = 200_000_000

  private let arguments: CapacityArguments
  private let configuration: HostConfiguration

  /// - Throws: `.usage` for a configuration that cannot be taken.
  init(_ arguments: CapacityArguments) throws(TransferError) {
    self.arguments = arguments
    var configuration = try HostConfiguration.current()
    configuration.narrow(to: arguments.capacity)
    self.configuration = configuration
  }

  /// Takes a share, and waits for it if the user said so.
  ///
  /// - Parameters:
  ///   - lanes: of the transfer.
  ///   - note: is told of what a person should know.
  /// - Returns: the share; nil where there is no capacity, or no rate to hold against it.
  /// - Throws: `.unattainable`, naming who holds the rest; `.usage` for lanes without a rate where
  ///   the capacity is strict; `.failed` where shares cannot be noted.
  func enter(
    _ lanes: [LaneDescription],
    telling note: (String) -> Void
  ) throws(TransferError) -> CapacityShare? {
    let rate = AdmissionTerms(lanes: lanes, remainingNanoseconds: nil, now: .now()).rate
    let start = Clock.now()
    let deadline = arguments.waitLimit.map { start + min($0, UInt64.max - start) } ?? .max
    let isPatient = arguments.wait || arguments.waitLimit != nil
    var hasTold = false
    while true {
      switch try configuration.claim(rate) {
      case .taken(let share):
        return share
      case .free(let isUnrated):
        if isUnrated { note("no capacity is kept for the lanes, which have no rate") }
        return nil
      case .refused(let refusal):
        guard case .held(let rate, _, _, let claims) = refusal, isPatient, Clock.now() < deadline
        else { throw refusal.error(at: "this host", telling: WallTime.text) }
        if !hasTold {
          let holders = CapacityRefusal.text(claims, WallTime.text)
          note("waiting for \(rate.argument) of this host's capacity, held by \(holders)")
          hasTold = true
        }
        let waiting = Guarded(Turn())
        let next = min(deadline, Clock.now() + CapacityGate.pause)
        _ = waiting.wait(until: { _ in Bool?.none }, deadline: next)
      }
    }
  }
}
