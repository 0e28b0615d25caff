internal import DTXCore

/// A block on its way, with what the sender's thread made of its extents.
struct Delivery: Sendable {
  var block: BlockReference
  var outcomes: [ExtentOutcome]
  /// For each extent, the number that stands for its bytes.
  var contents: [UInt64]
}

/// A connection with both of its threads.
struct SimulatedConnection: Sendable {
  let id: ConnectionID
  /// Each end's thread, from its proof to its end.
  var sender = Half()
  var receiver = Half()
  /// Nothing passes any more.
  var isCut = false

  /// Loaded by the sender's session, not begun.
  var outgoing: [BlockWork] = []
  var transmission: Transmission?
  var nextSerial = 0
  /// Blocks that left the sender and that the receiver has not taken.
  var inFlightCount = 0
  /// When the latest block arrives: TCP keeps the order.
  var latestArrival = Instant.zero

  /// Arrived, not taken.
  var incoming: [Delivery] = []
  var writing: Delivery?
  /// The receiver's session wants no more of it.
  var isClosing = false

  struct Half: Sendable {
    var isOpen = false
    /// The thread has noticed that the connection is gone, but has not ended yet.
    var isEnding = false
    /// A thread's reports reach the session in their order.
    var latestReport = Instant.zero
  }

  /// A block that is leaving the sender at the connection's rate.
  struct Transmission: Sendable {
    var work: BlockWork
    var serial: Int
    var began: Instant
    var ends: Instant
    var wireByteCount: UInt64
  }

  subscript(end: End) -> Half {
    get { end == .sender ? sender : receiver }
    set { if end == .sender { sender = newValue } else { receiver = newValue } }
  }
}

/// The state of one lane in the network.
struct SimulatedLane: Sendable {
  /// Until when it cannot be dialled.
  var downUntil = Instant.zero
  /// Until when it carries nothing new.
  var stalledUntil = Instant.zero
  /// Blocks to arrive with other bytes.
  var corruptionCount = 0
}
