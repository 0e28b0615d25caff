import DTXCore
import DTXEngine
import Testing

@testable import dtx

/// The JSON that is printed against the JSON that dtx(1) describes.
@Suite struct JSONSchemaTests {
  @Test func everyMemberIsDescribedAndNoOther() throws {
    let words = try ManualSection.json()
    let members = JSONSchemaTests.printed.flatMap(\.memberNames)
    #expect(members.filter { !words.contains($0) } == [])
    let types = JSONSchemaTests.printed.compactMap(\.typeName)
    #expect(types.filter { !words.contains($0) } == [])
    #expect(words.filter { !members.contains($0) && !types.contains($0) && $0 != "verify" } == [])
  }

  @Test func everyEventNamesItsTypeFirst() {
    #expect(JSONSchemaTests.printed.allSatisfy { $0.typeName != nil })
  }

  @Test func aMemberThatThePageDoesNotDescribeIsFound() throws {
    let words = try ManualSection.json()
    let planted = JSONValue.object([
      ("type", .string("x")), ("lanes", .array([.object([("planted", .null)])])),
    ])
    #expect(planted.memberNames.filter { !words.contains($0) } == ["planted"])
  }

  /// One of each object that some command prints.
  private static var printed: [JSONValue] {
    var verification = VerifyReport()
    let block = VerifyDifference.Block(index: 0, offset: 0, byteCount: 1)
    verification.differing = [VerifyDifference(path: [0xFF], blocks: [block], what: "content")]
    verification.changedMetadata = verification.differing
    verification.missing = [bytes("m")]
    verification.extra = [bytes("e")]
    var repair = RepairReport()
    repair.repaired = verification.differing
    verification.repair = repair
    var session = SessionStatus(key: "k")
    session.files = [SessionStatus.File(path: [], durableByteCount: 0, byteCount: 1)]
    let running = RunningSession(process: 1, title: "t")
    let failed = FailedPath(path: [], failure: .changed, reason: "r")
    let summary = ManifestSummary(roots: Roots(content: .zero, full: .zero))
    let part = manifestSegment()
    return [
      EventPrinter.json(TransferProgress(phase: "p")), EventPrinter.json(failed),
      EventPrinter.json(entry: [], .fifo), EventPrinter.json(notice: "n"),
      ErrorReport.json(TransferError(.failed, "x"), status: .failed),
      TransferSummary(report: completedReport(), isLocal: false).json,
      PlanSamples.report().json(fileCount: 1, byteCount: 1),
      SessionView(session: session, isDiscarded: false).json, ManifestText.json(summary),
      ManifestText.json(ManifestHeader(blockByteCount: 65_536, rootAlgorithm: .sha256)),
      ReceiptText(ReceiptSamples.receipt).json,
      SetCommand.json(running), SetCommand.json(.pause, of: running),
      ScenarioList.json("scenario", "n", "t"), ScenarioList.json("fault", "n", "t"),
    ] + VerifySummary(report: verification).json + SimulationSamples.report().json
      + ReceiptSamples.verdict().json
      + part.entries.indices.map { ManifestText.json(part, $0) }
  }
}

extension JSONValue {
  /// The names of all members, of those within members too.
  fileprivate var memberNames: [String] {
    switch self {
    case .null, .bool, .number, .seconds, .string: []
    case .array(let elements): elements.flatMap(\.memberNames)
    case .object(let members): members.flatMap { [$0.0] + $0.1.memberNames }
    }
  }

  /// What the first member, `type`, says.
  fileprivate var typeName: String? {
    guard case .object(let members) = self, let first = members.first, first.0 == "type",
      case .string(let name) = first.1
    else { return nil }
    return name
  }
}

/// A section of the manual page.
private enum ManualSection {
  /// The names behind `.Cm` in the section on JSON, without the punctuation between them.
  static func json() throws -> [String] {
    var words: [String] = []
    var isInside = false
    for line in try Checkout.text("man/dtx.1").split(separator: "\n") {
      if line.hasPrefix(".Sh") { isInside = line == ".Sh JSON" }
      guard isInside, line.hasPrefix(".") else { continue }
      var isName = false
      for word in line.dropFirst().split(separator: " ") {
        if word == "Cm" || (word.count == 2 && word.first?.isUppercase == true) {
          isName = word == "Cm"
        } else if isName, word.allSatisfy({ $0.isLetter || $0.isNumber || $0 == "_" }) {
          words.append(String(word))
        }
      }
    }
    return words
  }
}
