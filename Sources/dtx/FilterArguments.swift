import ArgumentParser
import DTXCore
import DTXEngine
import DTXLinux
import Synchronization

/// The options that say which entries belong to the dataset.
struct FilterArguments: ParsableArguments {
  @Option(
    help: ArgumentHelp("Leave out entries that match.", valueName: "pattern"),
    transform: Given.exclude
  )
  private var exclude: [Given] = []

  @Option(
    help: ArgumentHelp(
      "Keep entries that match, whatever a later rule says.",
      valueName: "pattern"
    ),
    transform: Given.include
  )
  private var include: [Given] = []

  @Option(
    help: ArgumentHelp("Read patterns to leave out, one a line.", valueName: "file"),
    completion: .file(),
    transform: Given.excludeFrom
  )
  private var excludeFrom: [Given] = []

  @Option(
    help: ArgumentHelp("Read patterns to keep, one a line.", valueName: "file"),
    completion: .file(),
    transform: Given.includeFrom
  )
  private var includeFrom: [Given] = []

  /// Whether no rule was given, though a file of rules may have none.
  var isEmpty: Bool {
    exclude.isEmpty && include.isEmpty && excludeFrom.isEmpty && includeFrom.isEmpty
  }

  /// The rules in the order in which they were given, since the first that matches decides.
  func rules() throws(TransferError) -> [FilterRule] {
    var rules: [FilterRule] = []
    let given = exclude + include + excludeFrom + includeFrom
    for item in given.sorted(by: { $0.place < $1.place }) {
      switch item.content {
      case .pattern(let pattern):
        rules.append(FilterRule(isInclude: item.isInclude, pattern: pattern))
      case .file(let path):
        for pattern in try FilterArguments.patterns(inFile: path) {
          rules.append(FilterRule(isInclude: item.isInclude, pattern: pattern))
        }
      }
    }
    return rules
  }

  /// The lines of a file but the empty ones and those that begin with `#` or `;`, as with rsync.
  private static func patterns(inFile path: [UInt8]) throws(TransferError) -> [[UInt8]] {
    let bytes: [UInt8]
    do throws(SystemError) {
      let file = try File.open(path, .read)
      bytes = try file.read(byteCount: Int(clamping: try file.status().byteCount), at: 0)
    } catch {
      throw TransferError("the patterns in \(printable(path)) cannot be read", error)
    }
    let comments: [UInt8] = [UInt8(ascii: "#"), UInt8(ascii: ";")]
    return bytes.split(separator: UInt8(ascii: "\n")).compactMap { line in
      let line = line.last == UInt8(ascii: "\r") ? line.dropLast() : line
      guard let first = line.first, !comments.contains(first) else { return nil }
      return Array(line)
    }
  }
}

/// One filter option as it was given, with its place among the others.
///
/// The parser keeps each option's values apart. It reads the command line from left to right,
/// though, so a number drawn from a rising counter while it reads tells the order of all of them.
private struct Given: Sendable {
  enum Content: Sendable {
    case pattern([UInt8])
    case file([UInt8])
  }

  private static let counter = Atomic<UInt64>(0)

  var content: Content
  var isInclude: Bool
  let place = Given.counter.add(1, ordering: .relaxed).newValue

  static func exclude(_ text: String) throws -> Given {
    Given(content: .pattern(try pattern(text)), isInclude: false)
  }

  static func include(_ text: String) throws -> Given {
    Given(content: .pattern(try pattern(text)), isInclude: true)
  }

  static func excludeFrom(_ text: String) throws -> Given {
    Given(content: .file(try ArgumentValue.path(text)), isInclude: false)
  }

  static func includeFrom(_ text: String) throws -> Given {
    Given(content: .file(try ArgumentValue.path(text)), isInclude: true)
  }

  private static func pattern(_ text: String) throws -> [UInt8] {
    guard !text.isEmpty else { throw ValidationError("a pattern has at least one byte") }
    let bytes = ArgumentText.bytes(of: text)
    guard bytes.count <= Limits.pathByteCount else {
      throw ValidationError("a pattern has at most \(Limits.pathByteCount) bytes")
    }
    return bytes
  }
}
