internal import Glibc

/// The machine's clocks, in nanoseconds, for any thread.
package enum Clock {
  /// Time since the machine started, with suspended time counted (CLOCK_BOOTTIME).
  ///
  /// Every deadline of this module is a value of this clock.
  package static func now() -> UInt64 { read(CLOCK_BOOTTIME) }

  /// The wall clock: nanoseconds since 1970, which may step either way.
  package static func wall() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
  }

  /// Processor time that the calling thread has used.
  package static func threadCPU() -> UInt64 { read(CLOCK_THREAD_CPUTIME_ID) }

  /// Processor time that all threads of this process have used.
  package static func processCPU() -> UInt64 { read(CLOCK_PROCESS_CPUTIME_ID) }

  /// Lets the calling thread rest; a signal may wake it earlier.
  package static func sleep(nanoseconds: UInt64) {
    var time = timespec(
      tv_sec: Int(clamping: nanoseconds / 1_000_000_000),
      tv_nsec: Int(nanoseconds % 1_000_000_000)
    )
    nanosleep(&time, nil)
  }

  /// Nanoseconds until a deadline: 0 once it has passed, -1 for none, as the C helpers take them.
  static func remaining(until deadline: UInt64?) -> Int64 {
    guard let deadline else { return -1 }
    let now = now()
    return deadline > now ? Int64(clamping: deadline - now) : 0
  }

  /// The clock by which pthread conditions wait; it stands still while the machine is suspended.
  package static func monotonic() -> UInt64 { read(CLOCK_MONOTONIC) }

  private static func read(_ clock: Int32) -> UInt64 {
    var time = timespec()
    clock_gettime(clock, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }
}
