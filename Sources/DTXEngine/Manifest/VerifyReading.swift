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
  /// The file before it is read, and the manifest's time.
  let status: FileStatus
  let modified: Int64
  /// Whether nothing of it was in the page cache: then what is read comes from the device.
  let isFromDevice: Bool

  /// - Parameters:
  ///   - path: below the tree.
  ///   - file: is open for reading.
  ///   - part: the manifest's segment.
  ///   - index: the entry in it.
  ///   - dropsCache: whether the page cache is to forget the file first.
  /// - Throws: what fstat(2) and fdatasync(2) say.
  init(
    _ path: [UInt8],
    _ file: File,
    _ part: ManifestSegment,
    _ index: Int,
    dropsCache: Bool
  ) throws(SystemError) {
    let entry = part.entries[index]
    self.path = path
    self.file = file
    modified = entry.modified
    status = try file.status()
    isFromDevice =
      dropsCache ? try file.dropCached(offset: 0, length: status.byteCount) : false
    byteCount = entry.byteCount
    extents = Array(part.segment.extents[entry.extents])
    digests = Array(part.digests(of: index))
    ranges = part.inventory.dataRanges(of: index)
  }

  /// A part of it that is not what the manifest says, as somebody who repairs it needs it.
  func damaged(_ index: Int) -> DamagedFile {
    let part = DamagedFile.Part(
      index: index,
      offset: extents[index].offset,
      byteCount: UInt64(extents[index].byteCount),
      digest: digests[index]
    )
    return DamagedFile(path: path, status: status, modified: modified, parts: [part])
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
    /// Of these, what came from the device for certain.
    var deviceByteCount: UInt64 = 0
    var endedThreadCount = 0
    /// What differs, each block by itself, in any order.
    var blocks: [DamagedFile] = []
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

  /// What was found; its files are in canonical order.
  struct Findings: Sendable {
    var damaged: [DamagedFile] = []
    /// What differs otherwise than in the bytes of blocks.
    var other: [VerifyDifference] = []
    var failed: [FailedPath] = []
    var readByteCount: UInt64 = 0
    var deviceByteCount: UInt64 = 0
  }

  /// What was found, once all is read.
  func findings() -> Findings {
    state.withLock { state in
      var findings = Findings()
      findings.other = state.other
      findings.failed = state.failed
      findings.readByteCount = state.readByteCount
      findings.deviceByteCount = state.deviceByteCount
      let blocks = state.blocks.sorted { left, right in
        if left.path != right.path { return Inventory.precedes(left.path, right.path) }
        return left.parts[0].index < right.parts[0].index
      }
      for block in blocks {
        if findings.damaged.last?.path == block.path {
          findings.damaged[findings.damaged.count - 1].parts += block.parts
        } else {
          findings.damaged.append(block)
        }
      }
      let others = Set(state.other.map(\.path) + state.failed.map(\.path))
      for index in findings.damaged.indices {
        findings.damaged[index].hasMore = others.contains(findings.damaged[index].path)
      }
      return findings
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
          if file.isFromDevice { state.deviceByteCount += UInt64(extent.byteCount) }
          if digest != file.digests[index] { state.blocks.append(file.damaged(index)) }
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
