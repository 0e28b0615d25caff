import DTXCore
import DTXLinux

/// A manifest's parts as lines for people and as JSON lines: dtx(1), "JSON".
enum ManifestText {
  static func line(_ header: ManifestHeader) -> String {
    "manifest of version \(ManifestHeader.version), blocks of \(header.blockByteCount) bytes, "
      + "extents \(header.extentAlgorithm.name), roots \(header.rootAlgorithm.name)"
  }

  /// `file 0644 1000:100 12345 2026-03-01T12:00:00.000000000Z 0123…cdef path`.
  static func line(_ part: ManifestSegment, _ index: Int) -> String {
    let entry = part.entries[index]
    var line = "\(entry.kind.name) \(mode(entry)) \(entry.userID):\(entry.groupID) "
    line += "\(entry.byteCount) \(WallTime.text(entry.modified)) \(digests(part, index)) "
    line += path(part, index)
    if entry.kind == .symlink {
      line += " -> \(printable(part.inventory.linkTarget(of: index)))"
    }
    return line
  }

  static func lines(_ summary: ManifestSummary) -> [String] {
    let files = Figure.count(summary.fileCount, "file")
    let entries = Figure.count(summary.entryCount, "entry", "entries")
    var lines = ["holds     \(files) in \(entries), \(Figure.bytes(summary.byteCount))"]
    if summary.unreadByteCount > 0 {
      lines.append("unknown   \(Figure.bytes(summary.unreadByteCount)) without a digest")
    }
    lines.append("root      sha256:\(summary.roots.full.hex(32))")
    lines.append("content   sha256:\(summary.roots.content.hex(32))")
    return lines
  }

  private static func digests(_ part: ManifestSegment, _ index: Int) -> String {
    let digests = part.digests(of: index)
    guard let only = digests.first else { return "-" }
    if digests.count > 1 { return "\(digests.count)-extents" }
    return only == .zero ? "unread" : only.hex(DigestAlgorithm.xxh3.byteCount)
  }

  private static func mode(_ entry: Entry) -> String {
    let digits = String(entry.mode, radix: 8)
    return String(repeating: "0", count: max(0, 4 - digits.count)) + digits
  }

  private static func path(_ part: ManifestSegment, _ index: Int) -> String {
    let path = part.inventory.path(of: index)
    return path.isEmpty ? "." : printable(path)
  }
}

extension ManifestText {
  static func json(_ header: ManifestHeader) -> JSONValue {
    .object([
      ("type", .string("manifest")),
      ("version", .integer(ManifestHeader.version)),
      ("block_bytes", .integer(header.blockByteCount)),
      ("extent_algorithm", .string(header.extentAlgorithm.name)),
      ("root_algorithm", .string(header.rootAlgorithm.name)),
    ])
  }

  static func json(_ part: ManifestSegment, _ index: Int) -> JSONValue {
    let entry = part.entries[index]
    var members: [(String, JSONValue)] = [
      ("type", .string("entry")),
      JSONValue.path(part.inventory.path(of: index)),
      ("kind", .string(entry.kind.name)),
      ("mode", .string(mode(entry))),
      ("user", .integer(entry.userID)),
      ("group", .integer(entry.groupID)),
      ("modified", .string(WallTime.text(entry.modified))),
    ]
    switch entry.kind {
    case .regular:
      members.append(("bytes", .integer(entry.byteCount)))
      let extents = zip(part.segment.extents[entry.extents], part.digests(of: index))
      members.append(
        (
          "extents",
          .array(
            extents.map { extent, digest in
              .object([
                ("offset", .integer(extent.offset)),
                ("bytes", .integer(extent.byteCount)),
                ("digest", digest == .zero ? .null : .string(hex(digest))),
              ])
            }
          )
        )
      )
    case .symlink:
      members.append(JSONValue.name("target", part.inventory.linkTarget(of: index)))
    case .directory, .fifo: break
    }
    return .object(members)
  }

  static func json(_ summary: ManifestSummary) -> JSONValue {
    .object([
      ("type", .string("summary")),
      ("entries", .integer(summary.entryCount)),
      ("files", .integer(summary.fileCount)),
      ("bytes", .integer(summary.byteCount)),
      ("bytes_data", .integer(summary.dataByteCount)),
      ("bytes_unread", .integer(summary.unreadByteCount)),
      ("segments", .integer(summary.segmentCount)),
      ("root", .string("sha256:\(summary.roots.full.hex(32))")),
      ("content_root", .string("sha256:\(summary.roots.content.hex(32))")),
    ])
  }

  private static func hex(_ digest: Digest) -> String {
    digest.hex(DigestAlgorithm.xxh3.byteCount)
  }
}
