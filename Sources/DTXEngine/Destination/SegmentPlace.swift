internal import DTXCore
internal import DTXLinux

/// What is to be done for one entry, as its comparison found.
enum EntryAction: UInt8, Sendable {
  /// What is there stays as it is; or the entry belongs to an earlier segment.
  case keep
  /// The content stays; owner, mode or time are set.
  case update
  /// Nothing is there.
  case create
  /// Something of the kind is there with other content.
  case replace
  /// A staged file of an earlier run is written on.
  case resume
  /// It cannot be written.
  case refuse
}

/// A file's own number and the time of its last change of any sort: while both stay, so does the
/// content.
struct PublishedIdentity: Equatable, Sendable {
  var inode: UInt64
  var changed: Int64

  static let none = PublishedIdentity(inode: 0, changed: 0)

  init(inode: UInt64, changed: Int64) {
    self.inode = inode
    self.changed = changed
  }

  init(_ status: FileStatus) {
    self.init(inode: status.inode, changed: status.changed)
  }
}

/// The staged file that an earlier run left, as it was when its bytes were checked.
struct StagedIdentity: Equatable, Sendable {
  var device: UInt64
  var inode: UInt64

  init(_ status: FileStatus) {
    device = status.device
    inode = status.inode
  }
}

/// A segment at the destination, from its comparison to its seal.
///
/// All threads share it.
final class SegmentPlace: Sendable {
  let segment: Segment
  let directories: DirectoryCache
  private let state: Guarded<State>

  private struct State: Sendable {
    var actions: [EntryAction]
    var identities: [PublishedIdentity]
    var resumed: [Int: StagedIdentity] = [:]
    /// Of the entries that are resumed, those at whose place nothing stood.
    var resumedNew: Set<Int> = []
    /// Journalled or staged by an earlier run, and of no use any more.
    var stale: [Int] = []
    /// Entries without a further chance, each with the reason that was reported.
    var failures: [Int: String] = [:]
  }

  init(_ segment: Segment, root: OpenDirectory) {
    self.segment = segment
    directories = DirectoryCache(root: root, inventory: segment.inventory)
    let count = segment.entries.count
    state = Guarded(
      State(
        actions: Array(repeating: .keep, count: count),
        identities: Array(repeating: .none, count: count)
      )
    )
  }

  var inventory: Inventory { segment.inventory }
  var entries: [Entry] { segment.entries }

  func name(of entry: Int) -> [UInt8] { Array(inventory.name(of: entry)) }

  func action(of entry: Int) -> EntryAction {
    state.withLock { $0.actions[entry] }
  }

  /// Entries that take an inode which is not there yet: what is replaced stays until the new one is
  /// renamed into its place.
  var madeEntryCount: Int {
    state.withLock { state in
      state.actions.count { $0 == .create || $0 == .replace }
    }
  }

  func setAction(of entry: Int, _ action: EntryAction) {
    state.withLock { $0.actions[entry] = action }
  }

  /// What stands at a file's place once it is as it should be.
  func setIdentity(of entry: Int, _ status: FileStatus) {
    state.withLock { $0.identities[entry] = PublishedIdentity(status) }
  }

  var identities: [PublishedIdentity] {
    state.withLock { $0.identities }
  }

  /// The staged file that a resumed entry is written on in; nil for one that begins anew.
  func resumedFile(of entry: Int) -> StagedIdentity? {
    state.withLock { $0.resumed[entry] }
  }

  func setResumed(_ entry: Int, _ file: StagedIdentity) {
    state.withLock { state in
      state.resumed[entry] = file
      if state.actions[entry] == .create { state.resumedNew.insert(entry) }
      state.actions[entry] = .resume
    }
  }

  /// Whether nothing stood at an entry's place when it was compared.
  func isNew(_ entry: Int) -> Bool {
    state.withLock { $0.actions[entry] == .create || $0.resumedNew.contains(entry) }
  }

  func addStale(_ entry: Int) {
    state.withLock { $0.stale.append(entry) }
  }

  var stale: [Int] {
    state.withLock { $0.stale }
  }

  /// Why an entry has no further chance; nil for one that has.
  func failure(of entry: Int) -> String? {
    state.withLock { $0.failures[entry] }
  }

  /// Notes that an entry has failed for good, and makes the report of it.
  func fail(_ entry: Int, _ failure: EntryFailure, _ reason: String) -> FailedEntry {
    state.withLock { $0.failures[entry] = reason }
    return FailedEntry(segment: segment.index, entry: entry, failure: failure, reason: reason)
  }

  /// The same for a failed system call.
  func fail(_ entry: Int, _ error: SystemError) -> FailedEntry {
    fail(entry, error.isConflict ? .conflict : .unwritable, error.reason)
  }
}
