internal import DTXCore

/// A transfer in virtual time: the sessions, the scheduler and the journal's rules are those of the
/// product; files, lanes and processes are simulated.
///
/// The command is run again, as its user would, until both ends say that they are done.
package struct Simulation: Sendable {
  let world: World
  let faults: [FaultPlan.Placed]
  var nextFault = 0
  package internal(set) var record: SimulationRecord

  var now = Instant.zero
  var heap = EventHeap<SimulatedEvent>()
  /// Streams of their own: one draw more in the disk does not change the network.
  var networkRandom: SeededRandom
  var diskRandom: SeededRandom
  var hostRandom: SeededRandom

  // Lasts from run to run.
  var source: SimulatedTree
  var disk = SimulatedDisk()
  var lanes: [SimulatedLane]
  var unreadablePaths: [[UInt8]] = []
  var unwritablePaths: [[UInt8]] = []
  var hasAppliedChanges = false
  var isDiskFull = false
  var failsNextSync = false
  /// Blocks that the disk will not keep as they came, at most.
  var rotCount = 3
  var diskSlowUntil = Instant.zero
  /// The journal's bytes that the receiver believes to be synced.
  var syncedRecordsEnd = 0
  /// The source as the latest run scanned it.
  var scannedSource: SimulatedTree?

  // Begins anew with each run.
  var runIndex = 0
  var runBegan = 0
  /// What stood at the destination when the run began.
  var diskBefore = SimulatedDisk()
  var isDryRun = false
  var sender: SimulatedSender?
  var receiver: SimulatedReceiver?
  var connections: [SimulatedConnection] = []
  var latestFrame: [Instant] = [.zero, .zero]
  var isChannelOpen = true
  var result = RunResult(isDryRun: false)

  package init(world: World, faults: FaultPlan = .none) {
    self.world = world
    self.faults = faults.faults
    record = SimulationRecord(world: world)
    let root = SeededRandom(seed: SeededRandom.mix(world.seed &+ 0x7275_6e))
    networkRandom = root.forked("network")
    diskRandom = root.forked("disk")
    hostRandom = root.forked("hosts")
    source = world.tree
    disk.published = world.destination
    lanes = world.inputs.lanes.map { _ in SimulatedLane() }
    if case .unseeded(let nonce) = world.sabotage { _ = networkRandom.below(nonce + 2) }
  }

  /// Runs the command until it is done, or until it should have been.
  package mutating func run() -> SimulationRecord {
    let runLimit = faults.count + 4
    while runIndex < runLimit, !record.isFinished, !result.isStuck {
      begin()
      loop()
      finishRun()
    }
    record.source = source
    record.disk = disk
    record.elapsedNanoseconds = now.nanoseconds
    return record
  }

  // MARK: - One run

  private mutating func begin() {
    heap.removeAll()
    connections = []
    latestFrame = [now, now]
    isChannelOpen = true
    isDryRun = runIndex == 0 && world.beginsWithDryRun
    result = RunResult(isDryRun: isDryRun)
    record.stepLimit = record.stepCount + stepLimit()
    runBegan = record.stepCount
    diskBefore = disk
    observe(.began(run: runIndex))
    // A process that starts again finds the disk in the order of its own work.
    beginReceiver()
    beginSender()
    drainSender()
    drainReceiver()
  }

  private mutating func loop() {
    while sender != nil || receiver != nil {
      takeFaults()
      guard record.stepCount < record.stepLimit, let item = heap.pop() else { return }
      precondition(item.instant >= now, "time goes back")
      now = item.instant
      record.stepCount += 1
      record.trace(now.nanoseconds)
      record.trace(item.event.code)
      perform(item.event)
    }
  }

  private mutating func finishRun() {
    result.isStuck = sender != nil || receiver != nil
    result.stepCount = record.stepCount - runBegan
    sender = nil
    receiver = nil
    if result.isDryRun, disk != diskBefore { record.hasDryRunChangedDisk = true }
    record.runs.append(result)
    runIndex += 1
    // The user needs a moment to type the command again.
    now = now + Duration.second
    let isChanged = applyChanges()
    let isRetried = result.failures.contains { $0.failure != .conflict }
    record.isFinished =
      result.isCompleted && !result.isDryRun && !isChanged && !isRetried
      && !isSourceNewer
  }

  /// Faults change what the sender scanned; a run that did not see it does not end the matter.
  private var isSourceNewer: Bool { scannedSource != source }

  private mutating func applyChanges() -> Bool {
    guard !hasAppliedChanges, !isDryRun else { return false }
    hasAppliedChanges = true
    var isChanged = false
    for change in world.changes where source.apply(change) { isChanged = true }
    return isChanged
  }

  /// Events that a run may take: so many a block and an entry, and some a second of silence.
  private func stepLimit() -> Int {
    let blockByteCount = world.blockByteCount(ofRun: runIndex)
    let dataByteCount = source.entries.values.reduce(UInt64(0)) { $0 + $1.byteCount }
    let blockCount = Int(dataByteCount / blockByteCount) + source.entries.count
    return 4000 + 80 * blockCount + 600 * faults.count
  }

  // MARK: - Parts that the others share

  mutating func schedule(_ event: SimulatedEvent, after nanoseconds: UInt64) {
    heap.push(event, at: now + nanoseconds)
  }

  mutating func observe(_ observation: Observation) {
    record.observations.append(observation)
    record.trace(UInt64(record.observations.count))
  }

  /// The network's way there, with its jitter.
  mutating func transit() -> UInt64 {
    world.delayNanoseconds + networkRandom.value(in: 0...world.jitterNanoseconds)
  }

  /// What a thread's word to its session takes: nothing, or longer than the network takes.
  mutating func mailboxDelay() -> UInt64 {
    guard hostRandom.below(8) < world.mailboxLagEighths else { return 0 }
    return hostRandom.value(in: 0...3 * world.delayNanoseconds)
  }

  private mutating func perform(_ event: SimulatedEvent) {
    switch event {
    case .sender(let event): tellSender(event)
    case .receiver(let event): tellReceiver(event)
    case .frame(let end, let bytes): deliver(bytes, to: end)
    case .hangUp(let end): hangUp(at: end)
    case .wake(let end): wake(end)
    case .dialled(let id): dialled(id)
    case .up(let id, let end): up(id, at: end)
    case .pump(let id), .windowOpened(let id): opened(event, id)
    case .transmitted(let id, let serial): transmitted(id, serial: serial)
    case .arrived(let id, let delivery): arrived(id, delivery)
    case .written(let id): written(id)
    case .broken(let id, let end): broken(id, at: end)
    case .commit(let step): commit(step)
    }
  }

  private mutating func opened(_ event: SimulatedEvent, _ id: ConnectionID) {
    if case .windowOpened = event, let index = index(of: id) {
      connections[index].inFlightCount -= 1
    }
    pump(id)
  }
}
