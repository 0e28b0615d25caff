package import DTXCore
internal import DTXLinux

extension HostConfiguration {
  /// The file of the host.
  private static let hostPath = Array("/etc/dtx/config.toml".utf8)
  /// A configuration is a few lines; what is longer is another file.
  private static let fileByteCount: UInt64 = 1 << 16

  /// Reads the host's file and the user's.
  ///
  /// - Returns: what both say together; nothing where neither is there.
  /// - Throws: `.usage` for a file that cannot be taken, which is no reason to take no notice of it.
  package static func current() throws(TransferError) -> HostConfiguration {
    var configuration = HostConfiguration()
    let userPath = UserDirectory.configuration.map { $0 + Array("/config.toml".utf8) }
    for path in [hostPath, userPath] {
      guard let path, let text = try text(path, isOwn: path == userPath) else { continue }
      do throws(LaneTextError) {
        configuration = configuration.narrowed(by: try HostConfiguration(text))
      } catch {
        throw TransferError(
          .usage,
          "the configuration \(printable(path)) cannot be taken",
          cause: error.description,
          remedy: "see dtx-config(5); nothing was moved"
        )
      }
    }
    return configuration
  }

  /// A file's text; nil where it is not there.
  ///
  /// What a user's own file should be and may not be looked at is another user's: su keeps HOME.
  private static func text(_ path: [UInt8], isOwn: Bool) throws(TransferError) -> String? {
    let bytes: [UInt8]
    do throws(SystemError) {
      let file = try File.open(path, .read)
      bytes = try file.read(
        byteCount: Int(min(try file.status().byteCount, fileByteCount)),
        at: 0
      )
    } catch {
      if error.isAbsence || isOwn && error.isAboutPermission { return nil }
      throw TransferError(
        .usage,
        "the configuration \(printable(path)) cannot be read",
        cause: error.explanation,
        remedy: "nothing was moved"
      )
    }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw TransferError(.usage, "the configuration \(printable(path)) is not in UTF-8")
    }
    return text
  }
}
