import ArgumentParser
import DTXCore
import DTXEngine
import DTXLinux

/// `dtx receipt verify`: checks a receipt's signatures, the manifest and a tree by it.
struct ReceiptVerifyCommand: ParsableCommand, JSONReporting {
  static let configuration = CommandConfiguration(
    commandName: "verify",
    abstract: "Check a receipt, and the manifest and a tree by it.",
    discussion: """
      Both signatures must be there and hold. The manifest beside the receipt, or the one that \
      --manifest names, must have the root that both ends sealed, and the tree must be what the \
      manifest says. The exit status is 3 if anything is otherwise.
      """
  )

  @Argument(
    help: "A receipt, or a tree with one in its .dtx.",
    completion: .file(),
    transform: ArgumentValue.path
  )
  var path: [UInt8]

  @Argument(
    help: "A tree to read back.",
    completion: .directory,
    transform: ArgumentValue.path
  )
  var tree: [UInt8]?

  @Option(
    help: ArgumentHelp("The manifest, instead of the one beside the receipt.", valueName: "path"),
    completion: .file(),
    transform: ArgumentValue.path
  )
  var manifest: [UInt8]?

  @Option(
    help: ArgumentHelp(
      "The public key of an end (its identity.pub); repeat it. Then no other key will do.",
      valueName: "file"
    ),
    completion: .file(),
    transform: ArgumentValue.path
  )
  var key: [[UInt8]] = []

  @Flag(help: "Print JSON lines.")
  var json = false

  var isJSON: Bool { json }

  func run() throws {
    let console = Console()
    let known = try key.map { path throws(TransferError) in
      (key: try PublicKeyText(path: path), path: path)
    }
    let printer = EventPrinter(console, isJSON: json, isQuiet: false)
    let report: ReceiptReport
    do {
      report = try ReceiptVerifier.run(path, manifest: manifest, tree: tree) { printer.print($0) }
    } catch {
      console.finish()
      throw error
    }
    for entry in report.tree?.failedEntries ?? [] { printer.print(.failed(entry)) }
    let verdict = ReceiptVerdict(report: report, known: known, own: PublicKeyText.ofUser)
    if json {
      for event in verdict.json { console.report(event.line) }
    } else {
      console.report(verdict.lines.joined(separator: "\n"))
    }
    if let failure = console.finish() {
      throw TransferError("the report could not be written", failure)
    }
    if verdict.status != .success { throw ExitCode(verdict.status.rawValue) }
  }
}
