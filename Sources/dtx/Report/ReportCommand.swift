import ArgumentParser
import DTXCore
import DTXEngine
import DTXLinux

/// `dtx report`: writes a receipt as a page with pictures.
struct ReportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "report",
    abstract: "Write a receipt as a page with pictures.",
    discussion: """
      The page is one HTML file that needs nothing else: what each lane delivered against its \
      rate, progress against the plan, what held lanes up, and all figures.
      """
  )

  @Argument(
    help: "A receipt, or a tree with one in its .dtx.",
    completion: .file(),
    transform: ArgumentValue.path
  )
  var path: [UInt8]

  @Option(
    name: .shortAndLong,
    help: ArgumentHelp("Write the page to this file, not to standard output.", valueName: "file"),
    completion: .file(),
    transform: ArgumentValue.path
  )
  var output: [UInt8]?

  func validate() throws {
    if output == nil, Host.isTerminal(1) {
      throw ValidationError("the page is for a browser: give -o FILE, or redirect the output")
    }
  }

  func run() throws {
    let page = ReportPage(try ReceiptFile(at: path).receipt).html
    if let output { return try OutputFile.replace(output, with: Array(page.utf8)) }
    let console = Console(bufferByteCount: 64 << 10)
    console.report(page)
    if let failure = console.finish() {
      throw TransferError("the page could not be printed", failure)
    }
  }
}
