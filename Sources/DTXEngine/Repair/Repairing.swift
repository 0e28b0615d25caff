internal import DTXCore
internal import DTXLinux

/// What a destination has that puts single blocks of a tree right: DESIGN's stage and commit for
/// files that are in place already.
///
/// A block is kept aside, in a file without a name beside the manifest, until all that its file
/// lacks is here and is what the manifest says. Only then are these blocks written in their places,
/// which held what was known to be wrong; nothing else of the file is touched, so a reader never
/// sees less of it that is right than before, and a file of 1 TB needs no second one beside it. A run
/// that is cut off leaves what the next verification finds. `stage`, `StagedFile.write` and `finish`
/// are called from many threads, `compare` from the metadata thread, `commit` from the commit thread.
final class Repairing: Sendable {
  private let order: RepairOrder
  private let root: OpenDirectory
  private let lock: DestinationLock
  private let aside: File
  private let state = Guarded(State())

  private struct State: Sendable {
    var places: [Int: SegmentPlace] = [:]
    /// Where each wanted extent lies aside.
    var offsets: [Place: UInt64] = [:]
    var end: UInt64 = 0
  }

  private struct Place: Hashable, Sendable {
    var segment: Int
    var extent: Int
  }

  private static let asideName = Array("repair".utf8)

  /// Takes the tree's lock.
  ///
  /// - Parameters:
  ///   - order: what is to be put right.
  ///   - topNames: of the dataset that the source offers; they name the state, as for a transfer.
  /// - Throws: `.locked`, naming the holder; `.failed` when tree or state cannot be used.
  init(_ order: RepairOrder, topNames: [[UInt8]]) throws(TransferError) {
    self.order = order
    let name = printable(order.directory)
    root = try TransferError.unless("\(name) cannot be opened") {
      () throws(SystemError) -> OpenDirectory in
      let directory = try Directory.open(order.directory)
      return OpenDirectory(directory: directory, device: try directory.status(of: []).device)
    }
    let kept = try StateDirectory.open(
      root: root.directory,
      key: StagedName.key(topNames: topNames),
      stateDirectory: nil,
      creates: true
    )
    guard let kept else { preconditionFailure("a state directory that is made is there") }
    lock = try DestinationLock.take(in: kept)
    aside = try TransferError.unless("\(name) has no room for what is fetched") {
      () throws(SystemError) -> File in
      let file = try kept.directory.openFile(Repairing.asideName, .create)
      // Without a name it goes with this process, however that ends.
      try kept.directory.unlink(Repairing.asideName)
      try file.setByteCount(0)
      return file
    }
  }

  /// That another run has taken the tree; nil where none has been seen to.
  var loss: TransferError? { lock.loss }

  /// Gives the lock back; a second call does nothing.
  func close() {
    lock.release()
  }

  // MARK: - The session's calls

  /// Wants what is damaged here and, by length and cut, can be had from the source.
  func compare(_ segment: Segment) -> Comparison {
    let place = SegmentPlace(segment, root: root)
    var comparison = Comparison(extentCount: segment.extents.count)
    for (index, entry) in segment.entries.enumerated() where !entry.isContext {
      let path = place.inventory.path(of: index)
      guard let number = order.place(of: path) else { continue }
      let file = order.files[number]
      if let problem = Repairing.problem(of: entry, for: file) {
        comparison.refusals.append(place.fail(index, .conflict, problem))
        continue
      }
      let wanted = Repairing.extents(of: entry, in: segment, for: file)
      guard wanted.count == file.parts.count else {
        let problem = "the source has its holes elsewhere than the manifest says"
        comparison.refusals.append(place.fail(index, .conflict, problem))
        continue
      }
      for extent in wanted {
        comparison.wanted[extent] = true
        let byteCount = UInt64(segment.extents[extent].byteCount)
        state.withLock { state in
          state.offsets[Place(segment: segment.index, extent: extent)] = state.end
          state.end += byteCount
        }
      }
    }
    // Of a source that is scanned whole most segments have nothing to do with it.
    if !comparison.wanted.isEmpty { state.withLock { $0.places[segment.index] = place } }
    return comparison
  }

  func stage(_ segment: Segment, extent: Int) -> Destination.Staging {
    let found = segment.extents[extent]
    let key = Place(segment: segment.index, extent: extent)
    let (place, offset) = state.withLock { ($0.places[segment.index], $0.offsets[key]) }
    guard let place, let offset else { return .failed(.unwritable, "nobody asked for it") }
    return .file(
      Destination.StagedFile(
        place,
        entry: Int(found.entry),
        range: found.offset..<found.end,
        target: .aside(aside, at: offset)
      )
    )
  }

  /// Puts the files right of which all that they lack is here.
  ///
  /// - Returns: the files that could not be; of each it says whether it was touched.
  /// - Throws: `.locked` when another host has taken the tree.
  func commit(_ work: EpochWork) throws(TransferError) -> [FailedEntry] {
    try lock.check()
    var failures: [FailedEntry] = []
    var writing = RepairWriting(root: root.directory, aside: aside)
    for complete in work.complete {
      guard let place = state.withLock({ $0.places[complete.segment] }),
        let number = order.place(of: place.inventory.path(of: complete.entry))
      else { continue }
      let file = order.files[number]
      do throws(RepairWriting.Failure) {
        let extents = Repairing.extents(
          of: place.entries[complete.entry],
          in: place.segment,
          for: file
        )
        let offsets = state.withLock { state in
          extents.compactMap { state.offsets[Place(segment: complete.segment, extent: $0)] }
        }
        try writing.repair(file, from: offsets)
        order.noteRepaired(number)
      } catch {
        failures.append(place.fail(complete.entry, error.failure, error.reason))
      }
    }
    return failures
  }

  // MARK: - Parts

  private static func problem(of entry: Entry, for file: DamagedFile) -> String? {
    if entry.kind != .regular { return "the source has a \(entry.kind.name) there" }
    guard entry.byteCount == file.status.byteCount else {
      return "the source's has \(entry.byteCount) bytes instead of \(file.status.byteCount)"
    }
    return nil
  }

  /// The extents that are a file's damaged parts; fewer than these where it is cut otherwise.
  private static func extents(
    of entry: Entry,
    in segment: Segment,
    for file: DamagedFile
  ) -> [Int] {
    var next = file.parts[...]
    return entry.extents.filter { index in
      let extent = segment.extents[index]
      guard let part = next.first, part.offset == extent.offset,
        part.byteCount == UInt64(extent.byteCount)
      else { return false }
      next.removeFirst()
      return true
    }
  }
}
