import DTXCore
import Testing

/// rsync's habits: the table was taken from what rsync 3.5.0 leaves out of the same tree.
@Suite struct FilterTests {
  private static let tree = [
    ".hid", "[q]", "a/", "a/b/", "a/b/foo.o", "a/b/foo/", "a/b/foo/g.c", "a/file", "a/foo/",
    "a/foo/f.o", "back\\slash", "dir/", "dir/one.tmp", "dir/two", "file", "foo.o", "foo/",
    "foo/bar/", "foo/bar/baz.o", "foo/keep.c", "star*", "x.d/", "x.d/y/", "x.d/y/z",
  ]

  private static let top = [
    ".hid", "[q]", "a/", "back\\slash", "dir/", "file", "foo.o", "foo/", "star*", "x.d/",
  ]

  @Test(
    "an exclude rule leaves out what rsync leaves out",
    arguments: [
      ("foo", ["a/b/foo/", "a/foo/", "foo/"]),
      ("foo/", ["a/b/foo/", "a/foo/", "foo/"]),
      ("file/", []),
      ("/foo", ["foo/"]),
      ("/foo/", ["foo/"]),
      ("*.o", ["a/b/foo.o", "a/foo/f.o", "foo.o", "foo/bar/baz.o"]),
      ("/*.o", ["foo.o"]),
      ("a/foo", ["a/foo/"]),
      ("a/**/foo", ["a/b/foo/"]),
      ("**/foo", ["a/b/foo/", "a/foo/", "foo/"]),
      ("/**/foo", ["a/b/foo/", "a/foo/"]),
      ("foo/**", ["a/b/foo/g.c", "a/foo/f.o", "foo/bar/", "foo/keep.c"]),
      ("foo/***", ["a/b/foo/", "a/foo/", "foo/"]),
      ("dir/***", ["dir/"]),
      ("dir/**", ["dir/one.tmp", "dir/two"]),
      ("/a/*", ["a/b/", "a/file", "a/foo/"]),
      ("a/*/foo", ["a/b/foo/"]),
      ("**.o", ["a/b/foo.o", "a/foo/f.o", "foo.o", "foo/bar/baz.o"]),
      ("b/foo", ["a/b/foo/"]),
      ("/b/foo", []),
      ("?oo", ["a/b/foo/", "a/foo/", "foo/"]),
      ("f[a-o]o", ["a/b/foo/", "a/foo/", "foo/"]),
      ("f[!a-n]o", ["a/b/foo/", "a/foo/", "foo/"]),
      ("[[]q]", ["[q]"]),
      ("\\[q\\]", ["[q]"]),
      ("star\\*", ["star*"]),
      ("star*", ["star*"]),
      // Without a wildcard a backslash is a backslash.
      ("back\\slash", ["back\\slash"]),
      ("back\\\\slash", []),
      ("back\\slas*", []),
      ("back\\\\slas*", ["back\\slash"]),
      (".*", [".hid"]),
      ("*", FilterTests.top),
      ("/*", FilterTests.top),
      ("**", FilterTests.top),
      ("x.?/y", ["x.d/y/"]),
      ("x*/y", ["x.d/y/"]),
      ("a**foo", ["a/b/foo/", "a/foo/"]),
      ("a/**", ["a/b/", "a/file", "a/foo/"]),
      ("foo*", ["a/b/foo.o", "a/b/foo/", "a/foo/", "foo.o", "foo/"]),
      ("*/foo", ["a/b/foo/", "a/foo/"]),
      ("/*/foo", ["a/foo/"]),
      ("bar/*.o", ["foo/bar/baz.o"]),
      ("*/", ["a/", "dir/", "foo/", "x.d/"]),
      ("file", ["a/file", "file"]),
      ("./file", []),
    ]
  )
  func excludesLikeRsync(pattern: String, expected: [String]) {
    let rule = FilterRule(isInclude: false, pattern: Array(pattern.utf8))
    #expect(leftOut(by: Filter([rule])) == expected, "--exclude='\(pattern)'")
  }

  @Test("the first rule that matches decides")
  func takesFirstMatch() {
    let rules = [(true, "keep.c"), (true, "*/"), (false, "*")].map { isInclude, pattern in
      FilterRule(isInclude: isInclude, pattern: Array(pattern.utf8))
    }
    let kept = FilterTests.tree.filter { path in
      Filter(rules).keeps(bytes(of: path), isDirectory: path.hasSuffix("/"))
    }
    #expect(
      kept == [
        "a/", "a/b/", "a/b/foo/", "a/foo/", "dir/", "foo/", "foo/bar/", "foo/keep.c", "x.d/",
        "x.d/y/",
      ]
    )
  }

  @Test("a pattern without an end matches nothing, and harms nothing")
  func toleratesBrokenPatterns() {
    for pattern in ["[", "[a", "[!", "\\", "[]", "", "/", "***"] {
      let filter = Filter([FilterRule(isInclude: false, pattern: Array(pattern.utf8))])
      _ = FilterTests.tree.map { filter.keeps(bytes(of: $0), isDirectory: false) }
    }
  }

  /// Entries that the filter does not keep, but for those in a directory that it does not keep.
  private func leftOut(by filter: Filter) -> [String] {
    var found: [String] = []
    for path in FilterTests.tree where !found.contains(where: { isBelow(path, $0) }) {
      let isDirectory = path.hasSuffix("/")
      if !filter.keeps(bytes(of: path), isDirectory: isDirectory) { found.append(path) }
    }
    return found
  }

  private func isBelow(_ path: String, _ directory: String) -> Bool {
    directory.hasSuffix("/") && path.hasPrefix(directory)
  }

  private func bytes(of path: String) -> [UInt8] {
    Array((path.hasSuffix("/") ? String(path.dropLast()) : path).utf8)
  }
}
