internal import DTXCore
internal import DTXLinux

/// Renames the complete files of an epoch into place, on as many threads as there are processors.
///
/// One thread falls behind the connections that it shares the processors with, and what it is
/// behind by is left for the end, when the other processors have nothing to do.
struct EpochPublishing: Sendable {
  /// What came of it.
  struct Outcome: Sendable {
    var failures: [FailedEntry] = []
    /// The directories that names changed in, each once.
    var changed: [OpenDirectory] = []
    /// What makes the transfer impossible.
    var error: SystemError?
  }

  /// Fewer files are renamed sooner than a thread begins.
  private static let filesPerThread = 128
  /// More threads would wait for the directories' locks.
  private static let threadCountMaximum = 4

  private let destination: Destination
  private let keys: ArraySlice<StagedTable.Key>

  /// Publishes files.
  ///
  /// - Parameters:
  ///   - keys: the files; all that must come before their renames has been done.
  ///   - destination: where they are staged.
  /// - Returns: what came of it; after an error some are in place and some are not.
  static func publish(_ keys: [StagedTable.Key], at destination: Destination) -> Outcome {
    let parts = EpochPublishing.parts(keys, at: destination)
    let outcomes = Guarded([Outcome](repeating: Outcome(), count: parts.count))
    var threads: [Thread] = []
    for (index, part) in parts.enumerated().dropFirst() {
      let job: @Sendable () -> Void = {
        let outcome = part.publish()
        outcomes.withLock { $0[index] = outcome }
      }
      if let thread = try? Thread(name: "dtx-publish", job) {
        threads.append(thread)
      } else {
        job()
      }
    }
    if let first = parts.first {
      let outcome = first.publish()
      outcomes.withLock { $0[0] = outcome }
    }
    for thread in threads { thread.join() }
    return outcomes.withLock { outcomes in
      outcomes.reduce(into: Outcome()) { $0.add($1) }
    }
  }

  private static func parts(
    _ keys: [StagedTable.Key],
    at destination: Destination
  ) -> [EpochPublishing] {
    let most = min(threadCountMaximum, Host.processorCount)
    let count = max(1, min(most, keys.count / filesPerThread))
    return (0..<count).map { index in
      let range = keys.count * index / count..<keys.count * (index + 1) / count
      return EpochPublishing(destination: destination, keys: keys[range])
    }
  }

  private func publish() -> Outcome {
    var outcome = Outcome()
    var parents = StagedParents(at: destination)
    let policy = destination.requireWriting().policy
    for key in keys {
      let place = parents.place(of: key)
      guard place.failure(of: key.entry) == nil else { continue }
      do throws(SystemError) {
        let parent = try parents.parent(of: key)
        let name = destination.stagedName.name(for: place.inventory.name(of: key.entry))
        policy.touch(parent)
        let problem = try destination.publish(key.entry, name, in: parent, of: place)
        outcome.note(parent)
        if let problem {
          outcome.failures.append(place.fail(key.entry, .unwritable, problem))
        }
      } catch {
        if error.endsTransfer {
          outcome.error = error
          return outcome
        }
        outcome.failures.append(place.fail(key.entry, error))
      }
    }
    return outcome
  }
}

extension EpochPublishing.Outcome {
  /// Adds what came of the files behind these.
  fileprivate mutating func add(_ other: EpochPublishing.Outcome) {
    failures += other.failures
    for directory in other.changed { note(directory) }
    error = error ?? other.error
  }

  /// Notes a directory; mostly it is the one before.
  fileprivate mutating func note(_ directory: OpenDirectory) {
    if changed.last?.directory === directory.directory { return }
    guard !changed.contains(where: { $0.directory === directory.directory }) else { return }
    changed.append(directory)
  }
}

/// The segments and directories of files one after another, which are mostly those of the file
/// before.
struct StagedParents {
  private let destination: Destination
  private var place: SegmentPlace?
  private var parent: (entry: Int?, opened: OpenDirectory)?

  init(at destination: Destination) {
    self.destination = destination
  }

  mutating func place(of key: StagedTable.Key) -> SegmentPlace {
    if let place, place.segment.index == key.segment { return place }
    let found = destination.place(of: key.segment)
    place = found
    parent = nil
    return found
  }

  mutating func parent(of key: StagedTable.Key) throws(SystemError) -> OpenDirectory {
    let place = place(of: key)
    let entry = place.entries[key.entry].parent
    if let parent, parent.entry == entry { return parent.opened }
    let opened = try place.directories.directory(of: entry)
    parent = (entry, opened)
    return opened
  }
}
