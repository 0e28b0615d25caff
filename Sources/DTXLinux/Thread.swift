internal import CLiburing
internal import Glibc

/// A thread of the operating system, which may block as long as it likes.
///
/// A thread that nobody joined runs on when its last reference goes.
package final class Thread: Sendable {
  private final class Start: Sendable {
    let name: String
    let body: @Sendable () -> Void
    let hasReturned: Guarded<Bool>

    init(name: String, body: @escaping @Sendable () -> Void, hasReturned: Guarded<Bool>) {
      self.name = name
      self.body = body
      self.hasReturned = hasReturned
    }
  }

  /// The thread until it was joined.
  private let handle: Guarded<pthread_t?>
  private let hasReturned = Guarded(false)

  /// Starts a thread.
  ///
  /// - Parameters:
  ///   - name: shown by tools such as top; the kernel keeps the first 15 bytes.
  ///   - stackByteCount: rounded up to whole pages of 64 KiB.
  ///   - body: what it runs; it is released when it returns.
  /// - Throws: EAGAIN where the system has no room for another thread.
  package init(
    name: String,
    stackByteCount: Int = 1 << 20,
    _ body: @escaping @Sendable () -> Void
  ) throws(SystemError) {
    var attributes = pthread_attr_t()
    pthread_attr_init(&attributes)
    defer { pthread_attr_destroy(&attributes) }
    pthread_attr_setstacksize(&attributes, (stackByteCount + 0xFFFF) & ~0xFFFF)
    let start = Unmanaged.passRetained(
      Start(name: name, body: body, hasReturned: hasReturned)
    )
    var thread = pthread_t()
    let number = pthread_create(
      &thread,
      &attributes,
      { argument in
        guard let argument else { return nil }
        let start = Unmanaged<Start>.fromOpaque(argument).takeRetainedValue()
        dtx_set_thread_name(start.name)
        start.body()
        start.hasReturned.withLockAndSignal { $0 = true }
        return nil
      },
      start.toOpaque()
    )
    guard number == 0 else {
      start.release()
      throw SystemError(operation: "pthread_create", subject: name, number: number)
    }
    handle = Guarded(thread)
  }

  deinit {
    handle.withLock { thread in
      if let thread { pthread_detach(thread) }
    }
  }

  /// Waits until the body has returned, but no longer than until the deadline.
  ///
  /// - Parameter deadline: an instant of `Clock.now`.
  /// - Returns: whether it has returned; `join` then does not wait.
  package func hasReturned(before deadline: UInt64) -> Bool {
    hasReturned.wait(until: { $0 ? true : nil }, deadline: deadline) ?? false
  }

  /// Waits until the body has returned.
  ///
  /// Any thread but this one may call it, repeatedly.
  package func join() {
    handle.withLock { thread in
      guard let joined = thread else { return }
      precondition(pthread_equal(joined, pthread_self()) == 0, "a thread cannot join itself")
      pthread_join(joined, nil)
      thread = nil
    }
  }

  /// Lets the calling thread, and threads that it starts, run on these processors only.
  package static func setAffinity(_ processorIndices: [Int]) throws(SystemError) {
    let indices = processorIndices.map { Int32(clamping: $0) }
    let result = system { dtx_set_affinity(indices, indices.count) }
    try checked(result, "sched_setaffinity", "processors \(processorIndices)")
  }

  /// The processors that the calling thread may run on, ascending.
  package static func affinity() throws(SystemError) -> [Int] {
    var indices = [Int32](repeating: 0, count: 8192)
    let result = system { dtx_get_affinity(&indices, indices.count) }
    let count = try checked(result, "sched_getaffinity", "thread")
    return indices.prefix(count).map { Int($0) }
  }

  /// The number of processors that the calling thread may run on, at least 1.
  package static var processorCount: Int {
    let count = system { dtx_get_affinity(nil, 0) }
    return max(count, 1)
  }
}
