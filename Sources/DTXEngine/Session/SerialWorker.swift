internal import DTXLinux

/// A thread that does one job after another, in the order in which they were given.
final class SerialWorker: Sendable {
  private let jobs = Mailbox<@Sendable () -> Void>()
  private let thread: Thread

  init(name: String) throws(TransferError) {
    let jobs = self.jobs
    do {
      // A walk over a deep tree and a digest's state both want some room.
      thread = try Thread(name: name, stackByteCount: 4 << 20) {
        while let job = jobs.receive() { job() }
      }
    } catch {
      throw TransferError("\(name) has no thread", error)
    }
  }

  func run(_ job: @escaping @Sendable () -> Void) {
    jobs.send(job)
  }

  /// Waits for the jobs that were given; takes no more.
  func finish() {
    jobs.close()
    thread.join()
  }
}
