internal import DTXCore
internal import DTXLinux

/// A file of a tree in which single blocks are not what the manifest says.
package struct DamagedFile: Sendable {
  /// A part of the file whose bytes are wrong.
  struct Part: Equatable, Sendable {
    /// Numbered within the file, from 0.
    var index: Int
    var offset: UInt64
    var byteCount: UInt64
    /// What the manifest says of it.
    var digest: Digest
  }

  /// Below the tree.
  let path: [UInt8]
  /// The file as it was read: another in its place, or a later version, is nobody's to repair.
  let status: FileStatus
  /// The manifest's.
  let modified: Int64
  /// Ascending.
  var parts: [Part]
  /// Whether something else of it differs or could not be read, which stays as it is.
  var hasMore = false

  /// Whether a status is that of the file as it was read.
  func isSame(as found: FileStatus) -> Bool {
    found.isSameFile(as: status) && found.byteCount == status.byteCount
      && found.changed == status.changed
  }

  /// The parts as a verification names them.
  var blocks: [VerifyDifference.Block] {
    parts.map { part in
      VerifyDifference.Block(index: part.index, offset: part.offset, byteCount: part.byteCount)
    }
  }
}

/// What is to be fetched to put a tree right, and what has been.
///
/// The engine's threads and the one that asked for it share it.
package final class RepairOrder: Sendable {
  /// More rules than this are slower to apply than the whole source is to scan.
  private static let ruleLimit = 1024

  let directory: [UInt8]
  /// In canonical order.
  let files: [DamagedFile]
  /// Whether the manifest is of a directory's contents, whose own entry has no name.
  let isContents: Bool
  private let places: [[UInt8]: Int]
  private let repaired = Guarded<Set<Int>>([])

  /// Makes an order of which nothing is done yet.
  ///
  /// - Parameters:
  ///   - directory: the tree.
  ///   - files: what is wrong in it, each path once.
  ///   - isContents: whether the manifest is of a directory's contents.
  init(directory: [UInt8], files: [DamagedFile], isContents: Bool) {
    self.directory = directory
    self.files = files
    self.isContents = isContents
    places = Dictionary(
      uniqueKeysWithValues: files.enumerated().map { ($0.element.path, $0.offset) }
    )
  }

  /// A file's place in the order; nil for one that nothing is wrong with.
  func place(of path: [UInt8]) -> Int? { places[path] }

  /// Notes that a file is right again, and durable.
  func noteRepaired(_ place: Int) {
    repaired.withLock { _ = $0.insert(place) }
  }

  func isRepaired(_ place: Int) -> Bool {
    repaired.withLock { $0.contains(place) }
  }

  /// Rules by which the source scans these files alone; none where they would be too many.
  var filters: [FilterRule] {
    let slash = UInt8(ascii: "/")
    var rules: [FilterRule] = []
    var known: Set<[UInt8]> = []
    for file in files {
      var end = 0
      while end < file.path.count {
        end = file.path[(end + 1)...].firstIndex(of: slash) ?? file.path.count
        let path = Array(file.path[..<end])
        guard known.insert(path).inserted else { continue }
        let pattern = [slash] + RepairOrder.escaped(path)
        guard rules.count < RepairOrder.ruleLimit, pattern.count <= Limits.pathByteCount else {
          return []
        }
        rules.append(FilterRule(isInclude: true, pattern: pattern))
      }
    }
    let byteCount = rules.reduce(0) { $0 + $1.pattern.count }
    guard byteCount < Limits.controlFrameByteCount / 2 else { return [] }
    return rules + [FilterRule(isInclude: false, pattern: Array("*".utf8))]
  }

  /// A pattern that matches this path and no other; without wildcards a backslash is a plain byte.
  private static func escaped(_ path: [UInt8]) -> [UInt8] {
    let wildcards = Array("*?[".utf8)
    guard path.contains(where: { wildcards.contains($0) }) else { return path }
    let backslash = UInt8(ascii: "\\")
    return path.flatMap { byte in
      wildcards.contains(byte) || byte == backslash ? [backslash, byte] : [byte]
    }
  }
}
