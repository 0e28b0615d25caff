package import DTXCore

/// A transfer to be simulated as its user describes it: dtx-scenario(5).
package struct Scenario: Equatable, Sendable {
  package var title = ""
  /// What everything that is drawn during the simulation is drawn from.
  package var seed: UInt64 = 0
  package var blockByteCount = Limits.defaultBlockByteCount
  /// From the command to the first word between the ends: the remote shell and the hello.
  package var startNanoseconds = Duration.second
  /// How long the user takes to run a command again that failed.
  package var retryNanoseconds = 60 * Duration.second
  package var dataset = ScenarioDataset(byteCount: 1, fileCount: 1)
  package var sender = ScenarioHost()
  package var receiver = ScenarioHost()
  package var path = ScenarioPath()
  package var lanes: [Lane] = []
  package var competitors: [ScenarioCompetitor] = []
  package var faults: [ScenarioFault] = []
  package var variants: [ScenarioVariant] = []
  package var published: [PublishedTransfer] = []

  package init() {}
}

/// One end's machine.
package struct ScenarioHost: Equatable, Sendable {
  package var coreCount: UInt64 = 16
  /// What one core seals or opens, in bytes a second.
  package var cipherSpeed: UInt64 = 5_000_000_000
  /// What one core digests.
  package var digestSpeed: UInt64 = 20_000_000_000
  /// What one core hands to the kernel or takes from it, with all copies.
  package var copySpeed: UInt64 = 3_000_000_000
  /// What all disks together read and write.
  package var readSpeed: UInt64 = 4_000_000_000
  package var writeSpeed: UInt64 = 4_000_000_000
  /// What the syncs of one commit take, about.
  package var syncNanoseconds = 40 * Duration.millisecond
  /// Entries that it scans, compares, prepares or publishes in a second.
  package var entryRate: UInt64 = 10_000
  /// A connection's socket buffer at the most.
  package var bufferByteCount: UInt64 = 64 << 20

  package init() {}

  /// What one core needs for so many bytes, with the cipher and without the kernel's part.
  func encodingNanoseconds(for byteCount: UInt64) -> UInt64 {
    ScenarioHost.nanoseconds(for: byteCount, at: cipherSpeed)
      + ScenarioHost.nanoseconds(for: byteCount, at: digestSpeed)
  }

  /// The kernel's part.
  func copyNanoseconds(for byteCount: UInt64) -> UInt64 {
    ScenarioHost.nanoseconds(for: byteCount, at: copySpeed)
  }

  /// What one core carries with all that is done to a byte, in bytes a second.
  package var coreSpeed: UInt64 {
    let sample: UInt64 = 1 << 30
    let time = encodingNanoseconds(for: sample) + copyNanoseconds(for: sample)
    return UInt64(clamping: UInt128(sample) * UInt128(Duration.second) / UInt128(max(time, 1)))
  }

  /// Time for so many bytes at a speed in bytes a second, rounded up.
  static func nanoseconds(for byteCount: UInt64, at speed: UInt64) -> UInt64 {
    let product = UInt128(byteCount) * UInt128(Duration.second)
    return UInt64(clamping: (product + UInt128(speed) - 1) / UInt128(speed))
  }
}

/// The way between the ends, once for each port.
package struct ScenarioPath: Equatable, Sendable {
  /// One way.
  package var delayNanoseconds = 5 * Duration.millisecond
  /// Bytes of an IP packet at the most.
  package var packetByteCount: UInt64 = 1500
  /// What one port carries.
  package var rate = Rate(bitsPerSecond: 10_000_000_000)
  /// Packets that are lost by chance, of a thousand million.
  package var lossPerBillion: UInt64 = 0
  package var congestion = CongestionControl.cubic
  /// Ports at each end, each with a path of its own.
  package var portCount = 1

  package init() {}

  package var roundTripNanoseconds: UInt64 { 2 * delayNanoseconds }

  /// What all ports carry together.
  package var totalRate: Rate { rate.scaled(by: UInt64(portCount), over: 1) }
}

/// Flows of somebody else that share the path with lanes that are not reserved.
package struct ScenarioCompetitor: Equatable, Sendable {
  package var flowCount = 1
  /// What they offer together; nil when each takes what it gets.
  package var rate: Rate?
  package var fromNanoseconds: UInt64 = 0
  package var untilNanoseconds: UInt64?

  package init() {}
}

/// When a fault strikes.
package enum FaultMoment: Equatable, Sendable {
  /// After the command was run for the first time.
  case nanoseconds(UInt64)
  /// Once so much of the dataset has arrived, in millionths of a per cent.
  case share(UInt64)
}

/// Something that goes wrong on the way.
package struct ScenarioFault: Equatable, Sendable {
  package enum Kind: Equatable, Sendable {
    /// A lane, or every lane, carries nothing for a while.
    case laneCut(lane: Int?)
    /// The receiver's host loses its power, and is back after a while.
    case powerLoss
    /// The receiver's disks write no faster than this for a while.
    case slowDisk(bytesPerSecond: UInt64)
    /// The next blocks arrive with other bytes than were sent.
    case corruptBlocks(count: Int)
  }

  package var kind: Kind
  package var moment: FaultMoment
  /// Nil for what does not pass.
  package var lengthNanoseconds: UInt64?

  package init(_ kind: Kind, at moment: FaultMoment, for lengthNanoseconds: UInt64? = nil) {
    self.kind = kind
    self.moment = moment
    self.lengthNanoseconds = lengthNanoseconds
  }
}

/// One line of the answer: the scenario itself, or with other lanes.
package struct ScenarioVariant: Equatable, Sendable {
  package var name = ""
  /// Of each lane's rate, in millionths of a per cent.
  package var rateShare: UInt64 = 100_000_000
  /// Times that the lanes are there, each time on a port of their own.
  package var portCount = 1
  /// Connections of each lane, instead of its own.
  package var connectionCount: Int?

  package init() {}
}

/// What others have told of a transfer of theirs, to be printed beside the answer.
package struct PublishedTransfer: Equatable, Sendable {
  package var name = ""
  package var byteCount: UInt64 = 0
  package var nanoseconds: UInt64 = 0

  package init() {}
}
