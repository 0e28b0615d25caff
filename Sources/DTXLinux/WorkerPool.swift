/// A fixed number of threads that do jobs, each the next one that waits.
///
/// Jobs begin in the order in which they were given, and run side by side.
package final class WorkerPool: Sendable {
  private let jobs = Mailbox<@Sendable () -> Void>()
  private let threads: [Thread]

  /// Starts the threads.
  ///
  /// - Parameters:
  ///   - name: of each thread, as tools show it.
  ///   - threadCount: at least 1.
  /// - Throws: EAGAIN where the system has no room for another thread.
  package init(name: String, threadCount: Int) throws(SystemError) {
    precondition(threadCount > 0, "a pool has at least 1 thread, got \(threadCount)")
    let jobs = self.jobs
    var threads: [Thread] = []
    for _ in 0..<threadCount {
      do throws(SystemError) {
        threads.append(try Thread(name: name) { while let job = jobs.receive() { job() } })
      } catch {
        jobs.close()
        throw error
      }
    }
    self.threads = threads
  }

  /// Queues a job; never waits.
  ///
  /// Jobs that come after `finish` are dropped.
  package func run(_ job: @escaping @Sendable () -> Void) {
    jobs.send(job)
  }

  /// Waits until all jobs that were given are done, and ends the threads.
  ///
  /// Called on none of them.
  package func finish() {
    jobs.close()
    for thread in threads { thread.join() }
  }
}
