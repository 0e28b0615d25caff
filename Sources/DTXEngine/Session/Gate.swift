internal import DTXLinux

/// What holds the receiving threads back while two epochs are full.
final class Gate: Sendable {
  private let isOpen = Guarded(true)

  func open() {
    isOpen.withLockAndSignal { $0 = true }
  }

  func shut() {
    isOpen.withLock { $0 = false }
  }

  /// Returns when the gate is open.
  func pass() {
    _ = isOpen.wait(until: { $0 ? true : nil }) as Bool?
  }
}
