import DTXCore
import DTXEngine
import DTXLinux

/// What a check of a receipt found, for people and as JSON.
struct ReceiptVerdict {
  let report: ReceiptReport
  /// Keys that the user named; empty for any.
  let known: [(key: PublicKeyText, path: [UInt8])]
  /// The user's own.
  let own: PublicKeyText?

  /// 3 outweighs what could not be read.
  var status: ExitStatus {
    let signatures = [report.sender, report.receiver]
    if !signatures.allSatisfy(isGood) { return .integrity }
    switch report.manifest {
    case .other, .broken: return .integrity
    case .same, nil: break
    }
    return report.tree.map { ExitStatus($0) } ?? .success
  }

  /// Lines of a label and what it says; the verdict last.
  var lines: [String] {
    var lines = [
      row("receipt", EventPrinter.shown(report.path)),
      row("sender", describe(report.sender)),
      row("receiver", describe(report.receiver)),
      row("manifest", manifest),
    ]
    if let tree = report.tree {
      let summary = VerifySummary(report: tree)
      lines += summary.findings(isVerbose: false)
      lines += summary.lines.filter { $0.hasPrefix("checked") || $0.hasPrefix("unknown") }
    }
    lines.append(row("verdict", verdict))
    return lines
  }

  /// The tree's findings, and the verdict last: dtx(1), "JSON".
  var json: [JSONValue] {
    let tree = report.tree.map { VerifySummary(report: $0).json } ?? []
    return tree + [
      .object([
        ("type", .string("receipt")),
        JSONValue.path(report.path),
        ("sender_signature", .string(name(report.sender))),
        ("sender_key", key(report.sender)),
        ("receiver_signature", .string(name(report.receiver))),
        ("receiver_key", key(report.receiver)),
        ("manifest", .string(manifestName)),
        (
          "tree",
          .optional(report.tree) { .string(ExitStatus($0) == .success ? "same" : "differs") }
        ),
        ("exit_status", .integer(status.rawValue)),
      ])
    ]
  }

  // MARK: - Signatures

  private func isGood(_ finding: SignatureFinding) -> Bool {
    guard case .valid(let key) = finding else { return false }
    return known.isEmpty || known.contains { $0.key == key }
  }

  private func describe(_ finding: SignatureFinding) -> String {
    switch finding {
    case .missing: return "did not sign it"
    case .broken: return "its signature is broken: the receipt is not what it signed"
    case .valid(let key):
      let digits = key.hexadecimal
      if let named = known.first(where: { $0.key == key }) {
        return "signed it, by \(EventPrinter.shown(named.path))"
      }
      if !known.isEmpty { return "signed it with a key that is none of those named: \(digits)" }
      if key == own { return "signed it with your own key, \(digits)" }
      return "signed it with a key that nobody vouched for (--key): \(digits)"
    }
  }

  private func name(_ finding: SignatureFinding) -> String {
    switch finding {
    case .missing: "missing"
    case .broken: "broken"
    case .valid: isGood(finding) ? "valid" : "unknown_key"
    }
  }

  private func key(_ finding: SignatureFinding) -> JSONValue {
    guard case .valid(let key) = finding else { return .null }
    return .string(key.hexadecimal)
  }

  // MARK: - The rest

  private var manifest: String {
    switch report.manifest {
    case .same(let path): "\(EventPrinter.shown(path)) is the one that was sealed"
    case .other(let path, _):
      "\(EventPrinter.shown(path)) is another: its root is not the receipt's"
    case .broken(let path, let why): "\(EventPrinter.shown(path)) is damaged: \(why)"
    case nil: "none was checked: none lies beside the receipt (--manifest)"
    }
  }

  private var manifestName: String {
    switch report.manifest {
    case .same: "same"
    case .other: "other"
    case .broken: "broken"
    case nil: "unchecked"
    }
  }

  private var verdict: String {
    var wrong: [String] = []
    if ![report.sender, report.receiver].allSatisfy(isGood) { wrong.append("the receipt") }
    switch report.manifest {
    case .other, .broken: wrong.append("the manifest")
    case .same, nil: break
    }
    if let tree = report.tree, ExitStatus(tree) != .success { wrong.append("the tree") }
    if !wrong.isEmpty { return "not good: \(wrong.joined(separator: ", "))" }
    var good = ["the receipt"]
    if report.manifest != nil { good.append("the manifest") }
    if report.tree != nil { good.append("the tree") }
    return "good: \(good.joined(separator: ", "))"
  }

  private func row(_ label: String, _ text: String) -> String {
    TransferSummary.row(label, text)
  }
}
