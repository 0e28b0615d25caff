package import DTXCore
internal import DTXLinux

/// A receipt on disk.
package struct ReceiptFile: Sendable {
  package let path: [UInt8]
  package let receipt: Receipt
  /// Where the manifest lies that was stored with it, if it is still there.
  package let manifestPath: [UInt8]?

  /// Reads a receipt, or that of a tree: the one in its `.dtx` whose session ended last.
  ///
  /// - Parameter path: of the file, or of the tree.
  /// - Throws: `.failed` when there is none or it cannot be read, `.integrity` when its bytes are
  ///   no receipt.
  package init(at path: [UInt8]) throws(TransferError) {
    let (directory, name) = try ReceiptFile.place(path)
    let full = directory.path + Array("/".utf8) + name
    let bytes = try TransferError.unless("receipt \(printable(full)) cannot be read") {
      () throws(SystemError) in
      try directory.openFile(name, .read).read(byteCount: Limits.receiptByteCount + 1, at: 0)
    }
    self.path = full
    do throws(FormatError) {
      receipt = try ReceiptCodec.decode(bytes)
    } catch {
      throw TransferError(
        .integrity,
        "receipt \(printable(full)) cannot be used",
        cause: error.description
      )
    }
    let sibling = ReceiptFile.manifestName(name)
    let isThere = ((try? directory.statusIfPresent(of: sibling)) ?? nil) != nil
    manifestPath = isThere ? directory.path + Array("/".utf8) + sibling : nil
  }

  private static func place(
    _ path: [UInt8]
  ) throws(TransferError) -> (directory: Directory, name: [UInt8]) {
    if let tree = try? Directory.open(path) {
      return try StatusReader.latest(
        StateDirectory.Name.receipt,
        "receipt",
        in: tree,
        remedy: "name a receipt: both ends of a transfer keep one"
      )
    }
    return try Directory.holding(path, to: "opened")
  }

  /// `receipt` lies beside `manifest`, and `NAME.receipt` beside `NAME.manifest`.
  private static func manifestName(_ name: [UInt8]) -> [UInt8] {
    let suffix = StateDirectory.Name.receipt
    let base = name.suffix(suffix.count).elementsEqual(suffix) ? name.dropLast(suffix.count) : []
    return Array(base) + StateDirectory.Name.manifest
  }
}
