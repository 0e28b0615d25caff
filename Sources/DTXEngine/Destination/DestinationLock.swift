internal import DTXCore
internal import DTXLinux

/// The one lock of a session's state: whoever holds it writes to the destination.
///
/// The lock is flock's, which ends with the process, and the file's line is for people and for the
/// next run: who holds it, since when, and whether its peer is gone.
final class DestinationLock: Sendable {
  enum State: String, Sendable {
    case running
    /// The peer is gone: what came is being made durable, and then it ends.
    case peerGone = "peer-gone"
    case released
  }

  /// How long a run waits for one that ends.
  private static let patience = 2 * Duration.second
  /// The same where that one's peer is gone: it may still take an epoch's sync, or two.
  private static let peerGonePatience = 15 * Duration.second
  private static let pause = 50 * Duration.millisecond

  let file: File
  private let since = Clock.wall()
  private let isHeld = Guarded(true)

  private init(_ file: File) {
    self.file = file
  }

  /// Takes the lock, or waits a while for it.
  ///
  /// - Throws: `.locked`, naming the holder.
  static func take(in state: StateDirectory) throws(TransferError) -> DestinationLock {
    let directory = state.directory
    let start = Clock.now()
    while true {
      let outcome = try TransferError.unless(
        "the lock in \(printable(directory.path)) cannot be taken",
        remedy: "where the file system has no locks, choose another with --state-dir; "
          + "nothing was moved"
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
    guard try file.lock(.exclusive) else { return .held(by: line(of: file)) }
    // Whoever discards a session removes its files while it holds the lock.
    let named = try directory.statusIfPresent(of: StateDirectory.Name.lock)
    guard try file.status().inode == named?.inode else { return .gone }
    let lock = DestinationLock(file)
    try lock.write(.running)
    return .taken(lock)
  }

  /// Who holds the lock of a state directory; nil when nobody does.
  ///
  /// It looks by taking the lock for a moment, so a run that begins just then may have to wait.
  static func holder(in state: StateDirectory) throws(SystemError) -> String? {
    guard state.contains(StateDirectory.Name.lock) else { return nil }
    let file = try state.directory.openFile(StateDirectory.Name.lock, .read)
    if try file.lock(.shared) { return nil }
    return line(of: file) ?? "an unknown process"
  }

  /// Rewrites the holder's line; a failure is of no consequence to the lock.
  func write(_ state: State) throws(SystemError) {
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
