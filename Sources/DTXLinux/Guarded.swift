internal import Glibc

/// A value behind a lock that threads can also wait on.
///
/// It is a pthread mutex and condition rather than `Synchronization.Mutex`, which has no condition
/// and which the thread sanitizer reports falsely. `@unchecked Sendable`: the value is only touched
/// with the mutex held. The closures must not lock the same value again, and must not let a
/// reference out of the value that is not itself safe to share.
package final class Guarded<Value: ~Copyable>: @unchecked Sendable {
  private var value: Value
  private let mutex: UnsafeMutablePointer<pthread_mutex_t>
  private let changed: UnsafeMutablePointer<pthread_cond_t>

  /// Puts a value behind a new lock.
  package init(_ value: consuming Value) {
    self.value = value
    mutex = .allocate(capacity: 1)
    changed = .allocate(capacity: 1)
    pthread_mutex_init(mutex, nil)
    var attributes = pthread_condattr_t()
    pthread_condattr_init(&attributes)
    // The default is the wall clock, which may step.
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
    pthread_cond_init(changed, &attributes)
    pthread_condattr_destroy(&attributes)
  }

  deinit {
    pthread_cond_destroy(changed)
    pthread_mutex_destroy(mutex)
    changed.deallocate()
    mutex.deallocate()
  }

  /// Runs the body with the value, alone.
  package func withLock<Result, Failure: Error>(
    _ body: (inout Value) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    return try body(&value)
  }

  /// Runs the body with the value, alone, then wakes all threads that wait for a change.
  package func withLockAndSignal<Result, Failure: Error>(
    _ body: (inout Value) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    pthread_mutex_lock(mutex)
    defer {
      pthread_cond_broadcast(changed)
      pthread_mutex_unlock(mutex)
    }
    return try body(&value)
  }

  /// Waits until the condition gives a result, and returns it; nil once the deadline has passed.
  ///
  /// The condition is asked at once, after every signal, and a last time at the deadline. It runs
  /// alone and may change the value; a change that others wait for needs `notifyAll` afterwards.
  ///
  /// - Parameters:
  ///   - condition: gives the result, or nil to wait on.
  ///   - deadline: an instant of `Clock.now`; nil waits without end.
  /// - Returns: the condition's result; nil only at the deadline.
  package func wait<Result>(
    until condition: (inout Value) -> Result?,
    deadline: UInt64? = nil
  ) -> Result? {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    while true {
      if let result = condition(&value) { return result }
      guard let deadline else {
        pthread_cond_wait(changed, mutex)
        continue
      }
      let now = Clock.now()
      if now >= deadline { return nil }
      // Conditions know no boottime clock. After a suspension this wakes late, never early for good.
      let (sum, overflowed) = Clock.monotonic().addingReportingOverflow(deadline - now)
      var limit = timespec()
      // Half the range of Int64 nanoseconds is 146 years: as good as no deadline.
      let instant = overflowed ? UInt64(Int64.max) : min(sum, UInt64(Int64.max))
      limit.tv_sec = Int(instant / 1_000_000_000)
      limit.tv_nsec = Int(instant % 1_000_000_000)
      pthread_cond_timedwait(changed, mutex, &limit)
    }
  }

  /// Wakes all threads that wait for a change.
  package func notifyAll() {
    pthread_cond_broadcast(changed)
  }
}

/// What is behind a lock that keeps threads apart and guards no value.
///
/// It has a size: a value without one has its class's first bytes for its address, which the thread
/// sanitizer sees others read.
package struct Turn: Sendable {
  private var byte: UInt8 = 0

  package init() {}
}
