internal import DTXCore

/// What is about to happen within one run of the command.
///
/// Connections are named by their place among those of the run, and what takes much room by its
/// place in a `Mailroom`: a scenario has some million events, and few of those.
enum ScenarioEvent: Sendable {
  /// A connection's thread may begin with its next block.
  case begin(Int)
  /// A block has left the sender whole.
  case transmitted(Int, serial: Int)
  /// The receiver's thread is done with a block.
  case written(Int)
  /// The receiver's word on a block reaches the sender.
  case confirmed(Int, BlockReference, isIntact: Bool)
  /// The oldest control frame under way reaches this end.
  case frame(End)
  case hangUp(End)
  case wake(End)
  case dialled(ConnectionID)
  /// A connection has proven itself for the sender.
  case up(Int)
  case committed
  case sender(place: Int)
  case receiver(place: Int)
}

/// What is to be handed over later, by places that are used again.
struct Mailroom<Letter: Sendable>: Sendable {
  private var letters: [Letter?] = []
  private var free: [Int] = []

  mutating func keep(_ letter: Letter) -> Int {
    guard let place = free.popLast() else {
      letters.append(letter)
      return letters.count - 1
    }
    letters[place] = letter
    return place
  }

  mutating func take(_ place: Int) -> Letter? {
    defer { letters[place] = nil }
    free.append(place)
    return letters[place]
  }

  mutating func removeAll() {
    letters.removeAll()
    free.removeAll()
  }
}

/// What happens to the world, whether the command runs or not.
enum WorldEvent: Sendable {
  /// A fault of the scenario, by its place.
  case fault(Int)
  /// A lane has carried nothing for so long that it is given up while others carry, if it is still
  /// the same cut.
  case laneSilent(Int, cut: Int)
  /// TCP's patience with a lane that carries nothing is over, if it is still the same cut.
  case laneGivenUp(Int, cut: Int)
  case laneRestored(Int, cut: Int)
  case diskRestored
  case competitorsChanged
}

/// One block on its way.
struct ScenarioDelivery: Sendable {
  var work: BlockWork
  var outcomes: [ExtentOutcome]
  /// When its first byte was at the receiver.
  var began: Instant
  /// When its last byte was.
  var arrived: Instant
}

/// A connection with both of its threads.
struct ScenarioConnection: Sendable {
  let id: ConnectionID
  var isSenderUp = false
  var isReceiverUp = true
  /// Nothing passes any more.
  var isCut = false
  /// Nothing is sent before slow start is over.
  var readyAt = Instant.zero

  /// Loaded by the session, not begun, with the moment at which the source has been read.
  var outgoing = Fifo<(work: BlockWork, readAt: Instant)>()
  var transmission: Transmission?
  var nextSerial = 0
  /// Since when the sender's thread has nothing under way.
  var freeSince = Instant.zero
  /// Whether it waits for the receiver to take something.
  var isStalled = false

  /// Left the sender, not reported by the receiver.
  var transit = Fifo<ScenarioDelivery>()
  /// Bytes of each block that left and of which the receiver has not said anything, and their sum.
  var unconfirmed = Fifo<UInt64>()
  var unconfirmedByteCount: UInt64 = 0
  /// Blocks that are written while the receiver takes nothing.
  var heldCount = 0
  /// Since when the receiver's thread is free.
  var receiverFreeSince = Instant.zero

  /// A block that is leaving the sender.
  struct Transmission: Sendable {
    var work: BlockWork
    var serial: Int
    /// When its first byte left.
    var began: Instant
    /// Since when it goes at the present rate, and what was left then.
    var paceBegan: Instant
    var leftByteCount: UInt64
  }
}
