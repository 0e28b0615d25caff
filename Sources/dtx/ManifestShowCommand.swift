import ArgumentParser
import DTXCore
import DTXEngine
import DTXLinux

/// `dtx manifest show`: prints a manifest, segment by segment.
struct ManifestShowCommand: ParsableCommand, JSONReporting {
  static let configuration = CommandConfiguration(
    commandName: "show",
    abstract: "Print a manifest.",
    discussion: """
      An entry is a line: kind, mode, user and group, length, time, digest, path. A file that was \
      cut into several extents has a digest each, which --json prints.
      """
  )

  @Argument(
    help: "A manifest, or a tree with one in its .dtx.",
    completion: .file(),
    transform: ArgumentValue.path
  )
  var path: [UInt8]

  @Flag(help: "Print JSON lines.")
  var json = false

  var isJSON: Bool { json }

  func run() throws {
    // A manifest of a million entries is a million lines: they go out in larger pieces.
    let console = Console(bufferByteCount: 64 << 10)
    // What was printed of a manifest that turns out damaged stays, and the error follows it.
    defer { console.finish() }
    var file = try ManifestFile.open(path)
    if json {
      console.report(ManifestText.json(file.header).line)
    } else {
      console.report(ManifestText.line(file.header))
    }
    while let part = try file.nextSegment() {
      for index in part.entries.indices where !part.entries[index].isContext {
        console.report(
          json ? ManifestText.json(part, index).line : ManifestText.line(part, index)
        )
      }
    }
    if let summary = file.summary {
      if json {
        console.report(ManifestText.json(summary).line)
      } else {
        console.report(ManifestText.lines(summary).joined(separator: "\n"))
      }
    }
    if let failure = console.finish() {
      throw TransferError("the manifest could not be printed", failure)
    }
  }
}
