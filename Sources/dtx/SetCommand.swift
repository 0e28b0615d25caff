import ArgumentParser
import DTXCore
import DTXEngine
import DTXLinux

/// `dtx set`: changes a transfer that runs.
struct SetCommand: ParsableCommand, JSONReporting {
  static let configuration = CommandConfiguration(
    commandName: "set",
    abstract: "Change the rate of a transfer that runs, or pause it.",
    discussion: """
      A session is named by its process number. Without one, the only transfer that this user runs \
      on this machine is meant; without anything to change, those that run are listed.
      """
  )

  @Argument(help: ArgumentHelp("The process number of the push or pull.", valueName: "session"))
  var session: Int32?

  @Option(
    help: ArgumentHelp("Rate of all lanes together from now on.", valueName: "rate"),
    transform: ArgumentValue.rate
  )
  var rate: Rate?

  @Flag(help: "Begin no block until --resume; what is under way arrives.")
  var pause = false

  @Flag(help: "Go on after --pause.")
  var resume = false

  @Flag(help: "Print JSON lines.")
  var json = false

  var isJSON: Bool { json }

  func validate() throws {
    if pause, resume { throw ValidationError("--pause and --resume are opposites") }
  }

  func run() throws {
    let console = Console()
    let running = try RunningSession.all()
    let changes = changes
    if changes.isEmpty {
      list(running, console)
    } else {
      let chosen = try choose(among: running)
      for change in changes {
        try chosen.apply(change)
        say(change, of: chosen, console)
      }
    }
    if let failure = console.finish() {
      throw TransferError("the report could not be written", failure)
    }
  }

  /// A rate comes before the end of a pause, so that no block goes at the old one.
  private var changes: [RunningSession.Change] {
    var changes: [RunningSession.Change] = []
    if let rate { changes.append(.rate(rate)) }
    if pause { changes.append(.pause) }
    if resume { changes.append(.resume) }
    return changes
  }

  private func choose(among running: [RunningSession]) throws(TransferError) -> RunningSession {
    if let session {
      if let found = running.first(where: { $0.process == session }) { return found }
      throw TransferError(
        .failed,
        "no transfer of yours runs here as process \(session)",
        remedy: "dtx set without arguments lists those that run"
      )
    }
    guard let only = running.first else {
      throw TransferError(.failed, "no transfer of yours runs on this machine")
    }
    guard running.count == 1 else {
      throw TransferError(
        .usage,
        "which of \(running.count) transfers?",
        cause: running.map { "\($0.process)  \($0.title)" }.joined(separator: "\n        "),
        remedy: "name its process number"
      )
    }
    return only
  }

  private func list(_ running: [RunningSession], _ console: Console) {
    for session in running where self.session == nil || session.process == self.session {
      let line = "\(session.process)  \(session.title)"
      console.report(json ? SetCommand.json(session).line : line)
    }
    if running.isEmpty, !json { console.report("no transfer of yours runs on this machine") }
  }

  private func say(_ change: RunningSession.Change, of chosen: RunningSession, _ console: Console) {
    let text =
      switch change {
      case .rate(let rate): "has \(Figure.rate(rate.bitsPerSecond)) from now on"
      case .pause: "pauses once its blocks under way are there"
      case .resume: "goes on"
      }
    let line = "\(chosen.process)  \(text)"
    console.report(json ? SetCommand.json(change, of: chosen).line : line)
  }
}

/// What it prints as JSON: dtx(1), "JSON".
extension SetCommand {
  static func json(_ running: RunningSession) -> JSONValue {
    .object([
      ("type", .string("running")), ("session", .integer(running.process)),
      ("title", .string(running.title)),
    ])
  }

  static func json(_ change: RunningSession.Change, of session: RunningSession) -> JSONValue {
    let (name, rate): (String, Rate?) =
      switch change {
      case .rate(let rate): ("rate", rate)
      case .pause: ("pause", nil)
      case .resume: ("resume", nil)
      }
    return .object([
      ("type", .string("set")), ("session", .integer(session.process)), ("change", .string(name)),
      ("rate_bits_per_second", .optional(rate) { .integer($0.bitsPerSecond) }),
    ])
  }
}
