import ArgumentParser
import DTXCore
import DTXEngine
import DTXLinux

/// `dtx status`: how far the transfers into a destination are.
struct StatusCommand: ParsableCommand, JSONReporting {
  static let configuration = CommandConfiguration(
    commandName: "status",
    abstract: "Say how far the transfers into a destination are.",
    discussion: """
      Lists each session that left something in the destination's .dtx: finished, running, or \
      broken off, with what is durable of it.
      """
  )

  @Argument(help: "The destination.", completion: .directory, transform: ArgumentValue.path)
  var directory: [UInt8]

  @Flag(help: "Remove what sessions left that broke off; nothing that was finished is touched.")
  var discard = false

  @Option(
    help: ArgumentHelp("Where the state is kept instead of in .dtx.", valueName: "dir"),
    completion: .directory,
    transform: ArgumentValue.path
  )
  var stateDir: [UInt8]?

  @Flag(help: "Print JSON lines.")
  var json = false

  var isJSON: Bool { json }

  func run() throws {
    let console = Console()
    let sessions =
      discard
      ? try StatusReader.discard(directory: directory, stateDirectory: stateDir)
      : try StatusReader.read(directory: directory, stateDirectory: stateDir)
    for session in sessions {
      let view = SessionView(session: session, isDiscarded: discard)
      if json {
        console.report(view.json.line)
      } else {
        console.report(view.lines.joined(separator: "\n"))
      }
    }
    if sessions.isEmpty, !json {
      console.report(discard ? "nothing to discard" : "no session left anything here")
    }
    if let failure = console.finish() {
      throw TransferError("the report could not be written", failure)
    }
  }
}

/// One session in the destination's state, as people and machines read it.
struct SessionView {
  let session: SessionStatus
  let isDiscarded: Bool

  var lines: [String] {
    var lines = ["session \(printable(Array(session.key.utf8)))  \(state)"]
    if let started = session.startedWall { lines.append("  started  \(WallTime.text(started))") }
    if let manifest = session.finishedManifest {
      let files = Figure.count(manifest.fileCount, "file")
      lines.append("  holds    \(files), \(Figure.bytes(manifest.byteCount))")
      lines.append("  root     sha256:\(manifest.roots.full.hex(32))")
    }
    if !session.files.isEmpty {
      let files = Figure.count(session.files.count, "staged file")
      lines.append("  durable  \(Figure.bytes(session.durableByteCount)) in \(files)")
    }
    for file in session.files {
      let durable = Figure.bytes(file.durableByteCount)
      let path = EventPrinter.shown(file.path)
      lines.append("    \(path): \(durable) of \(Figure.bytes(file.byteCount))")
    }
    return lines
  }

  var json: JSONValue {
    .object([
      ("type", .string("session")),
      ("key", .string(session.key)),
      ("state", .string(stateName)),
      ("holder", .optional(session.holder, JSONValue.string)),
      ("started", .optional(session.startedWall) { .string(WallTime.text($0)) }),
      ("bytes_durable", .integer(session.durableByteCount)),
      (
        "staged_files",
        .array(
          session.files.map { file in
            .object([
              JSONValue.path(file.path), ("bytes", .integer(file.byteCount)),
              ("bytes_durable", .integer(file.durableByteCount)),
            ])
          }
        )
      ),
      ("root", .optional(session.finishedManifest) { .string("sha256:\($0.roots.full.hex(32))") }),
    ])
  }

  private var stateName: String {
    if isDiscarded { return "discarded" }
    if session.isLocked { return "running" }
    let isComplete = session.files.isEmpty && session.startedWall == nil
    if session.finishedManifest != nil, isComplete { return "finished" }
    return "broken_off"
  }

  private var state: String {
    switch stateName {
    case "running":
      session.holder.map { "running, held by \(printable(Array($0.utf8)))" } ?? "running"
    case "broken_off": "broken off: run the same command again to resume it"
    default: stateName
    }
  }
}
