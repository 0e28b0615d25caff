internal import DTXCore
internal import DTXLinux

/// A file whose bytes are to be compared with a manifest's digests.
final class VerifiedFile: Sendable {
  let path: [UInt8]
  let file: File
  let byteCount: UInt64
  let extents: [Extent]
  let digests: [Digest]
  /// Where the dataset has data.
  let ranges: [Range<UInt64>]

  init(_ path: [UInt8], _ file: File, _ part: ManifestSegment, _ index: Int) {
    let entry = part.entries[index]
    self.path = path
    self.file = file
    byteCount = entry.byteCount
    extents = Array(part.segment.extents[entry.extents])
    digests = Array(part.digests(of: index))
    ranges = part.inventory.dataRanges(of: index)
  }

  /// Bytes whose digest the manifest does not know.
  var unreadByteCount: UInt64 {
    zip(extents, digests).reduce(0) { $0 + ($1.1 == .zero ? UInt64($1.0.byteCount) : 0) }
  }
}

/// The threads that read files for a verification, and what they find.
final class VerifyReading: Sendable {
  /// One keeps the disk busy while the other computes; more would make a disk's heads wander.
  private static let threadCount = 2
  /// Jobs that wait, each with an open file at most.
  private static let jobLimit = 64
  /// What one job reads, so that both threads share a large file.
  private static let jobByteCount: UInt64 = 64 << 20

  private struct Job: Sendable {
    var file: VerifiedFile
    var extents: Range<Int>
  }

  private struct State: Sendable {
    var readByteCount: UInt64 = 0
    var endedThreadCount = 0
    /// What differs, with each file's blocks in any order.
    var blocks: [(path: [UInt8], block: VerifyDifference.Block)] = []
    var other: [VerifyDifference] = []
    var failed: [FailedPath] = []
  }

  private let jobs = Mailbox<Job>(capacity: jobLimit)
  private let state = Guarded(State())
  private let threads: Guarded<[Thread]>

  /// Starts the threads.
  init() throws(TransferError) {
    threads = Guarded([])
    for _ in 0..<VerifyReading.threadCount {
      let thread = try TransferError.unless("no thread can be started") {
        () throws(SystemError) in
        try Thread(name: "dtx-verify") { [jobs, state] in VerifyReading.work(jobs, state) }
      }
      threads.withLock { $0.append(thread) }
    }
  }

  deinit {
    jobs.close()
  }

  var readByteCount: UInt64 { state.withLock { $0.readByteCount } }

  /// Hands in a file; blocks while many wait.
  func add(_ file: VerifiedFile) {
    var start = 0
    repeat {
      var end = start
      var byteCount: UInt64 = 0
      while end < file.extents.count, byteCount < VerifyReading.jobByteCount {
        byteCount += UInt64(file.extents[end].byteCount)
        end += 1
      }
      jobs.send(Job(file: file, extents: start..<end))
      start = end
    } while start < file.extents.count
  }

  /// Waits until all is read, and calls the body now and then.
  func finish(_ tick: () -> Void) {
    jobs.close()
    let count = VerifyReading.threadCount
    while true {
      let deadline = Clock.now() + 250 * Duration.millisecond
      let isDone = state.wait(
        until: { $0.endedThreadCount == count ? true : nil },
        deadline: deadline
      )
      if isDone != nil { break }
      tick()
    }
    for thread in threads.withLock({ $0 }) { thread.join() }
  }

  /// What was found: a difference for each file, its blocks in order.
  func results() -> ([VerifyDifference], [FailedPath], UInt64) {
    state.withLock { state in
      var found = state.other
      let blocks = state.blocks.sorted { left, right in
        if left.path != right.path { return Inventory.precedes(left.path, right.path) }
        return left.block.index < right.block.index
      }
      var difference: VerifyDifference?
      for (path, block) in blocks {
        if difference?.path == path {
          difference?.blocks.append(block)
        } else {
          if let difference { found.append(difference) }
          difference = VerifyDifference(path: path, blocks: [block], what: "its bytes differ")
        }
      }
      if let difference { found.append(difference) }
      return (found, state.failed, state.readByteCount)
    }
  }

  private static func work(_ jobs: Mailbox<Job>, _ state: Guarded<State>) {
    var digester = ExtentDigester()
    while let job = jobs.receive() { run(job, &digester, state) }
    state.withLockAndSignal { $0.endedThreadCount += 1 }
  }

  private static func run(
    _ job: Job,
    _ digester: inout ExtentDigester,
    _ state: Guarded<State>
  ) {
    let file = job.file
    do throws(SystemError) {
      for index in job.extents where file.digests[index] != .zero {
        let extent = file.extents[index]
        let digest = try digester.digest(of: extent, in: file.file)
        state.withLock { state in
          state.readByteCount += UInt64(extent.byteCount)
          guard digest != file.digests[index] else { return }
          let block = VerifyDifference.Block(
            index: index,
            offset: extent.offset,
            byteCount: UInt64(extent.byteCount)
          )
          state.blocks.append((file.path, block))
        }
      }
      guard job.extents.lowerBound == 0 else { return }
      let isZero = try digester.isZero(
        outside: file.ranges,
        in: file.file,
        byteCount: file.byteCount
      )
      if isZero { return }
      let difference = VerifyDifference(
        path: file.path,
        blocks: [],
        what: "it has data where the dataset has a hole"
      )
      state.withLock { $0.other.append(difference) }
    } catch {
      let failed = FailedPath(path: file.path, failure: .unreadable, reason: error.reason)
      state.withLock { $0.failed.append(failed) }
    }
  }
}
