/// What goes wrong under a mover, once in a run.
package enum InjectedFault: String, CaseIterable, Sendable {
  case killWriting = "SIGKILL, writing"
  case killReading = "SIGKILL, reading"
  case readError = "EIO, read"
  case writeError = "EIO, write"
  case noSpace = "ENOSPC, write"
  case syncError = "EIO, sync"
  case sourceChange = "source changes"
  case rot = "byte rots"

  /// What the preloaded library is asked for; nil for what happens to a finished tree.
  ///
  /// Its words are those of Tests/CFaults.
  var request: (action: String, call: String, argument: Int)? {
    switch self {
    case .killWriting, .killReading: ("kill-before", "*", 0)
    case .readError: ("fail", "*read*", 5)
    case .writeError: ("fail", "*write*", 5)
    // A disk that is full stays so.
    case .noSpace: ("fail-on", "*write*", 28)
    case .syncError: ("fail", "*sync*", 5)
    case .sourceChange: ("hold", "*read*", 0)
    case .rot: nil
    }
  }

  /// Whether it is the source's files that it concerns; otherwise the destination's.
  var isAtSource: Bool {
    switch self {
    case .killReading, .readError, .sourceChange: true
    case .killWriting, .writeError, .noSpace, .syncError, .rot: false
    }
  }
}
