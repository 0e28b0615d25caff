/// One include or exclude rule, in rsync's pattern language as far as it is used day to day.
package struct FilterRule: Equatable, Sendable {
  package var isInclude: Bool
  package var pattern: [UInt8]

  package init(isInclude: Bool, pattern: [UInt8]) {
    self.isInclude = isInclude
    self.pattern = pattern
  }
}

/// Which entries belong to a dataset: the first rule that matches decides, and no rule keeps.
///
/// As with rsync: a pattern that begins with `/` is anchored at the dataset's root; one that
/// contains `/` elsewhere matches the path's end; else it matches the name. A trailing `/` means
/// directories alone, a trailing `/***` a directory and all that is in it. `*` and `?` stop at `/`,
/// `**` does not, `[...]` is a set of bytes, with POSIX's classes in it. A backslash escapes where a
/// pattern has wildcards. What lies in an excluded directory is not looked at.
package struct Filter: Sendable {
  private let rules: [Rule]

  private struct Rule {
    var isInclude: Bool
    var isAnchored: Bool
    var matchesPath: Bool
    /// A leading `**` takes the slash before the first component too.
    var beginsAnywhere: Bool
    var isDirectoryOnly: Bool
    var pattern: GlobPattern
  }

  package init(_ list: [FilterRule]) {
    rules = list.flatMap { rule in
      // A directory and all that is in it, in one rule: two of ours.
      guard rule.pattern.count > 4, rule.pattern.suffix(4).elementsEqual("/***".utf8) else {
        return [Filter.parsed(rule.pattern, isInclude: rule.isInclude)]
      }
      let directory = Array(rule.pattern.dropLast(3))
      return [directory, directory + [Filter.star, Filter.star]].map { pattern in
        Filter.parsed(pattern, isInclude: rule.isInclude)
      }
    }
  }

  /// Whether there is no rule: then nobody needs a path to ask about.
  package var keepsAll: Bool { rules.isEmpty }

  private static func parsed(_ text: [UInt8], isInclude: Bool) -> Rule {
    let slash = UInt8(ascii: "/")
    var pattern = text
    let isDirectoryOnly = pattern.count > 1 && pattern.last == slash
    if isDirectoryOnly { pattern.removeLast() }
    let isAnchored = pattern.first == slash
    if isAnchored { pattern.removeFirst() }
    let wildcards = Array("*?[".utf8)
    if !pattern.contains(where: { wildcards.contains($0) }) {
      // Nothing needs an escape, hence a backslash is none.
      let backslash = UInt8(ascii: "\\")
      pattern = pattern.flatMap { $0 == backslash ? [$0, $0] : [$0] }
    }
    return Rule(
      isInclude: isInclude,
      isAnchored: isAnchored,
      matchesPath: isAnchored || pattern.contains(slash) || Filter.hasDoubleStar(pattern),
      beginsAnywhere: !isAnchored && pattern.starts(with: [star, star]),
      isDirectoryOnly: isDirectoryOnly,
      pattern: GlobPattern(pattern)
    )
  }

  package var isEmpty: Bool { rules.isEmpty }

  /// Whether the entry at this path (below the dataset's root) is kept.
  package func keeps(_ path: [UInt8], isDirectory: Bool) -> Bool {
    for rule in rules where !rule.isDirectoryOnly || isDirectory {
      if Filter.matches(rule, path) { return rule.isInclude }
    }
    return true
  }

  private static func hasDoubleStar(_ pattern: [UInt8]) -> Bool {
    zip(pattern, pattern.dropFirst()).contains { $0 == star && $1 == star }
  }

  private static let star = UInt8(ascii: "*")

  private static func matches(_ rule: Rule, _ path: [UInt8]) -> Bool {
    let slash = UInt8(ascii: "/")
    if rule.isAnchored { return rule.pattern.matches(path[...]) }
    if !rule.matchesPath {
      let start = path.lastIndex(of: slash).map { $0 + 1 } ?? 0
      return rule.pattern.matches(path[start...])
    }
    if rule.beginsAnywhere { return rule.pattern.matches(([slash] + path)[...]) }
    // Unanchored with a slash: some suffix that begins at a component.
    var start = 0
    while true {
      if rule.pattern.matches(path[start...]) { return true }
      guard let next = path[start...].firstIndex(of: slash) else { return false }
      start = next + 1
    }
  }
}
