import DTXCore

/// Holds the calls of a receiver to the order in which a block becomes durable.
///
/// What a block's acknowledgement promises must survive a loss of power, and of that the page cache
/// hides everything: only the order of the calls shows it. For each range that the journal calls
/// durable, its writes, then a sync of their file, then the journal's record; for each file that
/// gets its real name, its last change, then a sync, then the rename, then a sync of the directory.
struct CommitOrder {
  /// What is out of order, in words.
  private(set) var problems: [String] = []
  /// Ranges that the journal calls durable, and names that were given.
  private(set) var durableCount = 0
  private(set) var publishedCount = 0

  private struct Change {
    var moment: Int
    var range: Range<Int>
  }

  private struct Sync {
    var began: Int
    var ended: Int
    /// Empty for the whole file system.
    var path: String
  }

  /// Changes of each file, in the order in which they ended.
  private var changes: [String: [Change]] = [:]
  private var syncs: [Sync] = []
  /// When each journal was last told of something durable.
  private var lastClaims: [String: Int] = [:]
  /// Renames that no sync of their directory has followed yet.
  private var unsynced: [(moment: Int, directory: String, name: String)] = []

  /// Takes the lines of a log, of which the first has the number 0.
  init(_ calls: [NotedCall]) {
    var begun: [String: Int] = [:]
    for (moment, call) in calls.enumerated() {
      let key = "\(call.process) \(call.number)"
      guard call.isEnd else {
        begun[key] = moment
        begin(call, moment)
        continue
      }
      guard call.result >= 0 else { continue }
      end(call, began: begun[key] ?? moment, moment)
    }
    for late in unsynced {
      problems.append("\(late.name) got its name, and \(late.directory) was not synced")
    }
    let changed = changes.keys.filter { Self.isState($0) && !$0.hasSuffix("/lock") }
    for path in changed.sorted() where !isSynced(path, from: lastChange(of: path), before: .max) {
      problems.append("\(path) was not synced at the end")
    }
  }

  private mutating func begin(_ call: NotedCall, _ moment: Int) {
    switch call.name {
    case "write" where call.path.hasSuffix("/journal"):
      checkJournal(call, moment)
    case "renameat", "renameat2":
      checkRename(call, moment)
    default:
      break
    }
  }

  private mutating func end(_ call: NotedCall, began: Int, _ moment: Int) {
    switch call.name {
    case "pwrite":
      add(Change(moment: moment, range: call.offset..<call.offset + call.result), to: call.path)
    case "write":
      add(Change(moment: moment, range: 0..<call.result), to: call.path)
    case "ftruncate", "fchmod", "futimens":
      add(Change(moment: moment, range: 0..<0), to: call.path)
    case "fsync", "fdatasync", "syncfs":
      let path = call.name == "syncfs" ? "" : call.path
      syncs.append(Sync(began: began, ended: moment, path: path))
      unsynced.removeAll { rename in
        rename.moment < began && (path.isEmpty || path == rename.directory)
      }
    case "renameat", "renameat2":
      changes[call.newPath] = changes.removeValue(forKey: call.path)
      for index in syncs.indices where syncs[index].path == call.path {
        syncs[index].path = call.newPath
      }
      unsynced.append((moment, Self.directory(of: call.newPath), call.newPath))
    case "unlinkat":
      changes[call.path] = nil
    default:
      break
    }
  }

  private mutating func add(_ change: Change, to path: String) {
    // A directory has its times set, and is synced with the file system.
    guard path != "." else { return }
    changes[path, default: []].append(change)
  }

  // MARK: - The rules

  /// What a record calls durable was written, and then synced.
  private mutating func checkJournal(_ call: NotedCall, _ moment: Int) {
    let header = JournalCodec.fileHeader
    var reader = ByteReader(header + call.bytes)
    _ = try? reader.raw("header", byteCount: header.count)
    while !reader.isAtEnd, let record = try? JournalCodec.decode(&reader) {
      switch record.body {
      case .durable(let identity, let extent):
        durableCount += 1
        lastClaims[call.path] = moment
        let staged = Self.stagedPath(of: identity.path, journal: call.path)
        let range = Int(extent.offset)..<Int(extent.end)
        let writes = (changes[staged] ?? []).filter { $0.range.overlaps(range) }
        let written = writes.reduce(into: 0) { $0 += $1.range.clamped(to: range).count }
        if written < range.count {
          problems.append("\(staged) at \(range) is called durable, and \(written) were written")
        } else if !isSynced(staged, from: writes.last?.moment ?? 0, before: moment) {
          problems.append("\(staged) at \(range) is called durable, and was not synced")
        }
      case .published(let path):
        let name = String(decoding: path, as: UTF8.self)
        if unsynced.contains(where: { $0.name == name }) {
          problems.append("\(name) is called published before its directory was synced")
        }
      case .opened, .discarded, .owned:
        break
      }
    }
  }

  /// What gets a name was synced behind its last change, and so was the journal that tells of it.
  private mutating func checkRename(_ call: NotedCall, _ moment: Int) {
    publishedCount += 1
    let last = lastChange(of: call.path)
    // An empty file has nothing to lose but its name.
    let hasContent = (changes[call.path] ?? []).contains { !$0.range.isEmpty }
    if hasContent, !isSynced(call.path, from: last, before: moment) {
      problems.append("\(call.newPath) got its name before \(call.path) was synced")
    }
    guard !Self.isState(call.path) else { return }
    for (journal, claim) in lastClaims where !isSynced(journal, from: claim, before: moment) {
      problems.append("\(call.newPath) got its name before \(journal) was synced")
    }
  }

  private func lastChange(of path: String) -> Int { changes[path]?.last?.moment ?? 0 }

  /// Whether a sync began behind one moment and ended before another.
  private func isSynced(_ path: String, from start: Int, before end: Int) -> Bool {
    syncs.contains { sync in
      sync.began > start && sync.ended < end && (sync.path.isEmpty || sync.path == path)
    }
  }

  // MARK: - Names

  private static func isState(_ path: String) -> Bool { path.hasPrefix(".dtx/") }

  private static func directory(of path: String) -> String {
    path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
  }

  /// Where a file is staged whose journal this is: `.dtx/KEY/journal`.
  private static func stagedPath(of path: [UInt8], journal: String) -> String {
    let key = journal.split(separator: "/").dropLast().last ?? ""
    var parts = String(decoding: path, as: UTF8.self)
      .split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    let name = parts.removeLast()
    return (parts + [".\(name).dtx-\(key)"]).joined(separator: "/")
  }
}
