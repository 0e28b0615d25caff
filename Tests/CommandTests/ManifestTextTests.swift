import DTXCore
import Testing

@testable import dtx

@Suite struct ManifestTextTests {
  private let digest = "0123456789abcdef00000000000000ff"

  @Test func theHeaderSaysHowItWasMade() {
    let header = ManifestHeader(blockByteCount: 65_536, rootAlgorithm: .sha256)
    #expect(
      ManifestText.line(header)
        == "manifest of version 1, blocks of 65536 bytes, extents xxh3-128, roots sha256"
    )
    #expect(
      ManifestText.json(header).line == """
        {"type":"manifest","version":1,"block_bytes":65536,"extent_algorithm":"xxh3-128",\
        "root_algorithm":"sha256"}
        """
    )
  }

  @Test func anEntryIsALine() {
    let part = manifestSegment()
    let time = "2024-02-29T12:34:56.000000005Z"
    #expect(
      part.entries.indices.map { ManifestText.line(part, $0) } == [
        "directory 0755 0:0 0 \(time) - .",
        "file 4755 1000:100 100000 \(time) 2-extents large",
        "symlink 0777 0:0 0 \(time) - link -> to\\x1b",
        "file 0644 0:0 5 \(time) \(digest) small\\xff",
        "file 0644 0:0 6 \(time) unread unread",
        "symlink 0777 0:0 0 \(time) - wild -> \\xff",
      ]
    )
  }

  @Test func machinesReadEveryExtent() {
    let part = manifestSegment()
    let time = "2024-02-29T12:34:56.000000005Z"
    #expect(
      ManifestText.json(part, 1).line == """
        {"type":"entry","path":"large","kind":"file","mode":"4755","user":1000,"group":100,\
        "modified":"\(time)","bytes":100000,"extents":[\
        {"offset":0,"bytes":65536,"digest":"\(digest)"},\
        {"offset":65536,"bytes":34464,"digest":null}]}
        """
    )
    #expect(
      ManifestText.json(part, 2).line == """
        {"type":"entry","path":"link","kind":"symlink","mode":"0777","user":0,"group":0,\
        "modified":"\(time)","target":"to\\u001b"}
        """
    )
    #expect(ManifestText.json(part, 5).line.contains(#""target_base64":"/w==""#))
    #expect(ManifestText.json(part, 3).line.contains(#""path_base64":"c21hbGz/""#))
  }

  @Test func theSummaryHoldsTheRoots() {
    var summary = ManifestSummary(
      roots: Roots(content: Digest(words: (0, 0, 0, 1)), full: Digest(words: (0, 0, 0, 2)))
    )
    summary.entryCount = 5
    summary.fileCount = 3
    summary.byteCount = 100_011
    summary.dataByteCount = 100_011
    summary.unreadByteCount = 34_470
    summary.segmentCount = 1
    let zeros = String(repeating: "0", count: 63)
    #expect(
      ManifestText.lines(summary) == [
        "holds     3 files in 5 entries, 100 kB", "unknown   34.4 kB without a digest",
        "root      sha256:\(zeros)2", "content   sha256:\(zeros)1",
      ]
    )
    #expect(
      ManifestText.json(summary).line == """
        {"type":"summary","entries":5,"files":3,"bytes":100011,"bytes_data":100011,\
        "bytes_unread":34470,"segments":1,"root":"sha256:\(zeros)2",\
        "content_root":"sha256:\(zeros)1"}
        """
    )
  }

  @Test(
    arguments: [
      (.added, "+ p\\x0a"), (.removed, "- p\\x0a"),
      (.changed([.kind, .length, .content]), "~ p\\x0a: kind, length, content"),
      (.changed([.target, .mode, .owner, .modified]), "~ p\\x0a: target, mode, owner, time"),
      (.unknown([]), "? p\\x0a: content unknown"),
      (.unknown([.mode]), "? p\\x0a: content unknown, mode"),
    ] as [(ManifestDifference.Change, String)]
  )
  func aDifferenceIsALine(_ change: ManifestDifference.Change, _ line: String) {
    #expect(ManifestDiffCommand.line(bytes("p\n"), change) == line)
  }
}
