internal import DTXCore

/// Something that goes wrong, or a person who changes their mind.
package enum Fault: Equatable, Sendable {
  /// A process is gone between two events; with `losesPower` its host too, which takes what was
  /// not synced and tells nobody.
  case crash(End, losesPower: Bool)
  case cancel(End)
  /// All connections of a lane break; a silent break is noticed when time runs out.
  case cut(lane: Int, isSilent: Bool)
  /// A lane cannot be dialled for a while.
  case down(lane: Int, nanoseconds: UInt64)
  /// A lane carries nothing new for a while.
  case stall(lane: Int, nanoseconds: UInt64)
  /// The next block of a lane arrives with other bytes.
  case corruption(lane: Int)
  /// The disk takes its time with all that it is asked meanwhile.
  case slowDisk(nanoseconds: UInt64)
  /// The next write finds no room.
  case fullDisk
  /// The next sync of data fails, and what it was about is uncertain.
  case syncError
  /// A file cannot be read the next time.
  case unreadable([UInt8])
  /// A file cannot be written the next time.
  case unwritable([UInt8])
  /// The source changes while it is read.
  case sourceChange(SourceChange)
}

/// Which faults happen, and before which event of the simulation.
package struct FaultPlan: Equatable, Sendable {
  package struct Placed: Equatable, Sendable {
    package var step: Int
    package var fault: Fault

    package init(step: Int, fault: Fault) {
      self.step = step
      self.fault = fault
    }
  }

  /// Ascending by step.
  package private(set) var faults: [Placed]

  package static let none = FaultPlan([])

  package init(_ faults: [Placed]) {
    self.faults = faults.sorted { $0.step < $1.step }
  }

  package var isEmpty: Bool { faults.isEmpty }

  /// One to some faults by lot, somewhere in a simulation of so many steps.
  package static func drawn(for world: World, stepCount: Int) -> FaultPlan {
    var random = SeededRandom(seed: SeededRandom.mix(world.seed &+ 0x6661_756c_7473))
    var faults: [Placed] = []
    for _ in 0..<(random.pick([1, 1, 2, 3, 6, 12]) ?? 1) {
      // A crash starts the run again: later faults fall into what comes then.
      let step = random.value(in: 0...max(1, stepCount * 3 / 2))
      faults.append(Placed(step: step, fault: fault(for: world, &random)))
    }
    return FaultPlan(faults)
  }

  private static func fault(for world: World, _ random: inout SeededRandom) -> Fault {
    let end: End = random.happens(Ratio(1, in: 2)) ? .sender : .receiver
    let lane = random.value(in: 0...world.inputs.lanes.count - 1)
    let path = random.pick(world.tree.entries.paths) ?? []
    switch random.below(16) {
    case 0, 1, 2: return .crash(end, losesPower: random.happens(Ratio(1, in: 2)))
    case 3: return .crash(.receiver, losesPower: true)
    case 4: return .cancel(end)
    case 5, 6: return .cut(lane: lane, isSilent: random.happens(Ratio(1, in: 4)))
    case 7:
      let seconds: UInt64 = random.pick([1, 5, 30, 90]) ?? 1
      return .down(lane: lane, nanoseconds: seconds * Duration.second)
    case 8:
      return .stall(lane: lane, nanoseconds: random.value(in: 0...5 * Duration.second))
    case 9: return .corruption(lane: lane)
    case 10: return .slowDisk(nanoseconds: random.value(in: 0...4 * Duration.second))
    case 11: return .fullDisk
    case 12: return .syncError
    case 13: return .unreadable(path)
    case 14: return .unwritable(path)
    default:
      let length = random.value(in: 0...world.blockByteCount * 4)
      let time = 1_800_000_000_000_000_000 + Int64(random.below(1 << 40))
      return .sourceChange(
        .rewritten(path, byteCount: length, content: random.next(), modified: time)
      )
    }
  }
}
