package import DTXCore
internal import DTXLinux

/// What checking a receipt found.
package struct ReceiptReport: Sendable {
  /// What the manifest is to the receipt.
  package enum Manifest: Sendable {
    /// It is the one whose root both ends sealed.
    case same([UInt8])
    /// It is whole, and another one.
    case other([UInt8], Roots)
    /// It is not what it was sealed as, or cannot be read; why.
    case broken([UInt8], String)
  }

  /// Of the receipt.
  package var path: [UInt8]
  package var sender: SignatureFinding
  package var receiver: SignatureFinding
  /// Nil where there was none to check.
  package var manifest: Manifest?
  /// Nil where no tree was named, or no manifest to check it by.
  package var tree: VerifyReport?

  package init(
    path: [UInt8],
    sender: SignatureFinding,
    receiver: SignatureFinding,
    manifest: Manifest? = nil,
    tree: VerifyReport? = nil
  ) {
    self.path = path
    self.sender = sender
    self.receiver = receiver
    self.manifest = manifest
    self.tree = tree
  }
}

/// Checks a receipt: its signatures, the manifest by its root, a tree by the manifest.
package enum ReceiptVerifier {
  /// Checks; blocks until all is read.
  ///
  /// - Parameters:
  ///   - path: the receipt, or a tree with one in its `.dtx`.
  ///   - manifest: to check; nil for the one beside the receipt.
  ///   - tree: to read back; nil for none.
  ///   - watching: is told of the progress, on the calling thread.
  /// - Returns: what was found; signatures are only as good as the keys that they name.
  /// - Throws: `.failed` when receipt or tree cannot be opened, `.integrity` when the receipt is
  ///   none.
  package static func run(
    _ path: [UInt8],
    manifest: [UInt8]?,
    tree: [UInt8]?,
    watching: @escaping @Sendable (TransferEvent) -> Void
  ) throws(TransferError) -> ReceiptReport {
    let file = try ReceiptFile(at: path)
    var report = ReceiptReport(
      path: file.path,
      sender: file.receipt.senderFinding,
      receiver: file.receipt.receiverFinding
    )
    guard let place = manifest ?? file.manifestPath else {
      guard tree == nil else {
        throw TransferError(
          .failed,
          "the tree cannot be checked",
          cause: "no manifest lies beside \(printable(file.path))",
          remedy: "name it with --manifest"
        )
      }
      return report
    }
    report.manifest = check(place, file.receipt.statement.roots)
    if let tree, case .same = report.manifest {
      report.tree = try TreeVerifier.run(directory: tree, against: place, watching: watching)
    }
    return report
  }

  /// Reads a manifest to its end, and compares its roots.
  private static func check(_ path: [UInt8], _ roots: Roots) -> ReceiptReport.Manifest {
    do throws(TransferError) {
      var manifest = try ManifestFile.open(path)
      while try manifest.nextSegment() != nil {}
      guard let found = manifest.summary?.roots else { return .broken(path, "it has no end") }
      return found == roots ? .same(path) : .other(path, found)
    } catch {
      return .broken(path, error.cause ?? error.summary)
    }
  }
}
