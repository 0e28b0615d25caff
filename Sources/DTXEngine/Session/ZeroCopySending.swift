internal import DTXCore
internal import DTXLinux

/// Sends a connection's records from the units they were read into, where the kernel takes them
/// without a copy, and keeps each unit until the kernel is done with it.
///
/// What is kept is bounded: with more under way, records are copied as ever. Used by the
/// connection's thread alone.
final class ZeroCopySending {
  /// A unit that the kernel may read from.
  private struct Held {
    let unit: ReadUnit
    /// The calls that were made by its end.
    let callCount: UInt64
    let byteCount: Int
  }

  private let socket: Socket
  private let times: ActivityLedger
  /// Units that may be held, once it is known to pay.
  private let heldLimit: Int
  /// Nil where everything is copied.
  private var ledger: ZeroCopyLedger?
  private var held: [Held] = []
  /// What was sent so of the present unit.
  private var byteCount = 0
  private var hasGrown = false

  /// - Parameters:
  ///   - socket: of the connection.
  ///   - ledger: nil to copy everything.
  ///   - heldLimit: units that may be held, for which the reader is to get as many more.
  ///   - times: counts what left without a copy.
  init(_ socket: Socket, _ ledger: ZeroCopyLedger?, heldLimit: Int, times: ActivityLedger) {
    self.socket = socket
    self.times = times
    self.heldLimit = heldLimit
    guard ledger != nil, (try? socket.allowZeroCopy()) != nil else { return }
    self.ledger = ledger
  }

  private var mayHold: Bool {
    switch ledger?.verdict {
    case nil, .awaited, .copies: false
    // Before the reader has more units it does with one less.
    case .untried: held.isEmpty
    case .pays: held.count < (hasGrown ? heldLimit : 1)
    }
  }

  /// Sends a record that lies in the present unit.
  func send(_ record: UnsafeRawBufferPointer) throws(SystemError) {
    guard mayHold else { return try socket.sendAll(record) }
    let callCount = try socket.sendAllZeroCopy(record)
    ledger?.note(callCount: callCount)
    if callCount > 0 { byteCount += record.count }
  }

  /// Keeps the present unit, all of whose records were sent, if the kernel may read from it.
  ///
  /// - Returns: whether it is kept, and comes back by `takeDone`.
  func keep(_ unit: ReadUnit) -> Bool {
    guard let ledger, byteCount > 0 else { return false }
    held.append(Held(unit: unit, callCount: ledger.callCount, byteCount: byteCount))
    byteCount = 0
    return true
  }

  /// A unit that the kernel is done with; nil when there is none.
  ///
  /// Never waits.
  func takeDone() -> ReadUnit? {
    guard let first = held.first else { return nil }
    // A connection that is broken says so when it sends.
    while let notification = try? socket.takeNotification() { ledger?.take(notification) }
    guard let ledger, ledger.isDone(callCount: first.callCount) else { return nil }
    if ledger.verdict == .pays { times.addZeroCopy(first.byteCount) }
    return held.removeFirst().unit
  }

  /// Whether the reader is to get as many units more as may be held; true once.
  func takesMoreUnits() -> Bool {
    guard !hasGrown, ledger?.verdict == .pays else { return false }
    hasGrown = true
    return true
  }
}
