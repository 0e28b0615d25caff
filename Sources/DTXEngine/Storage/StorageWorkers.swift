internal import DTXCore
internal import DTXLinux

/// Does the work on files for the connections' threads, so that one slow call stops no lane.
///
/// Where files are memory it does so on the calling thread, which is faster there; else on a
/// bounded pool.
final class StorageWorkers: Sendable {
  /// Nil where work is done on the calling thread.
  private let pool: WorkerPool?

  /// Starts the threads, where the method wants any.
  ///
  /// - Parameters:
  ///   - method: the file system's.
  ///   - connectionCount: connections that give work at the same time.
  /// - Throws: when there is no room for another thread.
  init(_ method: StorageMethod, connectionCount: Int) throws(TransferError) {
    guard !method.isInline else {
      pool = nil
      return
    }
    let threadCount = StorageWorkers.threadCount(connectionCount: connectionCount)
    do throws(SystemError) {
      pool = try WorkerPool(name: "dtx-storage", threadCount: threadCount)
    } catch {
      throw TransferError("the storage has no threads", error)
    }
  }

  /// Threads for so many connections.
  ///
  /// One whose calls hang may keep a thread for each of its units, and leaves one to every other;
  /// more threads than a device has queues only wait in another place.
  static func threadCount(connectionCount: Int) -> Int {
    min(max(connectionCount, 2) - 1 + UnitShape.countPerConnection, 16)
  }

  /// Whether a job is done when `run` returns.
  var isInline: Bool { pool == nil }

  /// Does a job, or queues it.
  func run(_ job: @escaping @Sendable () -> Void) {
    guard let pool else { return job() }
    pool.run(job)
  }

  /// Waits for all jobs that were given; takes no more.
  func finish() {
    pool?.finish()
  }
}
