internal import Glibc

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
      started: status(of: Host.processID)?.started ?? 0
    )
  }

  /// Whether no process has this number any more, or another has it, or its end is only waited for.
  ///
  /// What the kernel hides of other users' processes counts as there.
  package static func isGone(_ number: Int32, started: UInt64) -> Bool {
    if system({ kill(number, 0) }) == -Int(ESRCH) { return true }
    guard let status = status(of: number) else { return false }
    return status.isDead || status.started != started
  }

  private static func status(of number: Int32) -> (started: UInt64, isDead: Bool)? {
    guard let text = text(of: "/proc/\(number)/stat"),
      // The name is in parentheses, and may itself hold any.
      let rest = text.lastIndex(of: ")").map({ text[text.index(after: $0)...] })
    else { return nil }
    let fields = rest.split(separator: " ")
    // The state is the third field, and the time of the start the 22nd.
    guard fields.count > 19, let started = UInt64(fields[19]) else { return nil }
    return (started, fields[0] == "Z" || fields[0] == "X")
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
