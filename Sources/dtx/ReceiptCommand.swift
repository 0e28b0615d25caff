import ArgumentParser

/// `dtx receipt`: shows and checks receipts.
struct ReceiptCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "receipt",
    abstract: "Show and check receipts.",
    discussion: """
      A receipt says what a transfer moved, how, and how well the lanes kept their rates. Both \
      ends sign it, each with a key of its user's that is made at first use.
      """,
    subcommands: [ReceiptShowCommand.self, ReceiptVerifyCommand.self]
  )
}
