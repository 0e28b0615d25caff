import ArgumentParser
import DTXCore
import DTXEngine
import DTXLinux

/// `dtx manifest create`: reads a tree and seals its manifest, without a transfer.
struct ManifestCreateCommand: ParsableCommand, JSONReporting {
  static let configuration = CommandConfiguration(
    commandName: "create",
    abstract: "Read a tree and write its manifest.",
    usage: "dtx manifest create [<options>] <directory>",
    discussion: "Without -o it is kept in the tree's .dtx, where verify finds it."
  )

  @Argument(help: "The tree.", completion: .directory, transform: ArgumentValue.path)
  var directory: [UInt8]

  @Option(
    name: .shortAndLong,
    help: ArgumentHelp("Write the manifest to this file.", valueName: "file"),
    completion: .file(),
    transform: ArgumentValue.path
  )
  var output: [UInt8]?

  @Option(
    help: ArgumentHelp("Size of a block, in bytes. (default: 16MiB)", valueName: "size"),
    transform: ArgumentValue.blockByteCount
  )
  var blockSize: UInt64?

  @OptionGroup(title: "Which Entries") var filters: FilterArguments

  @Flag(name: .shortAndLong, help: "Print errors alone.")
  var quiet = false

  @Flag(help: "Print events and the summary as JSON lines.")
  var json = false

  var isJSON: Bool { json }

  func run() throws {
    let console = Console()
    let printer = EventPrinter(console, isJSON: json, isQuiet: quiet)
    let summary: ManifestSummary
    do {
      summary = try ManifestCreation.run(
        directory: directory,
        blockByteCount: blockSize ?? Limits.defaultBlockByteCount,
        filters: try filters.rules(),
        output: output
      ) { printer.print($0) }
    } catch {
      console.finish()
      throw error
    }
    if json {
      console.report(ManifestText.json(summary).line)
    } else if !quiet {
      console.report(ManifestText.lines(summary).joined(separator: "\n"))
    }
    if let failure = console.finish() {
      throw TransferError("the report could not be written", failure)
    }
    let status = printer.failures.status
    if status != .success { throw ExitCode(status.rawValue) }
  }
}
