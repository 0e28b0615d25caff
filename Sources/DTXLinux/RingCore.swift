internal import CLiburing
internal import Glibc
internal import Synchronization

/// What a ring's thread and those who give it work share.
///
/// `@unchecked Sendable`: the operations under way and the held buffers are the thread's alone; the
/// rest is behind the lock.
final class RingCore: @unchecked Sendable {
  private struct State {
    /// Nil until the thread has opened the ring; else its error number, or 0.
    var opening: Int32?
    /// Set while there is a ring to wake.
    var raw: OpaquePointer?
    var waiting: [RingOperation] = []
    var isEnding = false
  }

  private let state = Guarded(State())
  private let depth: Int
  private let slotCount: Int
  private let plain: Atomic<Bool>

  // Of the thread alone.
  /// By token; nil where there is room.
  private var underWay: [RingOperation?]
  private var freeTokens: [Int]
  /// By slot; kept, so that no other memory comes to lie at their addresses.
  private var held: [PageBuffer] = []
  /// Whether a further buffer can be held, as far as is known.
  private var canHold: Bool

  init(depth: Int, slotCount: Int) {
    self.depth = depth
    self.slotCount = slotCount
    underWay = Array(repeating: nil, count: depth)
    freeTokens = Array((0..<depth).reversed())
    canHold = slotCount > 0
    plain = Atomic(slotCount == 0)
  }

  var isPlain: Bool { plain.load(ordering: .relaxed) }

  // MARK: - On any thread

  /// Waits for the thread to have opened the ring.
  ///
  /// - Returns: 0, or the number of the error for which there is none.
  func awaitOpening() -> Int32 {
    state.wait(until: { $0.opening }) ?? ENOSYS
  }

  func add(_ operation: RingOperation) {
    precondition(operation.byteCount > 0, "a ring moves at least one byte")
    if let fault = operation.fault { return operation.completion(.failure(fault)) }
    state.withLock { state in
      precondition(!state.isEnding, "a ring that has ended is given work")
      state.waiting.append(operation)
      if let raw = state.raw { dtx_ring_wake(raw) }
    }
  }

  /// Lets the thread end when all that was given is complete.
  func end() {
    state.withLock { state in
      state.isEnding = true
      if let raw = state.raw { dtx_ring_wake(raw) }
    }
  }

  // MARK: - On the ring's thread

  func run() {
    let opened = dtx_ring_open(UInt32(depth), UInt32(slotCount))
    let number = errno
    state.withLockAndSignal { state in
      state.raw = opened
      state.opening = opened == nil ? number : 0
    }
    guard let raw = opened else { return }
    while submit(raw) {
      var token: UInt64 = 0
      var result: Int32 = 0
      let outcome = dtx_ring_wait(raw, &token, &result)
      // The kernel took the same call when the ring was opened.
      precondition(outcome >= 0, "io_uring_enter: errno \(errno)")
      if outcome > 0 { complete(Int(token), result, raw) }
    }
    dtx_ring_close(raw)
  }

  /// Queues as much of what waits as there is room for.
  ///
  /// - Returns: whether there is anything to wait for.
  private func submit(_ raw: OpaquePointer) -> Bool {
    let (operations, goesOn) = state.withLock { state in
      let count = min(freeTokens.count, state.waiting.count)
      let taken = Array(state.waiting.prefix(count))
      state.waiting.removeFirst(count)
      let isIdle = taken.isEmpty && freeTokens.count == depth
      let goesOn = !(state.isEnding && isIdle)
      if !goesOn { state.raw = nil }
      return (taken, goesOn)
    }
    for operation in operations {
      let token = freeTokens.removeLast()
      underWay[token] = operation
      operation.submit(to: raw, slot: slot(of: operation, raw), token: token)
    }
    return goesOn
  }

  private func complete(_ token: Int, _ result: Int32, _ raw: OpaquePointer) {
    guard var operation = underWay[token] else {
      preconditionFailure("a completion of nothing")
    }
    guard let outcome = operation.take(result) else {
      underWay[token] = operation
      operation.submit(to: raw, slot: slot(of: operation, raw), token: token)
      return
    }
    underWay[token] = nil
    freeTokens.append(token)
    operation.completion(outcome)
  }

  /// Where the kernel holds the memory of a write, -1 where it does not.
  private func slot(of operation: RingOperation, _ raw: OpaquePointer) -> Int {
    // A read is of many pieces, which older kernels do not take from a held buffer.
    guard case .write = operation.kind else { return -1 }
    if let known = held.firstIndex(where: { $0 === operation.buffer }) { return known }
    guard canHold, held.count < slotCount else { return -1 }
    let memory = operation.buffer.pointer
    guard dtx_ring_hold(raw, UInt32(held.count), memory.baseAddress, memory.count) == 0 else {
      canHold = false
      if held.isEmpty { plain.store(true, ordering: .relaxed) }
      return -1
    }
    held.append(operation.buffer)
    return held.count - 1
  }
}
