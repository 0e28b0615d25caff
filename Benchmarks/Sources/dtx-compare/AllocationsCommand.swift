internal import ArgumentParser
internal import Comparison
internal import Foundation

/// Counts what dtx allocates for a record and for a block, and fails where it is too much.
struct AllocationsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "allocations",
    abstract: "Count what dtx allocates for each record and each block."
  )

  @Option(help: "The dtx to count.")
  var dtx = ".build/release/dtx"

  @Option(help: "Blocks of a run.")
  var blocks = 10_000

  func validate() throws {
    guard blocks > 0 else { throw ValidationError("--blocks is at least 1.") }
  }

  /// A record costs nothing; one allocation for each would read 1.
  ///
  /// What this allows is what runs differ by, because threads meet each other differently: a thousand
  /// or two among 30,000 records.
  private static let mostPerRecord = 0.25
  /// Keeps a block's cost from growing unseen; it was 23 at the receiver and 12 at the sender.
  private static let mostPerBlock = 40.0
  /// Records of a block, in the runs that are compared.
  private static let few = 1
  private static let many = 4

  func run() throws {
    let manager = FileManager.default
    let folder = manager.temporaryDirectory.appendingPathComponent("dtx-allocations-\(getpid())")
    try manager.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? manager.removeItem(at: folder) }
    var table = TextTable(["allocations", "a record", "a block"])
    var isFine = true
    for cipher in ["none", "aes-256-gcm"] {
      let base = try count(blocks, Self.few, cipher, in: folder.path)
      let longer = try count(blocks, Self.many, cipher, in: folder.path)
      let more = try count(2 * blocks, Self.few, cipher, in: folder.path)
      for end in AllocationCount.End.allCases {
        let perRecord = base.perRecord(end, longer)
        let perBlock = base.perBlock(end, more)
        isFine = isFine && perRecord < Self.mostPerRecord && perBlock < Self.mostPerBlock
        table.append([
          "\(end.rawValue), \(cipher)",
          Quantity.fixed(perRecord, 2),
          Quantity.fixed(perBlock, 1),
        ])
      }
    }
    print("\(blocks) blocks of \(Self.few) and of \(Self.many) records, and \(2 * blocks) blocks")
    print(table.text, terminator: "")
    guard isFine else {
      throw HarnessError(
        "more than \(Self.mostPerRecord) allocations a record or \(Self.mostPerBlock) a block"
      )
    }
  }

  private func count(
    _ blockCount: Int,
    _ recordsPerBlock: Int,
    _ cipher: String,
    in folder: String
  ) throws -> AllocationCount {
    try AllocationCount.take(
      blockCount: blockCount,
      recordsPerBlock: recordsPerBlock,
      cipher: cipher,
      program: dtx,
      counter: Self.counter,
      directory: folder
    )
  }

  /// The library lies beside this program.
  private static var counter: String {
    let program = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe"))
    let folder = URL(fileURLWithPath: program ?? CommandLine.arguments[0])
      .deletingLastPathComponent()
    return folder.appendingPathComponent("liballocation-counter.so").path
  }
}
