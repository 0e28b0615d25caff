internal import DTXCore
internal import DTXLinux

/// Writes blocks that were fetched in the places of those that are damaged.
///
/// One thread uses it.
struct RepairWriting: ~Copyable {
  /// Why a file is not right, for people; it says whether the file was touched.
  struct Failure: Error {
    var failure: EntryFailure
    var reason: String
  }

  private let root: Directory
  private let aside: File
  private var digester = ExtentDigester()

  /// What is copied at a time: half of a common L2 cache.
  private static let pieceByteCount: UInt64 = 512 << 10

  /// - Parameters:
  ///   - root: the tree.
  ///   - aside: holds what was fetched.
  init(root: Directory, aside: File) {
    self.root = root
    self.aside = aside
  }

  /// Puts a file right.
  ///
  /// - Parameters:
  ///   - file: what is wrong with it.
  ///   - offsets: where each of its parts lies aside.
  /// - Throws: `.conflict` when the source has other bytes than the manifest says, or when the file is
  ///   not the one that was read: then it was not touched. `.unwritable` for all else.
  mutating func repair(_ file: DamagedFile, from offsets: [UInt64]) throws(Failure) {
    var isTouched = false
    do {
      for (part, offset) in zip(file.parts, offsets) {
        guard try digest(of: part, at: offset, in: aside) == part.digest else {
          let reason = "the source has other bytes than the manifest says"
          throw Failure(failure: .conflict, reason: "\(reason); nothing of it was touched")
        }
      }
      guard let opened = try open(file) else {
        let reason = "it changed after it was read; nothing of it was touched"
        throw Failure(failure: .conflict, reason: reason)
      }
      isTouched = true
      for (part, offset) in zip(file.parts, offsets) { try copy(part, from: offset, to: opened) }
      // Writing has set the time, and has taken set-id bits away.
      if try opened.status().mode != file.status.mode {
        try opened.setMode(UInt32(file.status.mode))
      }
      // With the manifest's time a transfer would take the file for what it should be.
      if !file.hasMore { try opened.setTimes(modified: file.modified) }
      try opened.sync()
      guard try isRight(file, in: opened) else {
        let reason = "it reads back otherwise than it was written: its device may be failing"
        throw Failure(failure: .unwritable, reason: reason)
      }
    } catch let error as SystemError {
      let rest =
        isTouched ? "verify it again: some of its blocks may be right" : "nothing of it was touched"
      throw Failure(failure: .unwritable, reason: "\(error.reason); \(rest)")
    } catch let error as Failure {
      throw error
    } catch {
      preconditionFailure("nothing else is thrown: \(error)")
    }
  }

  /// Opens the file that was read to be written to, even one that grants nobody that; nil where it
  /// is another by now.
  private func open(_ file: DamagedFile) throws(SystemError) -> File? {
    let slash = file.path.lastIndex(of: UInt8(ascii: "/"))
    let parent = try root.openDirectory(slash.map { Array(file.path[..<$0]) } ?? [])
    let name = slash.map { Array(file.path[($0 + 1)...]) } ?? file.path
    guard file.isSame(as: try parent.status(of: name)) else { return nil }
    let isClosed = file.status.mode & 0o200 == 0 && Host.effectiveUserID != 0
    if isClosed { try parent.setMode(of: name, UInt32(file.status.mode | 0o200)) }
    let opened: File
    do throws(SystemError) {
      opened = try parent.openFile(name, .readWrite)
    } catch {
      if isClosed { try? parent.setMode(of: name, UInt32(file.status.mode)) }
      throw error
    }
    if isClosed { try opened.setMode(UInt32(file.status.mode)) }
    // What has come in its place since has another number.
    let status = try opened.status()
    return status.isSameFile(as: file.status) && status.byteCount == file.status.byteCount
      ? opened : nil
  }

  private func copy(
    _ part: DamagedFile.Part,
    from offset: UInt64,
    to file: File
  ) throws(SystemError) {
    var done: UInt64 = 0
    while done < part.byteCount {
      let count = Int(min(RepairWriting.pieceByteCount, part.byteCount - done))
      let bytes = try aside.read(byteCount: count, at: offset + done)
      try file.write(bytes, at: part.offset + done)
      done += UInt64(count)
    }
  }

  /// Reads what was written again, past the page cache where that can be.
  private mutating func isRight(
    _ file: DamagedFile,
    in opened: File
  ) throws(SystemError) -> Bool {
    _ = try opened.dropCached(offset: 0, length: file.status.byteCount)
    for part in file.parts {
      guard try digest(of: part, at: part.offset, in: opened) == part.digest else { return false }
    }
    return true
  }

  private mutating func digest(
    of part: DamagedFile.Part,
    at offset: UInt64,
    in file: File
  ) throws(SystemError) -> Digest? {
    let extent = Extent(entry: 0, offset: offset, byteCount: part.byteCount)
    return try digester.digest(of: extent, in: file)
  }
}
