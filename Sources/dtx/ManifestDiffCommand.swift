import ArgumentParser
import DTXCore
import DTXEngine
import DTXLinux

/// `dtx manifest diff`: compares two manifests, as diff(1) does files.
struct ManifestDiffCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "diff",
    abstract: "Compare two manifests.",
    discussion: """
      A line for each entry that is not the same: '+' added, '-' removed, '~' changed, '?' where a \
      digest is missing. As with diff(1) the exit status is 0 for the same, 1 for different, 2 for \
      trouble.
      """
  )

  /// The statuses of diff(1), since scripts test for them.
  private enum Verdict {
    static let different: Int32 = 1
    static let trouble: Int32 = 2
  }

  @Argument(
    help: "The old manifest, or a tree with one in its .dtx.",
    completion: .file(),
    transform: ArgumentValue.path
  )
  var old: [UInt8]

  @Argument(help: "The new one.", completion: .file(), transform: ArgumentValue.path)
  var new: [UInt8]

  func run() throws {
    let console = Console(bufferByteCount: 64 << 10)
    let isDifferent: Bool
    do {
      isDifferent = try compare(console)
      if let failure = console.finish() {
        throw TransferError("the differences could not be printed", failure)
      }
    } catch let error as TransferError {
      console.finish()
      console.message(ErrorReport.text(error))
      throw ExitCode(Verdict.trouble)
    }
    if isDifferent { throw ExitCode(Verdict.different) }
  }

  private func compare(_ console: Console) throws(TransferError) -> Bool {
    var oldFile = try ManifestFile.open(old)
    var newFile = try ManifestFile.open(new)
    var diff = ManifestDiff()
    var isDifferent = false
    while true {
      switch diff.next() {
      case .needs(.old): diff.supply(try oldFile.nextSegment(), to: .old)
      case .needs(.new): diff.supply(try newFile.nextSegment(), to: .new)
      case .difference(let difference):
        isDifferent = true
        console.report(ManifestDiffCommand.line(difference.path, difference.change))
      case .finished: return isDifferent
      }
    }
  }

  /// `~ path: length, mode`.
  static func line(_ path: [UInt8], _ change: ManifestDifference.Change) -> String {
    let path = EventPrinter.shown(path)
    switch change {
    case .added: return "+ \(path)"
    case .removed: return "- \(path)"
    case .changed(let aspects): return "~ \(path): \(names(aspects))"
    case .unknown(let aspects):
      let others = aspects.isEmpty ? "" : ", \(names(aspects))"
      return "? \(path): content unknown\(others)"
    }
  }

  private static func names(_ aspects: [ManifestDifference.Aspect]) -> String {
    aspects.map { aspect in
      switch aspect {
      case .kind: "kind"
      case .length: "length"
      case .content: "content"
      case .target: "target"
      case .mode: "mode"
      case .owner: "owner"
      case .modified: "time"
      }
    }.joined(separator: ", ")
  }
}
