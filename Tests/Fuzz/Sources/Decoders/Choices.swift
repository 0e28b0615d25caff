internal import DTXCore

/// Bytes as decisions: what happens next, and with which numbers.
///
/// When they are spent every choice is the first one.
struct Choices {
  /// Just below what both ends take of each other.
  private static let largestOverhead: UInt64 = 99

  private let bytes: [UInt8]
  private var place = 0

  init(_ bytes: [UInt8]) {
    self.bytes = bytes
  }

  var isSpent: Bool { place >= bytes.count }

  /// A number below so many; small ones are what exists in a small dataset.
  mutating func below(_ count: Int) -> Int {
    Int(byte()) % count
  }

  /// A number that most often is below so many, and at times the largest that a message holds.
  mutating func index(_ count: Int, largest: Int) -> Int {
    let chosen = byte()
    if chosen == .max { return largest }
    return Int(chosen) % (count + 1)
  }

  mutating func flag() -> Bool { byte() & 1 == 1 }

  /// A span of time, from none to more than any patience.
  mutating func nanoseconds() -> UInt64 {
    [
      0, 0, 0, 1000, Duration.millisecond, Duration.second, 11 * Duration.second,
      61 * Duration.second,
    ][
      below(8)
    ]
  }

  mutating func digest() -> Digest {
    Digest(words: (UInt64(byte()), 0, 0, 0))
  }

  /// Any connection, also one of a lane that is not there.
  mutating func connection() -> ConnectionID {
    ConnectionID(lane: index(2, largest: Limits.laneCount - 1), number: UInt32(below(4)))
  }

  mutating func block() -> BlockReference {
    BlockReference(
      segment: index(4, largest: 1 << 20),
      block: index(6, largest: Limits.segmentExtentCount)
    )
  }

  mutating func runs() -> [Range<Int>] {
    var runs: [Range<Int>] = []
    var end = 0
    for _ in 0..<below(3) + 1 {
      let start = end + below(3)
      end = start + below(3) + 1
      runs.append(start..<end)
    }
    return runs
  }

  /// Lanes of each kind that a settlement may have.
  mutating func inputs() -> PlanInputs {
    let rate = Rate(bitsPerSecond: 8_000_000)
    let reserved = Lane(contract: .reserved, rate: rate, connectionCount: 2)
    let pooled = Lane(contract: .bestEffort, rate: rate, connectionCount: 1)
    let free = Lane(contract: .bestEffort, rate: nil, connectionCount: 1)
    var inputs = PlanInputs(
      lanes: [[reserved], [free, free], [reserved, pooled], [free]][below(4)]
    )
    if below(4) == 0 { inputs.overheadNumerator = Choices.largestOverhead }
    return inputs
  }

  /// A small tree whose files have one block and several, and holes.
  mutating func inventory(segment: Int) -> Inventory {
    var inventory = Inventory()
    for number in 0..<below(4) {
      var entry = Entry(kind: .regular, parent: nil, mode: 0o644, modified: 0, byteCount: 0)
      var attributes: [Attribute] = []
      switch below(4) {
      case 0: entry.kind = .directory
      case 1: entry.byteCount = UInt64(below(256))
      case 2: entry.byteCount = UInt64(below(256)) * 100
      default:
        // Three fit 64 bits, and the files of two segments are more than any dataset has.
        entry.byteCount = UInt64(Int64.max) / 2
        attributes = [.dataRanges([1000..<5000])]
      }
      inventory.append(entry, name: Array("\(segment)\(number)".utf8), attributes: attributes)
    }
    return inventory
  }

  mutating func generation(after present: Generation) -> Generation {
    var next = present
    next.number = present.number &+ UInt32(below(3))
    for queue in next.queues.indices {
      next.queues[queue].rate = Rate(bitsPerSecond: [0, 1, 1_000_000, 1 << 55][below(4)])
      next.queues[queue].free = [0, Duration.second, Limits.planNanoseconds][below(3)]
    }
    if below(8) == 0 { next.queues.append(Generation.Queue(rate: Rate(bitsPerSecond: 1))) }
    return next
  }

  mutating func outcomes(_ count: Int, mayBeDamaged: Bool) -> [ExtentOutcome] {
    (0..<count).map { _ in
      switch below(8) {
      case 0: .failed(.unreadable, "cannot be read")
      case 1: mayBeDamaged ? .damaged : .failed(.changed, "changed")
      default: .intact(digest())
      }
    }
  }

  private mutating func byte() -> UInt8 {
    guard place < bytes.count else { return 0 }
    defer { place += 1 }
    return bytes[place]
  }
}
