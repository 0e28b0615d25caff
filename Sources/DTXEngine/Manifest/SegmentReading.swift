internal import DTXCore
internal import DTXLinux

/// Reads all files of a scanned segment with several threads, and keeps their digests.
final class SegmentReading: Sendable {
  /// More threads than this wait for the same memory or disk.
  private static let threadLimit = 4
  private static let eventPause = 250 * Duration.millisecond

  private struct State: Sendable {
    var nextBlock = 0
    var digests: [Digest]
    var excluded: BitSet
    var readByteCount: UInt64
    var latestEvent: UInt64 = 0
  }

  private let dataset: SourceDataset
  private let scanned: ScannedSegment
  private let watching: @Sendable (TransferEvent) -> Void
  private let state: Guarded<State>
  private let start = Clock.now()

  /// - Parameters:
  ///   - dataset: where the files are.
  ///   - scanned: the segment.
  ///   - readByteCount: bytes of earlier segments, for the progress.
  ///   - watching: is told of progress and of files that cannot be read, on any thread.
  init(
    _ dataset: SourceDataset,
    _ scanned: ScannedSegment,
    readBefore readByteCount: UInt64,
    _ watching: @escaping @Sendable (TransferEvent) -> Void
  ) {
    self.dataset = dataset
    self.scanned = scanned
    self.watching = watching
    state = Guarded(
      State(
        digests: Array(repeating: .zero, count: scanned.segment.extents.count),
        excluded: BitSet(count: scanned.segment.entries.count),
        readByteCount: readByteCount
      )
    )
  }

  /// Reads; returns when all is read.
  func run() {
    let wanted = min(SegmentReading.threadLimit, Host.processorCount, scanned.segment.blocks.count)
    var threads: [Thread] = []
    for _ in 0..<wanted {
      guard let thread = try? Thread(name: "dtx-manifest", { [self] in work() }) else { break }
      threads.append(thread)
    }
    // With no thread at all, this one does it.
    if threads.isEmpty { work() }
    for thread in threads { thread.join() }
  }

  /// A digest for each extent, and a bit for each entry that could not be read.
  func results() -> ([Digest], BitSet) {
    state.withLock { ($0.digests, $0.excluded) }
  }

  private func work() {
    let reader = ExtentReader(dataset: dataset)
    var digester = ExtentDigester()
    let blockCount = scanned.segment.blocks.count
    while true {
      let next = state.withLock { state in
        defer { state.nextBlock += 1 }
        return state.nextBlock
      }
      guard next < blockCount else { return }
      for extent in scanned.segment.blocks[next].extents { read(extent, reader, &digester) }
      tell()
    }
  }

  private func read(_ extent: Int, _ reader: ExtentReader, _ digester: inout ExtentDigester) {
    switch reader.open(scanned, extent: extent) {
    case .failure(let failure):
      exclude(extent, failure)
    case .success(let file):
      do throws(SystemError) {
        let found = scanned.segment.extents[extent]
        let digest = try digester.digest(of: found, in: file)
        if let failure = reader.check(scanned, extent: extent) {
          return exclude(extent, failure)
        }
        guard let digest else {
          return exclude(extent, ExtentFailure(changed: ["size"], "while read"))
        }
        state.withLock { state in
          state.digests[extent] = digest
          state.readByteCount += UInt64(found.byteCount)
        }
      } catch {
        exclude(extent, ExtentFailure(.unreadable, error.reason))
      }
    }
  }

  private func exclude(_ extent: Int, _ failure: ExtentFailure) {
    let entry = Int(scanned.segment.extents[extent].entry)
    let isNew = state.withLock { state in
      defer { state.excluded[entry] = true }
      return !state.excluded[entry]
    }
    guard isNew else { return }
    let path = scanned.segment.inventory.path(of: entry)
    watching(
      .failed(FailedPath(path: path, failure: failure.failure, reason: failure.reason))
    )
  }

  private func tell() {
    let now = Clock.now()
    let readByteCount = state.withLock { state -> UInt64? in
      guard now >= state.latestEvent + SegmentReading.eventPause else { return nil }
      state.latestEvent = now
      return state.readByteCount
    }
    guard let readByteCount else { return }
    var progress = TransferProgress(phase: "reading")
    progress.entryCount = scanned.segment.entries.count
    progress.byteCount = readByteCount
    progress.movedByteCount = readByteCount
    progress.nanoseconds = now - start
    watching(.progress(progress))
  }
}
