import ArgumentParser
import DTXCore
import DTXEngine
import DTXLinux

/// `dtx receipt show`: prints a receipt.
struct ReceiptShowCommand: ParsableCommand, JSONReporting {
  static let configuration = CommandConfiguration(
    commandName: "show",
    abstract: "Print a receipt.",
    discussion: "What each lane did from second to second is printed by --json."
  )

  @Argument(
    help: "A receipt, or a tree with one in its .dtx.",
    completion: .file(),
    transform: ArgumentValue.path
  )
  var path: [UInt8]

  @Flag(help: "Print it as one JSON line.")
  var json = false

  var isJSON: Bool { json }

  func run() throws {
    let console = Console()
    let text = ReceiptText(try ReceiptFile(at: path).receipt)
    console.report(json ? text.json.line : text.lines.joined(separator: "\n"))
    if let failure = console.finish() {
      throw TransferError("the receipt could not be printed", failure)
    }
  }
}
