package import DTXCore

/// One of the two ends of a transfer.
package enum End: UInt8, Equatable, Sendable, CaseIterable {
  case sender = 1
  case receiver = 2

  package var other: End { self == .sender ? .receiver : .sender }
}

/// All that a simulated transfer is made of, but for its faults.
package struct World: Sendable {
  /// What everything that is drawn during the simulation is drawn from.
  package var seed: UInt64
  package var inputs: PlanInputs
  package var blockByteCount: UInt64 = 64 << 10
  /// The block length of every run but the first, when it is another.
  package var laterBlockByteCount: UInt64?
  package var tree: SimulatedTree
  /// What stands at the destination before the first run.
  package var destination = PathTable<DestinationEntry>()
  /// What happens to the source between the first run and the second.
  package var changes: [SourceChange] = []

  /// Entries of a segment, and of a page of the inventory.
  package var segmentEntryCount = 1 << 14
  package var pageEntryCount = 4096

  /// One way through the network, and what is added to it by lot.
  package var delayNanoseconds = 5 * Duration.millisecond
  package var jitterNanoseconds: UInt64 = 0
  /// How often a thread's word to its session takes longer than the network, in eighths.
  package var mailboxLagEighths: UInt64 = 1
  /// What a lane carries that nobody rated.
  package var pathRate = Rate(bitsPerSecond: 1_000_000_000)
  /// Blocks that a connection may carry before the receiver takes one: buffers at both ends.
  package var windowBlockCount = 4

  /// How fast a block is written, each connection for itself.
  package var diskRate = Rate(bitsPerSecond: 8_000_000_000)
  /// What each step of a commit takes, about.
  package var syncNanoseconds = 20 * Duration.millisecond
  /// Files that are renamed between two moments at which the receiver may die.
  package var publishBatchCount = 8

  package var isSenderInitiator = true
  package var beginsWithDryRun = false
  /// The user's `--checksum`.
  package var comparesDigests = false
  /// The receiver reads back what it synced; its disk does not keep all of it.
  package var readsBack = false
  /// A bug, planted for the auditor to find.
  package var sabotage: Sabotage?

  package init(seed: UInt64, inputs: PlanInputs, tree: SimulatedTree) {
    self.seed = seed
    self.inputs = inputs
    self.tree = tree
  }

  /// The block length of a run, counted from 0.
  package func blockByteCount(ofRun run: Int) -> UInt64 {
    run == 0 ? blockByteCount : laterBlockByteCount ?? blockByteCount
  }

  /// The rate of one lane, rated or not.
  package func rate(ofLane lane: Int) -> Rate {
    inputs.lanes[lane].rate ?? pathRate
  }

  /// What all lanes carry together.
  package var totalRate: Rate {
    let sum = inputs.lanes.indices.reduce(UInt64(0)) { $0 + rate(ofLane: $1).bitsPerSecond }
    return Rate(bitsPerSecond: sum)
  }
}
