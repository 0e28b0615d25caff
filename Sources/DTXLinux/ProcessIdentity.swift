/// A process of this host as it can be told from others with its number: proc(5).
package struct ProcessIdentity: Equatable, Sendable {
  /// The kernel's random number for its time since it was started; empty where it does not say.
  package var boot: String
  /// The number of the namespace that process numbers are of, 0 where the kernel does not say.
  package var namespace: UInt64
  package var number: Int32
  /// When the process began, in clock ticks since the host was started.
  package var started: UInt64

  /// This process.
  package static var current: ProcessIdentity {
    ProcessIdentity(
      boot: bootText() ?? "",
      namespace: namespaceNumber() ?? 0,
      number: Host.processID,
      started: start(of: Host.processID) ?? 0
    )
  }

  /// When the process with this number began; nil where there is none, or it is only waited for.
  package static func start(of number: Int32) -> UInt64? {
    guard let text = text(of: "/proc/\(number)/stat"),
      // The name is in parentheses, and may itself hold any.
      let rest = text.lastIndex(of: ")").map({ text[text.index(after: $0)...] })
    else { return nil }
    let fields = rest.split(separator: " ")
    // The state is the third field, and the time of the start the 22nd.
    guard fields.count > 19, fields[0] != "Z", fields[0] != "X" else { return nil }
    return UInt64(fields[19])
  }

  private static func bootText() -> String? {
    text(of: "/proc/sys/kernel/random/boot_id").map { String($0.prefix { $0 != "\n" }) }
  }

  private static func namespaceNumber() -> UInt64? {
    let directory = try? Directory.open(Array("/proc/self/ns".utf8))
    guard let link = try? directory?.readSymlink(Array("pid".utf8)) else { return nil }
    return UInt64(String(decoding: link, as: UTF8.self).filter(\.isNumber))
  }

  private static func text(of path: String) -> String? {
    guard let file = try? File.open(Array(path.utf8), .read),
      let bytes = try? file.read(byteCount: 4096, at: 0)
    else { return nil }
    return String(decoding: bytes, as: UTF8.self)
  }
}
