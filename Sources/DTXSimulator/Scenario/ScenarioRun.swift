internal import DTXCore

/// A scenario in virtual time: the sessions, the scheduler, the comparison and the journal are those
/// of the product; disks, processors and the network are rates at which bytes flow.
///
/// The command is run again, as its user would, until both ends say that they are done.
package struct ScenarioRun: Sendable {
  /// Runs that a user has the patience for.
  static let runLimit = 1000
  /// Events that a scenario may take beside those of its blocks: some minutes' worth.
  static let spareEventCount: UInt64 = 200_000_000
  /// What stands for TCP_USER_TIMEOUT and keep-alive.
  static let lanePatience = 20 * Duration.second
  /// How long a dial waits for an answer.
  static let dialPatience = 3 * Duration.second

  let scenario: Scenario
  let inputs: PlanInputs
  let path: FluidPath
  var now = Instant.zero
  var events = EventHeap<ScenarioEvent>()
  var random: SeededRandom

  // Lasts from run to run.
  var world = EventHeap<WorldEvent>()
  var store: ScenarioStore
  /// How often each lane was cut so far, and whether it is.
  var cutCounts: [Int]
  var isDown: [Bool]
  /// Payload of one connection of each lane.
  var rates: [Rate]
  var writeSpeed: UInt64
  var receiverUpAt = Instant.zero
  var corruptionCount = 0
  /// Faults that wait for so much of the dataset, ascending.
  var shareFaults: [(byteCount: UInt64, fault: Int)] = []
  var tally: ScenarioTally
  var runCount = 0
  /// Events after which nothing more is expected: a lane that others leave nothing never ends.
  private let eventLimit: UInt64

  // Begins anew with each run.
  var sender: ScenarioSender?
  var receiver: ScenarioReceiver?
  /// As the sender scanned them, and as the receiver decoded them; nil once they are sealed.
  var sentSegments: [Segment?] = []
  var receivedSegments: [Segment?] = []
  var senderMail = Mailroom<SendSession.Event>()
  var receiverMail = Mailroom<ReceiveSession.Event>()
  var connections: [ScenarioConnection] = []
  /// The same in short, to be searched.
  var connectionIDs: [ConnectionID] = []
  var framesToSender = Fifo<Message>()
  var framesToReceiver = Fifo<Message>()
  var isChannelOpen = true
  var isCompleted = (sender: false, receiver: false)
  /// When the disks are free.
  var readFree = Instant.zero
  var writeFree = Instant.zero

  package init(_ scenario: Scenario) {
    self.scenario = scenario
    inputs = PathModel.inputs(scenario.lanes, scenario.path)
    path = FluidPath(scenario, inputs)
    random = SeededRandom(seed: SeededRandom.mix(scenario.seed &+ 0x7363_656e))
    store = ScenarioStore(scenario.dataset, blockByteCount: scenario.blockByteCount)
    isDown = inputs.lanes.map { _ in false }
    cutCounts = inputs.lanes.map { _ in 0 }
    rates = path.rates(at: now, isDown: isDown)
    writeSpeed = scenario.receiver.writeSpeed
    tally = ScenarioTally(laneCount: inputs.lanes.count)
    let blockCount = scenario.dataset.blockCount(blockByteCount: scenario.blockByteCount)
    eventLimit = ScenarioRun.spareEventCount + 100 * UInt64(blockCount)
    for moment in path.moments { world.push(.competitorsChanged, at: moment) }
    for (index, fault) in scenario.faults.enumerated() {
      switch fault.moment {
      case .nanoseconds(let time): world.push(.fault(index), at: Instant(nanoseconds: time))
      case .share(let share):
        let part = UInt128(scenario.dataset.byteCount) * UInt128(share) / 100_000_000
        shareFaults.append((UInt64(clamping: part), index))
      }
    }
    shareFaults.sort { ($0.byteCount, $0.fault) < ($1.byteCount, $1.fault) }
  }

  /// Runs the command until it is done.
  package mutating func run() -> ScenarioOutcome {
    now = now + scenario.startNanoseconds
    while runCount < ScenarioRun.runLimit {
      begin()
      loop()
      if isCompleted.sender && isCompleted.receiver || isGivenUp { break }
      advance(to: max(now + scenario.retryNanoseconds, receiverUpAt) + scenario.startNanoseconds)
    }
    return outcome()
  }

  // MARK: - One run

  private mutating func begin() {
    runCount += 1
    removeEvents()
    connections = []
    connectionIDs = []
    framesToSender.removeAll()
    framesToReceiver.removeAll()
    sentSegments = Array(repeating: nil, count: scenario.dataset.segmentCount)
    receivedSegments = sentSegments
    isChannelOpen = true
    isCompleted = (false, false)
    readFree = now
    writeFree = now
    beginReceiver()
    beginSender()
    drainSender()
    drainReceiver()
  }

  private mutating func loop() {
    while sender != nil || receiver != nil, !isGivenUp, let next = events.nextInstant {
      if let change = world.nextInstant, change <= next {
        changeWorld()
        continue
      }
      guard let item = events.pop() else { return }
      now = item.instant
      tally.eventCount += 1
      perform(item.event)
    }
  }

  /// Lets time pass while nothing runs.
  private mutating func advance(to instant: Instant) {
    removeEvents()
    while let change = world.nextInstant, change <= instant { changeWorld() }
    now = instant
  }

  private mutating func changeWorld() {
    guard let item = world.pop() else { return }
    now = max(now, item.instant)
    perform(item.event)
  }

  private mutating func perform(_ event: ScenarioEvent) {
    switch event {
    case .begin(let connection): beginBlock(on: connection)
    case .transmitted(let connection, let serial): transmitted(connection, serial: serial)
    case .written(let connection): written(connection)
    case .confirmed(let connection, let block, let isIntact):
      confirmed(connection, block, isIntact: isIntact)
    case .frame(let end): deliverFrame(to: end)
    case .hangUp(let end): hangUp(at: end)
    case .wake(let end): wake(end)
    case .dialled(let id): dialled(id)
    case .up(let connection): up(connection)
    case .committed: committed()
    case .sender(let place):
      if let event = senderMail.take(place) { tellSender(event) }
    case .receiver(let place):
      if let event = receiverMail.take(place) { tellReceiver(event) }
    }
  }

  private var isGivenUp: Bool { tally.eventCount >= eventLimit }

  private func outcome() -> ScenarioOutcome {
    var outcome = ScenarioOutcome(scenario: scenario)
    outcome.isCompleted = isCompleted.sender && isCompleted.receiver
    outcome.elapsedNanoseconds = now.nanoseconds
    outcome.durableFileCount = store.publishedFileCount
    outcome.durableByteCount = store.publishedByteCount
    outcome.runCount = runCount
    outcome.problem = store.problem
    if store.problem == nil, outcome.isCompleted, store.stagedFileCount > 0 {
      outcome.problem = "\(store.stagedFileCount) files are still staged"
    }
    if isGivenUp { outcome.problem = "no end is in sight after \(tally.eventCount) events" }
    tally.fill(&outcome)
    return outcome
  }

  // MARK: - Parts that the others share

  mutating func schedule(_ event: ScenarioEvent, after nanoseconds: UInt64) {
    events.push(event, at: now + nanoseconds)
  }

  /// An answer that one of a session's threads gives later.
  mutating func schedule(_ event: SendSession.Event, after nanoseconds: UInt64) {
    schedule(.sender(place: senderMail.keep(event)), after: nanoseconds)
  }

  mutating func schedule(_ event: ReceiveSession.Event, after nanoseconds: UInt64) {
    schedule(.receiver(place: receiverMail.keep(event)), after: nanoseconds)
  }

  private mutating func removeEvents() {
    events.removeAll()
    senderMail.removeAll()
    receiverMail.removeAll()
  }

  /// About this time, drawn between its half and one and a half of it.
  mutating func about(_ nanoseconds: UInt64) -> UInt64 {
    nanoseconds / 2 + random.below(nanoseconds + 1)
  }

  /// What a host needs for so many entries.
  func entryNanoseconds(_ count: Int, _ host: ScenarioHost) -> UInt64 {
    ScenarioHost.nanoseconds(for: UInt64(count), at: host.entryRate)
  }
}
