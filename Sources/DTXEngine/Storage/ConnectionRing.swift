internal import DTXLinux

/// A connection's ring, made when its first direct read or write wants one.
///
/// Any thread may ask for it.
final class ConnectionRing: Sendable {
  private enum State {
    case unasked
    /// Nil where the pool does the work.
    case made(Ring?)
  }

  private let workers: StorageWorkers
  private let state = Guarded(State.unasked)

  init(_ workers: StorageWorkers) {
    self.workers = workers
  }

  /// The ring; nil where there is none to be had.
  func get() -> Ring? {
    state.withLock { state in
      if case .made(let ring) = state { return ring }
      let ring = workers.makeRing()
      state = .made(ring)
      return ring
    }
  }

  /// Waits until all that was given to the ring is complete, and ends it.
  func finish() {
    let ring = state.withLock { state in
      if case .made(let ring) = state { return ring }
      return nil
    }
    ring?.finish()
  }
}
