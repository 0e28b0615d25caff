internal import DTXLinux

/// Turns signals into a request to stop, and remembers which came.
///
/// The first one asks; a second one ends the process at once, by the default action of that signal.
package final class Interruption: Sendable {
  private struct State {
    var signal: Int32?
    var react: @Sendable () -> Void = {}
  }

  private let state = Guarded(State())

  /// Begins to watch; signals must be blocked in all threads already.
  package static func watch() throws(TransferError) -> Interruption {
    let interruption = Interruption()
    do {
      _ = try Thread(name: "dtx-signals") {
        while let signal = Signals.wait() { interruption.note(signal) }
      }
    } catch {
      throw TransferError("signals cannot be watched", error)
    }
    return interruption
  }

  /// The first signal that came.
  package var signal: Int32? { state.withLock { $0.signal } }

  /// Says what the first signal does from now on; does it at once if that has come.
  package func onSignal(_ react: @escaping @Sendable () -> Void) {
    let hasCome = state.withLock { state in
      state.react = react
      return state.signal != nil
    }
    if hasCome { react() }
  }

  /// Does what the first signal would do, without one.
  func stop() {
    let react = state.withLock { $0.react }
    react()
  }

  /// Waits for so long, or until the first signal.
  func sleep(nanoseconds: UInt64) {
    onSignal {}
    let end = Clock.now() + nanoseconds
    _ = state.wait(until: { $0.signal }, deadline: end)
  }

  private func note(_ signal: Int32) {
    let (isFirst, react) = state.withLockAndSignal { state in
      defer { state.signal = state.signal ?? signal }
      return (state.signal == nil, state.react)
    }
    if isFirst {
      react()
    } else {
      Signals.endProcess(by: signal)
    }
  }
}
