internal import DTXCore
internal import DTXLinux

/// Finds the names in a dataset's directories that its manifest does not have.
///
/// Directories are entered, and entries passed, in canonical order: so the lists of names need to
/// be in memory only for the directories that the walk is in.
struct ExtraListing {
  private struct Level {
    var path: [UInt8]
    var items: [DirectoryItem]
    var next = 0
  }

  private var levels: [Level] = []
  private var extra: [[UInt8]] = []

  /// Begins a directory that the manifest has; one that cannot be listed has no extra names.
  mutating func enter(_ path: [UInt8], _ directory: Directory) {
    leave(for: path)
    var items = (try? directory.names()) ?? []
    if path.isEmpty, StateMarker.isPresent(in: directory) {
      items.removeAll { $0.name == StateMarker.directoryName }
    }
    levels.append(Level(path: path, items: items))
  }

  /// Notes an entry that the manifest has.
  mutating func pass(_ path: [UInt8]) {
    leave(for: path)
    guard let top = levels.indices.last else { return }
    let name = ExtraListing.relative(path, to: levels[top].path)
    while levels[top].next < levels[top].items.count {
      let item = levels[top].items[levels[top].next].name
      if name.lexicographicallyPrecedes(item) { return }
      levels[top].next += 1
      if name.elementsEqual(item) { return }
      add(item, in: levels[top].path)
    }
  }

  /// The paths that were found.
  mutating func finish() -> [[UInt8]] {
    while !levels.isEmpty { leaveLast() }
    return extra
  }

  /// Ends the directories that a path is not in.
  private mutating func leave(for path: [UInt8]) {
    while let last = levels.last, !ExtraListing.contains(last.path, path) { leaveLast() }
  }

  private mutating func leaveLast() {
    guard let last = levels.popLast() else { return }
    for item in last.items[last.next...] { add(item.name, in: last.path) }
  }

  private mutating func add(_ name: [UInt8], in directory: [UInt8]) {
    extra.append(directory.isEmpty ? name : directory + [UInt8(ascii: "/")] + name)
  }

  private static func contains(_ directory: [UInt8], _ path: [UInt8]) -> Bool {
    if directory.isEmpty { return !path.isEmpty }
    return path.count > directory.count && path[directory.count] == UInt8(ascii: "/")
      && path.starts(with: directory)
  }

  private static func relative(_ path: [UInt8], to directory: [UInt8]) -> ArraySlice<UInt8> {
    directory.isEmpty ? path[...] : path[(directory.count + 1)...]
  }
}
