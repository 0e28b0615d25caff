import DTXCore
import DTXEngine

/// How many entries failed, and in which ways: all that is kept of them, however many there are.
struct FailureTally: Equatable, Sendable {
  private(set) var count = 0
  /// Each way once.
  private(set) var kinds: [EntryFailure] = []

  init() {}

  init(_ entries: [FailedPath]) {
    for entry in entries { add(entry.failure) }
  }

  mutating func add(_ failure: EntryFailure) {
    count += 1
    if !kinds.contains(failure) { kinds.append(failure) }
  }

  /// The status of a run that came to its end: one that changed outweighs one that could not be
  /// read or written.
  var status: ExitStatus {
    if kinds.contains(.changed) { return .changed }
    return count == 0 ? .success : .partial
  }
}
