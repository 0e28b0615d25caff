internal import Foundation
internal import Synchronization

/// Waits for a process on a thread of its own, so that its end is seen when it happens while
/// somebody else looks at the clock.
final class Waiting: Sendable {
  struct End: Sendable {
    var status: Int32
    /// Nanoseconds on the clock of `now`.
    var time: UInt64
    /// Core-seconds, with those of its children.
    var processorSeconds: Double
  }

  private let state = Mutex<End?>(nil)

  init(for pid: Int32) {
    Thread.detachNewThread { [self] in
      let (status, usage) = Spawning.wait(pid)
      let time = Waiting.now
      let end = End(
        status: status,
        time: time,
        processorSeconds: Waiting.seconds(usage.ru_utime) + Waiting.seconds(usage.ru_stime)
      )
      state.withLock { $0 = end }
    }
  }

  /// Nil while the process runs.
  var end: End? { state.withLock { $0 } }

  /// Nanoseconds of the monotonic clock.
  static var now: UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }

  private static func seconds(_ time: timeval) -> Double {
    Double(time.tv_sec) + Double(time.tv_usec) / 1e6
  }
}
