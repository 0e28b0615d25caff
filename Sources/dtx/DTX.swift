import ArgumentParser
import DTXCore
import DTXEngine
import DTXLinux
import Glibc

/// The command `dtx` and its verbs, each in a file of its own.
@main
struct DTX: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "dtx",
    abstract: "Move datasets between sites, in blocks, on lanes, resumable.",
    discussion: """
      A place is a path on this machine, or [user@]host:path, which ssh leads to. Rates are in \
      bits per second (100G, 50Mbit), sizes in bytes (64MiB, 72TB).
      """,
    version: "\(Release.implementation) "
      + "(protocol \(Hello.highestVersion), manifest \(ManifestHeader.version))",
    subcommands: [
      PushCommand.self, PullCommand.self, PlanCommand.self, VerifyCommand.self,
      StatusCommand.self, ManifestCommand.self, ReceiptCommand.self, ReportCommand.self,
      SetCommand.self,
      SimulateCommand.self, ServeCommand.self,
    ]
  )

  static func main() {
    let arguments = CommandLine.unsafeArgv
    var texts: [String] = []
    for index in 1..<max(1, Int(CommandLine.argc)) {
      guard let argument = arguments[index] else { break }
      let bytes = (0..<strlen(argument)).map { UInt8(bitPattern: argument[$0]) }
      texts.append(ArgumentText.text(of: bytes))
    }
    Glibc.exit(run(texts))
  }

  /// Runs a command to its end and returns its exit status; everything was printed.
  ///
  /// - Parameter arguments: as `ArgumentText` makes them, without the program's name.
  /// - Returns: one of `ExitStatus`.
  static func run(_ arguments: [String]) -> Int32 {
    let console = Console()
    var isJSON = false
    do {
      var command = try parseAsRoot(arguments)
      isJSON = (command as? any JSONReporting)?.isJSON ?? false
      try command.run()
      return ExitStatus.success.rawValue
    } catch let error as TransferError {
      let status = ExitStatus(error)
      if isJSON { console.report(ErrorReport.json(error, status: status).line) }
      console.message(ErrorReport.text(error))
      return status.rawValue
    } catch let code as ExitCode {
      return code.rawValue
    } catch {
      return finish(error, console)
    }
  }

  /// Prints what the parser has to say: help and version for the asking, or a usage error.
  private static func finish(_ error: any Error, _ console: Console) -> Int32 {
    let code = exitCode(for: error)
    let lines = fullMessage(for: error).split(separator: "\n", omittingEmptySubsequences: false)
    let text = lines.map { printable(ArgumentText.bytes(of: String($0))) }.joined(separator: "\n")
    if code == .success {
      console.report(text)
      // Help that nobody could read is no success.
      return console.finish() == nil ? code.rawValue : ExitStatus.failed.rawValue
    }
    console.message(text)
    return code.rawValue
  }
}

/// A command that prints JSON lines when asked, its error too.
protocol JSONReporting {
  var isJSON: Bool { get }
}
