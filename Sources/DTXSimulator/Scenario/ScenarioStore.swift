internal import DTXCore

/// What the receiver's disks hold: files under their names, staged parts, and the journal, written
/// and replayed by the product's own codec.
///
/// A commit is taken as one: a loss of power in its midst takes all of it, which is the worst that
/// it may do. That what lies between its steps is safe too is shown elsewhere, in `Simulation`.
struct ScenarioStore {
  /// A file that is staged, with one bit for each extent that is synced.
  private struct StagedParts {
    let identity: FileIdentity
    var isSynced: BitSet
  }

  /// A journal up to this length is not compacted.
  private static let longByteCount = 32 << 20

  private let dataset: ScenarioDataset
  private let blockByteCount: UInt64
  private var isPublished: BitSet
  private(set) var publishedFileCount = 0
  private(set) var publishedByteCount: UInt64 = 0
  /// The first thing that should never happen, in a sentence.
  private(set) var problem: String?
  private var staged: [StagedParts?]
  private var journal: [UInt8] = []
  private var liveByteCount = 0
  private var nextSequence: UInt64 = 0
  private var session: UInt64 = 0

  init(_ dataset: ScenarioDataset, blockByteCount: UInt64) {
    self.dataset = dataset
    self.blockByteCount = blockByteCount
    isPublished = BitSet(count: dataset.fileCount)
    staged = Array(repeating: nil, count: dataset.fileCount)
  }

  /// A receiver begins: reads the journal, and begins its own with what is live.
  mutating func open(session: UInt64) -> JournalReplay {
    let replay = JournalReplay(journal)
    if replay.end != .clean { note("the journal is torn") }
    self.session = session
    compact(replay, epoch: 0)
    return replay
  }

  func isPublished(_ file: Int) -> Bool { isPublished[file] }

  /// Whether an extent of a staged file reads back as what the journal calls durable.
  func isStaged(_ file: Int, offset: UInt64) -> Bool {
    staged[file]?.isSynced[Int(offset / blockByteCount)] ?? false
  }

  /// Files that are neither under their names nor gone.
  var stagedFileCount: Int { staged.reduce(0) { $0 + ($1 == nil ? 0 : 1) } }

  mutating func note(_ text: String) {
    if problem == nil { problem = text }
  }

  // MARK: - Commits

  /// Makes an epoch durable: data, journal, names.
  mutating func commit(_ work: EpochWork, _ segments: [Segment?]) {
    for place in work.extents {
      guard let segment = segments[place.segment] else { continue }
      let extent = segment.extents[place.extent]
      let entry = Int(extent.entry)
      guard let file = dataset.file(ofEntry: entry, inSegment: place.segment) else { continue }
      if place.digest != ScenarioDataset.digest(ofFile: file, offset: extent.offset) {
        note("file \(file) became durable with other bytes at \(extent.offset)")
      }
      let count = segment.entries[entry].extents.count
      let identity = sync(file, Int(extent.offset / blockByteCount), of: count)
      append(
        .durable(
          identity,
          DurableExtent(offset: extent.offset, byteCount: extent.byteCount, digest: place.digest)
        ),
        epoch: work.epoch
      )
    }
    for place in work.complete {
      guard let file = dataset.file(ofEntry: place.entry, inSegment: place.segment) else {
        continue
      }
      publish(file, epoch: work.epoch)
    }
    if journal.count > max(ScenarioStore.longByteCount, 2 * liveByteCount) {
      compact(JournalReplay(journal), epoch: work.epoch)
    }
  }

  /// Marks one of a file's extents as synced.
  private mutating func sync(_ file: Int, _ index: Int, of count: Int) -> FileIdentity {
    var parts =
      staged[file]
      ?? StagedParts(
        identity: dataset.identity(ofFile: file),
        isSynced: BitSet(count: count)
      )
    // So that the bits are not copied when one of them changes.
    staged[file] = nil
    if parts.isSynced[index] || isPublished[file] {
      note("extent \(index) of file \(file) was written twice")
    }
    parts.isSynced[index] = true
    staged[file] = parts
    return parts.identity
  }

  /// Puts a file under its name; one without a byte has nothing else to wait for.
  mutating func publish(_ file: Int, epoch: UInt32) {
    let identity = dataset.identity(ofFile: file)
    if identity.byteCount > blockByteCount {
      guard let parts = staged[file]?.isSynced, parts.population == parts.count else {
        return note("file \(file) got its name with parts missing")
      }
      staged[file] = nil
      append(.published(path: identity.path), epoch: epoch)
    }
    if isPublished[file] { return note("file \(file) got its name twice") }
    isPublished[file] = true
    publishedFileCount += 1
    publishedByteCount += identity.byteCount
  }

  // MARK: - The journal

  private mutating func append(_ body: JournalRecord.Body, epoch: UInt32) {
    let record = JournalRecord(
      epoch: epoch,
      sequence: nextSequence,
      session: session,
      body: body
    )
    nextSequence += 1
    journal.append(contentsOf: JournalCodec.encode(record))
  }

  private mutating func compact(_ replay: JournalReplay, epoch: UInt32) {
    journal = replay.compacted(
      session: session,
      epoch: epoch,
      blockByteCount: blockByteCount,
      wallTime: 0
    )
    liveByteCount = journal.count
    nextSequence = replay.files.reduce(1) { $0 + UInt64($1.extents.count) }
  }
}
