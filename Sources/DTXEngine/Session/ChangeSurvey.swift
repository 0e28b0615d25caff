internal import DTXCore
internal import DTXLinux

/// Finds the entries of a segment that a transfer makes or changes at the destination.
///
/// A comparison tells of data alone; this looks at directories, links, empty files and metadata as
/// well. It costs a status of each entry, and is done only where somebody asked for a list. Called
/// on the metadata thread, after the comparison and before anything is made.
struct ChangeSurvey {
  private let destination: Destination
  private let segment: Segment
  private let comparison: Comparison
  private let rules: Comparator.Rules

  init(_ segment: Segment, _ comparison: Comparison, at destination: Destination) {
    self.destination = destination
    self.segment = segment
    self.comparison = comparison
    rules = Comparator.Rules(
      comparesDigests: false,
      preservesOwner: destination.options.preservesOwner,
      timeGranularity: destination.timeGranularity
    )
  }

  /// - Returns: one bit for each entry; what cannot be looked at does not count.
  func run() -> BitSet {
    let count = segment.entries.count
    guard let root = destination.root else { return BitSet(count: count, filled: true) }
    let directories = DirectoryCache(root: root, inventory: segment.inventory)
    var changed = BitSet(count: count)
    var refused = BitSet(count: count)
    // Nothing is there, nor below it.
    var absent = BitSet(count: count)
    for refusal in comparison.refusals { refused[refusal.entry] = true }
    for (index, entry) in segment.entries.enumerated() where !refused[index] {
      if let parent = entry.parent, absent[parent] {
        (absent[index], changed[index]) = (true, true)
        continue
      }
      switch decision(index, directories) {
      case .create: (absent[index], changed[index]) = (true, true)
      case .replace: changed[index] = true
      case .keep(let differs), .compareDigests(let differs): changed[index] = differs
      case .conflict, nil: break
      }
    }
    return changed
  }

  private func decision(
    _ index: Int,
    _ directories: DirectoryCache
  ) -> Comparator.Decision? {
    var entry = segment.entries[index]
    entry.mode = destination.metadata(of: entry).mode
    do throws(SystemError) {
      let parent = try directories.parent(of: index)
      let name = Array(segment.inventory.name(of: index))
      let status = try parent.directory.statusIfPresent(of: name)
      let target = status?.kind == .symlink ? try parent.directory.readSymlink(name) : []
      return Comparator.decide(
        entry,
        linkTarget: segment.inventory.linkTarget(of: index),
        existing: status.map { destination.existing($0, linkTarget: target) },
        rules: rules
      )
    } catch {
      return nil
    }
  }
}
