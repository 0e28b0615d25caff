internal import DTXLinux

/// The staged files of several extents, from their first byte here to their publishing.
///
/// Any thread may use it. Files stay open as long as there is room: thousands of small files with
/// holes must not take all descriptors of the process.
final class StagedTable: Sendable {
  struct Key: Hashable, Sendable {
    var segment: Int
    var entry: Int
  }

  private struct Slot: Sendable {
    var identity: StagedIdentity
    var file: SharedFile?
    /// Calls of `acquire` without their `release`.
    var userCount: Int
    var lastUse: UInt64
    /// A failure to close: what was written before may be lost.
    var failure: SystemError?
  }

  /// What a thread that asks for a file does.
  private enum Turn {
    case open(SharedFile)
    case failed(SystemError)
    case toBeOpened(StagedIdentity?)
  }

  private struct State: Sendable {
    var slots: [Key: Slot] = [:]
    /// Files that a thread opens now, without the lock: one that hangs holds up no other file.
    var opening: Set<Key> = []
    var openCount = 0
    var clock: UInt64 = 0

    /// Nil while another thread opens the file.
    mutating func turn(for key: Key) -> Turn? {
      if opening.contains(key) { return nil }
      clock += 1
      if let failure = slots[key]?.failure { return .failed(failure) }
      if let file = slots[key]?.file {
        slots[key]?.userCount += 1
        slots[key]?.lastUse = clock
        return .open(file)
      }
      opening.insert(key)
      return .toBeOpened(slots[key]?.identity)
    }

    mutating func opened(_ key: Key, _ file: SharedFile, _ identity: StagedIdentity) {
      opening.remove(key)
      clock += 1
      slots[key] = Slot(
        identity: identity,
        file: file,
        userCount: (slots[key]?.userCount ?? 0) + 1,
        lastUse: clock
      )
      openCount += 1
    }
  }

  /// Files, of which a large one has two descriptors: together a quarter of the 1,024 that most
  /// processes may have.
  private let openLimit: Int
  private let state = Guarded(State())

  init(openLimit: Int = 128) {
    precondition(openLimit > 0, "at least one file is open at a time")
    self.openLimit = openLimit
  }

  /// The open file of a key; `release` follows.
  ///
  /// - Parameters:
  ///   - key: which file.
  ///   - open: makes the file, or opens the one with this identity again. Of several threads that
  ///     ask for a key one calls it, and the others wait for that.
  /// - Returns: the file.
  /// - Throws: what `open` throws; what an earlier closing of the file said.
  func acquire(
    _ key: Key,
    open: (StagedIdentity?) throws(SystemError) -> (SharedFile, StagedIdentity)
  ) throws(SystemError) -> SharedFile {
    let turn = state.wait { $0.turn(for: key) }
    switch turn {
    case .open(let file): return file
    case .failed(let error): throw error
    case .toBeOpened(let known):
      do throws(SystemError) {
        let (file, identity) = try open(known)
        state.withLockAndSignal { $0.opened(key, file, identity) }
        return file
      } catch {
        // Who waits for it tries it as well, and hears of it that way.
        state.withLockAndSignal { _ = $0.opening.remove(key) }
        throw error
      }
    case nil: preconditionFailure("a wait without a deadline ended without a turn")
    }
  }

  /// Ends a use that `acquire` began; the file may be closed then.
  func release(_ key: Key) {
    let idle = state.withLock { state -> (key: Key, file: SharedFile)? in
      state.slots[key]?.userCount -= 1
      return takeIdle(&state)
    }
    guard let idle else { return }
    do throws(SystemError) {
      try idle.file.close()
    } catch {
      state.withLock { $0.slots[idle.key]?.failure = error }
    }
  }

  /// Whether a file of this key is known.
  func contains(_ key: Key) -> Bool {
    state.withLock { $0.slots[key] != nil }
  }

  /// Forgets a file; it is closed with its last user.
  func remove(_ key: Key) {
    state.withLock { state in
      if state.slots.removeValue(forKey: key)?.file != nil { state.openCount -= 1 }
    }
  }

  /// Forgets everything.
  func removeAll() {
    state.withLock { $0 = State() }
  }

  /// Where too many are open, takes the file out that nobody has used for the longest time.
  private func takeIdle(_ state: inout State) -> (key: Key, file: SharedFile)? {
    guard state.openCount > openLimit else { return nil }
    var oldest: (key: Key, lastUse: UInt64)?
    for (key, slot) in state.slots where slot.userCount == 0 && slot.file != nil {
      if let present = oldest, present.lastUse <= slot.lastUse { continue }
      oldest = (key, slot.lastUse)
    }
    guard let key = oldest?.key, let file = state.slots[key]?.file else { return nil }
    state.slots[key]?.file = nil
    state.openCount -= 1
    return (key, file)
  }
}
