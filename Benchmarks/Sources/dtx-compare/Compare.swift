internal import ArgumentParser
internal import Comparison
internal import Glibc

/// Runs dtx beside the ceiling program and the peers that are installed.
@main struct Compare: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "dtx-compare",
    abstract: "Time dtx beside the ceiling program and the peers that are installed.",
    subcommands: [
      RunCommand.self, GenerateCommand.self, AllocationsCommand.self, LanesCommand.self,
      PowerCutCommand.self, FaultsCommand.self, PredictCommand.self,
    ],
    defaultSubcommand: RunCommand.self
  )
}

/// Which data.
struct DataOptions: ParsableArguments {
  @Option(help: "The part of each set that is made: 0.25 is a quarter.")
  var scale = 1.0

  @Option(help: "The same seed gives the same bytes.")
  var seed: UInt64 = 1

  func validate() throws {
    guard scale > 0, scale <= 16 else {
      throw ValidationError("--scale is more than 0, and 16 at the most.")
    }
  }
}

extension Dataset.Name: ExpressibleByArgument {}
extension Race.Protection: ExpressibleByArgument {}
