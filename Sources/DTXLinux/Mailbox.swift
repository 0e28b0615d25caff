/// A queue of messages from any number of threads to one.
///
/// Messages of one sender arrive in the order in which it sent them. A bounded mailbox is how a
/// slow receiver holds back its senders.
package final class Mailbox<Message: Sendable>: Sendable {
  private struct State {
    /// The messages from `head` on; those before it were received.
    var messages: [Message?] = []
    var head = 0
    var isClosed = false

    var count: Int { messages.count - head }

    mutating func take() -> Message? {
      guard head < messages.count else { return nil }
      let message = messages[head]
      messages[head] = nil
      head += 1
      // Moving the rest once half of the array is spent costs each message a constant on average.
      if head * 2 >= messages.count {
        messages.removeSubrange(..<head)
        head = 0
      }
      return message
    }
  }

  private enum Arrival {
    case message(Message)
    case closed
  }

  /// The most messages that wait at a time; nil for no limit.
  package let capacity: Int?
  private let state = Guarded(State())

  /// Makes an empty mailbox; a capacity is at least 1.
  package init(capacity: Int? = nil) {
    if let capacity { precondition(capacity > 0, "a mailbox holds at least 1, got \(capacity)") }
    self.capacity = capacity
  }

  /// Queues a message; blocks while the mailbox is bounded and full.
  ///
  /// Returns false, and drops the message, when the mailbox is or becomes closed.
  @discardableResult
  package func send(_ message: Message) -> Bool {
    send(message, deadline: nil) ?? false
  }

  /// Queues a message unless the mailbox is full or closed; never blocks.
  package func trySend(_ message: Message) -> Bool {
    send(message, deadline: 0) ?? false
  }

  /// Queues a message; waits for room until the deadline (an instant of `Clock.now`; nil: no end).
  ///
  /// Nil when there was none by then; false when the mailbox is or becomes closed.
  package func send(_ message: Message, deadline: UInt64?) -> Bool? {
    let sent: Bool? = state.wait(
      until: { state in
        if state.isClosed { return false }
        if let capacity, state.count >= capacity { return nil }
        state.messages.append(message)
        return true
      },
      deadline: deadline
    )
    if sent == true { state.notifyAll() }
    return sent
  }

  /// The next message; waits for it until the deadline (an instant of `Clock.now`; nil: no end).
  ///
  /// Nil at the deadline, and once the mailbox is closed and empty: `isClosed` tells which.
  package func receive(deadline: UInt64? = nil) -> Message? {
    let arrival: Arrival? = state.wait(
      until: { state in
        if let message = state.take() { return .message(message) }
        return state.isClosed ? .closed : nil
      },
      deadline: deadline
    )
    guard case .message(let message)? = arrival else { return nil }
    // Only the senders of a bounded mailbox wait for room.
    if capacity != nil { state.notifyAll() }
    return message
  }

  /// The next message if there is one; never blocks.
  package func tryReceive() -> Message? { receive(deadline: 0) }

  /// All messages that wait, in order; never blocks.
  package func drain() -> [Message] {
    state.withLockAndSignal { state in
      let all = state.messages[state.head...].compactMap { $0 }
      state.messages.removeAll(keepingCapacity: true)
      state.head = 0
      return all
    }
  }

  /// Refuses messages from now on and wakes everyone; what is queued can still be received.
  package func close() {
    state.withLockAndSignal { $0.isClosed = true }
  }

  /// Whether `close` was called; messages may still wait.
  package var isClosed: Bool { state.withLock { $0.isClosed } }

  /// The number of messages that wait.
  package var count: Int { state.withLock { $0.count } }
}
