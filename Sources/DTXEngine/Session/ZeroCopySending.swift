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
  /// Units that may be held: before the reader has more it does with one less.
  private var heldLimit = 1
  /// Nil where everything is copied.
  private var ledger: ZeroCopyLedger?
  private var held: [Held] = []
  /// What was sent so of the present unit.
  private var byteCount = 0
  private var hasGrown = false

  /// - Parameters:
  ///   - socket: of the connection.
  ///   - ledger: nil to copy everything.
  ///   - times: counts what left without a copy.
  init(_ socket: Socket, _ ledger: ZeroCopyLedger?, times: ActivityLedger) {
    self.socket = socket
    self.times = times
    guard ledger != nil, (try? socket.allowZeroCopy()) != nil else { return }
    self.ledger = ledger
  }

  private var mayHold: Bool {
    switch ledger?.verdict {
    case nil, .awaited, .copies: false
    case .untried, .pays: held.count < heldLimit
    }
  }

  /// Sends a record that lies in the present unit.
  ///
  /// - Throws: when the connection is broken; what was sent before is noted, for the kernel may go on
  ///   sending that.
  func send(_ record: UnsafeRawBufferPointer) throws(SystemError) {
    var rest = record
    while mayHold, !rest.isEmpty {
      let count = try socket.sendZeroCopy(rest)
      ledger?.note(callCount: count == nil ? 0 : 1)
      guard let count else { break }
      byteCount += count
      rest = UnsafeRawBufferPointer(rebasing: rest[count...])
    }
    if !rest.isEmpty { try socket.sendAll(rest) }
  }

  /// Keeps the present unit, of which no more will be sent, if the kernel may read from it.
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

  /// Whether more units are of use; `grow` follows.
  var wantsUnits: Bool { !hasGrown && ledger?.verdict == .pays }

  /// The reader has so many units more, or none where there is no memory.
  func grow(by count: Int) {
    hasGrown = true
    heldLimit = max(heldLimit, count)
  }
}
