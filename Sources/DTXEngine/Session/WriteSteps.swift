internal import DTXCore
internal import DTXLinux

/// What is to be done with a block, in which order, and what a ring does of it meanwhile.
///
/// Direct writes of several units may be under way at the same time. All else waits for them: what
/// goes through the page cache may share a page with them, and a file ends when it is whole.
struct WriteSteps: Sendable {
  enum Step: Sendable {
    /// A unit of which nothing is written.
    case write(WriteUnit)
    /// The rest of a unit, from a piece on whose first bytes are written.
    case rest(WriteUnit, piece: Int, written: Int)
    /// Bytes of a piece that the ring was given and has not written, for no error.
    case again(WriteUnit, piece: Int, bytes: Range<Int>)
    /// The ring could not write bytes of an extent.
    case failed(extent: Int, SystemError)
    case end(sent: [ExtentOutcome])
    case abandon
  }

  private var steps: [Step] = []
  /// What comes before all steps, once nothing is under way.
  private var leftovers: [Step] = []
  /// Writes that the ring has.
  private var underWayCount = 0
  /// Whether somebody has the block, or will.
  private var isTaken = false

  /// Adds the last step so far.
  ///
  /// - Returns: whether the block has to be gone on with, by the caller or a worker.
  mutating func add(_ step: Step) -> Bool {
    if case .write(let unit) = step { unit.useCount = 1 }
    steps.append(step)
    return take()
  }

  /// What is done next; nil gives the block back.
  mutating func next() -> Step? {
    guard canGoOn else {
      isTaken = false
      return nil
    }
    return leftovers.isEmpty ? steps.removeFirst() : leftovers.removeFirst()
  }

  /// The unit that is written next, for whoever has the block and does nothing else of it.
  ///
  /// - Returns: nil where anything else comes first, which stays where it is.
  mutating func nextWrite() -> WriteUnit? {
    guard leftovers.isEmpty, case .write(let unit)? = steps.first else { return nil }
    steps.removeFirst()
    return unit
  }

  /// Gives the block back, unless it can be gone on with.
  ///
  /// - Returns: whether it can; a worker has to be found then.
  mutating func pause() -> Bool {
    isTaken = canGoOn
    return isTaken
  }

  /// Puts a step before all others if it has to wait.
  ///
  /// - Returns: whether it has to; else the caller goes on with it.
  mutating func defers(_ step: Step) -> Bool {
    guard underWayCount > 0 || !leftovers.isEmpty else { return false }
    steps.insert(step, at: 0)
    return true
  }

  /// A write of the unit's bytes is about to be given to the ring.
  mutating func begin(_ unit: WriteUnit) {
    unit.useCount += 1
    underWayCount += 1
  }

  /// A write that `begin` announced is over.
  ///
  /// - Parameter leftover: what it has not done; nil when it is whole.
  /// - Returns: whether a worker has to be found for the block.
  mutating func end(leftover: Step?) -> Bool {
    precondition(underWayCount > 0, "a write ended that nobody began")
    underWayCount -= 1
    if let leftover { leftovers.append(leftover) }
    return take()
  }

  /// One use of a unit ends.
  ///
  /// - Returns: whether it was the last one.
  mutating func release(_ unit: WriteUnit) -> Bool {
    precondition(unit.useCount > 0, "a unit that nobody uses")
    unit.useCount -= 1
    return unit.useCount == 0
  }

  private mutating func take() -> Bool {
    guard !isTaken, canGoOn else { return false }
    isTaken = true
    return true
  }

  private var canGoOn: Bool {
    if underWayCount == 0 { return !steps.isEmpty || !leftovers.isEmpty }
    guard leftovers.isEmpty, case .write? = steps.first else { return false }
    return true
  }
}
