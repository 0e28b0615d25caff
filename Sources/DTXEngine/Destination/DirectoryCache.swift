internal import DTXCore
internal import DTXLinux

/// A directory of the receiving tree, held open.
struct OpenDirectory: Sendable {
  let directory: Directory
  /// The file system it is on, as statx numbers it.
  let device: UInt64
  let newFiles = NewFiles()
  /// Whether it takes names that differ in case for one; nil until somebody has found out.
  let foldsCases = Guarded<Bool?>(nil)
}

/// The directories of one segment that were used last, each opened once below the root.
///
/// Any thread may ask. Descriptors are bounded: a tree may be deeper and wider than a process may
/// have files open.
final class DirectoryCache: Sendable {
  private struct Slot: Sendable {
    var entry: Int
    var opened: OpenDirectory
    var lastUse: UInt64
  }

  private struct State: Sendable {
    var slots: [Slot] = []
    var clock: UInt64 = 0
  }

  /// A connection thread stays in one directory for a pack's length, and there are rarely more of
  /// these threads than this.
  private static let capacity = 64

  private let root: OpenDirectory
  private let inventory: Inventory
  private let state = Guarded(State())

  init(root: OpenDirectory, inventory: Inventory) {
    self.root = root
    self.inventory = inventory
  }

  /// The directory that an entry of the segment is; nil means the top.
  ///
  /// - Throws: ELOOP where a link is in the way, and what open(2) says.
  func directory(of entry: Int?) throws(SystemError) -> OpenDirectory {
    guard let entry, !inventory.name(of: entry).isEmpty else { return root }
    if let known = lookUp(entry) { return known }
    let directory = try root.directory.openDirectory(inventory.path(of: entry))
    let opened = OpenDirectory(
      directory: directory,
      device: try directory.status(of: []).device
    )
    state.withLock { DirectoryCache.add(entry, opened, to: &$0) }
    return opened
  }

  /// The directory that an entry is in.
  func parent(of entry: Int) throws(SystemError) -> OpenDirectory {
    try directory(of: inventory.entries[entry].parent)
  }

  /// Lets go of all of them.
  func removeAll() {
    state.withLock { $0.slots.removeAll() }
  }

  private func lookUp(_ entry: Int) -> OpenDirectory? {
    state.withLock { state in
      guard let index = state.slots.firstIndex(where: { $0.entry == entry }) else { return nil }
      state.clock += 1
      state.slots[index].lastUse = state.clock
      return state.slots[index].opened
    }
  }

  private static func add(_ entry: Int, _ opened: OpenDirectory, to state: inout State) {
    state.clock += 1
    let slot = Slot(entry: entry, opened: opened, lastUse: state.clock)
    if state.slots.count < capacity {
      state.slots.append(slot)
    } else if let oldest = state.slots.indices.min(by: {
      state.slots[$0].lastUse < state.slots[$1].lastUse
    }) {
      state.slots[oldest] = slot
    }
  }
}
