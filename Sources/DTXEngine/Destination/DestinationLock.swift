internal import DTXCore
internal import DTXLinux

/// The one lock of a session's state: whoever holds it writes to the destination.
///
/// The lock is flock's, which ends with the process, and the file's line is for people and for the
/// next run: who holds it, since when, and whether its peer is gone. Where flock may mean nothing on
/// another host, an owner file says the same to all.
final class DestinationLock: Sendable {
  typealias State = OwnerRecord.State

  /// How long a run waits for one that ends.
  private static let patience = 2 * Duration.second
  /// The same where that one's peer is gone: it may still take an epoch's sync, or two.
  private static let peerGonePatience = 15 * Duration.second
  private static let pause = 50 * Duration.millisecond

  let file: File
  /// Nil where flock is enough.
  private let ownership: Ownership?
  private let since = Clock.wall()
  private let isHeld = Guarded(true)

  private init(_ file: File, _ ownership: Ownership?) {
    self.file = file
    self.ownership = ownership
  }

  deinit {
    release()
  }

  /// Takes the lock, or waits a while for it; up to a minute where it must first be seen that an
  /// owner on another host is gone.
  ///
  /// - Throws: `.locked`, naming the holder.
  static func take(in state: StateDirectory) throws(TransferError) -> DestinationLock {
    let directory = state.directory
    let start = Clock.now()
    while true {
      let outcome = try TransferError.unless(
        "the lock in \(printable(directory.path)) cannot be taken",
        remedy: "nothing was moved"
      ) { () throws(SystemError) -> Attempt in try DestinationLock.attempt(in: directory) }
      switch outcome {
      case .taken(let lock):
        return lock
      case .gone:
        continue
      case .held(let holder):
        let isPeerGone = holder?.hasSuffix("state=\(State.peerGone.rawValue)") ?? false
        let limit = isPeerGone ? peerGonePatience : patience
        guard Clock.now() < start + limit else { throw locked(directory, holder) }
        let waiting = Guarded(Turn())
        _ = waiting.wait(until: { _ in Bool?.none }, deadline: Clock.now() + pause)
      }
    }
  }

  private enum Attempt {
    case taken(DestinationLock)
    case held(by: String?)
    /// The file was removed while it was being locked.
    case gone
  }

  private static func attempt(in directory: Directory) throws(SystemError) -> Attempt {
    let file = try directory.openFile(StateDirectory.Name.lock, .create)
    let isLocal = try isLocal(directory)
    guard try hasLocked(file, .exclusive, isLocal: isLocal) else {
      return .held(by: line(of: file))
    }
    // Whoever discards a session removes its files while it holds the lock.
    let named = try directory.statusIfPresent(of: StateDirectory.Name.lock)
    guard try file.status().inode == named?.inode else { return .gone }
    var ownership: Ownership?
    // A client of this host's may have it, where this file system is served to others.
    let isShared = isLocal ? try Ownership.holder(in: directory) != nil : true
    if isShared {
      // Who finds the file locked while this one watches an owner is told of this one.
      try write(.running, since: Clock.wall(), to: file)
      switch try Ownership.claim(in: directory) {
      case .held(let holder): return .held(by: holder)
      case .claimed(let claimed): ownership = claimed
      }
    }
    let lock = DestinationLock(file, ownership)
    try lock.write(.running)
    return .taken(lock)
  }

  /// Whether no other host can have this directory: ext2 to ext4, XFS, btrfs, F2FS, ZFS, bcachefs,
  /// overlays, tmpfs, ramfs, and the file systems of cards and sticks.
  ///
  /// Others may share their locks with all hosts, with some by a mount option (Lustre's localflock),
  /// or with none, and do not say.
  private static func isLocal(_ directory: Directory) throws(SystemError) -> Bool {
    let types: [Int64] = [
      0xEF53, 0x5846_5342, 0x9123_683E, 0xF2F5_2010, 0x2FC1_2FC1, 0xCA45_1A4E, 0x794C_7630,
      0x0102_1994, 0x8584_58F6, 0x4D44, 0x2011_BAB0, 0x7366_746E,
    ]
    return types.contains(try directory.fileSystemType())
  }

  /// Locks a file; where owner files tell, a file system without locks is as good as one with.
  private static func hasLocked(
    _ file: File,
    _ mode: LockMode,
    isLocal: Bool
  ) throws(SystemError) -> Bool {
    do throws(SystemError) {
      return try file.lock(mode)
    } catch {
      guard error.isAboutLocks, !isLocal else { throw error }
      return true
    }
  }

  /// Who holds the lock of a state directory; nil when nobody does.
  ///
  /// It looks by taking the lock for a moment, so a run that begins just then may have to wait.
  static func holder(in state: StateDirectory) throws(SystemError) -> String? {
    guard state.contains(StateDirectory.Name.lock) else { return nil }
    let file = try state.directory.openFile(StateDirectory.Name.lock, .read)
    let isLocal = try isLocal(state.directory)
    guard try hasLocked(file, .shared, isLocal: isLocal) else {
      return line(of: file) ?? "an unknown process"
    }
    return isLocal ? nil : try Ownership.holder(in: state.directory)
  }

  /// The token that staged files bear in their names; nil where they need none.
  var token: UInt64? { ownership?.token }

  /// Makes sure that the lock is still this run's, where another host may have taken it.
  ///
  /// - Throws: `.locked`.
  func check() throws(TransferError) {
    guard let ownership else { return }
    do throws(SystemError) {
      try ownership.check()
    } catch {
      throw loss
        ?? TransferError(
          "nobody can say whether this run still holds the destination",
          error,
          remedy: "what was acknowledged before is safe: run the same command again"
        )
    }
  }

  /// The same for each call that cannot be undone: a look at the clock, but where the lease is over.
  ///
  /// - Throws: what `loss` explains, or why nobody can say.
  func requireHold() throws(SystemError) {
    if let ownership, !ownership.holds { try ownership.check() }
  }

  /// That another run has the lock now; nil where none has been seen to.
  var loss: TransferError? {
    guard let ownership, ownership.isLost else { return nil }
    return TransferError(
      .locked,
      "this run no longer holds the destination",
      cause: "it showed no sign of life for a minute, and another took over: \(ownership.lost)",
      remedy: "what was acknowledged before is safe; the other run goes on with it"
    )
  }

  /// Rewrites the holder's line.
  func write(_ state: State) throws(SystemError) {
    if state == .peerGone { try ownership?.write(state) }
    try DestinationLock.write(state, since: since, to: file)
  }

  private static func write(_ state: State, since: Int64, to file: File) throws(SystemError) {
    let host = printable(Array(Host.hostName.utf8))
    let text =
      "pid=\(Host.processID) host=\(host) since=\(since) state=\(state.rawValue)\n"
    try file.setByteCount(0)
    try file.write(Array(text.utf8), at: 0)
  }

  /// Gives the lock back; a second call does nothing.
  func release() {
    let wasHeld = isHeld.withLock { isHeld in
      defer { isHeld = false }
      return isHeld
    }
    guard wasHeld else { return }
    ownership?.release()
    try? write(.released)
    // The time tells a dry run what the file system keeps of times.
    try? file.setTimes(modified: TimeGranularity.probe)
    try? file.unlock()
    try? file.close()
  }

  /// The holder's line without its end; nil when it is not whole.
  private static func line(of file: File) -> String? {
    guard let bytes = try? file.read(byteCount: 512, at: 0), bytes.last == UInt8(ascii: "\n") else {
      return nil
    }
    return printable(Array(bytes.dropLast()))
  }

  private static func locked(_ directory: Directory, _ holder: String?) -> TransferError {
    TransferError(
      .locked,
      "another run holds this destination",
      cause: "\(printable(directory.path)) is locked by \(holder ?? "an unknown process")",
      remedy: "wait for its end, or stop it; nothing was moved by this run"
    )
  }
}
