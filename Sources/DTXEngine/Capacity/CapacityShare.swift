package import DTXCore
internal import DTXLinux

/// A share of the host's capacity, held from before a transfer's first byte to its end.
///
/// Each holder has a file of its own in a directory that all users share, locked by flock for as long
/// as it lives: the kernel takes the lock from a process that is killed, and the share with it. Who
/// claims holds the directory's own lock meanwhile, so that two claims never miss each other. It
/// keeps well-meaning transfers from promising a path twice; whoever can run a program on the host
/// can also send without asking, or claim what he does not use.
package final class CapacityShare: Sendable {
  private static let prefix = Array("dtx-share-".utf8)
  /// What a line has at most.
  private static let lineByteCount = 128
  /// Who claims looks at a few files; whoever keeps the directory for longer is no such one.
  private static let lockPatience = 5 * Duration.second
  private static let lockPause = 5 * Duration.millisecond

  private let directory: Directory
  private let file: File
  private let name: [UInt8]
  private let isHeld = Guarded(true)

  private init(_ directory: Directory, _ file: File, _ name: [UInt8]) {
    self.directory = directory
    self.file = file
    self.name = name
  }

  /// What became of a claim.
  package enum Outcome: Sendable {
    case taken(CapacityShare)
    /// These hold the rest.
    case refused(free: Rate, by: [CapacityClaim])
  }

  /// Takes a share if it is free.
  ///
  /// - Parameters:
  ///   - rate: of all lanes together.
  ///   - capacity: of the host.
  ///   - path: where shares are noted.
  /// - Returns: the share, or who holds what is missing.
  /// - Throws: `.failed` where the directory cannot be used.
  package static func claim(
    _ rate: Rate,
    of capacity: Rate,
    in path: [UInt8]
  ) throws(TransferError) -> Outcome {
    let place = "the capacity's directory \(printable(path)) cannot be used"
    let remedy = "see capacity-directory in dtx-config(5); nothing was moved"
    if let problem = CapacityPlace.problem(path) {
      throw TransferError(.failed, place, cause: problem, remedy: remedy)
    }
    return try TransferError.unless(place, remedy: remedy) { () throws(SystemError) -> Outcome in
      let claiming = try Directory.open(path)
      try lock(claiming)
      defer { try? claiming.unlock() }
      let claims = try claims(in: claiming)
      let free = CapacityClaim.free(of: capacity, besides: claims)
      guard rate <= free else { return .refused(free: free, by: claims) }
      return .taken(try note(rate, in: try Directory.open(path)))
    }
  }

  /// Gives the share back; a second call does nothing.
  package func release() {
    let wasHeld = isHeld.withLock { isHeld in
      defer { isHeld = false }
      return isHeld
    }
    guard wasHeld else { return }
    try? directory.unlink(name)
    try? file.close()
  }

  deinit {
    release()
  }

  // MARK: - The directory

  private static func lock(_ directory: Directory) throws(SystemError) {
    let deadline = Clock.now() + lockPatience
    while try !directory.lock(.exclusive) {
      guard Clock.now() < deadline else {
        throw SystemError(
          operation: "flock",
          subject: printable(directory.path),
          number: SystemError.wouldBlock
        )
      }
      let waiting = Guarded(Turn())
      _ = waiting.wait(until: { _ in Bool?.none }, deadline: Clock.now() + lockPause)
    }
  }

  private static func claims(in directory: Directory) throws(SystemError) -> [CapacityClaim] {
    var claims: [CapacityClaim] = []
    for item in try directory.names() where item.name.starts(with: prefix) {
      // A link, or what may not be read, is no share: whoever made it takes part in nothing.
      guard let file = try? directory.openFile(item.name, .read),
        (try? file.status().kind) == .regular
      else { continue }
      if (try? file.lock(.shared)) == true {
        // Its holder is gone. Another user's file stays, and holds nothing.
        try? directory.unlink(item.name)
        continue
      }
      guard let bytes = try? file.read(byteCount: lineByteCount, at: 0),
        let claim = CapacityClaim(String(decoding: bytes, as: UTF8.self))
      else { continue }
      claims.append(claim)
    }
    return claims.sorted { ($0.since, $0.process) < ($1.since, $1.process) }
  }

  private static func note(
    _ rate: Rate,
    in directory: Directory
  ) throws(SystemError) -> CapacityShare {
    let number = randomBytes(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    let name = prefix + Array("\(Host.processID)-\(String(number, radix: 16))".utf8)
    let file = try directory.openFile(name, .createExclusive)
    let share = CapacityShare(directory, file, name)
    guard try file.lock(.exclusive) else {
      throw SystemError(
        operation: "flock",
        subject: printable(name),
        number: SystemError.wouldBlock
      )
    }
    let claim = CapacityClaim(process: Host.processID, rate: rate, since: Clock.wall())
    try file.write(Array(claim.line.utf8), at: 0)
    // Others read it, whatever this user's umask is.
    try file.setMode(0o644)
    return share
  }
}

/// Where shares are noted.
package enum CapacityPlace {
  /// The first of these that all users can make files in and none can remove another's from.
  private static let candidates = ["/run/lock", "/dev/shm", "/tmp"]

  /// The usual place; nil where the host has none.
  package static var usual: [UInt8]? {
    candidates.lazy.map { Array($0.utf8) }.first { path in
      guard let status = try? Directory.open(path).status(of: []) else { return false }
      return status.userID == 0 && status.mode & 0o1777 == 0o1777
    }
  }

  /// Why a directory is not fit for it; nil when it is, or cannot be looked at.
  static func problem(_ path: [UInt8]) -> String? {
    guard let status = try? Directory.open(path).status(of: []) else { return nil }
    guard status.userID == 0 || status.userID == Host.effectiveUserID else {
      return "it belongs to another user, number \(status.userID)"
    }
    guard status.mode & 0o022 == 0 || status.mode & 0o1000 != 0 else {
      return "others can remove files from it: its sticky bit is not set"
    }
    return nil
  }
}
