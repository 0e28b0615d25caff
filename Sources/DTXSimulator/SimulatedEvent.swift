internal import DTXCore

/// What is about to happen in a simulation.
enum SimulatedEvent: Sendable {
  case sender(SendSession.Event)
  case receiver(ReceiveSession.Event)
  /// A control frame arrives.
  case frame(End, [UInt8])
  /// The control channel ends for this end.
  case hangUp(End)
  case wake(End)
  /// A dial reaches the other end.
  case dialled(ConnectionID)
  /// A connection has proven itself for this end's thread.
  case up(ConnectionID, End)
  /// A connection's thread takes what was loaded.
  case pump(ConnectionID)
  /// A block has left the sender whole.
  case transmitted(ConnectionID, serial: Int)
  case arrived(ConnectionID, Delivery)
  /// The receiver has taken a block from the buffers between the ends.
  case windowOpened(ConnectionID)
  case written(ConnectionID)
  /// This end's thread notices that its connection is gone.
  case broken(ConnectionID, End)
  case commit(CommitStep)

  /// Tells the kinds apart in a trace.
  var code: UInt64 {
    switch self {
    case .sender: 1
    case .receiver: 2
    case .frame(let end, _): 3 + UInt64(end.rawValue) << 8
    case .hangUp(let end): 4 + UInt64(end.rawValue) << 8
    case .wake(let end): 5 + UInt64(end.rawValue) << 8
    case .dialled(let id): 6 + id.code << 8
    case .up(let id, _): 7 + id.code << 8
    case .pump(let id): 8 + id.code << 8
    case .transmitted(let id, _): 9 + id.code << 8
    case .arrived(let id, _): 10 + id.code << 8
    case .windowOpened(let id): 11 + id.code << 8
    case .written(let id): 12 + id.code << 8
    case .broken(let id, _): 13 + id.code << 8
    case .commit: 14
    }
  }
}

extension ConnectionID {
  var code: UInt64 { UInt64(lane) << 32 | UInt64(number) }
}
