internal import DTXCore
internal import DTXLinux
internal import Synchronization

/// Does the work on files for the connections' threads, so that one slow call stops no lane.
///
/// Where files are memory it does so on the calling thread, which is faster there; else on a
/// bounded pool, with a ring for each connection's direct reads and writes where the method wants
/// one and the kernel gives one.
final class StorageWorkers: Sendable {
  /// Makes a ring, or says by an error that there is none to be had.
  typealias RingMaker = @Sendable (_ slotCount: Int) throws(SystemError) -> Ring

  private let mechanism: StorageMechanism
  /// Nil where work is done on the calling thread.
  private let pool: WorkerPool?
  private let ringMaker: RingMaker
  /// Raw values of what was taken, 0 for nothing yet.
  private let takenAccess = Atomic<UInt8>(0)
  private let takenMechanism = Atomic<UInt8>(0)

  /// Starts the threads, where the method wants any.
  ///
  /// - Parameters:
  ///   - method: the file system's.
  ///   - connectionCount: connections that give work at the same time.
  ///   - ringMaker: makes the connections' rings; the pool does all where it throws.
  /// - Throws: when there is no room for another thread.
  init(
    _ method: StorageMethod,
    connectionCount: Int,
    ringMaker: @escaping RingMaker = StorageWorkers.makeRing
  ) throws(TransferError) {
    mechanism = method.mechanism
    self.ringMaker = ringMaker
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

  private static func makeRing(slotCount: Int) throws(SystemError) -> Ring {
    // A connection has so many units under way; a unit's further pieces wait for their turn. With
    // three times as much a virtual disk was slower.
    try Ring(name: "dtx-ring", depth: UnitShape.countPerConnection - 1, slotCount: slotCount)
  }

  /// Units come from a pool that all connections share, so that one meets more than its own.
  private static let slotCount = 64

  /// Whether a job is done when `run` returns.
  var isInline: Bool { pool == nil }

  /// Does a job, or queues it.
  func run(_ job: @escaping @Sendable () -> Void) {
    guard let pool else { return job() }
    pool.run(job)
  }

  /// A ring for a connection; nil where the pool does its work.
  func makeRing() -> Ring? {
    switch mechanism {
    case .inline, .pool: nil
    case .plainRing: try? ringMaker(0)
    case .ring: try? ringMaker(StorageWorkers.slotCount)
    }
  }

  /// Waits for all jobs that were given; takes no more.
  func finish() {
    pool?.finish()
  }

  // MARK: - What was taken

  /// A file was read or written by a call.
  func noteCall(_ access: StorageAccess) {
    note(access, isInline ? .inline : .pool)
  }

  /// A file was read or written by a ring.
  func note(_ ring: Ring) {
    note(.direct, ring.isPlain ? .plainRing : .ring)
  }

  /// What does more counts: a large file's last bytes always go by calls and through the cache.
  private func note(_ access: StorageAccess, _ mechanism: StorageMechanism) {
    if takenAccess.load(ordering: .relaxed) < access.rawValue {
      takenAccess.max(access.rawValue, ordering: .relaxed)
    }
    if takenMechanism.load(ordering: .relaxed) < mechanism.rawValue {
      takenMechanism.max(mechanism.rawValue, ordering: .relaxed)
    }
  }

  /// How files were reached; nil where none was.
  var use: StorageUse? {
    guard let access = StorageAccess(rawValue: takenAccess.load(ordering: .relaxed)),
      let mechanism = StorageMechanism(rawValue: takenMechanism.load(ordering: .relaxed))
    else { return nil }
    return StorageUse(access: access, mechanism: mechanism)
  }
}
