package import DTXLinux

/// What tells a state directory of ours from something else that is called `.dtx`.
package enum StateMarker {
  package static let directoryName: [UInt8] = Array(".dtx".utf8)
  package static let fileName: [UInt8] = Array("dtx-state".utf8)

  /// Whether `.dtx` in this directory is ours.
  package static func isPresent(in directory: Directory) -> Bool {
    let name = directoryName + [UInt8(ascii: "/")] + fileName
    guard let status = try? directory.statusIfPresent(of: name) else { return false }
    return status.kind == .regular
  }
}
